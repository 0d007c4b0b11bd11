"""The channels that the settings configure: webhook and mail.

Belongs here: which channels exist, and sending one alert. Does not: the protocols (`mail.py`,
`webhook.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pipelines.delivery import mail, webhook
from pipelines.delivery.message import Alert
from pipelines.delivery.webhook import DeliveryError
from pipelines.settings import Settings

log = logging.getLogger("papertide")

MAIL_SETTINGS = ("alert_mail_to", "alert_mail_from", "smtp_url")


@dataclass(frozen=True)
class Channel:
    """A configured channel. `send` raises DeliveryError."""

    name: str
    send: Callable[[Alert], None]

    def accepts(self, alert: Alert) -> bool:
        """Send the alert; False, and a line in the log, when the receiver did not accept it."""
        try:
            self.send(alert)
        except DeliveryError as error:
            log.warning("alert %r was not sent by %s: %s", alert.subject, self.name, error)
            return False
        return True


def channels(settings: Settings) -> list[Channel]:
    """The configured channels; none by default."""
    found = []
    if address := settings.alert_webhook:
        found.append(Channel("webhook", lambda alert: webhook.post(address, alert)))
    to, sender, server = settings.alert_mail_to, settings.alert_mail_from, settings.smtp_url
    if to and sender and server:
        found.append(
            Channel("mail", lambda alert: mail.send(server, mail.message_of(alert, sender, to)))
        )
    return found


def missing_mail_settings(settings: Settings) -> list[str]:
    """The settings that mail still needs, when some but not all are set."""
    missing = [name for name in MAIL_SETTINGS if not getattr(settings, name)]
    return missing if len(missing) < len(MAIL_SETTINGS) else []
