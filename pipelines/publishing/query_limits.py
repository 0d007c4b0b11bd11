"""Work that must end: a time limit, a memory limit, and Ctrl-C, for queries of users.

Belongs here: running one piece of database work in a thread and stopping it. Does not: what the
work is (see `pipelines.publishing.reader`).
"""

from __future__ import annotations

import atexit
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pipelines.errors import QueryError

T = TypeVar("T")
_TICK_S = 0.05
_GRACE_S = 2.0
_MEMORY_GRACE_S = 0.2  # a value that is being built grows by a gigabyte a second
# The database counts its buffers, not each value that an expression builds: the process gets half
# as much again before it is stopped.
_HEADROOM = 1.5
_UNITS = {
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip


class Clock:
    """The seconds that the work has taken, without those in which it waited for its reader."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waited = 0.0
        self._waiting_since: float | None = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Time within does not count: whoever reads the output may take all day."""
        self._waiting_since = since = time.monotonic()
        try:
            yield
        finally:
            # In this order the other thread may for a moment see too few seconds, never too many.
            self._waited += time.monotonic() - since
            self._waiting_since = None

    def seconds(self) -> float:
        """Counted seconds since the start."""
        until = self._waiting_since or time.monotonic()
        return until - self._started - self._waited


def run_watched(
    work: Callable[[Clock], T],
    interrupt: Callable[[], None],
    *,
    timeout_s: float,
    memory_limit: str,
) -> T:
    """What `work` returns, or raises.

    It runs in a thread, for the database hears neither Ctrl-C nor a timer while it plans or
    computes. Raises QueryError when it takes longer than `timeout_s`, or when the process grows by
    more than one and a half times the memory limit; KeyboardInterrupt at once on Ctrl-C.
    `interrupt` is called until the work has stopped.
    """
    future: Future[T] = Future()
    clock = Clock()

    def body() -> None:
        try:
            future.set_result(work(clock))
        except BaseException as error:  # noqa: BLE001  handed to the caller, whatever it is
            future.set_exception(error)

    most_bytes = _resident_bytes() + _HEADROOM * in_bytes(memory_limit)
    thread = threading.Thread(target=body, daemon=True)
    try:
        thread.start()  # within: it waits for the thread to begin, and Ctrl-C may come then
        while not _ended(future) and clock.seconds() <= timeout_s:
            if _resident_bytes() > most_bytes:
                break
    except KeyboardInterrupt:
        _stop(thread, interrupt, _GRACE_S)
        raise
    if future.done():
        thread.join()  # a thread that outlives the program makes the database complain of leaks
        return future.result()
    if clock.seconds() > timeout_s:
        _stop(thread, interrupt, _GRACE_S)
        raise _too_slow(timeout_s)
    _stop(thread, interrupt, _MEMORY_GRACE_S)
    raise too_much_memory(memory_limit)


def _too_slow(timeout_s: float) -> QueryError:
    return QueryError(
        f"The query was stopped after {timeout_s:g} s. Narrow it down, or give it more time with "
        "--timeout."
    )


def too_much_memory(memory_limit: str) -> QueryError:
    """The sentence for a query that does not fit."""
    return QueryError(
        f"The query needs more memory than a reader may use ({memory_limit}). Narrow it down, or "
        "raise PAPERTIDE_READER_MEMORY_LIMIT."
    )


def in_bytes(size: str) -> int:
    """A size such as `1.5 GB` in bytes."""
    found = re.fullmatch(r"([\d.]+)\s?([A-Za-z]+)", size)
    if found is None:
        raise ValueError(f"{size!r} is not a size.")
    return int(float(found[1]) * _UNITS[found[2]])


def _ended(future: Future[T]) -> bool:
    return bool(wait([future], _TICK_S).done)


def _stop(thread: threading.Thread, interrupt: Callable[[], None], grace_s: float) -> None:
    # One value that takes minutes to compute hears nothing. The process leaves without it: to end
    # normally would be to wait for it, or to crash in it.
    atexit.register(os._exit, 1)
    until = time.monotonic() + grace_s
    while time.monotonic() < until:
        interrupt()  # heard only while something runs, hence more than once
        thread.join(_TICK_S)
        if not thread.is_alive():
            atexit.unregister(os._exit)
            return


def _resident_bytes() -> int:
    """What the process holds in memory; 0 where the system does not say it in /proc."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
