"""Trends: rising and falling topics and terms of a period, and topic shares over time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards.address import MAX_TOPICS
from dashboards.figures import lines
from dashboards.pages import common, evidence
from dashboards.queries import Queries
from dashboards.view import View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.no_data()
    last = replace(view, period=view.verdict_period)
    notes = (*common.caveats(view), *common.kind_notes(view))
    topics = view.topics or largest(queries, last)
    if topics:
        chart: b.Block = _shares(queries, view, topics, last)
    else:
        chart = b.Text("No paper matched a topic, so there is no chart.")
    return [
        *(b.Text(text, "note") for text in notes),
        *verdicts(queries.topic_shares(last), last),
        *term_verdicts(queries.term_verdicts(last), last),
        chart,
    ]


def _shares(queries: Queries, view: View, topics: tuple[str, ...], last: View) -> b.Chart:
    """One panel per topic, all with the same scale."""
    history = queries.topic_history(view, topics)
    names = dict(history.select("topic_id", "topic_name").unique().iter_rows())
    top = lines.share_axis_top(history)
    breaks = common.break_notes(view, by_text=True)
    chosen = (
        "Chosen topics"
        if view.topics
        else f"The {len(topics)} largest topics in {_period(last)} (default)"
    )
    title = f"Topic shares per {view.grain}"
    return b.Chart(
        key="trends",
        title=title,
        subtitle=f"{chosen}. {common.span_of(view)}. All panels have the same scale; the table has "
        "n.",
        panels=tuple(
            _panel(history, topic, names.get(topic, topic), view, top, breaks) for topic in topics
        ),
        table=_shares_table(history, view, topics, title),
        formula=common.WILSON,
        caveats=(
            *breaks.notes,
            "The charts show shares per period. Verdicts compare windows of periods.",
        ),
        legend=(*common.TIME_KEY, *breaks.key),
        is_stacked=True,
    )


def _panel(
    history: pl.DataFrame, topic: str, name: str, view: View, top: float, breaks: common.BreakNotes
) -> b.Panel:
    rows = history.filter(pl.col("topic_id") == topic)
    return b.Panel(
        lambda theme: lines.share_over_time(
            rows, theme, grain=view.grain, top=top, breaks=breaks.starts
        ),
        230,
        f"Line chart of the share of papers on {name} with 95 % intervals.",
        name,
    )


def _shares_table(
    history: pl.DataFrame, view: View, topics: tuple[str, ...], title: str
) -> b.Table:
    """Newest period first; within a period in the order of the panels."""
    ordered = pl.concat([history.filter(pl.col("topic_id") == topic) for topic in topics])
    return b.Table(
        "trends",
        title,
        ordered.sort("period_start_on", descending=True, maintain_order=True),
        (
            b.period(view.grain),
            b.text("topic_name", "Topic", link=lambda row: common.topic_link("topics", view, row)),
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
    )


def verdicts(frame: pl.DataFrame, view: View, links: b.LinkGroups = ()) -> list[b.Block]:
    """Rising and falling topics of the period, smallest q first; if none, the reasons."""
    topics = frame.filter(pl.col("topic_id") != common.NO_TOPIC)
    called = _called(topics).sort(
        "verdict", "q_value", "topic_name", descending=[True, False, False]
    )
    return [
        b.Heading(
            f"Rising and falling topics, {view.period_name}",
            f"{evidence.tested_summary(topics, 'topic')}.",
            links,
        ),
        b.Table(
            "verdicts",
            f"Topic verdicts, {view.period_name}",
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
            empty=_reasons_for_none(topics),
            csv_frame=lambda: topics,
            note=f"{common.n_of(view)}. The download has all topics. {evidence.LINKS_NOTE} "
            f"{evidence.SUMMARY}",
        ),
    ]


def term_verdicts(terms: pl.DataFrame, view: View) -> list[b.Block]:
    """Rising and falling terms of the period."""
    if view.grain == "week":
        text = "Terms are tracked by month and quarter. Most are too rare to track by week."
        return [b.Text(text)]
    return [
        b.Table(
            "term-verdicts",
            f"Rising and falling terms, {view.period_name}",
            _called(terms),
            (
                b.text("term", "Term", link=lambda row: evidence.term_link(view, row)),
                *evidence.growth_columns(view, lambda row: evidence.term_link(view, row)),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            ),
            empty=_reasons_for_none(terms),
            max_rows=40,
            csv_frame=lambda: terms,
            note="Terms are names of models, methods and data sets, and fixed phrases, learned "
            f"from the text of papers. {evidence.tested_summary(terms, 'term')}. "
            f"{common.n_of(view)}. The download has all terms. {evidence.LINKS_NOTE}",
        )
    ]


def _period(view: View) -> str:
    """`Oct 2025`, `the week of 27 Oct 2025`."""
    return f"{'the ' if view.grain == 'week' else ''}{view.period_name}"


def _called(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("verdict").is_in(evidence.CALLED))


def _reasons_for_none(frame: pl.DataFrame) -> str:
    """The most frequent reasons for verdicts other than rising and falling."""
    reasons = Counter(frame["verdict_reason"].to_list()).most_common(3)
    text = "; ".join(f"{evidence.REASONS[reason]} ({n:,})" for reason, n in reasons)
    return f"Nothing is rising or falling: {text}." if text else "There are no verdicts."


def largest(queries: Queries, view: View) -> tuple[str, ...]:
    """Ids of the largest topics of the period."""
    frame = queries.topic_shares(view)
    topics = frame.filter((pl.col("topic_id") != common.NO_TOPIC) & (pl.col("n_papers") > 0))
    return tuple(topics["topic_id"].head(MAX_TOPICS))
