"""Papers of which arXiv could tell more → look-ups → the archive.

Belongs here: what of the published snapshot is worth asking, what was asked before, and archiving
the answers. Does not: HTTP (`sources/arxiv.py`), or which paper a title belongs to: dbt decides
that, with evidence.

The archive's receipts are the only memory of what was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Protocol

import polars as pl

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import FETCH, Given, Receipt
from pipelines.parsing.arxiv_ids import split_version
from pipelines.sources.arxiv.client import IDS_PER_REQUEST
from pipelines.sources.errors import SourceError, TransientSourceError
from pipelines.sources.http.fetched import Fetched

ASK_AGAIN_AFTER = timedelta(days=30)
MAX_NOTES = 20
# Facts of a receipt: what was asked.
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


class LookUps(Protocol):
    """What a source of look-ups offers."""

    def by_ids(self, ids: Iterable[str]) -> Iterator[Fetched]:
        """Papers by id, `IDS_PER_REQUEST` a request. Raises SourceError."""

    def by_title(self, title: str) -> Fetched:
        """A few papers whose title has these words. Raises SourceError."""


class Snapshots(Protocol):
    """What reads the published snapshot."""

    def query(self, sql: str) -> pl.DataFrame:
        """The rows of our own SQL. Raises NoSnapshotError."""


@dataclass(frozen=True)
class Question:
    """One request: papers by id, or one title by its words."""

    ids: tuple[str, ...] = ()
    title_key: str = ""
    title: str = ""

    @property
    def fact(self) -> tuple[str, str]:
        """Name and value of the fact by which the receipt remembers it."""
        return (IDS, ",".join(self.ids)) if self.ids else (TITLE, self.title_key)


@dataclass(frozen=True)
class LookUpOutcome:
    """What a run's look-ups came to.

    `n_found` counts the papers in the answers. `n_left` is what waits for the next run: ids and
    titles. `failed` says why they ended early, if they did; `notes` name single refusals.
    """

    n_requests: int = 0
    n_ids: int = 0
    n_titles: int = 0
    n_found: int = 0
    n_left: int = 0
    failed: str = ""
    notes: tuple[str, ...] = field(default=())


def questions(reader: Snapshots, asked: set[str]) -> list[Question]:
    """What the snapshot leaves open and was not asked lately, the newest papers first.

    Ids that only Hugging Face showed, then titles that no identified paper has. Raises
    NoSnapshotError.
    """
    shown = reader.query(_IDS_SQL)["arxiv_id"].to_list()
    ids = [name for name in shown if split_version(name)[0] == name and name not in asked]
    batches = (ids[at : at + IDS_PER_REQUEST] for at in range(0, len(ids), IDS_PER_REQUEST))
    titles = reader.query(_TITLES_SQL).iter_rows()
    return [
        *(Question(ids=tuple(batch)) for batch in batches),
        *(Question(title_key=key, title=title) for key, title in titles if key not in asked),
    ]


def asked_lately(receipts: Iterable[Receipt], now: datetime) -> set[str]:
    """Ids and title keys that were asked within `ASK_AGAIN_AFTER`, found or not."""
    found: set[str] = set()
    for receipt in receipts:
        moment = receipt.fetched_at
        if moment is None or now - moment > ASK_AGAIN_AFTER:
            continue
        if ids := receipt.given.get(IDS):
            found.update(ids.value.split(","))
        if title := receipt.given.get(TITLE):
            found.add(title.value)
    return found


def look_up(
    archive: Archive, source: LookUps, wanted: list[Question], n_requests: int
) -> LookUpOutcome:
    """Ask at most so many questions, in order, and archive the answers.

    A question that is refused is passed over; a source that is down ends it.
    """
    outcome = LookUpOutcome(n_left=_size(wanted[n_requests:]))
    for number, question in enumerate(wanted[:n_requests]):
        try:
            answer = _ask(source, question)
        except TransientSourceError as error:
            rest = _size(wanted[number:])
            return replace(outcome, failed=str(error), n_left=rest)
        except SourceError as error:
            notes = (*outcome.notes, str(error))[:MAX_NOTES]
            outcome = replace(outcome, notes=notes, n_requests=outcome.n_requests + 1)
            continue
        _archive(archive, question, answer)
        outcome = replace(
            outcome,
            n_requests=outcome.n_requests + 1,
            n_ids=outcome.n_ids + len(question.ids),
            n_titles=outcome.n_titles + bool(question.title_key),
            n_found=outcome.n_found + (answer.n_items or 0),
        )
    if outcome.notes and not outcome.n_ids and not outcome.n_titles:
        return replace(outcome, failed=outcome.notes[0])
    return outcome


def _size(wanted: list[Question]) -> int:
    return sum(len(question.ids) or 1 for question in wanted)


def _ask(source: LookUps, question: Question) -> Fetched:
    if question.ids:
        (answer,) = source.by_ids(question.ids)
        return answer
    return source.by_title(question.title)


def _archive(archive: Archive, question: Question, answer: Fetched) -> None:
    name, value = question.fact
    given = {
        "source": "arxiv",
        "captured_at": answer.fetched_at.astimezone(UTC).isoformat(timespec="seconds"),
        name: value,
    }
    facts = {key: Given(fact, FETCH) for key, fact in given.items()}
    archive.receive(BytesIO(answer.body), answer.url, facts, now=answer.fetched_at)
