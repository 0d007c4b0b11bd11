"""An alert as it is sent: its kind, a line, some lines, and the moment. Safe to send as it is.

Belongs here: what an alert holds, and the cleaning of text that came from outside (titles, names
of files, messages of databases). Does not: when to send it (`alerts.py`) or how (`mail.py`,
`webhook.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from pipelines.settings import Settings

KINDS = ("run_failed", "publication_refused", "stale", "recovered", "test")
MAX_SUBJECT_CHARS = 150
MAX_BODY_CHARS = 4_000


@dataclass(frozen=True)
class Alert:
    """Something that people should know. The subject is one line; both texts are cleaned."""

    kind: str
    subject: str
    body: str
    at: datetime

    def __post_init__(self) -> None:
        # Frozen, and yet: no alert exists that could break a header or a terminal.
        object.__setattr__(self, "subject", one_line(self.subject))
        object.__setattr__(self, "body", _lines(self.body))


def without_secrets(alert: Alert, settings: Settings) -> Alert:
    """The alert with every secret of the settings that a message may have quoted blotted out."""
    subject, body = alert.subject, alert.body
    for text in _secrets(settings):
        subject, body = subject.replace(text, "***"), body.replace(text, "***")
    return replace(alert, subject=subject, body=body)


def _secrets(settings: Settings) -> list[str]:
    """Whole addresses and tokens, and the passwords within: others spell an address differently."""
    found = set()
    for name in Settings.model_fields:
        secret = getattr(settings, name)
        if isinstance(secret, SecretStr):
            value = secret.get_secret_value()
            password = urlsplit(value).password or ""
            found |= {value, password, unquote(password)}
    return sorted(filter(None, found), key=len, reverse=True)


def one_line(text: str) -> str:
    """The text on one line, without control characters, cut to the length of a subject."""
    line = " ".join(_printable(text, also="").split())
    return line if len(line) <= MAX_SUBJECT_CHARS else f"{line[:MAX_SUBJECT_CHARS]}…"


def _lines(text: str) -> str:
    lines = _printable(text.replace("\r\n", "\n").replace("\r", "\n"), also="\n").strip()
    return lines if len(lines) <= MAX_BODY_CHARS else f"{lines[:MAX_BODY_CHARS]}…"


def _printable(text: str, *, also: str) -> str:
    whole = text.encode("utf-8", "replace").decode()  # half a character can't be sent
    return "".join(c if c.isprintable() or c in also else " " for c in whole)
