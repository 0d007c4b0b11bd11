"""The last look at a candidate before people read it, next to what they read now.

Every question is put to one read-only connection that holds two databases: `candidate`, and
`earlier`, the current snapshot. Where nothing is published yet, `earlier` has the same tables
without rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from pipelines.audit import rules
from pipelines.audit.findings import Answer, Finding, Pair
from pipelines.errors import NoSnapshotError
from pipelines.publishing.build_status import acceptances
from pipelines.publishing.snapshot import Snapshot, current
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

COMPARED = {
    "fct_listings": ("paper_id", "population", "listed_on"),
    "dim_papers": ("paper_id", "title"),
    "rpt_coverage": ("population", "listed_on", "is_captured", "is_complete", "n_papers"),
    "rpt_capture_reconciliation": (
        "capture_id", "origin", "source", "listing_kind", "listed_on", "overrides",
    ),
}  # fmt: skip
"""Marts of the current snapshot that are read here, with the columns that this needs."""


@contextmanager
def opened(settings: Settings, *, now: datetime | None = None) -> Iterator[Pair]:
    """The candidate beside the current snapshot, both read-only."""
    with connect(None, settings) as connection:
        connection.execute(
            f"attach {quote_string(settings.candidate_path)} as candidate (read_only)"
        )
        earlier = _attach_current(connection, settings)
        published_at = (
            datetime.fromisoformat(earlier.package()["created"]).astimezone(UTC)
            if earlier
            else None
        )
        today = (now or datetime.now(UTC)).astimezone(UTC).date()
        yield Pair(connection, earlier, published_at, today, acceptances(settings))


def _attach_current(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Snapshot | None:
    """Attach the current snapshot as `earlier`, or tables without rows in its place."""
    try:
        snapshot = current(settings)
        snapshot.package()
        connection.execute(f"attach {quote_string(snapshot.database)} as earlier (read_only)")
        for mart, columns in COMPARED.items():
            # Read through: what is damaged there is found here, and is nothing to compare with.
            connection.execute(f"select max(hash({', '.join(columns)})) from earlier.marts.{mart}")
    except (NoSnapshotError, duckdb.Error):
        # Nothing published, nothing whole, or tables of another shape: nothing to compare with.
        connection.execute("detach database if exists earlier")
        connection.execute("attach ':memory:' as earlier")
        connection.execute("create schema earlier.marts")
        for mart in COMPARED:
            connection.execute(
                f"create table earlier.marts.{mart} as from candidate.marts.{mart} limit 0"
            )
        return None
    return snapshot


def accepted(pair: Pair, answer: Answer) -> Answer:
    """The answer with errors that an operator accepted turned into warnings.

    An acceptance of an unusual number of papers lasts. Any other holds for one publication: it
    must be newer than the current snapshot, or it would let the same thing pass unseen next year.
    """
    return replace(answer, findings=tuple(_accepted(pair, f) for f in answer.findings))


def _accepted(pair: Pair, finding: Finding) -> Finding:
    for one in pair.accepted:
        lasts = finding.check == "day_volume_is_usual"
        holds = lasts or pair.published_at is None or one.accepted_at > pair.published_at
        if finding.severity == "error" and one.subject == finding.subject and holds:
            said = f"Accepted on {one.accepted_at:%Y-%m-%d}: {one.why}"
            return replace(finding, severity="warning", next_step=said)
    return finding


@dataclass(frozen=True)
class Check:
    """A question and the mart it is about."""

    mart: str
    ask: Callable[[Pair], Answer]

    @property
    def name(self) -> str:
        """Its name in Dagster."""
        return self.ask.__name__

    @property
    def description(self) -> str:
        """What it asks."""
        return (self.ask.__doc__ or "").strip().splitlines()[0]


CHECKS = (
    Check("fct_listings", rules.listed_papers_are_recent),
    Check("fct_listings", rules.no_day_shrinks),
    Check("dim_papers", rules.papers_stay),
    Check("dim_papers", rules.no_mart_empties),
    Check("rpt_coverage", rules.day_volume_is_usual),
    Check("rpt_coverage", rules.coverage_goes_on),
    Check("rpt_coverage", rules.newest_day_is_recent),
    Check("rpt_quarantine", rules.quarantine_rows_are_one),
    Check("rpt_capture_reconciliation", rules.every_item_is_accounted_for),
)


def run(settings: Settings, *, now: datetime | None = None) -> dict[str, Answer]:
    """Every check's answer, by its name, with what operators accepted taken into account."""
    with opened(settings, now=now) as pair:
        return {check.name: accepted(pair, check.ask(pair)) for check in CHECKS}
