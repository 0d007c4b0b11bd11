"""Breaks in a series: periods from which on data collection changed.

Belongs here: finding them from coverage shares. Does not: text about them (`pages.common`),
drawing them (`figures`), or which changes are comparable (the marts hold that).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dashboards.choices import Period
from dashboards.view import View

MAX_DIFFERENCE = {"complete_share": 0.25, "text_share": 0.2}
"""Largest difference of a coverage share without a break; that of the text is as for verdicts."""

AVERAGED = {"week": 4, "month": 2, "quarter": 1}
"""Periods averaged on either side of a break, by grain."""


@dataclass(frozen=True)
class Break:
    """A change of a coverage share: its first period, and the mean share before and after."""

    at: Period
    name: str
    """`complete_share` or `text_share`."""
    before: float
    after: float


def find_breaks(view: View, *names: str) -> tuple[Break, ...]:
    """Breaks of the named shares within the shown periods, by start.

    Compares the mean shares of adjacent runs of `AVERAGED` periods. Of consecutive periods above
    `MAX_DIFFERENCE` only the one with the largest difference is a break.
    """
    shown = set(view.shown_periods)
    found = [one for name in names for one in _breaks(view, name) if one.at in shown]
    return tuple(sorted(found, key=lambda one: (one.at.start, one.name)))


def _breaks(view: View, name: str) -> Iterator[Break]:
    size = AVERAGED.get(view.grain, 1)
    means = [_mean(view.periods[i : i + size], name) for i in range(len(view.periods))]
    candidates = view.periods[size : len(view.periods) - size + 1]
    run: list[Break] = []
    for period, before, after in zip(candidates, means, means[size:], strict=False):
        if before is not None and after is not None and abs(after - before) > MAX_DIFFERENCE[name]:
            run.append(Break(period, name, before, after))
            continue
        yield from _largest(run)
        run = []
    yield from _largest(run)


def _mean(periods: Sequence[Period], name: str) -> float | None:
    known = [value for period in periods if (value := getattr(period, name)) is not None]
    return sum(known) / len(known) if known else None


def _largest(run: Sequence[Break]) -> Sequence[Break]:
    return [max(run, key=lambda one: abs(one.after - one.before))] if run else []
