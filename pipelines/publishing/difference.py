"""Differences between two snapshots, as frames.

Both are opened in one read-only connection that can access nothing else. Columns that only one of
them has are ignored, so that a snapshot of an older release can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from pipelines.errors import PapertideError
from pipelines.publishing.snapshot import Snapshot, in_use
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect
from pipelines.warehouse.frames import as_frame

NOT_COMPARED = ("n_items",)  # counts observations, so it says nothing about the paper


def compare(settings: Settings, old: Snapshot, new: Snapshot) -> dict[str, pl.DataFrame]:
    """Title → frame of differences, in display order. A frame without rows means no difference.

    `papers` (added, gone), `paper columns` with the number of changed papers, `listings` by day,
    `captures`, `quarantine` by reason, `coverage`, `topics` (added, gone, or found in other papers
    of those in both snapshots), `topic shares` whose intervals don't overlap or whose verdicts
    differ. Raises PapertideError if a database can't be opened.
    """
    with _opened(settings, old, new) as connection:
        return {
            "papers": _frame(connection, _PAPERS),
            "paper columns": _paper_columns(connection),
            "listings": _frame(connection, _LISTINGS),
            "captures": _frame(connection, _CAPTURES),
            "quarantine": _frame(connection, _QUARANTINE),
            "coverage": _frame(connection, _COVERAGE),
            "topics": _topics(connection),
            "topic shares": _topic_shares(connection),
        }


@contextmanager
def _opened(
    settings: Settings, old: Snapshot, new: Snapshot
) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(None, settings) as connection:
        for name, snapshot in (("old", old), ("new", new)):
            try:
                path = quote_string(snapshot.database)
                connection.execute(f"attach {path} as {name} (read_only)")
            except duckdb.Error as error:
                raise in_use(snapshot.database, error) or PapertideError(
                    f"{snapshot.database} can't be opened: it is missing or damaged. `papertide "
                    "snapshots` shows which snapshots are intact."
                ) from None
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            yield connection
        except duckdb.CatalogException as error:
            raise PapertideError(
                f"{old.snapshot_id} and {new.snapshot_id} can't be compared: one lacks tables "
                f"of this release ({str(error).splitlines()[0]})."
            ) from None


_PAPERS = """
    select change, paper_id, title
    from (
        select 'added' as change, paper_id, title
        from new.marts.dim_papers anti join old.marts.dim_papers using (paper_id)
        union all
        select 'gone' as change, paper_id, title
        from old.marts.dim_papers anti join new.marts.dim_papers using (paper_id)
    )
    order by change, paper_id
"""

_LISTINGS = """
    with sides as (
        select population, listed_on, paper_id, true as is_old, false as is_new
        from old.marts.fct_listings
        union all
        select population, listed_on, paper_id, false as is_old, true as is_new
        from new.marts.fct_listings
    ),

    papers as (
        select population, listed_on, paper_id, bool_or(is_old) as was, bool_or(is_new) as is_now
        from sides
        group by population, listed_on, paper_id
    )

    select
        population,
        listed_on,
        count(*) filter (where was) as n_before,
        count(*) filter (where is_now) as n_now,
        count(*) filter (where is_now and not was) as n_added,
        count(*) filter (where was and not is_now) as n_gone
    from papers
    group by population, listed_on
    having n_added + n_gone > 0
    order by listed_on, population
"""

_CAPTURES = """
    select
        case
            when old.capture_id is null then 'added'
            when new.capture_id is null then 'gone'
            else 'read differently'
        end as change,
        coalesce(new.origin, old.origin) as origin,
        coalesce(new.listing_kind, old.listing_kind) as listing_kind,
        coalesce(new.listed_on, old.listed_on) as listed_on,
        old.n_accepted as n_accepted_before,
        new.n_accepted as n_accepted_now,
        coalesce(new.capture_id, old.capture_id) as capture_id
    from old.marts.rpt_capture_reconciliation as old
    full join new.marts.rpt_capture_reconciliation as new on old.capture_id = new.capture_id
    where old.capture_id is null or new.capture_id is null
        or (old.listing_kind, old.listed_on, old.overrides, old.n_accepted, old.n_quarantined)
            is distinct from
            (new.listing_kind, new.listed_on, new.overrides, new.n_accepted, new.n_quarantined)
    order by change, listed_on, origin
"""

_QUARANTINE = """
    with sides as (
        select reason, 1 as n_old, 0 as n_new from old.marts.rpt_quarantine
        union all
        select reason, 0 as n_old, 1 as n_new from new.marts.rpt_quarantine
    )

    select reason, sum(n_old)::bigint as n_before, sum(n_new)::bigint as n_now
    from sides
    group by reason
    having n_before <> n_now
    order by reason
"""

_COVERAGE = """
    select
        population,
        listed_on,
        old.is_captured as was_captured,
        new.is_captured,
        old.is_complete as was_complete,
        new.is_complete
    from old.marts.rpt_coverage as old
    full join new.marts.rpt_coverage as new using (population, listed_on)
    where (old.is_captured, old.is_complete) is distinct from (new.is_captured, new.is_complete)
    order by listed_on, population
"""

_KEY = ("population", "grain", "period_start_on", "topic_id")


def _paper_columns(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Column → number of papers in both snapshots in which it changed."""
    columns = [
        name
        for name in _common(connection, "dim_papers")
        if name != "paper_id" and name not in NOT_COMPARED
    ]
    counts = ", ".join(
        f'count(*) filter (where old."{name}" is distinct from new."{name}") as "{name}"'
        for name in columns
    )
    wide = _frame(
        connection,
        f"select {counts} from old.marts.dim_papers as old "
        "inner join new.marts.dim_papers as new using (paper_id)",
    )
    long = wide.unpivot(variable_name="column", value_name="n_papers_changed")
    return long.filter(pl.col("n_papers_changed") > 0).sort(
        ["n_papers_changed", "column"], descending=[True, False]
    )


def _topics(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Rule-based topics that were added, removed, or found in other papers of both snapshots."""
    rule_based = (
        "kind <> 'discovered'" if "kind" in _common(connection, "bridge_paper_topics") else "true"
    )
    return _frame(
        connection,
        f"""
        with sides as (
            select topic_id, paper_id, 1 as was, 0 as is_now
            from old.marts.bridge_paper_topics semi join new.marts.dim_papers using (paper_id)
            where {rule_based}
            union all
            select topic_id, paper_id, 0 as was, 1 as is_now
            from new.marts.bridge_paper_topics semi join old.marts.dim_papers using (paper_id)
            where {rule_based}
        ),

        pairs as (
            select topic_id, paper_id, max(was) as was, max(is_now) as is_now
            from sides
            group by topic_id, paper_id
        )

        select
            case
                when sum(was) = 0 then 'added'
                when sum(is_now) = 0 then 'gone'
                else 'found differently'
            end as change,
            topic_id,
            sum(was)::bigint as n_papers_before,
            sum(is_now)::bigint as n_papers_now,
            count(*) filter (where is_now > was) as n_papers_gained,
            count(*) filter (where was > is_now) as n_papers_lost
        from pairs
        group by topic_id
        having n_papers_gained + n_papers_lost > 0
        order by change, n_papers_gained + n_papers_lost desc, topic_id
        """,
    )


def _topic_shares(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Topics and periods whose intervals of the share don't overlap, or whose verdicts differ.

    Discovered topics are left out: a new fit assigns all papers again, which changes every period.
    """
    common = _common(connection, "rpt_topic_trends")
    # Verdicts of a release without horizons have another meaning.
    verdicts = (
        "old.verdict as verdict_before, new.verdict as verdict_now," if "horizon" in common else ""
    )
    changed = "or old.verdict is distinct from new.verdict" if verdicts else ""
    rule_based = "new.kind <> 'discovered'" if "kind" in common else ""
    return _frame(
        connection,
        f"""
        select
            {", ".join(_KEY)},
            old.share as share_before,
            new.share as share_now,
            {verdicts}
            old.n_total as n_total_before,
            new.n_total as n_total_now
        from old.marts.rpt_topic_trends as old
        inner join new.marts.rpt_topic_trends as new using ({", ".join(_KEY)})
        where (old.share_high < new.share_low or new.share_high < old.share_low {changed})
            and {rule_based or "true"}
        order by abs(new.share - old.share) desc, {", ".join(_KEY)}
        """,
    )


def _frame(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    return as_frame(connection.sql(sql))


def _common(connection: duckdb.DuckDBPyConnection, mart: str) -> list[str]:
    """Columns that the mart has in both snapshots, with the same type."""
    rows = connection.execute(
        "select any_value(column_name) from duckdb_columns() where schema_name = 'marts' "
        "and table_name = $mart and database_name in ('old', 'new') "
        "group by column_name, data_type having count(*) = 2 order by min(column_index)",
        {"mart": mart},
    ).fetchall()
    return [str(name) for (name,) in rows]
