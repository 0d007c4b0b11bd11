"""Trends: shares over time of a few topics, side by side on one scale."""

from __future__ import annotations

import polars as pl

from dashboards import blocks as b
from dashboards import figures
from dashboards.pages import common
from dashboards.queries import Queries
from dashboards.state import MAX_TOPICS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.nothing_yet()
    shown = view.topics or largest(queries, view)
    found: list[b.Block] = [b.Text(text, "note") for text in common.caveats(view)]
    if not shown:
        return [*found, b.Text("No paper matched a topic yet, so there is nothing to draw.")]
    history = queries.topic_history(view, shown)
    names = dict(history.select("topic_id", "topic_name").unique().iter_rows())
    top = figures.highest(history)
    ordered = pl.concat([history.filter(pl.col("topic_id") == topic) for topic in shown])
    the = "the " if view.grain == "week" else ""
    chosen = (
        "The topics chosen"
        if view.topics
        else f"The {len(shown)} largest topics of {the}{view.period_name}, until you choose others"
    )
    chart = b.Chart(
        key="trends",
        title=f"Topic shares per {view.grain}",
        subtitle=f"{chosen}. {common.span_of(view)}; one scale for all; n in the table.",
        panels=tuple(_panel(history, topic, names.get(topic, topic), view, top) for topic in shown),
        table=b.Table(
            "trends",
            f"Topic shares per {view.grain}",
            ordered.sort("period_start_on", descending=True, maintain_order=True),
            (
                b.period(view.grain),
                b.text(
                    "topic_name", "Topic", link=lambda row: common.topic_link("topics", view, row)
                ),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.n_of_total(),
            ),
            is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
            max_rows=400,
        ),
        formula=common.WILSON,
        caveats=(
            "What is drawn are shares and their intervals; nothing here is tested for a trend.",
        ),
        legend=common.TIME_KEY,
        is_stacked=True,
    )
    return [*found, chart]


def largest(queries: Queries, view: View) -> tuple[str, ...]:
    """The largest topics of the last covered period."""
    frame = queries.topic_shares(view)
    some = frame.filter((pl.col("topic_id") != "no-topic") & (pl.col("n_papers") > 0))
    return tuple(some["topic_id"].head(MAX_TOPICS))


def _panel(history: pl.DataFrame, topic: str, name: str, view: View, top: float) -> b.Panel:
    rows = history.filter(pl.col("topic_id") == topic)
    return b.Panel(
        lambda theme: figures.share_over_time(rows, theme, grain=view.grain, top=top),
        230,
        f"Line chart of the share of papers on {name} with 95 % intervals.",
        name,
    )
