"""What is known of the builds: the last that published nothing, when figures were last found up to
date, what an operator accepted.

Small JSON files, written whole. Belongs here: reading and writing them, and the sentence that says
how much the published figures can be relied on. Does not: deciding what is refused (`audit`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pipelines.errors import BusyError, CheckFailed, PapertideError
from pipelines.runtime.exceptions import papertide_error_behind
from pipelines.runtime.faults import was_interrupted
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings
from pipelines.sources.errors import SourceError

log = logging.getLogger("papertide")

POINTER = "CURRENT"
REFUSED = "REFUSED.json"
CHECKED = "CHECKED.json"
ROLLED_BACK = "ROLLED_BACK.json"
ACCEPTED = "accepted.json"
MAX_MESSAGES = 50
MAX_SHOWN = 400  # letters of a message in a banner
NOTHING = "Nothing was published, readers keep the last snapshot: "
CLOCK_SKEW = timedelta(hours=1)  # figures dated further ahead tell of a clock that was wrong

Kind = Literal["refused", "failed", "not_fetched"]
_SAID: dict[str, str] = {
    "refused": "the last build was refused",
    "failed": "the last build failed",
    "not_fetched": "the last refresh could not fetch everything",
}


@dataclass(frozen=True)
class Refusal:
    """A build that published nothing: when, why, and what readers keep.

    `refused`: a check did not hold. `failed`: the build broke off, on a full disk for example.
    `not_fetched`: a source did not answer.
    """

    refused_at: datetime
    kept: str | None
    messages: tuple[str, ...]
    kind: Kind = "refused"


@dataclass(frozen=True)
class Acceptance:
    """Something unusual that an operator declared right."""

    subject: str
    why: str
    accepted_at: datetime


@dataclass(frozen=True)
class Standing:
    """Whether the published figures are up to date: `fresh`, `stale`, `refused` or `failed`.

    The sentence is empty when they are fresh.
    """

    state: str
    sentence: str


def note_failed_build(settings: Settings, error: BaseException | None) -> None:
    """Remember the mistake behind a build that failed.

    Not when somebody stopped it, nor when another build holds the lock. A disk that takes no note
    is logged.
    """
    mistake = papertide_error_behind(error)
    if isinstance(mistake, BusyError) or was_interrupted(error):
        return
    words = str(mistake or error).strip() or type(error).__name__
    messages = getattr(mistake, "messages", None) or (words.removeprefix(NOTHING),)
    kind: Kind = "failed"
    if isinstance(mistake, CheckFailed):
        kind = "refused"
    elif isinstance(mistake, SourceError):
        kind = "not_fetched"
    try:
        note_refusal(settings, messages, pointed_to(settings.snapshots_dir), kind=kind)
    except OSError as trouble:
        log.warning("that the build failed can't be noted: %s", trouble.strerror)


def pointed_to(snapshots_dir: Path) -> str | None:
    """The id that the pointer names, whether it is there or not."""
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
    """Remember that a build published nothing, and why."""
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    _write_json(
        settings.snapshots_dir / REFUSED,
        {
            "refused_at": _moment(now).isoformat(),
            "kind": kind,
            "kept": kept,
            "messages": list(messages)[:MAX_MESSAGES],
        },
    )


def clear_refusal(settings: Settings) -> None:
    """A build has published: what was refused before it no longer matters."""
    (settings.snapshots_dir / REFUSED).unlink(missing_ok=True)


def note_checked(settings: Settings, snapshot_id: str, *, now: datetime | None = None) -> None:
    """Remember that this snapshot was up to date; what failed before no longer matters."""
    noted = {"snapshot_id": snapshot_id, "checked_at": _moment(now).isoformat()}
    _write_json(settings.snapshots_dir / CHECKED, noted)
    clear_refusal(settings)


def checked(snapshots_dir: Path) -> tuple[str, datetime] | None:
    """The snapshot that was last found up to date, and when; None where no note can be read."""
    try:
        noted = json.loads((snapshots_dir / CHECKED).read_text("utf-8"))
        return str(noted["snapshot_id"]), _parsed(noted["checked_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def good_at(snapshots_dir: Path, published_at: datetime) -> datetime:
    """When the figures that people read were last known to be up to date.

    The moment of their publication, or a later one at which a refresh found nothing new.
    """
    found = checked(snapshots_dir)
    if found is None or found[0] != pointed_to(snapshots_dir):
        return published_at
    return max(published_at, found[1])


def refusal(snapshots_dir: Path) -> Refusal | None:
    """The last build, when it published nothing; a file that can't be read is said to be that."""
    path = snapshots_dir / REFUSED
    try:
        noted = json.loads(path.read_text("utf-8"))
        messages = tuple(str(message) for message in noted["messages"])
        return Refusal(
            _parsed(noted["refused_at"]),
            noted["kept"],
            messages or ("no reason given",),
            noted["kind"] if noted.get("kind") in _SAID else "refused",
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Refusal(_changed_at(path), None, (f"{path} can't be read",))


def note_rollback(
    settings: Settings, left: str | None, to: str, *, now: datetime | None = None
) -> None:
    """Remember that readers were taken back, from which snapshot to which."""
    noted = {"rolled_back_at": _moment(now).isoformat(), "from": left, "to": to}
    _write_json(settings.snapshots_dir / ROLLED_BACK, noted)


def rollback_mark(snapshots_dir: Path) -> dict[str, Any] | None:
    """The last roll back: `rolled_back_at`, `from`, `to`."""
    try:
        noted = json.loads((snapshots_dir / ROLLED_BACK).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(noted, dict) and {"rolled_back_at", "from", "to"} <= noted.keys()
    return noted if whole and isinstance(noted["to"], str) else None


def accept(
    settings: Settings, subject: str, why: str, *, now: datetime | None = None
) -> Acceptance:
    """Record that something unusual is right; a second time replaces the first."""
    added = Acceptance(subject, why, _moment(now))
    kept = [a for a in acceptances(settings) if a.subject != subject]
    settings.home.mkdir(parents=True, exist_ok=True)
    _write_acceptances(settings, [*kept, added])
    return added


def take_back(settings: Settings, subject: str) -> bool:
    """Forget an acceptance; False when there is none."""
    known = acceptances(settings)
    kept = [a for a in known if a.subject != subject]
    if len(kept) < len(known):
        _write_acceptances(settings, kept)
    return len(kept) < len(known)


def _write_acceptances(settings: Settings, accepted: Sequence[Acceptance]) -> None:
    rows = [
        {"subject": a.subject, "why": a.why, "accepted_at": a.accepted_at.isoformat()}
        for a in accepted
    ]
    _write_json(settings.home / ACCEPTED, rows)


def acceptances(settings: Settings) -> list[Acceptance]:
    """What was accepted, oldest first. Raises PapertideError when the file can't be read."""
    path = settings.home / ACCEPTED
    try:
        return [
            Acceptance(str(a["subject"]), str(a["why"]), _parsed(a["accepted_at"]))
            for a in json.loads(path.read_text("utf-8"))
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        raise PapertideError(
            f"{path} can't be read. Mend it, or remove it and run `papertide accept` again for "
            "what still matters."
        ) from None


def standing(
    snapshots_dir: Path,
    published_at: datetime,
    stale_after_hours: float,
    *,
    now: datetime | None = None,
) -> Standing:
    """How the figures published then stand now. `stale_after_hours` 0: age alone never matters."""
    published_at = published_at.replace(tzinfo=published_at.tzinfo or UTC)
    since = f"These figures are of {_said(published_at)}"
    if refused := refusal(snapshots_dir):
        first = " ".join(refused.messages[0].split()).rstrip(".")
        first = first if len(first) <= MAX_SHOWN else f"{first[: MAX_SHOWN - 1]}…"
        more = f" (and {len(refused.messages) - 1} more)" if len(refused.messages) > 1 else ""
        sentence = f"{since}: {_SAID[refused.kind]} at {_said(refused.refused_at)}: {first}"
        name = "refused" if refused.kind == "refused" else "failed"
        return Standing(name, f"{sentence}{more}.")
    known_good = good_at(snapshots_dir, published_at)
    if known_good - _moment(now) > CLOCK_SKEW:
        return Standing(
            "stale",
            f"{since}, later than this machine's clock says it is ({_said(_moment(now))}): the "
            "clock is or was wrong, and how old they are can't be told.",
        )
    hours = (_moment(now) - known_good).total_seconds() / 3600
    if stale_after_hours and hours > stale_after_hours:
        return Standing("stale", f"{since} and {hours:,.0f} hours old; nothing newer is published.")
    return Standing("fresh", "")


def _write_json(path: Path, content: object) -> None:
    write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _moment(now: datetime | None) -> datetime:
    return (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)


def _parsed(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
    except OSError:
        return _moment(None)


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
