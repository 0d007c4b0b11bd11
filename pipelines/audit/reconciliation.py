"""Rules about items: each one is counted once, as accepted or as quarantined."""

from __future__ import annotations

from pipelines.audit.findings import MAX_NAMES, Comparison, Finding, Outcome

_REPEATED_ROWS = """
    select origin, place, reason, count(*) as n_rows
    from candidate.marts.rpt_quarantine
    group by capture_id, origin, place, reason, detail, excerpt
    having count(*) > 1
    order by origin, place
"""

_ITEM_COUNTS = """
    select
        count(*),
        coalesce(sum(n_seen), 0)::bigint,
        coalesce(sum(n_accepted), 0)::bigint,
        coalesce(sum(n_quarantined), 0)::bigint
    from candidate.marts.rpt_capture_reconciliation
"""


def quarantine_rows_are_unique(comparison: Comparison) -> Outcome:
    """No item is in quarantine twice. dbt checks the keys of all other marts."""
    repeated = comparison.rows(_REPEATED_ROWS)
    findings = tuple(
        Finding(
            "quarantine_rows_are_unique",
            "error",
            "rpt_quarantine",
            f"{origin}, {place}: rpt_quarantine has {n} identical rows with the reason {reason}.",
            "Delete warehouse.duckdb in the home and build again.",
        )
        for origin, place, reason, n in repeated[:MAX_NAMES]
    )
    return Outcome(findings, {"n_rows_repeated": len(repeated)})


def every_item_is_accounted_for(comparison: Comparison) -> Outcome:
    """Items seen = items accepted + items quarantined, over all captures."""
    n_captures, n_seen, n_accepted, n_quarantined = comparison.rows(_ITEM_COUNTS)[0]
    figures = {
        "n_captures": n_captures,
        "n_seen": n_seen,
        "n_accepted": n_accepted,
        "n_quarantined": n_quarantined,
    }
    if n_seen == n_accepted + n_quarantined:
        return Outcome((), figures)
    finding = Finding(
        "every_item_is_accounted_for",
        "error",
        "rpt_capture_reconciliation",
        f"{n_seen:,} items were seen, but {n_accepted:,} accepted + {n_quarantined:,} quarantined "
        f"= {n_accepted + n_quarantined:,}.",
        "Delete the folder lake/ in the home, ingest any file again and build.",
    )
    return Outcome((finding,), figures)
