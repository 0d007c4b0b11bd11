"""The selection that a page shows: population, period, topics, search and page number.

Belongs here: the `View` and what follows from it. Does not: its text form (`address`) or the
values it is chosen from (`choices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboards import formats
from dashboards.choices import TAXONOMY, Period
from dashboards.populations import Population, population_named

PAGE_SIZE = 25
SORTS = {"listed": "Newest first", "upvotes": "Most upvotes"}
YEAR = "year"
HORIZONS = {"month": "Month", "quarter": "Quarter", "half_year": "Half-year", YEAR: "Year"}
"""Lengths of time over which the marts state changes, shortest first."""

PRIMARY_HORIZON = {"week": "quarter", "month": "half_year", "quarter": YEAR}
"""Grain → the horizon of the verdicts in the marts by period."""


@dataclass(frozen=True)
class View:
    """The selection. Every value is one that the snapshot offers.

    `period` is the period that tables are about, `first` and `last` bound the time axis of charts.
    `horizon` is the length of time over which changes are shown. `notes` say which parts of an
    address were ignored.
    """

    population: str = ""
    grain: str = "month"
    periods: tuple[Period, ...] = ()
    period: Period | None = None
    is_period_chosen: bool = False
    horizon: str = YEAR
    first: Period | None = None
    last: Period | None = None
    kind: str = TAXONOMY
    area: str | None = None
    topic: str | None = None
    topics: tuple[str, ...] = ()
    term: str = ""
    q: str = ""
    code: bool = False
    sort: str = "listed"
    page: int = 1
    page_size: int = PAGE_SIZE
    notes: tuple[str, ...] = ()

    @property
    def about(self) -> Population:
        """The text about the population."""
        return population_named(self.population)

    @property
    def period_name(self) -> str:
        """The period as text."""
        return formats.period(self.grain, self.period.start) if self.period else "no period"

    @property
    def primary_horizon(self) -> str:
        """The horizon of the verdicts by period."""
        return primary_horizon(self.grain)

    @property
    def shown_periods(self) -> tuple[Period, ...]:
        """The periods from `first` to `last`."""
        if not self.first or not self.last:
            return ()
        return tuple(p for p in self.periods if self.first.start <= p.start <= self.last.start)

    @property
    def verdict_period(self) -> Period | None:
        """The default period among those up to `last`."""
        known = [p for p in self.periods if not self.last or p.start <= self.last.start]
        return default_period(known)

    @property
    def previous(self) -> Period | None:
        """The nearest comparable period before `period`."""
        if not self.period:
            return None
        earlier = [p for p in self.periods if p.start < self.period.start and p.is_comparable]
        return earlier[-1] if earlier else None

    def with_page(self, page: int) -> View:
        """The same view on another page of the list."""
        return replace(self, page=page)


def primary_horizon(grain: str) -> str:
    """The horizon of the verdicts by period; a year for an unknown grain."""
    return PRIMARY_HORIZON.get(grain, YEAR)


def default_period(periods: Sequence[Period]) -> Period | None:
    """The last comparable period; else the last sufficient one; else the last."""
    comparable = [p for p in periods if p.is_comparable]
    sufficient = [p for p in periods if p.is_sufficient]
    best = comparable or sufficient or periods
    return best[-1] if best else None
