"""Small JSON state files: written atomically, with times in UTC.

Belongs here: writing them and parsing times. Does not: what the files mean.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from pipelines.runtime.files import write_atomic


def write_json(path: Path, content: object) -> None:
    """Replace the file atomically."""
    write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def utc_time(now: datetime | None) -> datetime:
    """The time, by default the current one, in UTC and whole seconds."""
    return (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


def parse_time(text: str) -> datetime:
    """An ISO 8601 time; UTC if it has no zone."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC)
