"""Papers that gather attention: the score of trending papers with all that goes into it.

Belongs here: the table and its formula. Does not: the score (the marts hold it), or a page.
"""

from __future__ import annotations

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common
from dashboards.queries import Queries
from dashboards.state import View

N_SHOWN = 25
FORMULA = (
    "Score = ( ln(1 + upvotes a day) + ln(1 + comments a day) + ln(1 + stars a day) ) / "
    "(age + 2)^1.8, age in days since the paper was listed (arXiv: since version 1). A day's gain "
    "is (last − first) / days between, of the first observation of the last 7 days and the last "
    "one, never below 0; what is not known adds nothing. The three weigh the same: a choice, not a "
    "finding. It has no "
    "interval: it describes what was seen and estimates nothing. "
    f"See “Trending papers” in {common.METHODS}."
)
FEW = "not enough observations"


def trending(queries: Queries, view: View) -> b.Table:
    """Papers of the last fortnight, by score; those seen once have none."""
    frame = queries.trending(view)
    day = f", {formats.day(frame['day_on'][0])}" if frame.height else ""
    n_scored = frame["score"].drop_nulls().len()
    newest_on = frame["newest_on"][0] if frame.height else None
    elsewhere = (
        f"On the days after it, to {formats.day(newest_on)}, no paper was observed twice. "
        if newest_on and n_scored and newest_on != frame["day_on"][0]
        else ""
    )
    note = (
        f"n = {frame.height:,} {view.about.counts}, of this day and the 14 before, and observed; "
        f"{n_scored:,} {'has' if n_scored == 1 else 'have'} a score. "
        f"“{FEW[0].upper()}{FEW[1:]}”: seen once, or twice within six "
        f"hours. {elsewhere}"
    )
    return b.Table(
        key="trending",
        title=f"Papers that gather attention{day} ({view.about.name})",
        frame=frame.drop("newest_on"),
        columns=(
            b.integer("rank", "Rank"),
            b.Column("Paper", lambda row: row["title"], is_wide=True, link=_paper),
            b.Column("Score", _score, is_number=True),
            _rate("upvotes", "Upvotes a day"),
            _rate("comments", "Comments a day"),
            _rate("github_stars", "Stars a day"),
            b.integer("age_days", "Age, days"),
            b.integer("upvotes", "Upvotes"),
            b.integer("comments", "Comments"),
            b.integer("github_stars", "Stars"),
            b.integer("n_observations", "Observations"),
            b.Column("Days between", lambda row: f"{row['observed_days']:.2f}", is_number=True),
        ),
        empty="No paper of this population was observed within a fortnight of its day.",
        max_rows=N_SHOWN,
        is_muted=lambda row: row["score"] is None,
        note=note + FORMULA,
    )


def _score(row: b.Row) -> str:
    return FEW if row["score"] is None else f"{row['score']:.3f}"


def _rate(name: str, label: str) -> b.Column:
    def write(row: b.Row) -> str:
        return (
            formats.decimal(row[f"{name}_per_day"]) if row["score"] is not None else formats.NOTHING
        )

    return b.Column(label, write, is_number=True)


def _paper(row: b.Row) -> b.Link:
    return b.Link("papers", {"population": row["population"], "q": row["title"]})
