"""Papers gaining attention: the trending score with all its inputs.

Belongs here: the table and its formula. Does not: the score (the marts hold it), or a page.
"""

from __future__ import annotations

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common
from dashboards.queries import Queries
from dashboards.view import View

N_SHOWN = 25
FORMULA = (
    "Score = (ln(1 + upvotes per day) + ln(1 + comments per day) + ln(1 + stars per day)) / "
    "(age + 2)^1.8. Age is the number of days since the paper was listed (arXiv: since version 1). "
    "The gain per day is (last − first) / days between, for the first and the last observation in "
    "the last 7 days, at least 0. An unknown counter adds 0. Weighting the three counters equally "
    "is a choice, not a finding. The score describes what was observed; it is not an estimate and "
    f"has no interval. See “Trending papers” in {common.METHODS}."
)
NO_SCORE = "not enough observations"


def trending(queries: Queries, view: View) -> b.Table:
    """Papers of the last 14 days by score; papers observed only once have no score."""
    frame = queries.trending(view)
    day_on = frame["day_on"][0] if frame.height else None
    newest_on = frame["newest_on"][0] if frame.height else None
    n_scored = frame["score"].drop_nulls().len()
    later = (
        f"After {formats.day(day_on)}, up to {formats.day(newest_on)}, no paper was observed "
        "twice. "
        if n_scored and newest_on != day_on
        else ""
    )
    note = (
        f"n = {frame.height:,} {view.about.counted}, of this day and the 14 days before, observed "
        f"at least once; {n_scored:,} {'has' if n_scored == 1 else 'have'} a score. "
        f"“{formats.sentence_case(NO_SCORE)}”: observed once, or twice within 6 hours. {later}"
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
            _rate("upvotes", "Upvotes per day"),
            _rate("comments", "Comments per day"),
            _rate("github_stars", "Stars per day"),
            b.integer("age_days", "Age (days)"),
            b.integer("upvotes", "Upvotes"),
            b.integer("comments", "Comments"),
            b.integer("github_stars", "Stars"),
            b.integer("n_observations", "Observations"),
            b.Column("Days between", lambda row: f"{row['observed_days']:.2f}", is_number=True),
        ),
        empty="No paper of this population was observed within 14 days of its listing day.",
        max_rows=N_SHOWN,
        is_muted=lambda row: row["score"] is None,
        note=note + FORMULA,
    )


def _score(row: b.Row) -> str:
    return NO_SCORE if row["score"] is None else f"{row['score']:.3f}"


def _rate(name: str, label: str) -> b.Column:
    def write(row: b.Row) -> str:
        if row["score"] is None:
            return formats.NO_VALUE
        return formats.decimal(row[f"{name}_per_day"])

    return b.Column(label, write, is_number=True)


def _paper(row: b.Row) -> b.Link:
    return b.Link("papers", {"population": row["population"], "q": row["title"]})
