"""Topics: every topic's share of a period with its interval, and one topic in depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import figures, formats
from dashboards.pages import common, evidence
from dashboards.queries import Queries
from dashboards.state import DISCOVERED, Choices, TopicChoice, View

N_DRAWN = 25
N_PAPERS = 10


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.nothing_yet()
    notes = (*common.caveats(view), *common.about_kind(view))
    found: list[b.Block] = [b.Text(text, "note") for text in notes]
    frame = queries.topic_shares(view)
    if not view.period.is_sufficient:
        text = f"{view.period_name}: insufficient, fewer than 20 papers. Choose another period."
        found.append(b.Text(text, "note"))
    if view.topic:
        found += detail(queries, view)
    else:
        found.append(
            b.Text("Choose a topic above, or in the table, for its share over time and its papers.")
        )
    return [*found, *_shares(view, frame)]


def _shares(view: View, frame: pl.DataFrame) -> list[b.Block]:
    bucket = frame.filter(pl.col("topic_id") == "no-topic")
    topics = frame.filter(pl.col("topic_id") != "no-topic")
    drawn = topics.filter(pl.col("n_papers") > 0).head(N_DRAWN)
    solid = bool(view.period and view.period.is_sufficient)
    where = f" in {view.area}" if view.area else ""
    more = topics.height - drawn.height
    many = "has one at most" if view.kind == DISCOVERED else "may have several topics"
    caveats = [f"Drawn: the {drawn.height} largest; the table has all {topics.height}."] * (
        more > 0
    )
    if view.kind == DISCOVERED and topics.height and solid:
        n_total = topics["n_total"][0]
        n_without = n_total - topics["n_papers"].sum()
        caveats.append(f"{n_without:,} of {n_total:,} papers are in no discovered topic.")
    if bucket.height and solid:
        row = bucket.row(0, named=True)
        caveats.append(
            f"No topic matched {formats.share(row['share'])} of the papers "
            f"({formats.share_interval(row['share_low'], row['share_high'])}; "
            f"{row['n_papers']:,} of {row['n_total']:,})."
        )
    chart = b.Chart(
        key="topic-shares",
        title=f"Topic shares{where}, {view.period_name}",
        subtitle=f"Share of papers with the topic; {common.n_of(view)}. A paper {many}.",
        panels=(
            b.Panel(
                lambda theme: (
                    figures.share_dots(drawn, theme)
                    if solid
                    else figures.empty(theme, "Insufficient: fewer than 20 papers.")
                ),
                figures.dots_height(drawn.height if solid else 4),
                f"Dot chart of {drawn.height} topics with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "topic-shares",
            f"Topic shares{where}",
            frame,
            (
                b.text("topic_name", "Topic", link=lambda row: evidence.topic_link(view, row)),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.integer("n_papers", "Papers", link=lambda row: evidence.papers_link(view, row)),
                *evidence.growth_columns(view, lambda row: evidence.topic_link(view, row)),
            ),
            empty="No topic is known here.",
            is_muted=lambda row: row["topic_id"] == "no-topic" or row["n_papers"] == 0,
            max_rows=400,
        ),
        formula=f"{common.WILSON} {evidence.GROWTH}",
        caveats=(*caveats, evidence.LEADS),
        legend=common.DOT_KEY,
        is_stacked=True,
    )
    return [chart]


def detail(queries: Queries, view: View) -> list[b.Block]:
    """One topic: its share over time and its newest papers."""
    topic = view.topic or ""
    history = queries.topic_history(view, [topic])
    narrowed = replace(view, area=None, q="", code=False, sort="listed", page=1, page_size=N_PAPERS)
    papers = queries.papers(narrowed)
    return _detail(
        narrowed,
        queries.choices(),
        topic,
        history,
        papers,
        papers["n_found"][0] if papers.height else 0,
        common.topics_by_paper(queries, papers),
    )


def details(queries: Queries, view: View) -> Iterator[tuple[TopicChoice, list[b.Block]]]:
    """Every topic that has papers in the population, in depth; read at one go."""
    choices = queries.choices()
    papers = queries.newest_by_topic(view.population, N_PAPERS).partition_by(
        "topic_id", as_dict=True
    )
    history = queries.topic_history(
        view, [topic.topic_id for topic in choices.topics]
    ).partition_by("topic_id", as_dict=True)
    known = common.topics_by_paper(queries, *papers.values())
    for topic in choices.topics:
        key = (topic.topic_id,)
        if key in papers and key in history:
            rows = papers[key]
            blocks = _detail(
                view, choices, topic.topic_id, history[key], rows, rows["n_found"][0], known
            )
            yield topic, blocks


def _detail(
    view: View,
    choices: Choices,
    topic_id: str,
    history: pl.DataFrame,
    papers: pl.DataFrame,
    n_found: int,
    known: common.TopicsByPaper,
) -> list[b.Block]:
    when = f", {view.period_name}" if view.has_period else ""
    topic = choices.topic(topic_id)
    name = topic.name if topic else topic_id
    return [
        b.Heading(name, topic.description or "", _ways(view, choices, topic))
        if topic
        else b.Heading(name),
        *evidence.of_period(history, view.period.start if view.period else None, view.grain),
        history_chart(view, history, name),
        common.paper_list(
            papers,
            known,
            key="topic-papers",
            title=f"Newest papers on {name}{when}",
            subtitle=f"{papers.height:,} of {formats.plural(n_found, view.about.unit)} ("
            f"{view.about.counts}); under each, the words that brought it here.",
            empty="No paper of this population has the topic.",
        ),
    ]


def _ways(view: View, choices: Choices, topic: TopicChoice) -> b.Ways:
    """Broader and narrower topics, in the same population."""

    def place(other: TopicChoice) -> tuple[str, b.Link]:
        params = {"population": view.population, "grain": view.grain, "topic": other.topic_id}
        return other.name, b.Link("topics", params)

    named = zip(("Broader", "Narrower"), choices.around(topic), strict=True)
    return tuple((label, tuple(map(place, topics))) for label, topics in named if topics)


def history_chart(view: View, history: pl.DataFrame, name: str) -> b.Chart:
    """A topic's share over time, with its table."""
    breaks = common.breaks_of(view, by_text=True)
    return b.Chart(
        key="topic-history",
        title=f"{name}: share per {view.grain}",
        subtitle=f"{common.span_of(view)}; n per {view.grain} in the table",
        panels=(
            b.Panel(
                lambda theme: figures.share_over_time(
                    history, theme, grain=view.grain, breaks=breaks.starts
                ),
                320,
                f"Line chart of the share of papers on {name} with 95 % intervals.",
            ),
        ),
        table=history_table(view, history, "topic-history", f"{name}: share per {view.grain}"),
        formula=common.WILSON,
        caveats=(*breaks.notes, *common.caveats(view), *evidence.FORMULA),
        legend=(*common.TIME_KEY, *breaks.key),
        is_stacked=True,
    )


def history_table(view: View, history: pl.DataFrame, key: str, title: str) -> b.Table:
    """Share, interval, n and verdict by period, newest first."""
    return b.Table(
        key,
        title,
        history.reverse(),
        (
            b.period(view.grain),
            b.share("share", "Share"),
            b.share_interval("share_low", "share_high"),
            b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            *evidence.growth_columns(view),
        ),
        is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
    )
