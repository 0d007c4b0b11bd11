"""Sends alerts as mail: unencrypted to this machine, with STARTTLS or TLS to other servers."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipelines.delivery.message import Alert
from pipelines.delivery.webhook import DeliveryError

TIMEOUT_S = 20.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def message_of(alert: Alert, sender: str, recipients: str) -> EmailMessage:
    """The alert as a plain-text message; `recipients` are addresses separated by commas."""
    message = EmailMessage()
    message["Subject"] = f"[Papertide] {alert.subject}"
    message["From"] = sender
    message["To"] = recipients
    message["Date"] = format_datetime(alert.at)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # suppresses automatic replies
    message["X-Papertide-Alert"] = alert.kind
    message.set_content(alert.body or alert.subject)
    return message


def send(server_url: SecretStr, message: EmailMessage) -> None:
    """Send the message. Raises DeliveryError, whose message has no secrets."""
    try:
        with _session(server_url.get_secret_value()) as server:
            server.send_message(message)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(_description(error)) from None


def _session(url: str) -> smtplib.SMTP:
    """An open session, encrypted and logged in as the URL says."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    trusted = ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trusted)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if parts.scheme == "smtp+starttls":
            server.starttls(context=trusted)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _description(error: Exception) -> str:
    """The error as a message without the server's text, which may quote a secret."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        problem = f"The mail server refused the login ({error.smtp_code})"
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        return "The mail server refused all recipients. Check PAPERTIDE_ALERT_MAIL_TO."
    elif isinstance(error, smtplib.SMTPSenderRefused):
        return "The mail server refused the sender. Check PAPERTIDE_ALERT_MAIL_FROM."
    elif isinstance(error, ssl.SSLError):
        problem = f"TLS with the mail server failed ({error.reason or 'TLS'})"
    else:
        code = getattr(error, "smtp_code", None)
        problem = f"The mail server did not accept the message ({code or type(error).__name__})"
    return f"{problem}. Check PAPERTIDE_SMTP_URL."
