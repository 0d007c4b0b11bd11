"""The coverage calendar: which listing days were captured, as a figure.

Belongs here: days → calendar. Does not: what counts as captured or complete (the marts say).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from dashboards import formats
from dashboards.figures import empty, plain
from dashboards.theme import Theme, template

QUIET, MISSING, CAPTURED, COMPLETE = range(4)
NAMES = {
    QUIET: "no list expected",
    MISSING: "missing",
    CAPTURED: "captured",
    COMPLETE: "captured and complete",
}
YEAR_HEIGHT = 116


def state_of(row: Mapping[str, Any]) -> int:
    """The state of a day of rpt_coverage."""
    if row["is_captured"]:
        return COMPLETE if row["is_complete"] else CAPTURED
    return MISSING if row["is_expected"] else QUIET


def years(frame: pl.DataFrame) -> list[int]:
    """Years of the frame, newest first."""
    return sorted({day.year for day in frame["listed_on"]}, reverse=True)


def height(frame: pl.DataFrame) -> int:
    """Height in pixels of the calendar."""
    return 24 + YEAR_HEIGHT * max(1, len(years(frame)))


def coverage_calendar(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """A row of weeks for each year, newest first; a cell is a day.

    Columns of rpt_coverage.
    """
    if frame.is_empty():
        return empty(theme, "No listing days are known.")
    days = {row["listed_on"]: row for row in frame.iter_rows(named=True)}
    shown = years(frame)
    figure = make_subplots(rows=len(shown), cols=1, vertical_spacing=0.24 / len(shown))
    figure.update_layout(template=template(theme))
    colours = (theme.quiet, theme.missing, theme.captured, theme.complete)
    scale = [[edge, colour] for i, colour in enumerate(colours) for edge in (i / 4, (i + 1) / 4)]
    for position, year in enumerate(shown, start=1):
        states, texts = _year(year, days)
        figure.add_heatmap(
            z=states,
            text=texts,
            y=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
            x=list(range(len(states[0]))),
            zmin=-0.5,
            zmax=3.5,
            colorscale=scale,
            showscale=False,
            xgap=1.5,
            ygap=1.5,
            hoverongaps=False,
            hovertemplate="%{text}<extra></extra>",
            row=position,
            col=1,
        )
        months = [date(year, month, 1) for month in range(1, 13)]
        figure.update_xaxes(
            tickvals=[_week(month) for month in months],
            ticktext=[f"{month:%b}" for month in months],
            tickangle=0,
            showline=False,
            ticks="",
            tickfont={"size": 10},
            row=position,
            col=1,
        )
        figure.update_yaxes(
            autorange="reversed",
            tickvals=["Mon", "Wed", "Fri"],
            showgrid=False,
            title_text=str(year),
            row=position,
            col=1,
        )
    return figure


def _week(day: date) -> int:
    """The column of a day: weeks from Monday, counted from the week of 1 January."""
    first = date(day.year, 1, 1)
    return ((day - first).days + first.weekday()) // 7


def _year(
    year: int, days: Mapping[date, Mapping[str, Any]]
) -> tuple[list[list[int | None]], list[list[str]]]:
    n_weeks = _week(date(year, 12, 31)) + 1
    states: list[list[int | None]] = [[None] * n_weeks for _ in range(7)]
    texts = [[""] * n_weeks for _ in range(7)]
    day = date(year, 1, 1)
    while day.year == year:
        row, column = day.weekday(), _week(day)
        known = days.get(day)
        state = state_of(known) if known else QUIET
        states[row][column] = state
        n = formats.plural(known["n_papers"], "paper") if known and known["is_captured"] else ""
        texts[row][column] = f"<b>{formats.day(day)}</b><br>{plain(NAMES[state])}" + (
            f"<br>{n}" if n else ""
        )
        day += timedelta(days=1)
    return states, texts
