"""The coverage calendar: which listing days were captured."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from dashboards import formats
from dashboards.figures.base import Row, empty, plain
from dashboards.theme import Theme, template

QUIET, MISSING, CAPTURED, COMPLETE = range(4)
DAY_STATUS = {
    QUIET: "no list expected",
    MISSING: "missing (expected, not captured)",
    CAPTURED: "captured, possibly not in full",
    COMPLETE: "captured in full",
}
YEAR_HEIGHT = 116
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def day_status(row: Row) -> int:
    """The status of a row of rpt_coverage, a key of `DAY_STATUS`."""
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
    """One panel per year, newest first; columns are weeks and a cell is a day.

    Columns of rpt_coverage.
    """
    if frame.is_empty():
        return empty(theme, "No listing day is known.")
    days = {row["listed_on"]: row for row in frame.iter_rows(named=True)}
    shown = years(frame)
    figure = make_subplots(rows=len(shown), cols=1, vertical_spacing=0.24 / len(shown))
    figure.update_layout(template=template(theme))
    for row, year in enumerate(shown, start=1):
        statuses, hover = _cells(year, days)
        figure.add_heatmap(
            z=statuses,
            text=hover,
            y=WEEKDAYS,
            x=list(range(len(statuses[0]))),
            zmin=-0.5,
            zmax=3.5,
            colorscale=_colour_scale(theme),
            showscale=False,
            xgap=1.5,
            ygap=1.5,
            hoverongaps=False,
            hovertemplate="%{text}<extra></extra>",
            row=row,
            col=1,
        )
        _set_axes(figure, year, row)
    return figure


def _colour_scale(theme: Theme) -> list[list[float | str]]:
    colours = (theme.quiet, theme.missing, theme.captured, theme.complete)
    return [[edge, colour] for i, colour in enumerate(colours) for edge in (i / 4, (i + 1) / 4)]


def _set_axes(figure: go.Figure, year: int, row: int) -> None:
    months = [date(year, month, 1) for month in range(1, 13)]
    figure.update_xaxes(
        tickvals=[_week(month) for month in months],
        ticktext=[f"{month:%b}" for month in months],
        tickangle=0,
        showline=False,
        ticks="",
        tickfont={"size": 10},
        row=row,
        col=1,
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=["Mon", "Wed", "Fri"],
        showgrid=False,
        title_text=str(year),
        row=row,
        col=1,
    )


def _week(day: date) -> int:
    """The column of a day: weeks from Monday, counted from the week of 1 January."""
    first = date(day.year, 1, 1)
    return ((day - first).days + first.weekday()) // 7


def _cells(year: int, days: Mapping[date, Row]) -> tuple[list[list[int | None]], list[list[str]]]:
    """Status and hover text of each day, by weekday and week."""
    n_weeks = _week(date(year, 12, 31)) + 1
    statuses: list[list[int | None]] = [[None] * n_weeks for _ in range(7)]
    hover = [[""] * n_weeks for _ in range(7)]
    day = date(year, 1, 1)
    while day.year == year:
        weekday, week = day.weekday(), _week(day)
        row = days.get(day)
        status = day_status(row) if row else QUIET
        lines = [f"<b>{formats.day(day)}</b>", plain(DAY_STATUS[status])]
        if row and row["is_captured"]:
            lines.append(formats.plural(row["n_papers"], "paper"))
        statuses[weekday][week] = status
        hover[weekday][week] = "<br>".join(lines)
        day += timedelta(days=1)
    return statuses, hover
