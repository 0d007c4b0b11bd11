"""The clock that sources wait by, so that tests can let it jump."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC and lets it pass."""

    def now(self) -> datetime:
        """The present moment, with zone UTC."""

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, with zone UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed."""
        time.sleep(seconds)
