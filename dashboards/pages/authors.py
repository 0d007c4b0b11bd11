"""Authors: how many people write a paper, over a period and over time."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import figures, formats
from dashboards.pages import common, names, teams
from dashboards.queries import Queries
from dashboards.state import DISCOVERED, TAXONOMY, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return common.nothing_yet()
    notes = common.caveats(view)
    if view.kind == DISCOVERED:
        notes += (
            "Authors are counted for topics of the taxonomy; these figures are of all papers.",
        )
        view = replace(view, kind=TAXONOMY, area=None, topic=None)
    topic = view.topic or "all"
    about = _about(queries, view)
    history = queries.author_counts(view, topic)
    return [
        *(b.Text(text, "note") for text in notes),
        *teams.headlines(history, view, about),
        _distribution(queries, view, topic, about, history),
        _statistics(view, history, about),
        _shares(view, history, about),
        teams.verdicts(history, view, about),
        _by_topic(queries, view),
        *names.most_frequent(queries, view, about),
    ]


def _about(queries: Queries, view: View) -> str:
    choice = queries.choices().topic(view.topic)
    return f", {choice.name}" if choice else ""


def _distribution(
    queries: Queries, view: View, topic: str, about: str, history: pl.DataFrame
) -> b.Chart:
    frame = queries.author_distribution(view, topic)
    n = frame["n_total"][0] if frame.height else 0
    partial = ", partial" if view.period and view.period.is_partial else ""
    rows = _with_tail(frame)
    few = f" {view.period_name}: insufficient, fewer than 20 papers." if 0 < n < 20 else ""
    return b.Chart(
        key="author-distribution",
        title=f"Authors per paper{about}, {view.period_name}",
        subtitle=f"Share of papers by number of authors; n = {n:,} {view.about.counts}, with a "
        f"known number of authors{partial}",
        panels=(
            b.Panel(
                lambda theme: (
                    figures.empty(theme, "Insufficient: fewer than 20 papers.")
                    if few
                    else figures.author_distribution(frame, theme)
                ),
                340,
                "Bar chart of papers by number of authors with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "author-distribution",
            "Papers by number of authors",
            rows,
            (
                b.Column("Authors", lambda row: row["bucket"], is_number=True),
                b.integer("n_papers", "Papers"),
                b.share("share", "Share"),
                b.share_interval("share_low", "share_high"),
                b.integer("n_or_more", "So many or more"),
            ),
            empty="No paper of the period has a known number of authors.",
        ),
        formula=common.WILSON,
        caveats=(
            "Authors are counted as listed: hidden and repeated names count, a team is one." + few,
            *_tail(history, view),
        ),
        legend=(b.Key("bar-band", "share"), b.Key("upright", "95 % interval")),
    )


def _with_tail(frame: pl.DataFrame) -> pl.DataFrame:
    """The groups with the number of papers that have so many authors or more."""
    return frame.with_columns(n_or_more=pl.col("n_papers").cum_sum(reverse=True))


def _tail(history: pl.DataFrame, view: View) -> tuple[str, ...]:
    """How far the right-hand end reaches, which the bars can't show."""
    rows = history.filter(pl.col("period_start_on") == (view.period.start if view.period else None))
    if rows.is_empty():
        return ()
    row = rows.row(0, named=True)
    wide = "The last three bars hold ten, thirty, and all higher numbers of authors each"
    if not row["is_sufficient"]:
        return (f"{wide}.",)
    p90 = formats.decimal(row["p90_authors"])
    return (
        (
            f"{wide}; the tail goes on to {formats.plural(row['max_authors'], 'author')} on one "
            f"paper. Nine papers of ten have {p90} or fewer."
        ),
    )


def _statistics(view: View, history: pl.DataFrame, about: str) -> b.Chart:
    is_cut = figures.cut_of_statistics(history) is not None
    cut = ("Intervals that go beyond the figure's top are whole in the table.",) if is_cut else ()
    breaks = common.breaks_of(view)
    return b.Chart(
        key="author-statistics",
        title=f"Median, mean and 90th percentile of authors{about}",
        subtitle=f"Authors per paper. {common.span_of(view)}; n per {view.grain} in the table",
        panels=(
            b.Panel(
                lambda theme: figures.author_statistics(
                    history, theme, grain=view.grain, breaks=breaks.starts
                ),
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
                b.integer("max_authors", "Most"),
            ),
            is_muted=_is_muted,
        ),
        formula=common.ORDER_STATISTICS,
        caveats=(*breaks.notes, *common.caveats(view), *cut),
        legend=(
            b.Key("line-1", "median"),
            b.Key("line-2", "90th percentile"),
            b.Key("line-3", "mean"),
            *common.TIME_KEY[1:],
            *breaks.key,
        ),
    )


def _shares(view: View, history: pl.DataFrame, about: str) -> b.Chart:
    breaks = common.breaks_of(view)
    return b.Chart(
        key="author-shares",
        title=f"Papers with one author, and with ten or more{about}",
        subtitle=f"Share of papers. {common.span_of(view)}; n per {view.grain} in the table",
        panels=(
            b.Panel(
                lambda theme: figures.author_shares(
                    history, theme, grain=view.grain, breaks=breaks.starts
                ),
                320,
                "Line chart of the shares of papers with one and with ten or more authors.",
            ),
        ),
        table=b.Table(
            "author-shares",
            "One author, ten or more",
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
        caveats=(*breaks.notes, *common.caveats(view)),
        legend=(
            b.Key("line-1", "ten or more authors"),
            b.Key("line-2", "one author"),
            *common.TIME_KEY[1:],
            *breaks.key,
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
            b.text("solo_verdict", "Its trend", link=lambda row: _at(view, row)),
            b.share("ten_plus_share", "Ten or more"),
            b.share_interval("ten_plus_share_low", "ten_plus_share_high"),
            b.text("ten_plus_verdict", "Its trend", link=lambda row: _at(view, row)),
        ),
        empty="No paper of the period has both a topic and a known number of authors.",
        is_muted=_is_muted,
        note="A trend leads to the topic's evidence. In brackets: 95 % intervals; none where n is "
        "too small for one. "
        f"{common.ORDER_STATISTICS} {common.WILSON}",
    )


def _at(view: View, row: b.Row) -> b.Link:
    """The topic's verdicts with what is behind them."""
    link = common.topic_link("authors", view, row)
    return b.Link("authors", {**link.params, "period": row["period_start_on"].isoformat()})


def _statistic(value: str, low: str, high: str, label: str) -> b.Column:
    """A number with its interval in brackets; `insufficient` where the row says so."""

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
