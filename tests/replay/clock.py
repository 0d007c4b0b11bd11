"""Clocks for tests: one that only advances when something sleeps, one that is offset."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class JumpingClock:
    """Advances only by `sleep`, which returns at once and is recorded in `slept`.

    A client and a server that share a clock have the same virtual time.
    """

    def __init__(self, start: datetime = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        self._now = moment


class ShiftedClock:
    """Runs like the system clock, starting at the given time (or now)."""

    def __init__(self, start: datetime | None = None) -> None:
        self._offset = start - datetime.now(UTC) if start else timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset
