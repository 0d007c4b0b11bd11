"""Data health: what was captured, what was refused and why, and how titles were matched."""

from __future__ import annotations

from dashboards import blocks as b
from dashboards import calendars, formats
from dashboards.queries import Queries
from dashboards.state import View, population_named

CALENDAR_KEY = (
    b.Key("day-complete", "captured and complete"),
    b.Key("day-captured", "captured; not complete, or the source does not tell"),
    b.Key("day-missing", "missing: expected, not captured"),
    b.Key("day-quiet", "no list expected"),
)


def build(queries: Queries, _view: View) -> list[b.Block]:
    """The page."""
    found: list[b.Block] = [
        b.Text(
            "A weekday without a capture is missing data, not a day without papers. Every item "
            "seen is either accepted or quarantined; nothing is dropped.",
            "lead",
        ),
        b.Heading("Coverage"),
    ]
    totals = queries.coverage_totals()
    if totals.is_empty():
        found.append(b.Text("No listing day was captured yet."))
    found += [_calendar(queries, row) for row in totals.iter_rows(named=True)]
    found += [
        b.Heading("Reconciliation", "Items seen = items accepted + items quarantined."),
        _reconciliation(queries),
        _reasons(queries),
        _quarantine(queries),
        b.Heading("Titles without an id", "Which paper each became, and by which evidence."),
        _outcomes(queries),
        _matches(queries),
        b.Heading("Captures"),
        _captures(queries),
    ]
    return found


def _calendar(queries: Queries, totals: b.Row) -> b.Chart:
    about = population_named(totals["population"])
    frame = queries.coverage(totals["population"])
    complete = (
        "the source does not tell which are complete"
        if totals["n_not_told"]
        else f"{totals['n_complete']:,} known to be complete"
    )
    key = f"coverage-{totals['population']}"
    return b.Chart(
        key=key,
        title=f"{about.name}: days captured",
        subtitle=f"{totals['n_captured']:,} of {totals['n_expected']:,} expected days "
        f"({formats.day(totals['first_on'])} to {formats.day(totals['last_on'])}); {complete}",
        panels=(
            b.Panel(
                lambda theme: calendars.coverage_calendar(frame, theme),
                calendars.height(frame),
                f"Calendar of captured days, {about.name}.",
            ),
        ),
        table=b.Table(
            key,
            f"{about.name}: newest days",
            frame.reverse(),
            (
                b.day("listed_on", "Day"),
                b.Column("State", lambda row: calendars.NAMES[calendars.state_of(row)]),
                b.integer("n_papers", "Papers"),
                *(
                    ()
                    if totals["n_not_told"]  # days of such a source have no captures of their own
                    else (
                        b.integer("n_captures", "Captures"),
                        b.moment("last_captured_at", "Last captured"),
                    )
                ),
            ),
            max_rows=50,
        ),
        legend=CALENDAR_KEY,
        is_stacked=True,
    )


def _reconciliation(queries: Queries) -> b.Table:
    return b.Table(
        "reconciliation",
        "Items by source and kind of list",
        queries.reconciliation(),
        (
            b.text("source", "Source"),
            b.text("listing_kind", "Kind"),
            b.integer("n_captures", "Captures"),
            b.integer("n_seen", "Seen"),
            b.integer("n_accepted", "Accepted"),
            b.integer("n_quarantined", "Quarantined"),
        ),
        empty="Nothing was taken in yet.",
    )


def _reasons(queries: Queries) -> b.Table:
    return b.Table(
        "quarantine-reasons",
        "Quarantined items by reason",
        queries.quarantine_reasons(),
        (
            b.text("reason", "Reason"),
            b.text("source", "Source"),
            b.integer("n_captures", "Captures"),
            b.integer("n_items", "Items"),
        ),
        empty="Nothing is quarantined.",
    )


def _quarantine(queries: Queries) -> b.Table:
    return b.Table(
        "quarantine",
        "Quarantined items",
        queries.quarantine(),
        (
            b.text("reason", "Reason"),
            b.wide("origin", "Capture"),
            b.text("place", "Place"),
            b.wide("detail", "What was found"),
            b.wide("excerpt", "Excerpt"),
        ),
        empty="Nothing is quarantined.",
        max_rows=50,
    )


def _outcomes(queries: Queries) -> b.Table:
    return b.Table(
        "title-outcomes",
        "Titles by outcome",
        queries.title_outcomes(),
        (b.text("outcome", "Outcome"), b.integer("n_titles", "Titles")),
        empty="Every item came with an id.",
    )


def _matches(queries: Queries) -> b.Table:
    return b.Table(
        "title-matches",
        "Titles and their evidence",
        queries.title_matches(),
        (
            b.text("outcome", "Outcome"),
            b.wide("title", "Title"),
            b.text("paper_id", "Paper"),
            b.integer("n_candidates", "Candidates"),
            b.wide("match_evidence", "Evidence"),
        ),
        empty="Every item came with an id.",
        max_rows=50,
    )


def _captures(queries: Queries) -> b.Table:
    return b.Table(
        "captures",
        "Captures, newest first",
        queries.captures(),
        (
            b.moment("captured_at", "Captured"),
            b.wide("origin", "Received as"),
            b.text("source", "Source"),
            b.text("listing_kind", "Kind"),
            b.day("listed_on", "Day of the list"),
            b.integer("n_seen", "Seen"),
            b.integer("n_accepted", "Accepted"),
            b.integer("n_quarantined", "Quarantined"),
            b.Column("Rules used", _rules, is_wide=True),
        ),
        empty="Nothing was taken in yet.",
        max_rows=50,
    )


def _rules(row: b.Row) -> str:
    parts = [row["listing_kind_rule"], *(row["rules"] or ())]
    return "; ".join(part for part in parts if part) or formats.NOTHING
