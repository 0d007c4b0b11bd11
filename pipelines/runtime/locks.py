"""Locks between processes of one home.

Belongs here: holding one, or leaving with a sentence. Does not: what is done under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import BusyError


@contextmanager
def held(path: Path, taken: str) -> Iterator[None]:
    """Hold the lock for the block. Raises BusyError, in the words of `taken`, when another does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(taken) from None
    try:
        yield
    finally:
        lock.release()
