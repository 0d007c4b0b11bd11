"""Line charts over periods: shares and author statistics with their interval bands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.figures.base import (
    HOVER,
    PERCENT,
    TRANSPARENT,
    Row,
    Trace,
    add_break,
    empty,
    largest,
    new_figure,
    partial_mark,
    set_date_axis,
    share_hover,
)
from dashboards.theme import Theme


@dataclass(frozen=True)
class Series:
    """A line with its band: the columns of the value and its bounds, and a name."""

    value: str
    low: str
    high: str
    name: str
    scale: int = 1

    def of(self, row: Row, column: str) -> float | None:
        """A value in the units of the axis."""
        return None if row[column] is None else row[column] * self.scale


SHARE = Series("share", "share_low", "share_high", "Share", 100)
LEVEL = Series("level", "level_low", "level_high", "Level", 100)
STATISTICS = (
    Series("median_authors", "median_low", "median_high", "Median"),
    Series("p90_authors", "p90_low", "p90_high", "90th percentile"),
    Series("mean_authors", "mean_low", "mean_high", "Mean"),
)
TEAM_SHARES = (
    Series("ten_plus_share", "ten_plus_share_low", "ten_plus_share_high", "Ten or more", 100),
    Series("solo_share", "solo_share_low", "solo_share_high", "One author", 100),
)


def share_over_time(
    frame: pl.DataFrame,
    theme: Theme,
    *,
    grain: str,
    top: float | None = None,
    breaks: Sequence[date] = (),
) -> go.Figure:
    """A topic's level by period as a line with its band, and its shares as points.

    Columns: period_start_on, period_end_on, level, level_low, level_high, share, share_low,
    share_high, n_papers, n_total, is_partial, is_sufficient. `top` (a share) ends the axis, so
    that several panels have one scale. `breaks` are the starts of periods from which on shares are
    not comparable with earlier ones.
    """
    if frame.is_empty():
        return empty(theme, "No periods to show.")
    rows = list(frame.sort("period_start_on").iter_rows(named=True))
    runs = _runs(rows, lambda row: row["level"] is not None, breaks)
    traces = [trace for run in runs for trace in _band(run, LEVEL, theme.accent_band)]
    traces += [_level_line(run, theme) for run in runs]
    traces += [
        _points(rows, theme),
        _hover(rows, SHARE, grain, _share_label),
        _crosses(rows, grain, theme),
    ]
    figure = new_figure(theme, traces)
    for left, right in pairwise(row["period_start_on"] for row in rows):
        if right in breaks:
            add_break(figure, left + (right - left) / 2, theme)
    set_date_axis(figure, grain, [row["period_start_on"] for row in rows])
    _set_axis_from_zero(figure, 100 * (share_axis_top(frame) if top is None else top), nticks=6)
    figure.update_yaxes(ticksuffix=PERCENT)
    return figure


def share_axis_top(frame: pl.DataFrame) -> float:
    """The end of an axis that holds every interval that `share_over_time` draws, as a share."""
    shares = frame.filter(pl.col("is_sufficient"))["share_high"]
    return max(0.01, largest(shares), largest(frame["level_high"])) * 1.06


def _share_label(row: Row) -> str:
    level = ""
    if row["level"] is not None:
        level = f"<br>Level {share_hover(row, LEVEL.value, LEVEL.low, LEVEL.high)}"
    return f"{share_hover(row)}<br>{row['n_papers']:,} of {row['n_total']:,} papers{level}"


def _level_line(run: Sequence[Row], theme: Theme) -> Trace:
    return {
        "type": "scatter",
        "x": [row["period_start_on"] for row in run],
        "y": [LEVEL.of(row, LEVEL.value) for row in run],
        "mode": "lines",
        "name": LEVEL.name,
        "line": {"width": 2, "color": theme.accent},
        "hoverinfo": "skip",
    }


def _points(rows: Sequence[Row], theme: Theme) -> Trace:
    """The shares of sufficient periods with their intervals; hollow where partial."""
    shown = [row for row in rows if row["is_sufficient"]]
    return {
        "type": "scatter",
        "x": [row["period_start_on"] for row in shown],
        "y": [SHARE.of(row, SHARE.value) for row in shown],
        "mode": "markers",
        "name": SHARE.name,
        "marker": {
            "size": 5,
            "color": [theme.surface if row["is_partial"] else theme.muted for row in shown],
            "line": {"width": 1.5, "color": theme.muted},
        },
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [100 * (row[SHARE.high] - row[SHARE.value]) for row in shown],
            "arrayminus": [100 * (row[SHARE.value] - row[SHARE.low]) for row in shown],
            "color": theme.rule,
            "thickness": 1,
            "width": 0,
        },
        "hoverinfo": "skip",
    }


def author_statistics(frame: pl.DataFrame, theme: Theme, *, grain: str) -> go.Figure:
    """Median, mean and 90th percentile of authors per paper by period.

    Columns of rpt_author_counts.
    """
    if frame.is_empty():
        return empty(theme, "No periods to show.")

    def label(row: Row) -> str:
        lines = [
            f"{s.name}: {formats.decimal(row[s.value])} "
            f"[{formats.number_interval(row[s.low], row[s.high])}]"
            for s in STATISTICS
        ]
        return "<br>".join([*lines, f"n = {row['n_papers']:,} papers"])

    figure = _lines(frame, theme, STATISTICS, grain, label)
    tops = (largest(frame[name]) for one in STATISTICS for name in (one.value, one.high))
    _set_axis_from_zero(figure, statistics_axis_cut(frame) or 1.06 * max(tops))
    figure.update_yaxes(title_text="Authors per paper")
    return figure


def statistics_axis_cut(frame: pl.DataFrame) -> float | None:
    """The end of the axis of `author_statistics` if intervals exceed it; else None.

    The 90th percentile of few papers has an interval that reaches the largest author list. Drawn
    in full it would flatten all lines, so the axis ends at twice the highest estimate.
    """
    top = 2 * max(largest(frame["p90_authors"]), largest(frame["mean_authors"]))
    return top if largest(frame["p90_high"]) > top > 0 else None


def author_shares(frame: pl.DataFrame, theme: Theme, *, grain: str) -> go.Figure:
    """Shares of papers with one author and with ten or more, by period.

    Columns of rpt_author_counts.
    """
    if frame.is_empty():
        return empty(theme, "No periods to show.")

    def label(row: Row) -> str:
        lines = [f"{s.name}: {share_hover(row, s.value, s.low, s.high)}" for s in TEAM_SHARES]
        return "<br>".join([*lines, f"n = {row['n_papers']:,} papers"])

    figure = _lines(frame, theme, TEAM_SHARES, grain, label)
    sufficient = frame.filter(pl.col("is_sufficient"))
    tops = (largest(sufficient[one.high]) for one in TEAM_SHARES)
    _set_axis_from_zero(figure, 106 * max(0.01, *tops))
    figure.update_yaxes(title_text="Share of papers", ticksuffix=PERCENT)
    return figure


def _set_axis_from_zero(figure: go.Figure, top: float, *, nticks: int = 8) -> None:
    """Start slightly below 0, where the crosses of insufficient periods are."""
    figure.update_yaxes(range=[-0.025 * top, top], nticks=nticks)


def _lines(
    frame: pl.DataFrame,
    theme: Theme,
    series: Sequence[Series],
    grain: str,
    label: Callable[[Row], str],
) -> go.Figure:
    """Bands, lines and markers of each series, and the hover text of each period."""
    rows = list(frame.sort("period_start_on").iter_rows(named=True))
    runs = _runs(rows, lambda row: row["is_sufficient"])
    traces: list[Trace] = []
    for one, (colour, band) in zip(series, theme.series(), strict=False):
        traces += [trace for run in runs for trace in _band(run, one, band)]
        traces += [trace for run in runs for trace in _line(run, one, colour, theme)]
    traces += [_hover(rows, series[0], grain, label), _crosses(rows, grain, theme)]
    figure = new_figure(theme, traces)
    set_date_axis(figure, grain, [row["period_start_on"] for row in rows])
    return figure


def _runs(
    rows: Sequence[Row], is_shown: Callable[[Row], bool], breaks: Sequence[date] = ()
) -> list[list[Row]]:
    """Consecutive shown periods without a gap or a break between them."""
    runs: list[list[Row]] = []
    last_end: date | None = None
    for row in rows:
        if not is_shown(row):
            last_end = None
            continue
        start = row["period_start_on"]
        if last_end is None or start != last_end + timedelta(days=1) or start in breaks:
            runs.append([])
        runs[-1].append(row)
        last_end = row["period_end_on"]
    return runs


def _band(run: Sequence[Row], one: Series, colour: str) -> list[Trace]:
    """The intervals of a run as an area; a vertical line if the run is one period."""
    known = [row for row in run if row[one.low] is not None and row[one.high] is not None]
    if not known:
        return []
    starts = [row["period_start_on"] for row in known]
    highs = [one.of(row, one.high) for row in known]
    lows = [one.of(row, one.low) for row in known]
    trace: Trace = {
        "type": "scatter",
        "x": starts + starts[::-1],
        "y": highs + lows[::-1],
        "mode": "lines",
        "hoverinfo": "skip",
    }
    if len(known) == 1:
        return [trace | {"line": {"width": 6, "color": colour}}]
    return [trace | {"line": {"width": 0}, "fill": "toself", "fillcolor": colour}]


def _line(run: Sequence[Row], one: Series, colour: str, theme: Theme) -> list[Trace]:
    """The values of a run as lines and markers; dotted and hollow where partial."""
    solid: list[tuple[Any, Any]] = []
    dotted: list[tuple[Any, Any]] = []
    for left, right in pairwise(run):
        target = dotted if left["is_partial"] or right["is_partial"] else solid
        for row in (left, right):
            target.append((row["period_start_on"], one.of(row, one.value)))
        target.append((right["period_start_on"], None))
    lines: list[Trace] = [
        {
            "type": "scatter",
            "x": [x for x, _ in points],
            "y": [y for _, y in points],
            "mode": "lines",
            "line": {"width": 2, "color": colour, "dash": dash},
            "hoverinfo": "skip",
        }
        for points, dash in ((solid, "solid"), (dotted, "dot"))
        if points
    ]
    markers: Trace = {
        "type": "scatter",
        "x": [row["period_start_on"] for row in run],
        "y": [one.of(row, one.value) for row in run],
        "mode": "markers",
        "name": one.name,
        "marker": {
            "size": 6,
            "color": [theme.surface if row["is_partial"] else colour for row in run],
            "line": {"width": 1.5, "color": colour},
        },
        "hoverinfo": "skip",
    }
    return [*lines, markers]


def _hover(rows: Sequence[Row], first: Series, grain: str, label: Callable[[Row], str]) -> Trace:
    """One hover text per sufficient period, at the first series."""
    shown = [row for row in rows if row["is_sufficient"]]
    return {
        "type": "scatter",
        "x": [row["period_start_on"] for row in shown],
        "y": [first.of(row, first.value) for row in shown],
        "mode": "markers",
        "marker": {"size": 18, "color": TRANSPARENT},
        "hovertext": [
            f"<b>{formats.period(grain, row['period_start_on'])}</b>"
            f"{partial_mark(row['is_partial'])}<br>{label(row)}"
            for row in shown
        ],
        "hovertemplate": HOVER,
    }


def _crosses(rows: Sequence[Row], grain: str, theme: Theme) -> Trace:
    """A cross at 0 for each insufficient period."""
    shown = [row for row in rows if not row["is_sufficient"]]
    return {
        "type": "scatter",
        "x": [row["period_start_on"] for row in shown],
        "y": [0] * len(shown),
        "mode": "markers",
        "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": theme.muted}},
        "hovertext": [
            f"<b>{formats.period(grain, row['period_start_on'])}</b><br>insufficient"
            for row in shown
        ],
        "hovertemplate": HOVER,
    }
