"""Sends alerts as a POST of JSON.

Slack, Mattermost and compatible receivers show the field `text`; others can read all fields.
"""

from __future__ import annotations

import socket
from importlib.metadata import version

import httpx2
from pydantic import SecretStr

from pipelines.delivery.message import Alert
from pipelines.errors import PapertideError

TIMEOUT_S = 10.0


class DeliveryError(PapertideError):
    """A receiver did not accept an alert. The message has no secrets."""


def post(address: SecretStr, alert: Alert) -> None:
    """Post the alert. Raises DeliveryError unless the receiver responds with status 2xx."""
    try:
        answer = httpx2.post(
            address.get_secret_value(),
            json=payload(alert),
            headers={"User-Agent": f"papertide/{version('papertide')}"},
            timeout=TIMEOUT_S,
            follow_redirects=False,  # would reveal the token in the address to another host
        )
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise DeliveryError(
            f"The webhook can't be reached ({type(error).__name__}). Check PAPERTIDE_ALERT_WEBHOOK "
            "and the network."
        ) from None
    if not answer.is_success:
        raise DeliveryError(
            f"The webhook returned HTTP {answer.status_code}. Check PAPERTIDE_ALERT_WEBHOOK."
        )


def payload(alert: Alert) -> dict[str, str]:
    """The JSON that is posted: text, kind, subject, body, at (ISO, UTC), host."""
    return {
        "text": _without_mentions(f"{alert.subject}\n{alert.body}"),
        "kind": alert.kind,
        "subject": alert.subject,
        "body": alert.body,
        "at": alert.at.isoformat(timespec="seconds"),
        "host": socket.gethostname(),
    }


def _without_mentions(text: str) -> str:
    """The text, in which `<!channel>` or `@all` from a file name can't notify a whole channel."""
    return text.replace("<", "<\u200b").replace("@", "@\u200b")
