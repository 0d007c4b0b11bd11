"""Trends: rising and falling topics and terms, and topic shares over time."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.address import MAX_TOPICS
from dashboards.choices import TAXONOMY
from dashboards.figures import lines
from dashboards.pages import common, evidence, findings
from dashboards.queries import Queries
from dashboards.view import HORIZONS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.no_data()
    last = replace(view, period=view.verdict_period)
    notes = (*common.caveats(view), *common.kind_notes(view))
    topics = view.topics or largest(queries, last)
    level_note = common.level_note(view, queries.choices())
    if topics:
        chart: b.Block = _shares(queries, view, topics, last, level_note)
    else:
        chart = b.Text("No paper matched a topic, so there is no chart.")
    changes = _over(queries.topic_changes(last), last)
    own = changes.filter(pl.col("topic_id") != common.NO_TOPIC)
    return [
        findings.of_topics(own, last, last.horizon),
        *(findings.odds_of_topics(own) if view.kind == TAXONOMY else ()),
        *(b.Text(text, "note") for text in notes),
        *verdicts(own, last, level_note),
        *term_verdicts(_over(queries.term_changes(last), last), last),
        chart,
    ]


def _over(changes: pl.DataFrame, view: View) -> pl.DataFrame:
    return changes.filter(pl.col("horizon") == view.horizon)


def _shares(
    queries: Queries, view: View, topics: tuple[str, ...], last: View, level_note: str
) -> b.Chart:
    """One panel per topic, all with the same scale."""
    history = queries.topic_history(view, topics)
    names = dict(history.select("topic_id", "topic_name").unique().iter_rows())
    top = lines.share_axis_top(history)
    breaks = common.text_breaks(view)
    chosen = (
        "Chosen topics"
        if view.topics
        else f"The {len(topics)} largest topics in {evidence.period_name(last)} (default)"
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
        caveats=(level_note, *breaks.notes, *common.capture_notes(view)),
        legend=(*common.LEVEL_KEY, *breaks.key),
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
        f"Chart of the share of papers on {name}: its level as a line with an 80 % band, and the "
        "share of each period as a point.",
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
            *evidence.level_columns(),
            b.Column(
                f"Verdict {evidence.over_primary(view)}",
                lambda row: evidence.verdict_name(row["verdict"]),
                link=lambda row: evidence.topic_link(view, row),
            ),
        ),
        is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
        max_rows=400,
    )


def verdicts(topics: pl.DataFrame, view: View, level_note: str) -> list[b.Block]:
    """Rising and falling topics over the chosen horizon, then likely ones."""
    link = partial(evidence.topic_link, view)
    return [
        b.Heading(
            f"Rising and falling topics, {evidence.over(view.horizon)} up to "
            f"{evidence.period_name(view)}",
            f"{evidence.verdict_counts(topics, 'topic')}.",
        ),
        b.Table(
            "verdicts",
            f"Topic verdicts, {view.period_name}",
            evidence.by_certainty(topics, "topic_name"),
            (
                b.text(
                    "topic_name", "Topic", link=lambda row: common.topic_link("topics", view, row)
                ),
                *_change_columns(view, link),
            ),
            empty=evidence.none_called(topics, "topic"),
            csv_frame=lambda: topics,
            note=f"{common.n_of(view)}. Ordered by certainty, then by size. The download has all "
            f"topics. {evidence.LINKS_NOTE} {evidence.SUMMARY} {level_note}".strip(),
        ),
    ]


def term_verdicts(changes: pl.DataFrame, view: View) -> list[b.Block]:
    """Rising and falling terms over the chosen horizon, then likely ones."""
    if view.grain == "week":
        text = "Terms are tracked by month and quarter. Most are too rare to track by week."
        return [b.Text(text)]
    link = partial(evidence.term_link, view)
    return [
        b.Table(
            "term-verdicts",
            f"Rising and falling terms, {evidence.over(view.horizon)} up to "
            f"{evidence.period_name(view)}",
            evidence.by_certainty(changes, "term"),
            (b.text("term", "Term", link=link), *_change_columns(view, link)),
            empty=evidence.none_called(changes, "term"),
            max_rows=40,
            csv_frame=lambda: changes,
            note=f"{evidence.verdict_counts(changes, 'term')}. Terms are names of models, methods "
            "and data sets, and fixed phrases, learned from the text of papers. The download has "
            f"all terms. {evidence.LINKS_NOTE}",
        )
    ]


def _change_columns(view: View, link: evidence.LinkOf) -> tuple[b.Column, ...]:
    return (
        *evidence.change_columns(link),
        *evidence.level_columns(),
        b.Column(
            f"{HORIZONS[view.horizon]} before",
            lambda row: formats.share(row["level_before"]),
            is_number=True,
        ),
        b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
    )


def largest(queries: Queries, view: View) -> tuple[str, ...]:
    """Ids of the largest topics of the period."""
    frame = queries.topic_shares(view)
    topics = frame.filter((pl.col("topic_id") != common.NO_TOPIC) & (pl.col("n_papers") > 0))
    return tuple(topics["topic_id"].head(MAX_TOPICS))
