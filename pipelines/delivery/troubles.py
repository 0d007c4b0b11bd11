"""Stores open problems between processes: what failed, when, and whether an alert was sent.

Belongs here: `alerts.json` in the home. Does not: when to send an alert (`alerts.py`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from filelock import FileLock

from pipelines.delivery.message import Alert, without_secrets
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings

log = logging.getLogger("papertide")

LOCK_TIMEOUT_S = 60
RECOVERED = "recovered"


@dataclass
class Trouble:
    """A problem and its alert; `sent_at` is None until a receiver accepted it."""

    kind: str
    subject: str
    body: str
    last_at: str
    sent_at: str | None = None

    @classmethod
    def of(cls, alert: Alert, settings: Settings) -> Trouble:
        """The problem that an alert reports, without secrets."""
        clean = without_secrets(alert, settings)
        return cls(clean.kind, clean.subject, clean.body, clean.at.isoformat())

    def alert(self) -> Alert:
        """The alert to send."""
        return Alert(self.kind, self.subject, self.body, datetime.fromisoformat(self.last_at))

    def is_over(self, published_at: datetime) -> bool:
        """Whether a snapshot was published after the problem last occurred."""
        return self.kind != RECOVERED and datetime.fromisoformat(self.last_at) <= published_at

    def was_sent_within(self, pause_s: float, now: datetime) -> bool:
        """Whether an alert was sent less than this many seconds ago."""
        if self.sent_at is None:
            return False
        return (now - datetime.fromisoformat(self.sent_at)).total_seconds() < pause_s


@contextmanager
def remembered(settings: Settings) -> Iterator[dict[str, Trouble]]:
    """Key → problem, to change in the block; stored at its end.

    Raises OSError, including when the lock is held for too long.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / ".alerts.lock", timeout=LOCK_TIMEOUT_S):
        troubles = _read(settings)
        yield troubles
        stored = {key: asdict(trouble) for key, trouble in troubles.items()}
        write_atomic(settings.alerts_path, json.dumps(stored, indent=1) + "\n")


def _read(settings: Settings) -> dict[str, Trouble]:
    try:
        stored: dict[str, Any] = json.loads(settings.alerts_path.read_bytes())
        return {key: _trouble(fields) for key, fields in stored.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        log.warning("%s is damaged; earlier problems are discarded", settings.alerts_path)
        return {}


def _trouble(fields: dict[str, Any]) -> Trouble:
    # Earlier versions had another name for `sent_at`, the only other time.
    times = [name for name in fields if name.endswith("_at") and name != "last_at"]
    sent_at = fields.pop(times[0]) if times else None
    trouble = Trouble(**fields, sent_at=sent_at)
    for moment in filter(None, (trouble.last_at, trouble.sent_at)):
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError("a time without a zone")
    return trouble
