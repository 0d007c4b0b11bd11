"""The names printed most often on a topic's papers: authors and organisations.

Belongs here: both tables, their formula, and the warning that a name is not a person. Does not: the
rest of the page, or counting (the marts do).
"""

from __future__ import annotations

import polars as pl

from dashboards import blocks as b
from dashboards.pages import common
from dashboards.queries import Queries
from dashboards.state import View, is_category

NOT_A_PERSON = (
    "A name is not a person. Names are counted as printed, letter for letter: several people may "
    "share one, and one person may print several. Grey rows are names that several people probably "
    "share: a single word, a surname with nothing but initials, or a name on papers of more than "
    "10 of the taxonomy's areas. The others are no proof of one person. Ranks are of what was "
    "captured, not of merit."
)
ORGANIZATIONS = (
    "Only what a source attached, one organisation a paper, as it is written there: other "
    "spellings are other rows, and papers without one say nothing about where they come from."
)
FORMULA = (
    "Share: papers with the name over the topic's papers with known names (organisations), over "
    f"all time. {common.WILSON}"
)


def most_frequent(queries: Queries, view: View, about: str) -> list[b.Block]:
    """The most frequent authors and organisations of the chosen topic, or of the population."""
    topic = view.topic or "all"
    heading = b.Heading(f"Most frequent names{about}", "Over all time, whatever period is chosen.")
    if is_category(view.population):
        said = "Names are counted in whole populations alone: choose all of arXiv's announcements."
        return [heading, b.Text(said)]
    return [
        heading,
        b.Text(NOT_A_PERSON, "note"),
        _table(
            queries.topic_authors(view, topic),
            view,
            key="frequent-authors",
            title=f"Most frequent author names{about}",
            known="print their authors' names",
            columns=(
                b.text("author_name", "Name as printed", link=lambda row: _papers(view, row)),
                b.Column("Shared?", _doubt, is_unbroken=True),
            ),
            note=FORMULA,
        ),
        _table(
            queries.topic_organizations(view, topic),
            view,
            key="frequent-organizations",
            title=f"Most frequent organisations{about}",
            known="name an organisation",
            columns=(b.text("organization", "Organisation as written"),),
            note=f"{ORGANIZATIONS} {FORMULA}",
        ),
    ]


def _table(
    frame: pl.DataFrame,
    view: View,
    *,
    key: str,
    title: str,
    known: str,
    columns: tuple[b.Column, ...],
    note: str,
) -> b.Table:
    said = ""
    if frame.height:
        row = frame.row(0, named=True)
        said = (
            f"n = {row['n_total']:,} of {row['n_topic_papers']:,} {view.about.counts}: those that "
            f"{known}. "
        )
    return b.Table(
        key=key,
        title=f"{title} ({view.about.name})",
        frame=frame,
        columns=(
            b.integer("rank", "Rank"),
            *columns,
            b.n_of_total(),
            b.Column("Share", _share, is_number=True),
            b.Column("95 % interval", _interval, is_number=True),
            b.day("first_counted_on", "First"),
            b.day("last_counted_on", "Last"),
        ),
        empty="No name stands on two papers of the topic in this population.",
        is_muted=lambda row: bool(row.get("is_ambiguous")),
        max_rows=100,
        note=said + note,
    )


def _share(row: b.Row) -> str:
    """Small shares need two decimals: most names are on one paper in a thousand."""
    return f"{100 * row['share']:.2f}\u00a0%"


def _interval(row: b.Row) -> str:
    return f"{100 * row['share_low']:.2f}–{100 * row['share_high']:.2f}\u00a0%"


def _doubt(row: b.Row) -> str:
    return "probably" if row["is_ambiguous"] else "not known"


def _papers(view: View, row: b.Row) -> b.Link:
    """Papers on which the name is found, of the topic where one is chosen."""
    asked = {"population": view.population, "grain": view.grain, "q": row["author_name"]}
    return b.Link("papers", asked | ({"topic": view.topic} if view.topic else {}))
