"""Papers gaining attention: the trending score with its inputs.

Belongs here: the table and what its score means. Does not: the score (the marts hold it), or a
page.
"""

from __future__ import annotations

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common
from dashboards.queries import Queries
from dashboards.view import View

N_SHOWN = 25
SUMMARY = (
    "Score: with 90 % probability the paper gets more than this many times the upvotes of papers "
    "of the same age, allowing for the level of its listing day. Upvotes gained between two "
    "observations count; after a single observation, all upvotes. See “Trending papers” in "
    f"{common.METHODS}."
)
BASES = {"gain": "gained", "upvotes": "all"}
"""Basis of a score → which upvotes count."""


def trending(queries: Queries, view: View) -> b.Table:
    """Papers of the last 14 days by score, then those without one."""
    frame = queries.trending(view)
    day_on = frame["day_on"][0] if frame.height else None
    newest_on = frame["newest_on"][0] if frame.height else None
    n_scored = frame["score"].drop_nulls().len()
    has_ranks = frame["rank"].drop_nulls().len() > 0
    unranked = " Too few for ranks." if n_scored and not has_ranks else ""
    later = (
        f" After {formats.day(day_on)}, up to {formats.day(newest_on)}, no paper has a score."
        if n_scored and newest_on != day_on
        else ""
    )
    return b.Table(
        key="trending",
        title=f"Papers gaining attention{f', {formats.day(day_on)}' if day_on else ''} "
        f"({view.about.name})",
        frame=frame.drop("newest_on"),
        columns=(
            b.integer("rank", "Rank"),
            b.Column("Paper", lambda row: row["title"], is_wide=True, link=_paper),
            b.Column("Score", _score, is_number=True),
            b.Column("Upvotes counted", _counted, is_number=True),
            b.decimal("expected", "Expected"),
            b.integer("n_compared", "Papers compared"),
            b.integer("age_days", "Age (days)"),
            b.integer("upvotes", "Upvotes"),
            b.integer("comments", "Comments"),
            b.integer("github_stars", "Stars"),
            b.integer("n_observations", "Observations"),
        ),
        empty="No paper of this population was observed within 14 days of its listing day.",
        max_rows=N_SHOWN,
        is_muted=lambda row: row["score"] is None or row["score"] <= 1,
        note=f"n = {frame.height:,} {view.about.counted}, of this day and the 14 days before, with "
        f"an observation; {n_scored:,} {'has' if n_scored == 1 else 'have'} a score.{unranked}"
        f"{later} {SUMMARY} Grey: no score above ×1.00, so not surely above comparable papers.",
    )


def _score(row: b.Row) -> str:
    return str(row["basis"]) if row["score"] is None else f"×{row['score']:.2f}"


def _counted(row: b.Row) -> str:
    if row["score"] is None:
        return formats.NO_VALUE
    return f"{row['n_counted']:,} ({BASES[row['basis']]})"


def _paper(row: b.Row) -> b.Link:
    return b.Link("papers", {"population": row["population"], "q": row["title"]})
