"""What the machine does to a run: a full disk, missing rights, files that were damaged on it.

Belongs here: telling such faults by their errors, whichever library raised them, and the sentence
that a person gets. Does not: mistakes of a person (`errors`), or mending (each room its own).
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import PapertideError

MIN_FREE_BYTES = 16 * 1024**2  # below it nothing is begun: not even Dagster's records fit

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({
    errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
    errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE,
})  # fmt: skip
_FULL_WORDS = ("no space left", "disk is full", "file too large", "disk quota exceeded")
_DAMAGED_WORDS = (
    "corrupt database file", "does not match stored checksum", "could not read enough bytes",
    "not a valid duckdb database file",
)  # fmt: skip
_DAMAGED_RECORDS = ("database disk image is malformed", "file is not a database")  # SQLite's
STOPPED_WORDS = ("Query interrupted", "INTERRUPT Error: Interrupted!")  # the database's
_NO_SPILL_WORDS = "failed to offload data block"  # to a disk that has no room
_SCARCE_WORDS = "out of memory error"  # the database's, when its limit is reached


class MachineError(PapertideError):
    """The machine failed, not the data: nothing that was kept before is lost."""


def require_room(home: Path) -> None:
    """Pass when the disk of the home has room to begin anything. Raises MachineError."""
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise MachineError(_full(home, f"{free / 1024**2:.0f} MiB are left"))


def fault_behind(error: BaseException, home: Path) -> MachineError | None:
    """The sentence for a fault of the machine behind an exception; None when there is none."""
    for link in links(error):
        if isinstance(link, OSError) and link.errno in _FULL:
            return MachineError(_full(home, str(link.strerror)))
        if found := fault_in_words(str(link), home):
            return found
    for link in links(error):
        if isinstance(link, OSError) and link.errno in _REFUSED:
            return MachineError(
                f"{link.filename or home}: {link.strerror}. Mend the rights, the folder or the "
                "disk, then run it again; nothing that was there before is lost."
            )
    return _disk_fault(error, home)


@contextmanager
def told(home: Path) -> Iterator[None]:
    """Raise a MachineError for a fault of the machine within the block; other errors as they are.

    A pipe that was closed at its other end is none.
    """
    try:
        yield
    except (PapertideError, BrokenPipeError):
        raise
    except Exception as error:
        if fault := fault_behind(error, home):
            raise fault from None
        raise


def fault_in_words(words: str, home: Path) -> MachineError | None:
    """The same for a message of a library that wraps the system's error."""
    lower = words.lower()
    if any(phrase in lower for phrase in (*_FULL_WORDS, _NO_SPILL_WORDS)):
        return MachineError(_full(home, "no space left"))
    if _SCARCE_WORDS in lower:
        return MachineError(
            f"This needs more memory than PAPERTIDE_MEMORY_LIMIT allows ({_first_line(words)})"
            ". Nothing that was there before is lost. Raise the limit, or lower PAPERTIDE_THREADS, "
            "for each thread takes its share. Then run it again."
        )
    if any(phrase in lower for phrase in _DAMAGED_RECORDS):
        return MachineError(
            f"Dagster's records in {home / 'dagster'} were damaged on the disk "
            f"({_first_line(words)}). Move that folder aside and run it again: the history of runs "
            "is gone, nothing else."
        )
    if is_damage(words):
        return MachineError(
            f"A file in {home} was damaged on the disk ({_first_line(words)}). Nothing was "
            "published and readers keep the last snapshot. Run `papertide build`: it looks over "
            "what the last build left and computes anew what is damaged. If it comes again, see "
            "docs/operations.md, Damage."
        )
    return None


def is_damage(words: str) -> bool:
    """Whether a database's message tells of bytes that are not what was written."""
    lower = words.lower()
    return any(phrase in lower for phrase in _DAMAGED_WORDS)


def links(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it came from, outermost first; chains may bite their own tail."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def was_stopped(error: BaseException | None) -> bool:
    """Whether a person or the system stopped the work (Ctrl-C, SIGTERM): no failure of it."""
    return any(
        not isinstance(link, Exception) or str(link) in STOPPED_WORDS for link in links(error)
    )


def _disk_fault(error: BaseException, home: Path) -> MachineError | None:
    """SQLite says only that the disk failed; whether it is full, the disk itself must say."""
    if not any("disk i/o error" in str(link).lower() for link in links(error)):
        return None
    try:
        require_room(home)
    except MachineError as full:
        return full
    return MachineError(f"The disk of {home} failed. Look at the machine's log, then run it again.")


def _full(home: Path, why: str) -> str:
    return (
        f"The disk of {home} is full ({why}). Nothing that was there before is lost and readers "
        "keep the last snapshot. Make room (docs/operations.md, Room on disk), then run it again."
    )


def _first_line(words: str) -> str:
    line = next((line.strip() for line in words.splitlines() if line.strip()), "")
    return line[:200].rstrip(".")
