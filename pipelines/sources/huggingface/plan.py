"""Decides which days of Hugging Face's daily list are due. Pure: no clock and no network.

Belongs here: what receipts show about a day, and whether that is enough at a given time. Does not:
fetching (`fetch.py`).

An empty list of a weekday is requested again until a second response confirms it half a day later.

A list grows until its day ends (UTC). A day is due until a response that was fetched after its end
showed the last page. It is due again at set ages, because only repeated observation gives a history
of upvotes, comments and stars.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from pipelines.archive.receipt import Receipt

A_DAY = timedelta(days=1)
GROWING_INTERVAL = timedelta(hours=1)  # shortest time between two fetches of a growing list
# An empty list of a weekday is believed once it was seen twice, this far apart.
CONFIRMED_AFTER = timedelta(hours=12)
SATURDAY = 5
NEVER_FETCHED = "never fetched"


@dataclass(frozen=True)
class KnownDay:
    """The archive's captures of a day: the newest fetch, and the newest that saw the last page."""

    fetched_at: datetime
    ended_at: datetime | None = None
    is_empty: bool = False
    first_ended_at: datetime | None = None
    """The first fetch after the day's end that saw the last page."""

    @property
    def is_confirmed(self) -> bool:
        """Whether two fetches, `CONFIRMED_AFTER` apart, saw the whole list."""
        return (
            self.ended_at is not None
            and self.first_ended_at is not None
            and self.ended_at - self.first_ended_at >= CONFIRMED_AFTER
        )


@dataclass(frozen=True)
class Decision:
    """Whether a day is due; `reason` is a short phrase for a summary."""

    day: date
    is_due: bool
    reason: str


def plan_days(
    receipts: Iterable[Receipt],
    since: date,
    until: date,
    now: datetime,
    ages: Sequence[int],
    *,
    again: bool = False,
) -> list[Decision]:
    """One decision for each day from `since` to `until`, both included.

    `ages` are the days after the listing day at which a list is observed again. With `again`, all
    days that have begun are due.
    """
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    decisions = decide(days, known_days(receipts, now), now, ages)
    if not again:
        return decisions
    return [
        replace(d, is_due=True, reason="requested again") if day_end(d.day) - now < A_DAY else d
        for d in decisions
    ]


def known_days(receipts: Iterable[Receipt], now: datetime) -> dict[date, KnownDay]:
    """Listing day → what was fetched of it until now, from the receipts of Papertide's own fetches.

    Fetches dated later than now are ignored: the clock was wrong then.
    """
    known: dict[date, KnownDay] = {}
    for receipt in receipts:
        day, newest = receipt.given.get("listed_on"), receipt.fetched_until(now)
        facts = {name: fact.value for name, fact in receipt.given.items()}
        if day is None or newest is None or "is_last_page" not in facts:
            continue
        is_last, is_empty = facts["is_last_page"] == "true", facts.get("n_items") == "0"
        listed_on = date.fromisoformat(day.value)
        first = receipt.first_fetch_after(day_end(listed_on), now) if is_last else None
        found = KnownDay(newest, newest if is_last else None, is_empty, first)
        known[listed_on] = _merged(known.get(listed_on), found)
    return known


def decide(
    days: Iterable[date],
    known: Mapping[date, KnownDay],
    now: datetime,
    ages: Sequence[int],
) -> list[Decision]:
    """One decision per day, in the order of the days."""
    return [_decide(day, known.get(day), now, ages) for day in days]


def day_end(day: date) -> datetime:
    """The moment at which a day's list stops growing."""
    return datetime.combine(day + A_DAY, time(), UTC)


def _merged(one: KnownDay | None, other: KnownDay) -> KnownDay:
    if one is None:
        return other
    newest = max(one, other, key=lambda known: known.fetched_at)
    ended = max(filter(None, (one.ended_at, other.ended_at)), default=None)
    first = min(filter(None, (one.first_ended_at, other.first_ended_at)), default=None)
    is_empty = one.is_empty and other.is_empty
    return replace(newest, ended_at=ended, is_empty=is_empty, first_ended_at=first)


def _decide(day: date, known: KnownDay | None, now: datetime, ages: Sequence[int]) -> Decision:
    end = day_end(day)
    if now < end - A_DAY:
        return Decision(day, is_due=False, reason="in the future")
    if known is None:
        if day.weekday() >= SATURDAY and now < end:
            return Decision(day, is_due=False, reason="a weekend day that is not over")
        return Decision(day, is_due=True, reason=NEVER_FETCHED)
    if known.ended_at is None or known.ended_at < end:
        if now >= end:
            return Decision(day, is_due=True, reason="not fetched completely since the day ended")
        if now - known.fetched_at >= GROWING_INTERVAL:
            return Decision(day, is_due=True, reason="the list is still growing")
        return Decision(day, is_due=False, reason="fetched within the last hour")
    if known.is_empty and day.weekday() < SATURDAY and not known.is_confirmed:
        return Decision(day, is_due=True, reason="an empty list of a weekday, not confirmed yet")
    reached = [age for age in ages if now >= end + timedelta(days=age)]
    if reached and not known.is_empty and known.ended_at < end + timedelta(days=max(reached)):
        return Decision(day, is_due=True, reason=f"due again after {max(reached)} days")
    return Decision(day, is_due=False, reason="complete")
