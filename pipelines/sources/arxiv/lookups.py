"""Looks up papers for which arXiv has more metadata than the published snapshot.

Belongs here: which papers to ask for, what was asked recently, and archiving the responses. Does
not: HTTP (`client.py`), or which paper a title belongs to, which dbt decides with evidence.

The archive's receipts are the only record of what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import polars as pl

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Receipt
from pipelines.parsing.arxiv_ids import split_version
from pipelines.sources.archiving import archive_body
from pipelines.sources.arxiv.client import IDS_PER_REQUEST
from pipelines.sources.errors import SourceError, TransientSourceError, UnansweredLookUp
from pipelines.sources.http.page import FetchedPage

REPEAT_AFTER = timedelta(days=30)
MAX_NOTES = 20
# Facts of a receipt that record what was asked.
IDS, TITLE = "looked_up_ids", "looked_up_title_key"

_IDS_SQL = """
select arxiv_id
from dim_papers
where arxiv_id is not null and not list_contains(sources, 'arxiv')
order by first_listed_on desc nulls last, arxiv_id desc
"""
_TITLES_SQL = """
select title_key, min(title) as title
from rpt_title_matches
group by title_key
having bool_and(outcome = 'unmatched')
order by max(published_on) desc nulls last, title_key
"""


class PaperSearch(Protocol):
    """A client that finds papers."""

    def by_ids(self, ids: Iterable[str]) -> Iterator[FetchedPage]:
        """Papers by id, `IDS_PER_REQUEST` per request. Raises SourceError."""

    def by_title(self, title: str) -> FetchedPage:
        """A few papers with the words of a title. Raises SourceError."""


class SnapshotReader(Protocol):
    """A reader of the published snapshot."""

    def query(self, sql: str) -> pl.DataFrame:
        """The rows of a trusted query. Raises NoSnapshotError."""


@dataclass(frozen=True)
class LookUp:
    """One request: several papers by id, or one title."""

    ids: tuple[str, ...] = ()
    title_key: str = ""
    title: str = ""

    @property
    def fact(self) -> tuple[str, str]:
        """Name and value of the receipt's fact that records it."""
        return (IDS, ",".join(self.ids)) if self.ids else (TITLE, self.title_key)


@dataclass(frozen=True)
class LookUpOutcome:
    """The outcome of a run's look-ups.

    `n_found` counts the papers in the responses, `n_left` the ids and titles left for the next run.
    `failed` has the reason if the look-ups ended early; `notes` describe single refusals.
    """

    n_requests: int = 0
    n_ids: int = 0
    n_titles: int = 0
    n_found: int = 0
    n_left: int = 0
    failed: str = ""
    notes: tuple[str, ...] = field(default=())


def plan_lookups(reader: SnapshotReader, asked: set[str]) -> list[LookUp]:
    """Look-ups of what the snapshot lacks and `asked` does not include, newest papers first.

    First the ids that only Hugging Face listed, then the titles that match no identified paper.
    Raises NoSnapshotError.
    """
    shown = reader.query(_IDS_SQL)["arxiv_id"].to_list()
    ids = [name for name in shown if split_version(name)[0] == name and name not in asked]
    batches = (ids[at : at + IDS_PER_REQUEST] for at in range(0, len(ids), IDS_PER_REQUEST))
    titles = reader.query(_TITLES_SQL).iter_rows()
    return [
        *(LookUp(ids=tuple(batch)) for batch in batches),
        *(LookUp(title_key=key, title=title) for key, title in titles if key not in asked),
    ]


def recently_asked(receipts: Iterable[Receipt], now: datetime) -> set[str]:
    """Ids and title keys that were asked for within `REPEAT_AFTER`, found or not."""
    found: set[str] = set()
    for receipt in receipts:
        moment = receipt.fetched_at
        if moment is None or now - moment > REPEAT_AFTER:
            continue
        if ids := receipt.given.get(IDS):
            found.update(ids.value.split(","))
        if title := receipt.given.get(TITLE):
            found.add(title.value)
    return found


def fetch_lookups(
    archive: Archive, source: PaperSearch, lookups: list[LookUp], max_requests: int
) -> LookUpOutcome:
    """Send the first `max_requests` look-ups and archive the responses.

    A look-up that is refused, or answered with nothing against the source's own count, is skipped
    and noted; the latter is left for the next run. When the source is down, the look-ups end.
    """
    outcome = LookUpOutcome(n_left=_size(lookups[max_requests:]))
    for number, lookup in enumerate(lookups[:max_requests]):
        try:
            page = _send(source, lookup)
        except TransientSourceError as error:
            return replace(outcome, failed=str(error), n_left=_size(lookups[number:]))
        except SourceError as error:
            notes = (*outcome.notes, str(error))[:MAX_NOTES]
            n_left = outcome.n_left + (
                _size([lookup]) if isinstance(error, UnansweredLookUp) else 0
            )
            outcome = replace(
                outcome, notes=notes, n_requests=outcome.n_requests + 1, n_left=n_left
            )
            continue
        name, value = lookup.fact
        facts = {"source": "arxiv", name: value}
        archive_body(archive, page.body, page.url, page.fetched_at, facts)
        outcome = replace(
            outcome,
            n_requests=outcome.n_requests + 1,
            n_ids=outcome.n_ids + len(lookup.ids),
            n_titles=outcome.n_titles + bool(lookup.title_key),
            n_found=outcome.n_found + (page.n_items or 0),
        )
    if outcome.notes and not outcome.n_ids and not outcome.n_titles:
        return replace(outcome, failed=outcome.notes[0])
    return outcome


def _size(lookups: list[LookUp]) -> int:
    """Number of ids and titles."""
    return sum(len(lookup.ids) or 1 for lookup in lookups)


def _send(source: PaperSearch, lookup: LookUp) -> FetchedPage:
    if lookup.ids:
        (page,) = source.by_ids(lookup.ids)
        return page
    return source.by_title(lookup.title)
