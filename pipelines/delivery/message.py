"""The content of an alert: kind, subject, body and time, cleaned so that it is safe to send.

Belongs here: the record, and cleaning text from outside (titles, file names, database messages).
Does not: when to send it (`alerts.py`) or how (`mail.py`, `webhook.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipelines.runtime.text import one_line, printable, shortened
from pipelines.settings import Settings

KINDS = ("run_failed", "publication_refused", "stale", "recovered", "test")
MAX_SUBJECT_CHARS = 150
MAX_BODY_CHARS = 4_000


@dataclass(frozen=True)
class Alert:
    """An alert. The subject is one line; both texts have no control characters."""

    kind: str
    subject: str
    body: str
    at: datetime

    def __post_init__(self) -> None:
        # Cleaned here so that no alert can break a mail header or a terminal.
        object.__setattr__(self, "subject", _clean_line(self.subject))
        object.__setattr__(self, "body", _clean_lines(self.body))


def without_secrets(alert: Alert, settings: Settings) -> Alert:
    """The alert with each secret of the settings replaced by `***`."""
    subject, body = alert.subject, alert.body
    for text in _secrets(settings):
        subject, body = subject.replace(text, "***"), body.replace(text, "***")
    return replace(alert, subject=subject, body=body)


def _secrets(settings: Settings) -> list[str]:
    """Secret settings, and the passwords in them: a message may quote an address in part."""
    found = set()
    for name in Settings.model_fields:
        secret = getattr(settings, name)
        if isinstance(secret, SecretStr):
            value = secret.get_secret_value()
            password = urlsplit(value).password or ""
            found |= {value, password, unquote(password)}
    return sorted(filter(None, found), key=len, reverse=True)


def _clean_line(text: str) -> str:
    return shortened(one_line(_printable(text)), MAX_SUBJECT_CHARS)


def _clean_lines(text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return shortened(_printable(lines, keep="\n").strip(), MAX_BODY_CHARS)


def _printable(text: str, *, keep: str = "") -> str:
    valid = text.encode("utf-8", "replace").decode()  # lone surrogates can't be encoded
    return printable(valid, keep=keep, replacement=" ")
