"""Resources that assets, checks, sensors and hooks ask for by name.

Belongs here: what a run gets from outside (`settings`, `clock`, `writer`). Does not: reading the
environment; `pipelines.definitions` does that once, and tests pass their own values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from pipelines.settings import Settings
from pipelines.sources.http.clock import Clock, SystemClock
from pipelines.warehouse.candidate import writer_lock


@dataclass(frozen=True)
class WriterLock:
    """The lock of the home, held from the start of a run to its end."""


@dg.resource(
    required_resource_keys={"settings"},
    description="The home's writer lock: one run at a time may build.",
)
def hold_writer_lock(context: dg.InitResourceContext) -> Iterator[WriterLock]:
    """Hold the lock while the run lasts. Raises BusyError when another process holds it."""
    with writer_lock(context.resources.settings):
        yield WriterLock()


def resources(settings: Settings, clock: Clock | None = None) -> dict[str, Any]:
    """Resources by name, for a code location or a test."""
    return {
        "settings": settings,
        "clock": clock or SystemClock(),
        "writer": hold_writer_lock,
    }
