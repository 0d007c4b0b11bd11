"""Detects machine faults: a full disk, missing permissions, damaged files, too little memory.

Belongs here: recognising such a fault in an error of any library, and the message for the user.
Does not: user errors (`pipelines.errors`), or recovery, which each package does itself.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import PapertideError
from pipelines.runtime.exceptions import exception_chain

MIN_FREE_BYTES = 16 * 1024**2  # Dagster's own records need this much
MAX_DETAIL_CHARS = 200

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({
    errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
    errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE,
})  # fmt: skip
# Parts of messages, for libraries that do not pass on the system's error number.
_FULL_MESSAGES = (
    "no space left", "disk is full", "file too large", "disk quota exceeded",
    "failed to offload data block",  # DuckDB, when it can't spill to disk
)  # fmt: skip
_DAMAGE_MESSAGES = (
    "corrupt database file", "does not match stored checksum", "could not read enough bytes",
    "not a valid duckdb database file",
)  # fmt: skip
_SQLITE_DAMAGE_MESSAGES = ("database disk image is malformed", "file is not a database")
_MEMORY_MESSAGE = "out of memory error"
INTERRUPT_MESSAGES = ("Query interrupted", "INTERRUPT Error: Interrupted!")  # DuckDB's


class MachineError(PapertideError):
    """The machine failed, not the data. Everything that was published or archived is intact."""


def require_free_space(home: Path) -> None:
    """Raise MachineError when the disk of the home is too full to start anything."""
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise MachineError(_disk_full(home, f"{free / 1024**2:.0f} MiB left"))


def fault_behind(error: BaseException, home: Path) -> MachineError | None:
    """The machine fault in an exception chain as an error for the user, or None."""
    chain = list(exception_chain(error))
    for link in chain:
        if isinstance(link, OSError) and link.errno in _FULL:
            return MachineError(_disk_full(home, str(link.strerror)))
        if found := fault_in_message(str(link), home):
            return found
    for link in chain:
        if isinstance(link, OSError) and link.errno in _REFUSED:
            return MachineError(
                f"{link.filename or home}: {link.strerror}. Existing data is intact. Fix the "
                "permissions, the folder or the disk, then run the command again."
            )
    return _disk_failure(chain, home)


@contextmanager
def reporting_faults(home: Path) -> Iterator[None]:
    """Turn a machine fault in the block into a MachineError; other errors pass unchanged.

    A closed pipe (`papertide … | head`) is not a fault.
    """
    try:
        yield
    except (PapertideError, BrokenPipeError):
        raise
    except Exception as error:
        if fault := fault_behind(error, home):
            raise fault from None
        raise


def fault_in_message(message: str, home: Path) -> MachineError | None:
    """The machine fault that a library's error message reports, or None."""
    lower = message.lower()
    detail = _first_line(message)
    if any(phrase in lower for phrase in _FULL_MESSAGES):
        return MachineError(_disk_full(home, "no space left"))
    if _MEMORY_MESSAGE in lower:
        return MachineError(
            f"More memory is needed than PAPERTIDE_MEMORY_LIMIT allows ({detail}). Existing data "
            "is intact. Raise the limit, or lower PAPERTIDE_THREADS (each thread needs its share). "
            "Then run the command again."
        )
    if any(phrase in lower for phrase in _SQLITE_DAMAGE_MESSAGES):
        return MachineError(
            f"Dagster's records in {home / 'dagster'} are damaged ({detail}). Rename or move "
            "that folder and run the command again. Only the run history is lost."
        )
    if reports_damage(message):
        return MachineError(
            f"A file in {home} is damaged ({detail}). Nothing was published; readers still see the "
            "last snapshot. Run `papertide build`: it checks the existing files and rebuilds "
            "damaged ones. If the error persists, see docs/operations.md, Damage."
        )
    return None


def reports_damage(message: str) -> bool:
    """Whether a DuckDB message reports a damaged database file."""
    lower = message.lower()
    return any(phrase in lower for phrase in _DAMAGE_MESSAGES)


def was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C or SIGTERM stopped the work, as opposed to a failure."""
    return any(
        not isinstance(link, Exception) or str(link) in INTERRUPT_MESSAGES
        for link in exception_chain(error)
    )


def _disk_failure(chain: list[BaseException], home: Path) -> MachineError | None:
    """SQLite reports a full disk as an I/O error, so free space is checked first."""
    if not any("disk i/o error" in str(link).lower() for link in chain):
        return None
    try:
        require_free_space(home)
    except MachineError as full:
        return full
    return MachineError(
        f"The disk of {home} failed. Check the system log, then run the command again."
    )


def _disk_full(home: Path, detail: str) -> str:
    return (
        f"The disk of {home} is full ({detail}). Existing data is intact; readers still see the "
        "last snapshot. Free some space (docs/operations.md, Disk space), then run the command "
        "again."
    )


def _first_line(message: str) -> str:
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    return line[:MAX_DETAIL_CHARS].rstrip(".")
