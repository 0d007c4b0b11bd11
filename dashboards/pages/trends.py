"""Trends: what rises and falls in a period, and shares over time on one scale."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import figures
from dashboards.pages import common, evidence
from dashboards.queries import Queries
from dashboards.state import MAX_TOPICS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.nothing_yet()
    last = replace(view, period=view.judged)
    shown = view.topics or largest(queries, last)
    notes = (*common.caveats(view), *common.about_kind(view))
    found: list[b.Block] = [b.Text(text, "note") for text in notes]
    found += verdicts(queries.topic_shares(last), last)
    found += term_verdicts(queries.term_verdicts(last), last)
    if not shown:
        return [*found, b.Text("No paper matched a topic yet, so there is nothing to draw.")]
    history = queries.topic_history(view, shown)
    names = dict(history.select("topic_id", "topic_name").unique().iter_rows())
    top = figures.highest(history)
    ordered = pl.concat([history.filter(pl.col("topic_id") == topic) for topic in shown])
    chosen = (
        "The topics chosen"
        if view.topics
        else f"The {len(shown)} largest topics of {_named(last)}, until you choose others"
    )
    breaks = common.breaks_of(view, by_text=True)
    chart = b.Chart(
        key="trends",
        title=f"Topic shares per {view.grain}",
        subtitle=f"{chosen}. {common.span_of(view)}; one scale for all; n in the table.",
        panels=tuple(
            _panel(history, topic, names.get(topic, topic), view, top, breaks) for topic in shown
        ),
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
                b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
                b.Column(
                    "Verdict",
                    lambda row: str(row["verdict"]),
                    link=lambda row: evidence.topic_link(view, row),
                ),
            ),
            is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
            max_rows=400,
        ),
        formula=common.WILSON,
        caveats=(
            *breaks.notes,
            "What is drawn are shares; what is tested stands in the table of verdicts.",
        ),
        legend=(*common.TIME_KEY, *breaks.key),
        is_stacked=True,
    )
    return [*found, chart]


def verdicts(frame: pl.DataFrame, view: View, ways: b.Ways = ()) -> list[b.Block]:
    """Topics that rise or fall in the chosen period, surest first, and why the others do not."""
    topics = frame.filter(pl.col("topic_id") != "no-topic")
    called = _called(topics).sort(
        "verdict", "q_value", "topic_name", descending=[True, False, False]
    )
    return [
        b.Heading(
            f"Rising and falling in {_named(view)}", f"{evidence.tested(topics, 'topic')}.", ways
        ),
        b.Table(
            "verdicts",
            f"Verdicts, {view.period_name}",
            called,
            (
                b.text(
                    "topic_name", "Topic", link=lambda row: common.topic_link("topics", view, row)
                ),
                *evidence.growth_columns(view, lambda row: evidence.topic_link(view, row)),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            ),
            empty=_nothing_called(topics),
            csv_frame=lambda: topics,
            note=f"{common.n_of(view)}. The download has every topic. {evidence.LEADS} "
            f"{evidence.GROWTH}",
        ),
    ]


def term_verdicts(terms: pl.DataFrame, view: View) -> list[b.Block]:
    """Terms that rise or fall in the chosen period, as papers write them."""
    if view.grain == "week":
        return [b.Text("Terms are followed by month and quarter: most are too rare for a week.")]
    return [
        b.Table(
            "term-verdicts",
            f"Terms rising and falling, {view.period_name}",
            _called(terms),
            (
                b.text("term", "Term", link=lambda row: evidence.term_link(view, row)),
                *evidence.growth_columns(view, lambda row: evidence.term_link(view, row)),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            ),
            empty=_nothing_called(terms),
            max_rows=40,
            csv_frame=lambda: terms,
            note="Terms are learned from the papers' own words: names of models, methods and data "
            f"sets, and set phrases. {evidence.tested(terms, 'term')}. {common.n_of(view)}. The "
            "download has every term. A verdict leads to its evidence, formula and papers.",
        )
    ]


def _named(view: View) -> str:
    """`Oct 2025`, `the week of 27 Oct 2025`."""
    return f"{'the ' if view.grain == 'week' else ''}{view.period_name}"


def _called(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("verdict").is_in(evidence.CALLED))


def _nothing_called(frame: pl.DataFrame) -> str:
    """Why nothing is called rising or falling here."""
    reasons = Counter(frame["verdict_reason"].to_list()).most_common(3)
    said = "; ".join(f"{evidence.REASONS[reason]} ({n:,})" for reason, n in reasons)
    return f"None is called rising or falling: {said}." if said else "None is known."


def largest(queries: Queries, view: View) -> tuple[str, ...]:
    """The largest topics of the last covered period."""
    frame = queries.topic_shares(view)
    some = frame.filter((pl.col("topic_id") != "no-topic") & (pl.col("n_papers") > 0))
    return tuple(some["topic_id"].head(MAX_TOPICS))


def _panel(
    history: pl.DataFrame, topic: str, name: str, view: View, top: float, breaks: common.Breaks
) -> b.Panel:
    rows = history.filter(pl.col("topic_id") == topic)
    return b.Panel(
        lambda theme: figures.share_over_time(
            rows, theme, grain=view.grain, top=top, breaks=breaks.starts
        ),
        230,
        f"Line chart of the share of papers on {name} with 95 % intervals.",
        name,
    )
