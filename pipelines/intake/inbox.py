"""The inbox: files dropped into a folder of the home, taken in and moved aside with a verdict.

Belongs here: which files have arrived whole, moving them without loss, and saying what became of
them. Does not: taking them in (`intake.py`) or when that happens (the sensor).

Nothing is remembered beside the files themselves: a file is moved after it was taken in, and the
same bytes taken in again change nothing, so a power cut between the two costs a second look.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any

import polars as pl

from pipelines.archive.archive import SIDECAR, is_companion
from pipelines.intake.ingest import Outcome
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings

SETTLE_S = 5.0
MAX_FILES = 500
DONE, REFUSED = "done", "refused"
VERDICT = ".verdict.txt"
UNFINISHED = (".part", ".crdownload", ".tmp", ".partial", ".download")
MAX_NAME_BYTES = 255 - len(VERDICT) - len("-999")
INGESTED = ("new", "known", "amended")


@dataclass(frozen=True)
class Built:
    """What the run did after taking in: the snapshot it published, and what went wrong."""

    snapshot_id: str | None = None
    trouble: str = ""


def waiting(settings: Settings, *, now: float | None = None) -> list[Path]:
    """The first files that have arrived whole, in a stable order; none when there is no inbox.

    Whole is what was not touched for some seconds. Hidden and unfinished files, verdicts,
    `captures.csv` and Markdown are left alone, as is everything that is no plain file.
    """
    moment = time.time() if now is None else now
    found = []
    for path in _files(settings.inbox_dir):
        try:
            facts = path.stat(follow_symlinks=False)
        except OSError:  # taken away meanwhile
            continue
        # The time of the last change to the file's entry, which a copy can't bring along: a file
        # that still grows, or has just been renamed, has a fresh one whatever its date says.
        if S_ISREG(facts.st_mode) and moment - facts.st_ctime >= SETTLE_S:
            found.append(path)
    return found[:MAX_FILES]


def _files(inbox: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(inbox):
        here = Path(folder)
        aside = (DONE, REFUSED) if here == inbox else ()
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in aside)
        for name in sorted(names):
            path = here / name
            left_alone = name.startswith(".") or name.endswith((VERDICT, *UNFINISHED))
            if not left_alone and not is_companion(path):
                yield path


def key_of(paths: Iterable[Path]) -> str:
    """Changes when one of the files does, or a `captures.csv` beside them: names, sizes, times."""
    given = sorted(paths)
    beside = sorted({path.parent / SIDECAR for path in given})
    digest = hashlib.sha256()
    for path in (*given, *beside):
        with suppress(OSError):
            facts = path.stat(follow_symlinks=False)
            line = f"{os.fspath(path)}\0{facts.st_size}\0{facts.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def put_aside(
    settings: Settings,
    path: Path,
    outcome: Outcome,
    built: Built,
    *,
    now: datetime | None = None,
) -> Path:
    """Move the file to `done/<date>/` or `refused/<date>/` with its verdict; its new place.

    Never overwrites: a name that is taken gets a number. Raises OSError when it can't be moved.
    """
    facts = _facts(settings, outcome)
    usable = outcome.status in INGESTED and (
        facts is None or facts["n_accepted"] > 0 or facts["n_quarantined"] == 0
    )
    day = (now or datetime.now(UTC)).date().isoformat()
    below = path.relative_to(settings.inbox_dir).parent
    folder = settings.inbox_dir / (DONE if usable else REFUSED) / day / below
    folder.mkdir(parents=True, exist_ok=True)
    text = verdict(settings, path.name, outcome, facts, built)
    place = _reserve(folder, path.name)
    write_atomic(place.with_name(place.name + VERDICT), text)
    os.replace(path, place)  # over the empty file that holds the name for it
    _tidy(path.parent, settings.inbox_dir)
    return place


def _reserve(folder: Path, name: str) -> Path:
    """An empty file of this name, or of the first free numbered one, made for us alone."""
    stem, dot, suffix = _fitting(name).partition(".")
    n = 1
    while True:
        place = folder / (f"{stem}{dot}{suffix}" if n == 1 else f"{stem}-{n}{dot}{suffix}")
        n += 1
        if os.path.lexists(place.with_name(place.name + VERDICT)):
            continue
        try:
            place.touch(exist_ok=False)
        except FileExistsError:
            continue
        return place


def _fitting(name: str) -> str:
    """The name, cut at its front where a verdict's name would be too long for the disk."""
    raw = os.fsencode(name)
    return name if len(raw) <= MAX_NAME_BYTES else os.fsdecode(raw[-MAX_NAME_BYTES:]).lstrip(".")


def _tidy(folder: Path, inbox: Path) -> None:
    """Remove the folders below the inbox that this left empty."""
    while folder != inbox:
        try:
            folder.rmdir()
        except OSError:  # something is in it still
            return
        folder = folder.parent


# The verdict


def verdict(
    settings: Settings, name: str, outcome: Outcome, facts: dict[str, Any] | None, built: Built
) -> str:
    """What the file was taken for, what became of its items, and what to do next."""
    lines = [f"file      {_printable(name)}", f"outcome   {outcome.status}"]
    if outcome.capture_id:
        lines.append(f"capture   {outcome.capture_id}")
    if outcome.message:
        lines.append(f"message   {_printable(outcome.message)}")
    if facts:
        lines += _about(facts, settings)
    return "\n".join([*lines, "", f"next      {_next(outcome, facts, built)}", ""])


def _about(facts: dict[str, Any], settings: Settings) -> list[str]:
    day = f"{facts['listing_day']}: " if facts["listing_day"] else ""
    lines = [
        f"format    {facts['format']} (source {facts['source']})",
        f"kind      {facts['listing_kind']}: {facts['listing_kind_rule']}",
        f"day       {day}{facts['listing_day_basis']}",
        *(f"rule      {rule}" for rule in facts["rules"]),
        "items     {n_seen} seen = {n_accepted} accepted + {n_quarantined} quarantined".format(
            **facts
        ),
    ]
    return [_printable(line) for line in (*lines, *_rejects(settings, facts))]


def _rejects(settings: Settings, facts: dict[str, Any]) -> list[str]:
    if not facts["n_quarantined"]:
        return []
    try:
        rows = pl.read_parquet(settings.items_dir / facts["capture_id"] / "quarantine.parquet")
    except (OSError, pl.exceptions.PolarsError):
        return ["          (the reasons can't be read)"]
    by_reason = rows.group_by("reason").agg(
        pl.len(), pl.col("place").first(), pl.col("detail").first()
    )
    return [
        f"          {n} × {reason}, first at {place}: {detail}"
        for reason, n, place, detail in by_reason.sort("reason").iter_rows()
    ]


def _next(outcome: Outcome, facts: dict[str, Any] | None, built: Built) -> str:
    if outcome.status not in INGESTED:
        return "mend what the message says and drop the file into the inbox again"
    if facts is None:
        return "it is archived and waits to be parsed: papertide ingest or the next file does it"
    if not facts["n_accepted"] and facts["n_quarantined"]:
        return (
            "nothing in it could be used. If its bytes are not what you meant, drop another copy; "
            "they are kept in the archive either way"
        )
    why = f" ({_printable(built.trouble)})" if built.trouble else ""
    if built.snapshot_id:
        after = f". A later step of the run failed{why}: see it in Dagster's UI" if why else ""
        return f"nothing; snapshot {built.snapshot_id} holds it{after}"
    return f"it is taken in, but the build published nothing{why}: papertide build"


def _facts(settings: Settings, outcome: Outcome) -> dict[str, Any] | None:
    """What the lake says of the capture; None while it is not parsed."""
    if outcome.capture_id is None:
        return None
    try:
        text = (settings.items_dir / outcome.capture_id / "capture.json").read_text("utf-8")
        facts: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return None
    return facts


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text)
