"""Which days are due to be fetched: pure decisions, no clock and no network.

Belongs here: what the archive knows of a day, and whether that is enough at a given moment. Does
not: fetching (`fetching.py`), or reading receipts.

A list grows until the day ends (UTC). So a day is fetched until some answer came after its end and
showed the last page; and again at set ages, because nothing but repeated observation gives a
history of upvotes, comments and stars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

GROWING_INTERVAL = timedelta(hours=1)  # a list that still grows is not asked for more often
SATURDAY = 5


@dataclass(frozen=True)
class Known:
    """What the archive holds of a day: the newest fetch, and the newest that saw the list's end."""

    fetched_at: datetime
    ended_at: datetime | None = None
    is_empty: bool = False


@dataclass(frozen=True)
class Decision:
    """Whether a day is to be fetched, and why; `reason` is a short sentence for a summary."""

    day: date
    is_due: bool
    reason: str


def plan(
    days: Iterable[date],
    known: Mapping[date, Known],
    now: datetime,
    ages: Sequence[int],
) -> list[Decision]:
    """One decision per day, in the order of the days; `ages` are days after the listing day."""
    return [_decide(day, known.get(day), now, ages) for day in days]


def day_end(day: date) -> datetime:
    """The moment at which a day's list no longer grows."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _decide(day: date, known: Known | None, now: datetime, ages: Sequence[int]) -> Decision:
    end = day_end(day)
    if now < end - timedelta(days=1):
        return Decision(day, is_due=False, reason="lies in the future")
    if known is None:
        if day.weekday() >= SATURDAY and now < end:
            return Decision(day, is_due=False, reason="a weekend day that is not over")
        return Decision(day, is_due=True, reason="never fetched")
    if known.ended_at is None or known.ended_at < end:
        if now >= end:
            return Decision(day, is_due=True, reason="not fetched whole since the day ended")
        if now - known.fetched_at >= GROWING_INTERVAL:
            return Decision(day, is_due=True, reason="the list still grows")
        return Decision(day, is_due=False, reason="fetched within the hour")
    reached = [age for age in ages if now >= end + timedelta(days=age)]
    if reached and not known.is_empty and known.ended_at < end + timedelta(days=max(reached)):
        return Decision(day, is_due=True, reason=f"to be observed again after {max(reached)} days")
    return Decision(day, is_due=False, reason="complete")
