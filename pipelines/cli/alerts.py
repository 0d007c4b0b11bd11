"""`papertide alert-test`: whether what would be sent at three in the morning arrives."""

from __future__ import annotations

import click

from pipelines.errors import UsageError
from pipelines.settings import get_settings, variable


@click.command("alert-test")
def alert_test() -> int:
    """Send a test message by every configured way, and say what became of it."""
    from pipelines.delivery import alerts

    settings = get_settings()
    lacking = ", ".join(variable(name) for name in alerts.half_configured(settings))
    results = alerts.send_test(settings)
    if not results and not lacking:
        raise UsageError(
            "No way for alerts is configured. Set PAPERTIDE_ALERT_WEBHOOK, or "
            "PAPERTIDE_ALERT_MAIL_TO, PAPERTIDE_ALERT_MAIL_FROM and PAPERTIDE_SMTP_URL."
        )
    for name, trouble in results.items():
        click.echo(f"{name}: {trouble or 'taken'}", err=True)
    if lacking:
        click.echo(f"mail: off, because {lacking} is not set", err=True)
    return 1 if lacking or any(results.values()) else 0
