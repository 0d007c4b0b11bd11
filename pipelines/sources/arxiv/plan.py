"""Which windows of arXiv are due to be harvested: pure decisions, no clock and no network.

Belongs here: what was harvested whole, and what is missing of a span of days. Does not: harvesting
(`harvesting.py`).

A harvest asks for records by the day of their last change, in windows of whole days that are over.
A day is known once a window that holds it was harvested to its last page. What is missing is asked
for month by month, so history comes in months and the present in days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

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


def harvested(receipts: Iterable[Receipt]) -> set[Window]:
    """The windows of which the last page was archived, from the receipts of our own harvests."""
    found = set()
    for receipt in receipts:
        given = {name: fact.value for name, fact in receipt.given.items()}
        if "window_from" in given and given.get("is_last_page") == "true":
            first, last = given["window_from"], given["window_until"]
            window = Window(given["set"], date.fromisoformat(first), date.fromisoformat(last))
            found.add(window)
    return found


def known_days(set_spec: str, windows: Iterable[Window]) -> set[date]:
    """The days of a set that these windows hold."""
    ours = (window for window in windows if window.set_spec == set_spec)
    return {day for window in ours for day in days(window.first, window.last)}


def due(set_spec: str, known: set[date], since: date, until: date) -> list[Window]:
    """Windows for the days that are missing, oldest first, none longer than its month.

    A window that follows a known day takes that day in again: a record may have been late.
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
    """Where a regular harvest begins: the month before this one, or earlier if it has a gap.

    What lies before is history, which is harvested on request.
    """
    month_before = (today.replace(day=1) - A_DAY).replace(day=1)
    return min(month_before, max(known, default=month_before))


def days(first: date, last: date) -> Iterator[date]:
    """Each day from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
