"""What is known of the builds: the last refusal, what an operator accepted, how old figures are.

Small JSON files, written whole. Belongs here: reading and writing them, and the sentence that says
how much the published figures can be relied on. Does not: deciding what is refused (`audit`).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import BusyError, PapertideError, mistake_behind
from pipelines.settings import Settings

POINTER = "CURRENT"
REFUSED = "REFUSED.json"
ROLLED_BACK = "ROLLED_BACK.json"
ACCEPTED = "accepted.json"
MAX_MESSAGES = 50
MAX_SHOWN = 400  # letters of a message in a banner
NOTHING = "Nothing was published, readers keep the last snapshot: "


@dataclass(frozen=True)
class Refusal:
    """A build that published nothing: when, why, and what readers keep."""

    refused_at: datetime
    kept: str | None
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Acceptance:
    """Something unusual that an operator declared right."""

    subject: str
    why: str
    accepted_at: datetime


@dataclass(frozen=True)
class Standing:
    """Whether the published figures are up to date: `fresh`, `stale` or `refused`, in a sentence.

    The sentence is empty when they are fresh.
    """

    state: str
    sentence: str


def note_failed_build(settings: Settings, error: BaseException | None) -> None:
    """Remember the mistake behind a build that stopped; not when another build holds the lock."""
    mistake = mistake_behind(error)
    if isinstance(mistake, BusyError):
        return
    words = str(mistake or error).strip() or type(error).__name__
    messages = getattr(mistake, "messages", None) or (words.removeprefix(NOTHING),)
    note_refusal(settings, messages, pointed_to(settings.snapshots_dir))


def pointed_to(snapshots_dir: Path) -> str | None:
    """The id that the pointer names, whether it is there or not."""
    try:
        return (snapshots_dir / POINTER).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def note_refusal(
    settings: Settings, messages: Sequence[str], kept: str | None, *, now: datetime | None = None
) -> None:
    """Remember that a build published nothing, and why."""
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    _write_json(
        settings.snapshots_dir / REFUSED,
        {
            "refused_at": _moment(now).isoformat(),
            "kept": kept,
            "messages": list(messages)[:MAX_MESSAGES],
        },
    )


def clear_refusal(settings: Settings) -> None:
    """A build has published: what was refused before it no longer matters."""
    (settings.snapshots_dir / REFUSED).unlink(missing_ok=True)


def refusal(snapshots_dir: Path) -> Refusal | None:
    """The last build, when it was refused; a file that can't be read is said to be that."""
    path = snapshots_dir / REFUSED
    try:
        noted = json.loads(path.read_text("utf-8"))
        messages = tuple(str(message) for message in noted["messages"])
        return Refusal(
            _parsed(noted["refused_at"]), noted["kept"], messages or ("no reason given",)
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
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
    return noted if isinstance(noted, dict) and isinstance(noted.get("to"), str) else None


def accept(
    settings: Settings, subject: str, why: str, *, now: datetime | None = None
) -> Acceptance:
    """Record that something unusual is right; a second time replaces the first."""
    added = Acceptance(subject, why, _moment(now))
    kept = [a for a in acceptances(settings) if a.subject != subject]
    settings.home.mkdir(parents=True, exist_ok=True)
    _write_json(
        settings.home / ACCEPTED,
        [
            {"subject": a.subject, "why": a.why, "accepted_at": a.accepted_at.isoformat()}
            for a in [*kept, added]
        ],
    )
    return added


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
        sentence = f"{since}: the last build was refused at {_said(refused.refused_at)}: {first}"
        return Standing("refused", f"{sentence}{more}.")
    hours = (_moment(now) - published_at).total_seconds() / 3600
    if stale_after_hours and hours > stale_after_hours:
        return Standing("stale", f"{since} and {hours:,.0f} hours old; nothing newer is published.")
    return Standing("fresh", "")


def write_whole(path: Path, text: str, *, prefix: str | None = None) -> None:
    """Replace a small file so that readers see the old or the new one, also after a crash."""
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=prefix or f".{path.name}-", delete=False, encoding="utf-8"
    ) as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.chmod(handle.name, 0o644)
    os.replace(handle.name, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_json(path: Path, content: object) -> None:
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


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
