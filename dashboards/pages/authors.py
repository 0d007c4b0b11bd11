"""Authors: the number of authors per paper, in a period and over time."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.choices import DISCOVERED, TAXONOMY
from dashboards.figures import bars, base, lines
from dashboards.pages import common, evidence, names, teams
from dashboards.queries import Queries
from dashboards.view import View

AS_LISTED = (
    "Authors are counted as listed. Hidden and repeated names count; a team name counts as one "
    "author."
)


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.no_data()
    notes = common.caveats(view)
    if view.kind == DISCOVERED:
        notes += ("Authors are counted by taxonomy topic only. These figures are for all papers.",)
        view = replace(view, kind=TAXONOMY, area=None, topic=None)
    topic = queries.choices().topic(view.topic)
    suffix = f", {topic.name}" if topic else ""
    history = queries.author_counts(view, view.topic or "all")
    return [
        *teams.headlines(history, view, suffix),
        *(b.Text(text, "note") for text in notes),
        _distribution(queries, view, suffix, history),
        _statistics(view, history, suffix),
        _shares(view, history, suffix),
        teams.verdicts(history, view, suffix, common.level_note(view, queries.choices())),
        _by_topic(queries, view),
        *names.most_frequent(queries, view, suffix),
    ]


def _distribution(queries: Queries, view: View, suffix: str, history: pl.DataFrame) -> b.Chart:
    frame = queries.author_distribution(view, view.topic or "all")
    n = frame["n_total"][0] if frame.height else 0
    is_insufficient = 0 < n < 20
    partial = " (partial)" if view.period and view.period.is_partial else ""
    return b.Chart(
        key="author-distribution",
        title=f"Authors per paper{suffix}, {view.period_name}",
        subtitle=f"Share of papers by number of authors; n = {n:,} {view.about.counted}, with a "
        f"known number of authors{partial}",
        panels=(
            b.Panel(
                lambda theme: (
                    base.empty(theme, common.INSUFFICIENT)
                    if is_insufficient
                    else bars.author_distribution(frame, theme)
                ),
                340,
                "Bar chart of papers by number of authors with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "author-distribution",
            "Papers by number of authors",
            frame.with_columns(n_or_more=pl.col("n_papers").cum_sum(reverse=True)),
            (
                b.Column("Authors", lambda row: row["bucket"], is_number=True),
                b.integer("n_papers", "Papers"),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.integer("n_or_more", "At least this many"),
            ),
            empty="No paper in this period has a known number of authors.",
        ),
        formula=common.WILSON,
        caveats=(
            AS_LISTED,
            *((common.insufficient_note(view),) if is_insufficient else ()),
            _tail_note(history, view),
        ),
        legend=(b.Key("bar-band", "share"), b.Key("upright", "95 % interval")),
    )


def _tail_note(history: pl.DataFrame, view: View) -> str:
    """The wide bins of the chart, the maximum and the 90th percentile; empty without a row."""
    start = view.period.start if view.period else None
    rows = history.filter(pl.col("period_start_on") == start)
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    bins = "The last three bars are for 10–19, 20–49, and 50 or more authors."
    if not row["is_sufficient"]:
        return bins
    return (
        f"{bins} The maximum is {formats.plural(row['max_authors'], 'author')}. At least 90 % of "
        f"the papers have {formats.decimal(row['p90_authors'])} authors or fewer."
    )


def _statistics(view: View, history: pl.DataFrame, suffix: str) -> b.Chart:
    cut = "Some intervals extend beyond the axis; the table has them in full."
    return b.Chart(
        key="author-statistics",
        title=f"Median, mean and 90th percentile of authors{suffix}",
        subtitle=f"Authors per paper. {common.span_of(view)}. The table has n per {view.grain}.",
        panels=(
            b.Panel(
                lambda theme: lines.author_statistics(history, theme, grain=view.grain),
                340,
                "Line chart of median, mean and 90th percentile of authors with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "author-statistics",
            "Authors per paper over time",
            history.reverse(),
            (
                b.period(view.grain),
                b.integer("n_papers", "n"),
                _statistic("median_authors", "median_low", "median_high", "Median"),
                _statistic("p90_authors", "p90_low", "p90_high", "90th percentile"),
                _statistic("mean_authors", "mean_low", "mean_high", "Mean"),
                b.integer("max_authors", "Maximum"),
            ),
            is_muted=_is_muted,
        ),
        formula=common.ORDER_STATISTICS,
        caveats=(
            *common.capture_notes(view, has_level=False),
            *common.caveats(view),
            *((cut,) if lines.statistics_axis_cut(history) is not None else ()),
        ),
        legend=(
            b.Key("line-1", "median"),
            b.Key("line-2", "90th percentile"),
            b.Key("line-3", "mean"),
            *common.TIME_KEY[1:],
        ),
    )


def _shares(view: View, history: pl.DataFrame, suffix: str) -> b.Chart:
    return b.Chart(
        key="author-shares",
        title=f"Papers with one author and with ten or more{suffix}",
        subtitle=f"Share of papers. {common.span_of(view)}. The table has n per {view.grain}.",
        panels=(
            b.Panel(
                lambda theme: lines.author_shares(history, theme, grain=view.grain),
                320,
                "Line chart of the shares of papers with one author and with ten or more, with "
                "95 % intervals.",
            ),
        ),
        table=b.Table(
            "author-shares",
            "Papers with one author and with ten or more",
            history.reverse(),
            (
                b.period(view.grain),
                b.integer("n_papers", "n"),
                b.share("solo_share", "One author"),
                b.share_interval("solo_share_low", "solo_share_high"),
                b.share("ten_plus_share", "Ten or more"),
                b.share_interval("ten_plus_share_low", "ten_plus_share_high"),
            ),
            is_muted=_is_muted,
        ),
        formula=common.WILSON,
        caveats=(*common.capture_notes(view, has_level=False), *common.caveats(view)),
        legend=(
            b.Key("line-1", "ten or more authors"),
            b.Key("line-2", "one author"),
            *common.TIME_KEY[1:],
        ),
    )


def _by_topic(queries: Queries, view: View) -> b.Table:
    frame = queries.author_counts_by_topic(view)
    return b.Table(
        key="authors-by-topic",
        title=f"Authors per paper by topic, {view.period_name} ({view.about.name})",
        frame=frame,
        columns=(
            b.text("topic_name", "Topic", link=lambda row: common.topic_link("authors", view, row)),
            b.integer("n_papers", "n"),
            _statistic("median_authors", "median_low", "median_high", "Median"),
            _statistic("p90_authors", "p90_low", "p90_high", "90th percentile"),
            b.share("solo_share", "One author"),
            b.share_interval("solo_share_low", "solo_share_high"),
            _verdict(view, "solo_verdict"),
            b.share("ten_plus_share", "Ten or more"),
            b.share_interval("ten_plus_share_low", "ten_plus_share_high"),
            _verdict(view, "ten_plus_verdict"),
        ),
        empty="No paper in this period has both a topic and a known number of authors.",
        is_muted=_is_muted,
        note="Click a verdict for its evidence; verdicts are on the change "
        f"{evidence.over_primary(view)}. "
        "Brackets: 95 % intervals, where n is large enough for one. "
        f"{common.ORDER_STATISTICS} {common.WILSON}",
    )


def _verdict(view: View, name: str) -> b.Column:
    """A verdict with a link to the topic's verdicts on this page."""

    def link(row: b.Row) -> b.Link:
        to = common.topic_link("authors", view, row)
        return b.Link("authors", {**to.params, "period": row["period_start_on"].isoformat()})

    return b.Column("Verdict", lambda row: evidence.verdict_name(row[name]), link=link)


def _statistic(value: str, low: str, high: str, label: str) -> b.Column:
    """A number with its interval in brackets; `insufficient` in insufficient rows."""

    def write(row: b.Row) -> str:
        if not row["is_sufficient"]:
            return "insufficient"
        is_mean = value == "mean_authors"
        number = (formats.mean if is_mean else formats.decimal)(row[value])
        if row[low] is None or row[high] is None:
            return f"{number} [no interval]"
        interval = formats.mean_interval if is_mean else formats.number_interval
        return f"{number} [{interval(row[low], row[high])}]"

    return b.Column(label, write, is_number=True)


def _is_muted(row: b.Row) -> bool:
    return bool(row["is_partial"]) or not row["is_sufficient"]
