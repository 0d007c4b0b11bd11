"""What all figures share: the template, escaped text, date axes, and lines at breaks.

Belongs here: helpers that more than one kind of figure uses. Does not: a figure of data.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.theme import Theme, template

Row = Mapping[str, Any]
Trace = dict[str, Any]
PERCENT = f"{formats.NBSP}%"
TRANSPARENT = "rgba(0,0,0,0)"
HOVER = "%{hovertext}<extra></extra>"
LABEL_WIDTH = 28


def new_figure(theme: Theme, traces: Sequence[Trace] = ()) -> go.Figure:
    """A figure in the theme's template.

    Pass all traces at once: adding them one by one takes Plotly more than twice as long.
    """
    return go.Figure(data=list(traces), layout={"template": template(theme)})


def empty(theme: Theme, message: str) -> go.Figure:
    """A figure without data that shows a message."""
    figure = new_figure(theme)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=plain(message),
        showarrow=False,
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        font={"color": theme.muted},
    )
    return figure


def plain(text: str) -> str:
    """Text with its markup escaped for Plotly."""
    return html.escape(text, quote=False)


def wrapped(text: str, width: int = LABEL_WIDTH) -> str:
    """A tick label on at most two lines."""
    if len(text) <= width:
        return plain(text)
    cut = text.rfind(" ", 0, width + 1)
    cut = cut if cut > 0 else width
    rest = text[cut:].strip()
    rest = rest if len(rest) <= width else rest[: width - 1].rstrip() + "…"
    return f"{plain(text[:cut].strip())}<br>{plain(rest)}"


def largest(values: pl.Series) -> float:
    """The largest value; 0 without one."""
    return max((float(value) for value in values if value is not None), default=0.0)


def share_hover(
    row: Row, share: str = "share", low: str = "share_low", high: str = "share_high"
) -> str:
    """`12.3 % [10.1–14.8 %]` for a row."""
    return f"{formats.share(row[share])} [{formats.share_interval(row[low], row[high])}]"


def partial_mark(is_partial: object) -> str:
    """` (partial)` or nothing."""
    return " (partial)" if is_partial else ""


def add_break(figure: go.Figure, on: date, theme: Theme) -> None:
    """Draw a dotted line: values on either side of it are not comparable."""
    figure.add_vline(
        x=on.isoformat(), line={"color": theme.muted, "width": 1.5, "dash": "dot"}, layer="below"
    )


def set_date_axis(figure: go.Figure, grain: str, starts: Sequence[date]) -> None:
    """Put at most six ticks on the starts of periods, the last one included."""
    step = max(1, -(-len(starts) // 5))
    ticks = list(starts)[::-step][::-1]
    figure.update_xaxes(
        type="date", tickvals=ticks, ticktext=[_tick(grain, tick) for tick in ticks], tickangle=0
    )


def _tick(grain: str, start: date) -> str:
    text = formats.day(start) if grain == "week" else formats.period(grain, start)
    return "<br>".join(text.rsplit(" ", 1))
