"""Decides which windows of arXiv are due to be harvested. Pure: no clock and no network.

Belongs here: what receipts show as harvested, and what is missing from a span of days. Does not:
harvesting (`fetch.py`).

A harvest requests records by the day of their last change, in windows of complete past days. A day
is known once a window that includes it was harvested to its last page. Missing days are requested
in windows of at most a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pipelines.archive.receipt import Receipt

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """The records of a set that changed from `first` to `last`, both included."""

    set_spec: str
    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.set_spec} {self.first} to {self.last}"


def plan_windows(
    receipts: Iterable[Receipt],
    sets: Sequence[str],
    now: datetime,
    since: date | None = None,
    until: date | None = None,
    *,
    again: bool = False,
) -> list[Window]:
    """The windows that are due, set by set; with `again`, also days that were harvested.

    Without `since`, starts where a regular harvest does. Ends yesterday (UTC) at the latest:
    records of a day arrive until it is over.
    """
    today = now.astimezone(UTC).date()
    last = min(until or today, today - A_DAY)
    harvested = harvested_windows(receipts)
    found = []
    for set_spec in sets:
        known = known_days(set_spec, harvested)
        first = since or first_due(known, today)
        found += due_windows(set_spec, set() if again else known, first, last)
    return found


def harvested_windows(receipts: Iterable[Receipt]) -> set[Window]:
    """Windows whose last page was archived, from the receipts of Papertide's own harvests."""
    found = set()
    for receipt in receipts:
        given = {name: fact.value for name, fact in receipt.given.items()}
        if "window_from" in given and given.get("is_last_page") == "true":
            first, last = given["window_from"], given["window_until"]
            window = Window(given["set"], date.fromisoformat(first), date.fromisoformat(last))
            found.add(window)
    return found


def known_days(set_spec: str, windows: Iterable[Window]) -> set[date]:
    """The days of a set that the windows include."""
    of_set = (window for window in windows if window.set_spec == set_spec)
    return {day for window in of_set for day in days(window.first, window.last)}


def due_windows(set_spec: str, known: set[date], since: date, until: date) -> list[Window]:
    """Windows of the days that are missing, oldest first, none longer than its month.

    A window that follows a known day includes that day too: a record may have been late.
    """
    windows: list[Window] = []
    for day in days(since, until):
        if day in known:
            continue
        before = day - A_DAY
        if windows and windows[-1].last == before and day.day != 1:
            windows[-1] = Window(set_spec, windows[-1].first, day)
        else:
            windows.append(Window(set_spec, before if before in known else day, day))
    return windows


def first_due(known: set[date], today: date) -> date:
    """Where a regular harvest starts: the previous month, or earlier to close a gap.

    Older records are harvested on request only.
    """
    month_before = (today.replace(day=1) - A_DAY).replace(day=1)
    return min(month_before, max(known, default=month_before))


def days(first: date, last: date) -> Iterator[date]:
    """Each day from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
