"""Dot charts: one row per topic with its interval."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.figures.base import (
    HOVER,
    PERCENT,
    empty,
    largest,
    new_figure,
    plain,
    share_hover,
    wrapped,
)
from dashboards.theme import Theme

ROW_HEIGHT = 34


def dots_height(n_rows: int) -> int:
    """Height in pixels of a dot chart with `n_rows` rows."""
    return 56 + ROW_HEIGHT * max(1, n_rows)


def share_dots(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Shares with intervals, in the order of the frame from the top.

    Columns: topic_name, share, share_low, share_high, n_papers, n_total.
    """
    if frame.is_empty():
        return empty(theme, "No topics to show.")
    hover = [
        f"<b>{plain(r['topic_name'])}</b><br>{share_hover(r)}"
        f"<br>{r['n_papers']:,} of {r['n_total']:,} papers"
        for r in frame.iter_rows(named=True)
    ]
    columns = ("share", "share_low", "share_high")
    percent = frame.with_columns(pl.col(name) * 100 for name in columns)
    figure = _dots(percent, theme, columns, hover)
    top = max(largest(percent["share_high"]), 1.0)
    figure.update_xaxes(ticksuffix=PERCENT, range=[0, top * 1.04], title_text="Share of papers")
    return figure


def difference_dots(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Differences of shares with intervals, around a zero line.

    Columns: topic_name, difference, difference_low, difference_high, before_share, share.
    """
    if frame.is_empty():
        return empty(theme, "No earlier full period to compare with.")
    hover = [
        f"<b>{plain(r['topic_name'])}</b><br>{formats.points(r['difference'])} percentage points "
        f"[{formats.points_interval(r['difference_low'], r['difference_high'])}]"
        f"<br>from {formats.share(r['before_share'])} to {formats.share(r['share'])}"
        for r in frame.iter_rows(named=True)
    ]
    columns = ("difference", "difference_low", "difference_high")
    points = frame.with_columns(pl.col(name) * 100 for name in columns)
    figure = _dots(points, theme, columns, hover)
    figure.add_vline(x=0, line={"color": theme.muted, "width": 1})
    figure.update_xaxes(title_text="Difference (percentage points)", tickformat="+,~f")
    return figure


def _dots(
    frame: pl.DataFrame, theme: Theme, columns: tuple[str, str, str], hover: list[str]
) -> go.Figure:
    """Dots of the columns (value, low, high), one row per topic."""
    value, low, high = columns
    rows = list(range(frame.height))
    figure = new_figure(theme)
    figure.add_scatter(
        x=frame[value].to_list(),
        y=rows,
        mode="markers",
        marker={"size": 9, "color": theme.accent, "line": {"width": 0}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (frame[high] - frame[value]).to_list(),
            "arrayminus": (frame[value] - frame[low]).to_list(),
            "color": theme.accent,
            "thickness": 2,
            "width": 0,
        },
        hovertext=hover,
        hovertemplate=HOVER,
    )
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[wrapped(name) for name in frame["topic_name"]],
        tickfont={"color": theme.ink, "size": 12},
        range=[frame.height - 0.4, -0.6],
        showgrid=False,
    )
    figure.update_xaxes(showgrid=True, showline=False, ticks="", side="bottom", nticks=6)
    return figure
