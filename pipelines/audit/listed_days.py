"""The rule that a daily list holds recent papers: detects search pages ingested as daily lists."""

from __future__ import annotations

from datetime import date

from pipelines.audit.findings import Comparison, Finding, Outcome, name_list

# A daily list shows new papers: on each of the 404 days of the archive that can be judged, at least
# three quarters of the papers were published in the two weeks before; on search pages hardly any.
NEAR_DAYS = (-1, 14)
MIN_NEAR_SHARE = 0.5
MIN_DATED = 5
FAR_DAYS = 60  # with fewer than MIN_DATED papers, one within this distance is enough

_CHANGED_DAYS = f"""
    with published_listings as (
        select paper_id, listed_on from published.marts.fct_listings
        where population = 'hf_daily'
    ),

    candidate_listings as (
        select paper_id, listed_on from candidate.marts.fct_listings
        where population = 'hf_daily'
    ),

    changed as (
        (from candidate_listings except from published_listings)
        union all
        (from published_listings except from candidate_listings)
    ),

    dated as (
        select
            candidate_listings.listed_on,
            date_diff('day', papers.published_on, candidate_listings.listed_on) as age_days
        from candidate_listings
        inner join candidate.marts.dim_papers as papers using (paper_id)
        where papers.published_on_precision = 'day'
            and candidate_listings.listed_on in (select listed_on from changed)
    )

    select
        listed_on,
        count(*) as n_dated,
        count(*) filter (where age_days between {NEAR_DAYS[0]} and {NEAR_DAYS[1]}) as n_near,
        count(*) filter (where abs(age_days) <= {FAR_DAYS}) as n_not_far
    from dated
    group by listed_on
    order by listed_on
"""

_ORIGINS = """
    select captures.origin, published_captures.capture_id is null as is_new
    from candidate.marts.rpt_capture_reconciliation as captures
    left join published.marts.rpt_capture_reconciliation as published_captures
        on captures.capture_id = published_captures.capture_id
        and captures.listing_kind = published_captures.listing_kind
        and captures.listed_on is not distinct from published_captures.listed_on
    where captures.listing_kind = 'daily' and captures.listed_on = $day
    order by captures.captured_at desc, captures.capture_id
"""


def listed_papers_are_recent(comparison: Comparison) -> Outcome:
    """Papers of a new or changed daily list were published around its day."""
    judged = comparison.rows(_CHANGED_DAYS)
    findings = tuple(
        _search_page_suspected(comparison, day, n_dated, n_near)
        for day, n_dated, n_near, n_not_far in judged
        if (n_near < MIN_NEAR_SHARE * n_dated if n_dated >= MIN_DATED else not n_not_far)
    )
    return Outcome(findings, {"n_days_judged": len(judged), "n_days_refused": len(findings)})


def _search_page_suspected(comparison: Comparison, day: date, n_dated: int, n_near: int) -> Finding:
    origins = _origins(comparison, day)
    add = "adds" if len(origins) == 1 else "add"
    return Finding(
        "listed_papers_are_recent",
        "error",
        day.isoformat(),
        f"{name_list(origins) or 'No capture'} {add} {n_dated} dated papers to the daily list of "
        f"{day}. Only {n_near} of them {'was' if n_near == 1 else 'were'} published between "
        f"{NEAR_DAYS[1]} days before it and {-NEAR_DAYS[0]} day after it. This is typical of a "
        "search page, not of a daily list.",
        "If it is a search page, run `papertide ingest PATH --kind search` with the path of "
        f"{origins[0] if origins else 'the file'} and build again. If the list is right, run "
        f"`papertide accept {day} --why TEXT`.",
    )


def _origins(comparison: Comparison, day: date) -> list[str]:
    """Names of the new or changed captures of the day's list; of all its captures if none is."""
    found = comparison.rows(_ORIGINS, day=day)
    return [origin for origin, is_new in found if is_new] or [origin for origin, _ in found]
