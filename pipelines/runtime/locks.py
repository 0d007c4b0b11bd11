"""Locks between processes that share a home.

Belongs here: acquiring a lock without waiting. Does not: what the lock protects.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import BusyError


@contextmanager
def exclusive(path: Path, busy_message: str) -> Iterator[None]:
    """Hold the file lock for the block. Raises BusyError when another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(busy_message) from None
    try:
        yield
    finally:
        lock.release()
