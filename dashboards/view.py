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
CURRENT, BEFORE = "current", "before"
WINDOWS = {CURRENT: "current window", BEFORE: "previous window"}
WINDOW_LENGTHS = {"week": (4, 8), "month": (2, 2), "quarter": (1, 1)}
"""Periods in the current and in the previous window of a verdict, by grain."""


@dataclass(frozen=True)
class View:
    """The selection. Every value is one that the snapshot offers.

    `period` is the period that tables are about, `first` and `last` bound the time axis of charts.
    `window` narrows paper lists to a window of the verdict on `period`. `notes` say which parts of
    an address were ignored.
    """

    population: str = ""
    grain: str = "month"
    periods: tuple[Period, ...] = ()
    period: Period | None = None
    is_period_chosen: bool = False
    window: str = ""
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
    def window_periods(self) -> tuple[Period, ...]:
        """The periods whose papers are listed: `period`, or those of the chosen window."""
        if not self.period:
            return ()
        end = self.periods.index(self.period) + 1
        if not self.window:
            return self.periods[end - 1 : end]
        n_current, n_before = WINDOW_LENGTHS[self.grain]
        if self.window == CURRENT:
            return self.periods[max(end - n_current, 0) : end]
        end = max(end - n_current, 0)
        return self.periods[max(end - n_before, 0) : end]

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


def default_period(periods: Sequence[Period]) -> Period | None:
    """The last comparable period; else the last sufficient one; else the last."""
    comparable = [p for p in periods if p.is_comparable]
    sufficient = [p for p in periods if p.is_sufficient]
    best = comparable or sufficient or periods
    return best[-1] if best else None
