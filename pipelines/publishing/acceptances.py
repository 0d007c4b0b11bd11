"""Findings of the audit that an operator accepted, in `accepted.json` in the home.

Belongs here: recording, listing and withdrawing them. Does not: their effect (`audit`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.errors import PapertideError
from pipelines.publishing.state_files import parse_time, utc_time, write_json
from pipelines.settings import Settings

FILE = "accepted.json"


@dataclass(frozen=True)
class Acceptance:
    """A day or mart that an operator declared correct, with the reason."""

    subject: str
    why: str
    accepted_at: datetime


def accept(
    settings: Settings, subject: str, why: str, *, now: datetime | None = None
) -> Acceptance:
    """Record an acceptance. It replaces an earlier one of the same subject."""
    added = Acceptance(subject, why, utc_time(now))
    others = [a for a in acceptances(settings) if a.subject != subject]
    settings.home.mkdir(parents=True, exist_ok=True)
    _write(settings, [*others, added])
    return added


def withdraw(settings: Settings, subject: str) -> bool:
    """Remove the acceptance of a subject. Returns False if there is none."""
    known = acceptances(settings)
    others = [a for a in known if a.subject != subject]
    if len(others) < len(known):
        _write(settings, others)
    return len(others) < len(known)


def acceptances(settings: Settings) -> list[Acceptance]:
    """All acceptances, oldest first. Raises PapertideError if the file can't be read."""
    path = settings.home / FILE
    try:
        return [
            Acceptance(str(a["subject"]), str(a["why"]), parse_time(a["accepted_at"]))
            for a in json.loads(path.read_text("utf-8"))
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        raise PapertideError(
            f"{path} can't be read. Fix it, or delete it and run `papertide accept` again for what "
            "is still needed."
        ) from None


def _write(settings: Settings, accepted: Sequence[Acceptance]) -> None:
    rows = [
        {"subject": a.subject, "why": a.why, "accepted_at": a.accepted_at.isoformat()}
        for a in accepted
    ]
    write_json(settings.home / FILE, rows)
