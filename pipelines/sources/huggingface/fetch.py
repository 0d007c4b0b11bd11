"""Fetches the days of Hugging Face's list that are due, and archives their pages.

Belongs here: joining plan, client and archive, with one outcome per day. Does not: HTTP
(`client.py`), what is due (`plan.py`), or parsing.

The archive's receipts are the only record of what was fetched. A day's last page is archived last,
so an interrupted fetch leaves a day that is still due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from pipelines.archive.archive import Archive
from pipelines.sources.archiving import archive_body
from pipelines.sources.errors import SourceError
from pipelines.sources.http.page import FetchedPage
from pipelines.sources.huggingface.client import DayListing
from pipelines.sources.huggingface.plan import NEVER_FETCHED, Decision

FIRST_LISTED_ON = date(2023, 5, 4)
MAX_FAILED_IN_A_ROW = 3  # then the source is down, as opposed to single days

NOT_TRIED = "not tried"
DayStatus = Literal["new", "changed", "unchanged", "empty", "not_open", "failed", "skipped"]


class DailyPapers(Protocol):
    """A client for daily lists."""

    def daily_papers(self, day: date) -> DayListing:
        """All pages of a day's list. Raises SourceError."""


@dataclass(frozen=True)
class DayOutcome:
    """The outcome for one day.

    `new`: fetched for the first time. `changed`, `unchanged`: fetched again, with other bytes or
    the same. `empty`: nothing is listed. `not_open`, `failed`, `skipped`: not fetched; `note` has
    the reason and `n_items` is None. A response that is not a list is archived, but has failed.
    """

    day: date
    status: DayStatus
    n_items: int | None = None
    n_pages: int = 0
    note: str = ""

    @property
    def is_postponed(self) -> bool:
        """Whether the day was left for the next run because the source is down."""
        return self.status == "failed" and self.note.startswith(NOT_TRIED)


def fetch_days(
    archive: Archive,
    source: DailyPapers,
    decisions: Iterable[Decision],
) -> Iterator[DayOutcome]:
    """Fetch and archive the days that are due; one outcome per decision, in order.

    A failed day doesn't stop the others. After `MAX_FAILED_IN_A_ROW` the rest is postponed.
    """
    n_failed_in_a_row = 0
    for decision in decisions:
        if not decision.is_due:
            outcome = DayOutcome(decision.day, "skipped", note=decision.reason)
        elif n_failed_in_a_row >= MAX_FAILED_IN_A_ROW:
            note = f"{NOT_TRIED}: the {MAX_FAILED_IN_A_ROW} days before it could not be fetched"
            outcome = DayOutcome(decision.day, "failed", note=note)
        else:
            outcome = _fetch_day(archive, source, decision)
            n_failed_in_a_row = n_failed_in_a_row + 1 if outcome.status == "failed" else 0
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
        note += " It is archived, and the day stays due."
        return DayOutcome(decision.day, "failed", None, len(received), note)
    n_items = sum(n for n in counts if n is not None)
    if listing.outcome == "empty":
        status: DayStatus = "empty"
    elif "new" not in received:
        status = "unchanged"
    else:
        status = "new" if decision.reason == NEVER_FETCHED else "changed"
    return DayOutcome(decision.day, status, n_items, len(received), note)


def archive_page(archive: Archive, day: date, page: FetchedPage) -> str:
    """Archive one page of a day with its facts; returns `new`, `known` or `amended`."""
    facts = {
        "source": "hf_api",
        "listed_on": day.isoformat(),
        "page": str(page.page),
        "is_last_page": str(page.is_last).lower(),
        "n_items": "unknown" if page.n_items is None else str(page.n_items),
    }
    return archive_body(archive, page.body, page.url, page.fetched_at, facts)
