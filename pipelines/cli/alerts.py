"""`papertide alert-test`: sends a test message through each configured channel."""

from __future__ import annotations

import click

from pipelines.errors import UsageError
from pipelines.settings import load_settings, variable


@click.command("alert-test")
def alert_test() -> int:
    """Send a test alert through each configured channel.

    Exit code 1 if a channel failed or mail is only partly configured.
    """
    from pipelines.delivery import alerts
    from pipelines.delivery.channels import missing_mail_settings

    settings = load_settings()
    missing = ", ".join(variable(name) for name in missing_mail_settings(settings))
    results = alerts.send_test(settings)
    if not results and not missing:
        raise UsageError(
            "No channel for alerts is configured. Set PAPERTIDE_ALERT_WEBHOOK, or "
            "PAPERTIDE_ALERT_MAIL_TO, PAPERTIDE_ALERT_MAIL_FROM and PAPERTIDE_SMTP_URL."
        )
    for name, problem in results.items():
        click.echo(f"{name}: {problem or 'sent'}", err=True)
    if missing:
        click.echo(f"mail: off, because {missing} is not set", err=True)
    return 1 if missing or any(results.values()) else 0
