"""Data health: what was captured, what was quarantined and why, and how titles were matched."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards import blocks as b
from dashboards import formats
from dashboards.figures import calendars
from dashboards.populations import population_named
from dashboards.queries import Queries
from dashboards.view import View

CALENDAR_KEY = (
    b.Key("day-complete", calendars.DAY_STATUS[calendars.COMPLETE]),
    b.Key("day-captured", calendars.DAY_STATUS[calendars.CAPTURED]),
    b.Key("day-missing", calendars.DAY_STATUS[calendars.MISSING]),
    b.Key("day-quiet", calendars.DAY_STATUS[calendars.QUIET]),
)
LEAD = (
    "A weekday without a capture is missing data, not a day without papers. Every item seen is "
    "either accepted or quarantined; no item is dropped."
)


def build(queries: Queries, _view: View) -> list[b.Block]:
    """The page. It shows all populations, so it has no filters."""
    totals = queries.coverage_totals()
    calendar: list[b.Block] = [_calendar(queries, row) for row in totals.iter_rows(named=True)]
    return [
        b.Text(_finding(totals.iter_rows(named=True)), "lead"),
        b.Text(LEAD),
        b.Heading("Coverage"),
        *(calendar or [b.Text("No listing day has been captured.")]),
        b.Heading("Reconciliation", "Items seen = items accepted + items quarantined."),
        _reconciliation(queries),
        _reasons(queries),
        _quarantine(queries),
        b.Heading("Titles without an id", "The paper matched to each title, with the evidence."),
        _outcomes(queries),
        _matches(queries),
        b.Heading("Captures"),
        _captures(queries),
    ]


def _finding(totals: Iterable[b.Row]) -> str:
    """How many of the expected days were captured, as a sentence."""
    parts = [
        f"{row['n_captured']:,} of {row['n_expected']:,} expected days of "
        f"{population_named(row['population']).name}"
        for row in totals
    ]
    return f"Captured: {formats.listed(parts)}." if parts else "No listing day has been captured."


def _calendar(queries: Queries, totals: b.Row) -> b.Chart:
    name = population_named(totals["population"]).name
    frame = queries.coverage(totals["population"])
    is_stated = not totals["n_unstated"]  # other sources have no captures by day either
    complete = (
        f"{totals['n_complete']:,} known to be captured in full"
        if is_stated
        else "the source does not state whether a day is complete"
    )
    captures = (
        b.integer("n_captures", "Captures"),
        b.moment("last_captured_at", "Last captured"),
    )
    key = f"coverage-{totals['population']}"
    return b.Chart(
        key=key,
        title=f"{name}: days captured",
        subtitle=f"{totals['n_captured']:,} of {totals['n_expected']:,} expected days, "
        f"{formats.day(totals['first_on'])} to {formats.day(totals['last_on'])}; {complete}",
        panels=(
            b.Panel(
                lambda theme: calendars.coverage_calendar(frame, theme),
                calendars.height(frame),
                f"Calendar of captured days, {name}.",
            ),
        ),
        table=b.Table(
            key,
            f"{name}: captured days, newest first",
            frame.reverse(),
            (
                b.day("listed_on", "Day"),
                b.Column("Status", lambda row: calendars.DAY_STATUS[calendars.day_status(row)]),
                b.integer("n_papers", "Papers"),
                *(captures if is_stated else ()),
            ),
            max_rows=50,
        ),
        legend=CALENDAR_KEY,
        is_stacked=True,
    )


def _reconciliation(queries: Queries) -> b.Table:
    return b.Table(
        "reconciliation",
        "Items by source and list kind",
        queries.reconciliation(),
        (
            b.text("source", "Source"),
            b.text("listing_kind", "Kind"),
            b.integer("n_captures", "Captures"),
            b.integer("n_seen", "Seen"),
            b.integer("n_accepted", "Accepted"),
            b.integer("n_quarantined", "Quarantined"),
        ),
        empty="Nothing has been ingested.",
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
        empty="No item is quarantined.",
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
            b.wide("detail", "Detail"),
            b.wide("excerpt", "Excerpt"),
        ),
        empty="No item is quarantined.",
        max_rows=50,
    )


def _outcomes(queries: Queries) -> b.Table:
    return b.Table(
        "title-outcomes",
        "Titles by outcome",
        queries.title_outcomes(),
        (b.text("outcome", "Outcome"), b.integer("n_titles", "Titles")),
        empty="Every item has an id.",
    )


def _matches(queries: Queries) -> b.Table:
    return b.Table(
        "title-matches",
        "Title matches",
        queries.title_matches(),
        (
            b.text("outcome", "Outcome"),
            b.wide("title", "Title"),
            b.text("paper_id", "Paper"),
            b.integer("n_candidates", "Candidates"),
            b.wide("match_evidence", "Evidence"),
        ),
        empty="Every item has an id.",
        max_rows=50,
    )


def _captures(queries: Queries) -> b.Table:
    return b.Table(
        "captures",
        "Captures, newest first",
        queries.captures(),
        (
            b.moment("captured_at", "Captured"),
            b.wide("origin", "Origin"),
            b.text("source", "Source"),
            b.text("listing_kind", "Kind"),
            b.day("listed_on", "Listing day"),
            b.integer("n_seen", "Seen"),
            b.integer("n_accepted", "Accepted"),
            b.integer("n_quarantined", "Quarantined"),
            b.Column("Rules applied", _rules, is_wide=True),
        ),
        empty="Nothing has been ingested.",
        max_rows=50,
    )


def _rules(row: b.Row) -> str:
    parts = [row["listing_kind_rule"], *(row["rules"] or ())]
    return "; ".join(part for part in parts if part) or formats.NO_VALUE
