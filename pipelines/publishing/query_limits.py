"""Limits of time and memory, and Ctrl-C, for users' queries.

Belongs here: running a piece of database work in a thread and stopping it. Does not: what the work
is (`user_sql`).
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
_MEMORY_GRACE_S = 0.2  # a single value can grow by a gigabyte per second
# DuckDB counts its buffers, but not every value that an expression builds. The process may
# therefore use half as much again before it is stopped.
_HEADROOM = 1.5
_UNITS = {
    "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip


class Clock:
    """Measures the time that work takes, without the time it waits for its output to be read."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waited = 0.0
        self._waiting_since: float | None = None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Don't count the time within the block: a reader of the output may pause for hours."""
        self._waiting_since = since = time.monotonic()
        try:
            yield
        finally:
            # In this order another thread may briefly see too few seconds, but never too many.
            self._waited += time.monotonic() - since
            self._waiting_since = None

    def seconds(self) -> float:
        """Seconds counted since the start."""
        until = self._waiting_since or time.monotonic()
        return until - self._started - self._waited


def run_limited(
    work: Callable[[Clock], T],
    interrupt: Callable[[], None],
    *,
    timeout_s: float,
    memory_limit: str,
) -> T:
    """Returns what `work` returns, or raises what it raises.

    The work runs in a thread, because DuckDB reacts to neither Ctrl-C nor a timer while it plans
    or computes. Raises QueryError if the work takes longer than `timeout_s`, or if the process
    grows by more than one and a half times the memory limit; KeyboardInterrupt on Ctrl-C.
    `interrupt` is called until the work has stopped.
    """
    future: Future[T] = Future()
    clock = Clock()

    def body() -> None:
        try:
            future.set_result(work(clock))
        except BaseException as error:  # noqa: BLE001  passed on to the caller
            future.set_exception(error)

    max_bytes = _resident_bytes() + _HEADROOM * in_bytes(memory_limit)
    thread = threading.Thread(target=body, daemon=True)
    try:
        thread.start()  # within the block: it waits for the thread to start, so Ctrl-C can hit here
        while not _is_done(future) and clock.seconds() <= timeout_s:
            if _resident_bytes() > max_bytes:
                break
    except KeyboardInterrupt:
        _stop(thread, interrupt, _GRACE_S)
        raise
    if future.done():
        thread.join()  # DuckDB reports leaks if a thread outlives the program
        return future.result()
    if clock.seconds() > timeout_s:
        _stop(thread, interrupt, _GRACE_S)
        raise _timed_out(timeout_s)
    _stop(thread, interrupt, _MEMORY_GRACE_S)
    raise memory_exceeded(memory_limit)


def _timed_out(timeout_s: float) -> QueryError:
    return QueryError(
        f"The query was stopped after {timeout_s:g} s. Simplify it, or allow more time with "
        "--timeout."
    )


def memory_exceeded(memory_limit: str) -> QueryError:
    """The error for a query that needs more memory than the limit."""
    return QueryError(
        f"The query needs more memory than a reader may use ({memory_limit}). Simplify it, or "
        "raise PAPERTIDE_READER_MEMORY_LIMIT."
    )


def in_bytes(size: str) -> int:
    """A size such as `1.5 GB` in bytes. Raises ValueError for other text."""
    found = re.fullmatch(r"([\d.]+)\s?([A-Za-z]+)", size)
    if found is None:
        raise ValueError(f"{size!r} is not a size.")
    return int(float(found[1]) * _UNITS[found[2]])


def _is_done(future: Future[T]) -> bool:
    return bool(wait([future], _TICK_S).done)


def _stop(thread: threading.Thread, interrupt: Callable[[], None], grace_s: float) -> None:
    """Interrupt the thread until it ends, or until the grace period is over."""
    # DuckDB does not check for interrupts within one value. If the thread doesn't end, the process
    # exits without it: a normal exit would wait for it, or crash.
    atexit.register(os._exit, 1)
    until = time.monotonic() + grace_s
    while time.monotonic() < until:
        interrupt()  # has an effect only while a query runs, so it is repeated
        thread.join(_TICK_S)
        if not thread.is_alive():
            atexit.unregister(os._exit)
            return


def _resident_bytes() -> int:
    """The memory that the process uses; 0 on systems without /proc."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
