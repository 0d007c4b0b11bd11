"""Running the audit: every rule, on the candidate next to the current snapshot.

Belongs here: opening both databases, the list of rules, and applying acceptances. Does not: the
rules (modules of this package), or stopping a build (the asset check does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from pipelines.audit import coverage, listed_days, losses, reconciliation, volume
from pipelines.audit.findings import Comparison, Finding, Outcome
from pipelines.errors import NoSnapshotError
from pipelines.publishing.acceptances import acceptances
from pipelines.publishing.snapshot import Snapshot, current, in_use
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

# Marts of the current snapshot that the rules read, with the columns they need.
COMPARED = {
    "fct_listings": ("paper_id", "population", "listed_on"),
    "dim_papers": ("paper_id", "title"),
    "rpt_coverage": ("population", "listed_on", "is_captured", "is_complete", "n_papers"),
    "rpt_capture_reconciliation": (
        "capture_id", "origin", "source", "listing_kind", "listed_on", "overrides",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """A rule, and the mart that Dagster attaches it to."""

    mart: str
    rule: Callable[[Comparison], Outcome]

    @property
    def name(self) -> str:
        """Its name in Dagster."""
        return self.rule.__name__

    @property
    def description(self) -> str:
        """What must hold: the first line of the rule's docstring."""
        return (self.rule.__doc__ or "").strip().splitlines()[0]


CHECKS = (
    Check("fct_listings", listed_days.listed_papers_are_recent),
    Check("fct_listings", losses.no_day_shrinks),
    Check("dim_papers", losses.papers_are_kept),
    Check("dim_papers", losses.no_mart_becomes_empty),
    Check("rpt_coverage", volume.day_volume_is_usual),
    Check("rpt_coverage", coverage.no_weekday_is_missed),
    Check("rpt_coverage", coverage.newest_day_is_recent),
    Check("rpt_quarantine", reconciliation.quarantine_rows_are_unique),
    Check("rpt_capture_reconciliation", reconciliation.every_item_is_accounted_for),
)


def run(settings: Settings, *, now: datetime | None = None) -> dict[str, Outcome]:
    """Check name → its outcome, with acceptances applied."""
    with open_comparison(settings, now=now) as comparison:
        return {check.name: _with_acceptances(comparison, check) for check in CHECKS}


@contextmanager
def open_comparison(settings: Settings, *, now: datetime | None = None) -> Iterator[Comparison]:
    """The candidate and the current snapshot, both read-only, in one connection."""
    with connect(None, settings) as connection:
        connection.execute(
            f"attach {quote_string(settings.candidate_path)} as candidate (read_only)"
        )
        snapshot = _attach_published(connection, settings)
        published_at = (
            datetime.fromisoformat(snapshot.package()["created"]).astimezone(UTC)
            if snapshot
            else None
        )
        today = (now or datetime.now(UTC)).astimezone(UTC).date()
        yield Comparison(connection, snapshot, published_at, today, acceptances(settings))


def _attach_published(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Snapshot | None:
    """Attach the current snapshot as `published`; empty tables if it can't be compared."""
    try:
        snapshot = current(settings)
        snapshot.package()
        connection.execute(f"attach {quote_string(snapshot.database)} as published (read_only)")
        for mart, columns in COMPARED.items():
            # Reads every block, so that a damaged one is found here.
            connection.execute(
                f"select max(hash({', '.join(columns)})) from published.marts.{mart}"
            )
    except (NoSnapshotError, duckdb.Error) as error:
        if locked := in_use(settings.snapshots_dir, error):
            raise locked from None  # without a comparison, nothing would be refused
        # Nothing is published, it is damaged, or it lacks these columns.
        connection.execute("detach database if exists published")
        connection.execute("attach ':memory:' as published")
        connection.execute("create schema published.marts")
        for mart in COMPARED:
            connection.execute(
                f"create table published.marts.{mart} as from candidate.marts.{mart} limit 0"
            )
        return None
    return snapshot


def _with_acceptances(comparison: Comparison, check: Check) -> Outcome:
    """The outcome of a check; errors that an operator accepted become warnings."""
    outcome = check.rule(comparison)
    return replace(outcome, findings=tuple(_accepted(comparison, f) for f in outcome.findings))


def _accepted(comparison: Comparison, finding: Finding) -> Finding:
    """The finding, as a warning if an operator accepted it.

    An accepted number of papers stays accepted. Any other acceptance holds for one publication: if
    it were older than the current snapshot, the same problem could pass unnoticed a year later.
    """
    for one in comparison.accepted:
        is_permanent = finding.check == "day_volume_is_usual"
        published_at = comparison.published_at
        is_valid = is_permanent or published_at is None or one.accepted_at > published_at
        if finding.severity == "error" and one.subject == finding.subject and is_valid:
            accepted = f"Accepted on {one.accepted_at:%Y-%m-%d}: {one.why}"
            return replace(finding, severity="warning", next_step=accepted)
    return finding
