"""Resources: the settings of this home, and the one writer's lock for the length of a run."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from pipelines.settings import Settings, get_settings
from pipelines.warehouse.candidate import writer_lock


class Home(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings of the home that the run works in."""

    @property
    def settings(self) -> Settings:
        """Settings with an absolute home."""
        return get_settings()


class Writer(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Held by every run that builds: one at a time in a home."""

    _held: bool = PrivateAttr(default=False)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Writer]:
        """Hold the lock while the run lasts. Raises BusyError when another run holds it."""
        with writer_lock(get_settings()):
            self._held = True
            yield self
