"""The clock of the sources, which tests replace so that they don't have to wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Returns the time and waits."""

    def now(self) -> datetime:
        """The current time in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""


class SystemClock:
    """The system clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        time.sleep(seconds)
