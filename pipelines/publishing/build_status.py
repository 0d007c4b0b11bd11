"""The outcome of the last build, in small JSON files next to the snapshots.

Belongs here: reading and writing a refusal, the time of the last check, and the last rollback.
Does not: how fresh the published figures are (`freshness`), or what is refused (`audit`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pipelines.errors import NOTHING_PUBLISHED, BusyError, CheckFailed
from pipelines.publishing.state_files import parse_time, utc_time, write_json
from pipelines.runtime.exceptions import papertide_error_behind
from pipelines.runtime.faults import was_interrupted
from pipelines.settings import Settings
from pipelines.sources.errors import SourceError

log = logging.getLogger("papertide")

POINTER = "CURRENT"
REFUSED = "REFUSED.json"
CHECKED = "CHECKED.json"
ROLLED_BACK = "ROLLED_BACK.json"
MAX_MESSAGES = 50

Kind = Literal["refused", "failed", "not_fetched"]


@dataclass(frozen=True)
class Refusal:
    """A build that published nothing: when, why, and the snapshot that readers keep.

    `refused`: a check failed. `failed`: the build stopped, for example because the disk is full.
    `not_fetched`: a source did not respond.
    """

    refused_at: datetime
    kept: str | None
    messages: tuple[str, ...]
    kind: Kind = "refused"


def note_failed_build(settings: Settings, error: BaseException | None) -> None:
    """Record the error of a failed build.

    Does nothing if the build was interrupted or another build holds the lock. If the record can't
    be written, logs a warning.
    """
    cause = papertide_error_behind(error)
    if isinstance(cause, BusyError) or was_interrupted(error):
        return
    text = str(cause or error).strip() or type(error).__name__
    messages = getattr(cause, "messages", None) or (text.removeprefix(NOTHING_PUBLISHED),)
    kind: Kind = "failed"
    if isinstance(cause, CheckFailed):
        kind = "refused"
    elif isinstance(cause, SourceError):
        kind = "not_fetched"
    try:
        note_refusal(settings, messages, pointed_to(settings.snapshots_dir), kind=kind)
    except OSError as write_error:
        log.warning("the failure of this build can't be recorded: %s", write_error.strerror)


def pointed_to(snapshots_dir: Path) -> str | None:
    """The snapshot id in the pointer, whether or not that snapshot exists."""
    try:
        return (snapshots_dir / POINTER).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def note_refusal(
    settings: Settings,
    messages: Sequence[str],
    kept: str | None,
    *,
    kind: Kind = "refused",
    now: datetime | None = None,
) -> None:
    """Record that a build published nothing, and why."""
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    write_json(
        settings.snapshots_dir / REFUSED,
        {
            "refused_at": utc_time(now).isoformat(),
            "kind": kind,
            "kept": kept,
            "messages": list(messages)[:MAX_MESSAGES],
        },
    )


def clear_refusal(settings: Settings) -> None:
    """Remove the record of a refusal, after a successful build."""
    (settings.snapshots_dir / REFUSED).unlink(missing_ok=True)


def refusal(snapshots_dir: Path) -> Refusal | None:
    """The refusal of the last build, or None. An unreadable record is a refusal that reports it."""
    path = snapshots_dir / REFUSED
    try:
        record = json.loads(path.read_text("utf-8"))
        return Refusal(
            parse_time(record["refused_at"]),
            record["kept"],
            tuple(str(message) for message in record["messages"]) or ("no reason given",),
            record["kind"] if record.get("kind") in get_args(Kind) else "refused",
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Refusal(_modified_at(path), None, (f"{path} can't be read",))


def note_checked(settings: Settings, snapshot_id: str, *, now: datetime | None = None) -> None:
    """Record that this snapshot is up to date, and clear a refusal."""
    record = {"snapshot_id": snapshot_id, "checked_at": utc_time(now).isoformat()}
    write_json(settings.snapshots_dir / CHECKED, record)
    clear_refusal(settings)


def checked(snapshots_dir: Path) -> tuple[str, datetime] | None:
    """The snapshot that was last found up to date, and when; None without a readable record."""
    try:
        record = json.loads((snapshots_dir / CHECKED).read_text("utf-8"))
        return str(record["snapshot_id"]), parse_time(record["checked_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def note_rollback(
    settings: Settings, left: str | None, to: str, *, now: datetime | None = None
) -> None:
    """Record a rollback of readers from one snapshot to another."""
    record = {"rolled_back_at": utc_time(now).isoformat(), "from": left, "to": to}
    write_json(settings.snapshots_dir / ROLLED_BACK, record)


def rollback_mark(snapshots_dir: Path) -> dict[str, Any] | None:
    """The last rollback (`rolled_back_at`, `from`, `to`), or None."""
    try:
        record = json.loads((snapshots_dir / ROLLED_BACK).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    is_complete = isinstance(record, dict) and {"rolled_back_at", "from", "to"} <= record.keys()
    return record if is_complete and isinstance(record["to"], str) else None


def _modified_at(path: Path) -> datetime:
    try:
        return utc_time(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except OSError:
        return utc_time(None)
