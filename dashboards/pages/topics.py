"""Topics: the share of every topic in a period, and one topic in detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.choices import DISCOVERED, KINDS, Choices, TopicChoice
from dashboards.figures import base, dots, lines
from dashboards.pages import common, evidence, findings
from dashboards.queries import Queries
from dashboards.view import View

N_DRAWN = 25
N_NAMED = 3
N_PAPERS = 10


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.no_data()
    notes = [*common.caveats(view), *common.kind_notes(view)]
    if not view.period.is_sufficient:
        notes.append(f"{common.insufficient_note(view)} Choose another period.")
    found: list[b.Block] = [b.Text(text, "note") for text in notes]
    if view.topic:
        found += detail(queries, view)
        return [*found, _shares(view, queries.topic_shares(view))]
    shares = queries.topic_shares(view)
    text = "Choose a topic above or in the table to see its share over time and its papers."
    return [*_finding(view, shares), *found, b.Text(text), _shares(view, shares)]


def _finding(view: View, frame: pl.DataFrame) -> list[b.Block]:
    """The largest topics as a sentence; nothing without sufficient papers."""
    topics = frame.filter((pl.col("topic_id") != common.NO_TOPIC) & (pl.col("n_papers") > 0))
    if topics.is_empty() or not (view.period and view.period.is_sufficient):
        return []
    names = [
        f"{_quoted(row['topic_name'], view.kind)} ({formats.share(row['share'])})"
        for row in topics.head(N_NAMED).iter_rows(named=True)
    ]
    is_one = len(names) == 1
    text = (
        f"The largest {'topic' if is_one else 'topics'} in {view.period_name}"
        f"{f' in {view.area}' if view.area else ''} {'is' if is_one else 'are'} "
        f"{formats.listed(names)}; {common.n_of(view)}."
    )
    return [b.Text(text, "lead")]


def _quoted(name: str, kind: str) -> str:
    """The name; in quotation marks if it is a list of words."""
    return f"“{name}”" if kind == DISCOVERED else name


def _shares(view: View, frame: pl.DataFrame) -> b.Chart:
    topics = frame.filter(pl.col("topic_id") != common.NO_TOPIC)
    drawn = topics.filter(pl.col("n_papers") > 0).head(N_DRAWN)
    is_sufficient = bool(view.period and view.period.is_sufficient)
    title = f"Topic shares{f' in {view.area}' if view.area else ''}"
    topics_per_paper = "at most one topic" if view.kind == DISCOVERED else "several topics"
    return b.Chart(
        key="topic-shares",
        title=f"{title}, {view.period_name}",
        subtitle=f"Share of papers with the topic; {common.n_of(view)}. A paper can have "
        f"{topics_per_paper}.",
        panels=(
            b.Panel(
                lambda theme: (
                    dots.share_dots(drawn, theme)
                    if is_sufficient
                    else base.empty(theme, common.INSUFFICIENT)
                ),
                dots.dots_height(drawn.height if is_sufficient else 4),
                f"Dot chart of {drawn.height} topics with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "topic-shares",
            title,
            frame,
            (
                b.text("topic_name", "Topic", link=lambda row: evidence.topic_link(view, row)),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.integer("n_papers", "Papers", link=lambda row: evidence.papers_link(view, row)),
                *evidence.level_columns(),
                *evidence.change_columns(lambda row: evidence.topic_link(view, row)),
                evidence.reason_column(),
            ),
            empty="There are no topics here.",
            is_muted=lambda row: row["topic_id"] == common.NO_TOPIC or row["n_papers"] == 0,
            max_rows=400,
        ),
        formula=evidence.SUMMARY,
        caveats=(
            *_drawn_note(topics, drawn),
            *(_unmatched_notes(view, frame, topics) if is_sufficient else ()),
            f"Changes are {evidence.over_primary(view)}. {evidence.LINKS_NOTE}",
        ),
        legend=common.DOT_KEY,
        is_stacked=True,
    )


def _drawn_note(topics: pl.DataFrame, drawn: pl.DataFrame) -> tuple[str, ...]:
    if topics.height == drawn.height:
        return ()
    return (f"The chart shows {drawn.height} topics, the table all {topics.height}.",)


def _unmatched_notes(view: View, frame: pl.DataFrame, topics: pl.DataFrame) -> Iterator[str]:
    """How many papers have no topic."""
    if view.kind == DISCOVERED and topics.height:
        n_total = topics["n_total"][0]
        n_without = n_total - topics["n_papers"].sum()
        yield f"{n_without:,} of {n_total:,} papers are in no discovered topic."
    for row in frame.filter(pl.col("topic_id") == common.NO_TOPIC).iter_rows(named=True):
        yield (
            f"{formats.share(row['share'])} of the papers matched no topic "
            f"({formats.share_interval(row['share_low'], row['share_high'])}; "
            f"{row['n_papers']:,} of {row['n_total']:,})."
        )


def detail(queries: Queries, view: View) -> list[b.Block]:
    """The chosen topic: changes, share over time and newest papers."""
    topic = view.topic or ""
    narrowed = replace(view, area=None, q="", code=False, sort="listed", page=1, page_size=N_PAPERS)
    papers = queries.papers(narrowed)
    return _detail(
        narrowed,
        queries.choices(),
        topic,
        queries.topic_changes(view).filter(pl.col("topic_id") == topic),
        queries.topic_history(view, [topic]),
        papers,
        common.topics_by_paper(queries, papers),
    )


def details(queries: Queries, view: View) -> Iterator[tuple[TopicChoice, list[b.Block]]]:
    """The detail of every topic that has papers in the population, read with a few queries."""
    choices = queries.choices()
    papers = queries.newest_by_topic(view.population, N_PAPERS).partition_by(
        "topic_id", as_dict=True
    )
    history = queries.topic_history(
        view, [topic.topic_id for topic in choices.topics]
    ).partition_by("topic_id", as_dict=True)
    stated = pl.concat([queries.topic_changes(replace(view, kind=kind)) for kind in KINDS])
    changes, none = stated.partition_by("topic_id", as_dict=True), stated.clear()
    topics_by_paper = common.topics_by_paper(queries, *papers.values())
    for topic in choices.topics:
        key = (topic.topic_id,)
        if key in papers and key in history:
            yield (
                topic,
                _detail(
                    view,
                    choices,
                    topic.topic_id,
                    changes.get(key, none),
                    history[key],
                    papers[key],
                    topics_by_paper,
                ),
            )


def _detail(
    view: View,
    choices: Choices,
    topic_id: str,
    changes: pl.DataFrame,
    history: pl.DataFrame,
    papers: pl.DataFrame,
    topics_by_paper: common.TopicsByPaper,
) -> list[b.Block]:
    period = f", {view.period_name}" if view.is_period_chosen else ""
    topic = choices.topic(topic_id)
    name = topic.name if topic else topic_id
    n_found = papers["n_found"][0] if papers.height else 0
    is_discovered = bool(topic and topic.kind == DISCOVERED)
    lead = findings.of_series(
        changes,
        _quoted(name, topic.kind if topic else ""),
        view,
        has_odds=not is_discovered,  # the evaluation leaves these out
    )
    return [
        b.Heading(name, topic.description or "", _related(view, choices, topic))
        if topic
        else b.Heading(name),
        *lead,
        evidence.horizon_table(
            changes, view, "topic-changes", name, "", has_odds=not is_discovered
        ),
        history_chart(view, history, name, common.level_note(view, choices)),
        common.paper_list(
            papers,
            topics_by_paper,
            key="topic-papers",
            title=f"Newest papers on {name}{period}",
            subtitle=f"{papers.height:,} of {formats.plural(n_found, view.about.unit)} "
            f"({view.about.counted}). Each topic is followed by the words that matched it.",
            empty="No paper of this population has the topic.",
        ),
    ]


def _related(view: View, choices: Choices, topic: TopicChoice) -> b.LinkGroups:
    """Links to broader and narrower topics of the same population."""

    def link(other: TopicChoice) -> tuple[str, b.Link]:
        params = {"population": view.population, "grain": view.grain, "topic": other.topic_id}
        return other.name, b.Link("topics", params)

    groups = zip(("Broader", "Narrower"), choices.neighbours(topic), strict=True)
    return tuple((label, tuple(map(link, topics))) for label, topics in groups if topics)


def history_chart(view: View, history: pl.DataFrame, name: str, level_note: str) -> b.Chart:
    """A topic's level and share over time with a table of verdicts, newest period first."""
    breaks = common.text_breaks(view)
    title = f"{name}: share per {view.grain}"
    return b.Chart(
        key="topic-history",
        title=title,
        subtitle=f"{common.span_of(view)}. The table has n per {view.grain}.",
        panels=(
            b.Panel(
                lambda theme: lines.share_over_time(
                    history, theme, grain=view.grain, breaks=breaks.starts
                ),
                320,
                f"Chart of the share of papers on {name}: its level as a line with an 80 % band, "
                "and the share of each period as a point.",
            ),
        ),
        table=b.Table(
            "topic-history",
            title,
            history.reverse(),
            (
                b.period(view.grain),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
                *evidence.level_columns(),
                *evidence.change_columns(),
                evidence.reason_column(),
            ),
            is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
        ),
        formula=f"Each level uses only data up to its period. Changes in the table are "
        f"{evidence.over_primary(view)}. {common.WILSON}",
        caveats=(
            level_note,
            *breaks.notes,
            *common.capture_notes(view),
            *common.caveats(view),
        ),
        legend=(*common.LEVEL_KEY, *breaks.key),
        is_stacked=True,
    )
