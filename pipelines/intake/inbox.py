"""The inbox: finds files dropped into a folder of the home, and moves them once ingested.

Belongs here: which files are complete, and moving them without loss. Does not: ingesting them
(`ingest.py`), the text of a verdict (`verdict.py`), or when that happens (the sensor).

The files are the only state. A file is moved after it was ingested, and ingesting the same bytes
again changes nothing, so a crash between the two steps only costs time.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

from pipelines.intake.ingest import Outcome
from pipelines.intake.paths import SIDECAR, is_sidecar
from pipelines.intake.verdict import BuildResult, capture_facts, is_usable, verdict
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings

SETTLE_S = 5.0
MAX_FILES = 500
DONE, REFUSED = "done", "refused"
VERDICT = ".verdict.txt"
UNFINISHED = (".part", ".crdownload", ".tmp", ".partial", ".download")
MAX_NAME_BYTES = 255 - len(VERDICT) - len("-999")


def settled_files(settings: Settings, *, now: float | None = None) -> list[Path]:
    """The first `MAX_FILES` complete files, in a stable order; empty when there is no inbox.

    A file is complete when it has not changed for `SETTLE_S` seconds. Hidden and unfinished files,
    verdicts, `captures.csv`, Markdown, links and special files are skipped.
    """
    moment = time.time() if now is None else now
    found = []
    for path in _candidates(settings.inbox_dir):
        try:
            status = path.stat(follow_symlinks=False)
        except OSError:  # removed meanwhile
            continue
        # A copy keeps its source's mtime but not its ctime, so ctime reveals a growing file.
        if S_ISREG(status.st_mode) and moment - status.st_ctime >= SETTLE_S:
            found.append(path)
    return found[:MAX_FILES]


def _candidates(inbox: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(inbox):
        here = Path(folder)
        processed = (DONE, REFUSED) if here == inbox else ()
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in processed)
        for name in sorted(names):
            path = here / name
            is_skipped = name.startswith(".") or name.endswith((VERDICT, *UNFINISHED))
            if not is_skipped and not is_sidecar(path):
                yield path


def fingerprint(paths: Iterable[Path]) -> str:
    """16 hex digits that change with the files or a `captures.csv` next to them.

    Computed from names, sizes and modification times.
    """
    files = sorted(paths)
    sidecars = sorted({path.parent / SIDECAR for path in files})
    digest = hashlib.sha256()
    for path in (*files, *sidecars):
        with suppress(OSError):
            status = path.stat(follow_symlinks=False)
            line = f"{os.fspath(path)}\0{status.st_size}\0{status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def move_aside(
    settings: Settings,
    path: Path,
    outcome: Outcome,
    build: BuildResult,
    *,
    now: datetime | None = None,
) -> Path:
    """Move the file to `done/<date>/` or `refused/<date>/` with its verdict; returns its new path.

    Never overwrites a file: a name that exists gets a number. Raises OSError when it can't be
    moved.
    """
    facts = capture_facts(settings, outcome)
    day = (now or datetime.now(UTC)).date().isoformat()
    parent = path.relative_to(settings.inbox_dir).parent
    target = DONE if is_usable(outcome, facts) else REFUSED
    folder = settings.inbox_dir / target / day / parent
    folder.mkdir(parents=True, exist_ok=True)
    place = _reserve(folder, path.name)
    text = verdict(settings, path.name, outcome, facts, build)
    write_atomic(place.with_name(place.name + VERDICT), text)
    os.replace(path, place)
    _remove_empty(path.parent, settings.inbox_dir)
    return place


def _reserve(folder: Path, name: str) -> Path:
    """A new empty file of this name, or of the first free numbered name."""
    stem, dot, suffix = _shorten_name(name).partition(".")
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


def _shorten_name(name: str) -> str:
    """The name, cut at its front when the verdict's name would exceed the file system's limit."""
    raw = os.fsencode(name)
    return name if len(raw) <= MAX_NAME_BYTES else os.fsdecode(raw[-MAX_NAME_BYTES:]).lstrip(".")


def _remove_empty(folder: Path, inbox: Path) -> None:
    """Remove the folder and its parents below the inbox, as far as they are empty."""
    while folder != inbox:
        try:
            folder.rmdir()
        except OSError:  # not empty
            return
        folder = folder.parent
