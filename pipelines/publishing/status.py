"""The figures of `papertide status`: what is published, how complete it is, what is pending.

Belongs here: reading them from the snapshot and the notes of builds. Does not: printing.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from pipelines.archive.receipt import receipt_paths
from pipelines.errors import NoSnapshotError
from pipelines.publishing import acceptances, build_status, freshness
from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import Snapshot, current
from pipelines.settings import Settings

MAX_AGE_WEEKDAYS = 3  # of the newest complete daily list
RECENT_DAYS = 30

_CAPTURES = """
    select
        source,
        listing_kind,
        count(*) as n_captures,
        sum(n_seen)::bigint as n_seen,
        sum(n_accepted)::bigint as n_accepted,
        sum(n_quarantined)::bigint as n_quarantined
    from rpt_capture_reconciliation
    group by source, listing_kind
    order by all
"""
_COVERAGE = """
    select
        population,
        min(listed_on) as first_on,
        max(listed_on) as last_on,
        count(*) filter (where is_expected) as n_expected,
        count(*) filter (where is_expected and is_captured) as n_captured,
        count(*) filter (where is_expected and is_complete) as n_complete
    from rpt_coverage
    group by population
    order by population
"""
_QUARANTINE = """
    select reason, count(*) as n_items, count(distinct capture_id) as n_captures
    from rpt_quarantine
    group by reason
    order by n_items desc, reason
"""
_DAILY_LISTS = """
    select
        max(listed_on) filter (where is_complete) as newest,
        list(listed_on order by listed_on) filter (
            where is_expected and not is_captured
                and listed_on > (select max(listed_on) from rpt_coverage) - $recent_days
        ) as missing
    from rpt_coverage
    where population = 'hf_daily'
"""


def figures(settings: Settings) -> dict[str, Any]:
    """The status as JSON-like values; `captures`, `coverage`, `quarantine` are lists of rows.

    `state` is fresh, stale, refused or failed. Raises NoSnapshotError if nothing is published or
    the snapshot is damaged.
    """
    reader = Reader(settings)
    snapshot = _snapshot(settings, reader)
    published_at = datetime.fromisoformat(snapshot.package()["created"])
    captures, coverage = reader.query(_CAPTURES), reader.query(_COVERAGE)
    n_pending = _n_archived(settings) - int(captures["n_captures"].sum())
    return {
        "snapshot_id": snapshot.snapshot_id,
        "published_at": published_at.isoformat(),
        "age_hours": (datetime.now(UTC) - published_at).total_seconds() / 3600,
        "good_at": freshness.up_to_date_at(settings.snapshots_dir, published_at).isoformat(),
        **_builds(settings, snapshot.snapshot_id, published_at),
        "n_papers": reader.query("select count(*) as n from dim_papers")["n"][0],
        "n_captures_not_published": max(n_pending, 0),
        "newest": dict(coverage.select("population", "last_on").iter_rows()),
        "warnings": _warnings(reader),
        "captures": captures.to_dicts(),
        "coverage": coverage.to_dicts(),
        "quarantine": reader.query(_QUARANTINE).to_dicts(),
    }


def weekdays_between(first: date, last: date) -> int:
    """Number of weekdays after the first day, up to and including the last one."""
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(day.isoweekday() <= 5 for day in days)


def _snapshot(settings: Settings, reader: Reader) -> Snapshot:
    try:
        return reader.snapshot()
    except NoSnapshotError as error:
        n_pending = _n_archived(settings)
        if not n_pending or (settings.snapshots_dir / build_status.POINTER).exists():
            raise error from None
        raise NoSnapshotError(
            f"{n_pending} capture(s) are ingested, but nothing is published in {settings.home}."
            f"{_last_failure(settings)} Run `papertide build`."
        ) from None
    except duckdb.Error:
        raise NoSnapshotError(
            f"The database in {current(settings).folder} is damaged. Run `papertide rollback` to "
            "return to the newest intact snapshot."
        ) from None


def _last_failure(settings: Settings) -> str:
    failed = build_status.refusal(settings.snapshots_dir)
    if failed is None:
        return ""
    outcome = "was refused" if failed.kind == "refused" else "failed"
    return f" The last build {outcome}: {failed.messages[0]}"


def _builds(settings: Settings, snapshot_id: str, published_at: datetime) -> dict[str, Any]:
    """`state`, `why`, the last refusal, the rollback to this snapshot, acceptances."""
    found = freshness.freshness(settings.snapshots_dir, published_at, settings.stale_after_hours)
    refused = build_status.refusal(settings.snapshots_dir)
    rollback = build_status.rollback_mark(settings.snapshots_dir)
    return {
        "state": found.state,
        "why": found.sentence,
        "refused": asdict(refused) if refused else None,
        "rolled_back": rollback if rollback and rollback["to"] == snapshot_id else None,
        "accepted": [
            {**asdict(accepted), "holds": _scope(accepted, published_at)}
            for accepted in acceptances.acceptances(settings)
        ],
    }


def _scope(accepted: acceptances.Acceptance, published_at: datetime) -> str:
    """What an acceptance still covers. Most end with the next publication."""
    is_pending = accepted.accepted_at > published_at
    if not accepted.subject[:1].isdigit():  # a table's name, not a day
        return "for the next publication" if is_pending else "no longer"
    return "for the number of papers" + (", and the next publication" if is_pending else "")


def _warnings(reader: Reader) -> list[str]:
    """Recent weekdays without a capture, and a newest complete day that is too old."""
    row = reader.query(_DAILY_LISTS, {"recent_days": RECENT_DAYS}).row(0, named=True)
    warnings = []
    if row["missing"]:
        days = ", ".join(str(day) for day in row["missing"])
        warnings.append(f"no capture of the daily list for {days}")
    if row["newest"]:
        age = weekdays_between(row["newest"], datetime.now(UTC).date())
        if age > MAX_AGE_WEEKDAYS:
            warnings.append(
                f"the newest complete daily list is for {row['newest']}, {age} weekdays ago"
            )
    return warnings


def _n_archived(settings: Settings) -> int:
    return sum(1 for _ in receipt_paths(settings.captures_dir))
