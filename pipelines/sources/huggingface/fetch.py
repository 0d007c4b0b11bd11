"""Live lists → the archive: which days are due, fetched one by one, archived as they come.

Belongs here: joining the timetable, the source and the archive; one outcome per day. Does not: HTTP
(`sources/`), what is due (`timetable.py`), parsing.

The archive's receipts are the only memory of what was fetched. A day's last page is archived last,
so a fetch that was cut short leaves a day that is due again, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Literal, Protocol

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import FETCH, Given, Receipt
from pipelines.sources.errors import SourceError
from pipelines.sources.http.fetched import Fetched
from pipelines.sources.huggingface.client import DayListing
from pipelines.sources.huggingface.plan import Decision, Known, day_end, plan

FIRST_LISTING_DAY = date(2023, 5, 4)
A_DAY = timedelta(days=1)
GIVE_UP_AFTER = 3  # days in a row that could not be fetched: the source is down, not the days

NOT_TRIED = "not tried"
DayStatus = Literal["new", "changed", "unchanged", "empty", "not_open", "failed", "skipped"]


class DailyPapers(Protocol):
    """What a source of daily lists offers."""

    def daily_papers(self, day: date) -> DayListing:
        """All pages of a day's list. Raises SourceError."""


@dataclass(frozen=True)
class DayOutcome:
    """What became of one day.

    `new`: fetched for the first time. `changed`, `unchanged`: fetched again, with other bytes or
    the same. `empty`: nothing is listed. `not_open`, `failed`, `skipped`: not fetched, and `note`
    says why; `n_items` is null then. An answer that is no list is archived, and has failed.
    """

    day: date
    status: DayStatus
    n_items: int | None = None
    n_pages: int = 0
    note: str = ""

    @property
    def is_left(self) -> bool:
        """Whether it was left for the next run, as the source is down."""
        return self.status == "failed" and self.note.startswith(NOT_TRIED)


def known_days(receipts: Iterable[Receipt], now: datetime) -> dict[date, Known]:
    """Listing day → what was fetched of it until now, from the receipts of our own fetches.

    What is dated later was fetched under a clock that was ahead: it says nothing of when.
    """
    known: dict[date, Known] = {}
    for receipt in receipts:
        day, newest = receipt.given.get("listed_on"), receipt.fetched_until(now)
        if day is None or newest is None:
            continue
        is_last = receipt.given["is_last_page"].value == "true"
        found = Known(newest, newest if is_last else None, receipt.given["n_items"].value == "0")
        listed_on = date.fromisoformat(day.value)
        known[listed_on] = _newer(known.get(listed_on), found)
    return known


def _newer(one: Known | None, other: Known) -> Known:
    if one is None:
        return other
    newest = max(one, other, key=lambda known: known.fetched_at)
    ended = max(filter(None, (one.ended_at, other.ended_at)), default=None)
    return replace(newest, ended_at=ended, is_empty=one.is_empty and other.is_empty)


def decisions(
    archive: Archive,
    since: date,
    until: date,
    now: datetime,
    ages: Sequence[int],
    *,
    again: bool = False,
) -> list[Decision]:
    """A decision for every day from `since` to `until`, both included; `again`: all that began."""
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    decided = plan(days, known_days(archive.receipts(), now), now, ages)
    if not again:
        return decided
    return [
        replace(d, is_due=True, reason="asked for again") if day_end(d.day) - now < A_DAY else d
        for d in decided
    ]


def fetch(
    archive: Archive,
    source: DailyPapers,
    decided: Iterable[Decision],
    progress: Callable[[DayOutcome], None] = lambda _: None,
) -> Iterator[DayOutcome]:
    """Fetch what is due and archive it; one outcome per decision, in order.

    A day that fails does not stop the others, but after several in a row the rest is left for the
    next run.
    """
    n_failed_in_a_row = 0
    for decision in decided:
        if not decision.is_due:
            outcome = DayOutcome(decision.day, "skipped", note=decision.reason)
        elif n_failed_in_a_row >= GIVE_UP_AFTER:
            note = f"{NOT_TRIED}: the {GIVE_UP_AFTER} days before could not be fetched"
            outcome = DayOutcome(decision.day, "failed", note=note)
        else:
            outcome = _fetch_day(archive, source, decision)
            n_failed_in_a_row = n_failed_in_a_row + 1 if outcome.status == "failed" else 0
        progress(outcome)
        yield outcome


def _fetch_day(archive: Archive, source: DailyPapers, decision: Decision) -> DayOutcome:
    try:
        listing = source.daily_papers(decision.day)
    except SourceError as error:
        return DayOutcome(decision.day, "failed", note=str(error))
    if listing.outcome == "not_open":
        return DayOutcome(decision.day, "not_open", note=listing.detail or "not open yet")
    received = [archive_page(archive, decision.day, page) for page in listing.pages]
    counts = [page.n_items for page in listing.pages]
    note = "; ".join(page.note for page in listing.pages if page.note) or listing.detail
    if None in counts:
        note += " It is kept, and the day is asked for again."
        return DayOutcome(decision.day, "failed", None, len(received), note)
    n_items = sum(n for n in counts if n is not None)
    if listing.outcome == "empty":
        status: DayStatus = "empty"
    elif "new" not in received:
        status = "unchanged"
    else:
        status = "new" if decision.reason == "never fetched" else "changed"
    return DayOutcome(decision.day, status, n_items, len(received), note)


def archive_page(archive: Archive, day: date, page: Fetched) -> str:
    """Archive one page of a day with what is known of it; `new`, `known` or `amended`."""
    given: Mapping[str, str] = {
        "source": "hf_api",
        "listed_on": day.isoformat(),
        "captured_at": page.fetched_at.astimezone(UTC).isoformat(timespec="seconds"),
        "page": str(page.page),
        "is_last_page": str(page.is_last).lower(),
        "n_items": "unknown" if page.n_items is None else str(page.n_items),
    }
    facts = {name: Given(value, FETCH) for name, value in given.items()}
    return archive.receive(BytesIO(page.body), page.url, facts, now=page.fetched_at).outcome
