"""Rules against data loss: no day, paper or mart disappears from one snapshot to the next."""

from __future__ import annotations

from datetime import date

from pipelines.audit.findings import Comparison, Finding, Outcome, name_list
from pipelines.runtime.sql import quote_identifier

MAX_SHARE_LOST = 0.01
MAY_BE_EMPTY = ("rpt_quarantine", "rpt_title_matches")

# A paper that was listed by its title alone and is now found under its id (`merged`) is not lost.
_SMALLER_DAYS = """
    with merged as (
        select old.population, old.listed_on, count(distinct old.paper_id) as n_merged
        from published.marts.fct_listings as old
        inner join published.marts.dim_papers as papers using (paper_id)
        inner join candidate.marts.rpt_title_matches as matches
            on papers.title = matches.title and matches.paper_id <> old.paper_id
        inner join candidate.marts.fct_listings as new
            on matches.paper_id = new.paper_id and old.population = new.population
            and old.listed_on = new.listed_on
        where old.paper_id not in (select paper_id from candidate.marts.dim_papers)
        group by old.population, old.listed_on
    ),

    before as (
        select population, listed_on, count(*) as n_listings
        from published.marts.fct_listings
        group by population, listed_on
    ),

    after as (
        select population, listed_on, count(*) as n_listings
        from candidate.marts.fct_listings
        group by population, listed_on
    ),

    overridden as (
        select distinct old.listed_on
        from published.marts.rpt_capture_reconciliation as old
        inner join candidate.marts.rpt_capture_reconciliation as new using (capture_id)
        where old.overrides <> new.overrides
            and (old.listing_kind, old.listed_on) is distinct from (new.listing_kind, new.listed_on)
    )

    select
        before.population,
        before.listed_on,
        before.n_listings,
        coalesce(after.n_listings, 0) as n_after,
        before.listed_on in (select listed_on from overridden where listed_on is not null)
            as is_overridden
    from before
    left join after using (population, listed_on)
    left join merged using (population, listed_on)
    where coalesce(after.n_listings, 0) + coalesce(merged.n_merged, 0) < before.n_listings
    order by before.listed_on, before.population
"""

_MISSING_CAPTURES = """
    select origin from published.marts.rpt_capture_reconciliation
    where listed_on = $day
        and capture_id not in (
            select capture_id from candidate.marts.rpt_capture_reconciliation
        )
    order by origin
"""

_COMMON_MARTS = """
    select table_name
    from duckdb_tables()
    where schema_name = 'marts' and database_name in ('candidate', 'published')
    group by table_name
    having count(*) = 2
    order by table_name
"""


def no_day_shrinks(comparison: Comparison) -> Outcome:
    """No day has fewer papers than in the current snapshot, unless an override explains it."""
    smaller = comparison.rows(_SMALLER_DAYS)
    findings = tuple(
        _smaller_day(comparison, population, day, n_before, n_after)
        for population, day, n_before, n_after, is_overridden in smaller
        if not is_overridden
    )
    n_overridden = len(smaller) - len(findings)
    return Outcome(
        findings, {"n_days_smaller": len(findings), "n_days_smaller_by_override": n_overridden}
    )


def _smaller_day(
    comparison: Comparison, population: str, day: date, n_before: int, n_after: int
) -> Finding:
    missing = comparison.rows(_MISSING_CAPTURES, day=day)
    captures = f" Missing captures: {name_list(o for (o,) in missing)}." if missing else ""
    return Finding(
        "no_day_shrinks",
        "error",
        day.isoformat(),
        f"{population} on {day} would shrink from {n_before} to {n_after} papers.{captures}",
        "If captures of that day were lost, ingest their files again. If the smaller list is "
        f"right, run `papertide accept {day} --why TEXT`.",
    )


def papers_are_kept(comparison: Comparison) -> Outcome:
    """The number of papers does not fall by more than 1 %."""
    before = _count(comparison, "published", "dim_papers")
    after = _count(comparison, "candidate", "dim_papers")
    figures = {"n_papers_before": before, "n_papers": after}
    if after >= before * (1 - MAX_SHARE_LOST):
        return Outcome((), figures)
    finding = Finding(
        "papers_are_kept",
        "error",
        "dim_papers",
        f"dim_papers would shrink from {before:,} to {after:,} papers.",
        "If captures were lost, ingest their files again. If the smaller number is right, run "
        "`papertide accept dim_papers --why TEXT`.",
    )
    return Outcome((finding,), figures)


def no_mart_becomes_empty(comparison: Comparison) -> Outcome:
    """No mart with rows in the current snapshot is empty in the candidate."""
    marts = [mart for (mart,) in comparison.rows(_COMMON_MARTS)]
    findings = tuple(
        _empty_mart(mart, n_before)
        for mart in marts
        if mart not in MAY_BE_EMPTY
        and (n_before := _count(comparison, "published", mart))
        and not _count(comparison, "candidate", mart)
    )
    return Outcome(findings, {"n_marts": len(marts)})


def _empty_mart(mart: str, n_before: int) -> Finding:
    return Finding(
        "no_mart_becomes_empty",
        "error",
        mart,
        f"{mart} would be empty; it has {n_before:,} rows in the current snapshot.",
        "If captures were lost, ingest their files again. If an empty table is right, run "
        f"`papertide accept {mart} --why TEXT`.",
    )


def _count(comparison: Comparison, database: str, mart: str) -> int:
    table = f"{database}.marts.{quote_identifier(mart)}"
    return int(comparison.rows(f"select count(*) from {table}")[0][0])
