"""The most frequent author and organisation names on a topic's papers.

Belongs here: both tables, their formula, and the warning that names do not identify persons. Does
not: counting (the marts do it).
"""

from __future__ import annotations

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common
from dashboards.populations import is_category
from dashboards.queries import Queries
from dashboards.view import View

NOT_A_PERSON = (
    "A name is not a person. Names are counted exactly as printed: several people can share a "
    "name, and one person can appear under several. Grey rows are names that several people "
    "probably share: a single word, a surname with initials only, or a name on papers from more "
    "than 10 areas of the taxonomy. Other names may also be shared. Ranks describe the captured "
    "papers, not merit."
)
ORGANIZATIONS = (
    "Organisations are those that the source assigns, at most one per paper, as spelled there. "
    "Each spelling has its own row. A missing organisation says nothing about where a paper "
    "comes from."
)
FORMULA = (
    "Share: papers with the name, divided by the topic's papers with known author names (or a "
    f"known organisation), over all time. {common.WILSON}"
)


def most_frequent(queries: Queries, view: View, suffix: str) -> list[b.Block]:
    """The most frequent authors and organisations of the topic, or of the population.

    `suffix` is `, ` and the topic's name, or empty.
    """
    topic = view.topic or "all"
    heading = b.Heading(
        f"Most frequent names{suffix}", "Over all time; the chosen period has no effect."
    )
    if is_category(view.population):
        text = "Names are counted for whole populations only. Choose arXiv announcements."
        return [heading, b.Text(text)]
    return [
        heading,
        b.Text(NOT_A_PERSON, "note"),
        _table(
            queries.topic_authors(view, topic),
            view,
            key="frequent-authors",
            title=f"Most frequent author names{suffix}",
            known="with known author names",
            columns=(
                b.text("author_name", "Name as printed", link=lambda row: _papers(view, row)),
                b.Column("Shared name", _shared, is_unbroken=True),
            ),
            note=FORMULA,
        ),
        _table(
            queries.topic_organizations(view, topic),
            view,
            key="frequent-organizations",
            title=f"Most frequent organisations{suffix}",
            known="with a known organisation",
            columns=(b.text("organization", "Organisation as spelled"),),
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
    n = ""
    if frame.height:
        row = frame.row(0, named=True)
        n = (
            f"n = {row['n_total']:,} of {row['n_topic_papers']:,} {view.about.counted}: those "
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
        empty="No name is on two or more papers of this topic and population.",
        is_muted=lambda row: bool(row.get("is_ambiguous")),
        max_rows=100,
        note=n + note,
    )


def _share(row: b.Row) -> str:
    """A share with two decimals: most names are on about one paper in a thousand."""
    return f"{100 * row['share']:.2f}{formats.NBSP}%"


def _interval(row: b.Row) -> str:
    return f"{100 * row['share_low']:.2f}–{100 * row['share_high']:.2f}{formats.NBSP}%"


def _shared(row: b.Row) -> str:
    return "probably" if row["is_ambiguous"] else "unknown"


def _papers(view: View, row: b.Row) -> b.Link:
    """A link to the papers with the name, of the chosen topic if there is one."""
    params = {"population": view.population, "grain": view.grain, "q": row["author_name"]}
    return b.Link("papers", params | ({"topic": view.topic} if view.topic else {}))
