"""Figures of small and of empty frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import plotly.graph_objects as go
import polars as pl
import pytest

from dashboards import theme
from dashboards.address import read
from dashboards.figures import base, calendars
from dashboards.figures.bars import author_distribution, papers_over_time
from dashboards.figures.dots import difference_dots, share_dots
from dashboards.figures.lines import author_shares, author_statistics, share_over_time
from dashboards.queries import Queries
from dashboards.view import View

pytestmark = pytest.mark.dashboards
MARCH = date(2025, 3, 1)

Draw = Callable[[Queries, View, theme.Theme], go.Figure]
DRAWN: dict[str, Draw] = {
    "share_dots": lambda q, v, t: share_dots(q.topic_shares(v), t),
    "difference_dots": lambda q, v, t: difference_dots(q.share_differences(v), t),
    "share_over_time": lambda q, v, t: share_over_time(
        q.topic_history(v, ["agents"]), t, grain="month"
    ),
    "author_distribution": lambda q, v, t: author_distribution(q.author_distribution(v, "all"), t),
    "author_statistics": lambda q, v, t: author_statistics(
        q.author_counts(v, "all"), t, grain="month"
    ),
    "author_shares": lambda q, v, t: author_shares(q.author_counts(v, "all"), t, grain="month"),
    "coverage_calendar": lambda q, v, t: calendars.coverage_calendar(q.coverage("hf_daily"), t),
    "papers_over_time": lambda q, v, t: papers_over_time(v.periods, t, grain="month"),
}


@pytest.fixture
def view(queries: Queries) -> View:
    return read("?from=2025-01-01", queries.choices())


@pytest.mark.parametrize("name", DRAWN)
def test_a_light_figure_recoloured_is_the_dark_figure(
    name: str, queries: Queries, view: View
) -> None:
    light = json.loads(DRAWN[name](queries, view, theme.LIGHT).to_json())
    dark = json.loads(DRAWN[name](queries, view, theme.DARK).to_json())
    for figure in (light, dark):
        figure["layout"].pop("template")
    text = json.dumps(light)
    for old, new in theme.swaps():
        text = text.replace(f'"{old}"', f'"{new}"')
    assert json.loads(text) == dark


@pytest.mark.parametrize("name", DRAWN)
def test_axes_are_fixed_and_have_units(name: str, queries: Queries, view: View) -> None:
    figure = DRAWN[name](queries, view, theme.LIGHT)
    assert figure.layout.template.layout.xaxis.fixedrange
    assert len(figure.data)
    if name not in ("coverage_calendar", "share_over_time"):
        assert figure.layout.xaxis.title.text or figure.layout.yaxis.title.text


@pytest.mark.parametrize(
    "draw",
    [
        lambda f, t: share_dots(f, t),
        lambda f, t: difference_dots(f, t),
        lambda f, t: share_over_time(f, t, grain="week"),
        lambda f, t: author_distribution(f, t),
        lambda f, t: author_statistics(f, t, grain="week"),
        lambda f, t: author_shares(f, t, grain="week"),
        lambda f, t: calendars.coverage_calendar(f, t),
        lambda f, t: papers_over_time([], t, grain="week"),
    ],
)
def test_an_empty_frame_gives_a_message(draw: Callable[..., go.Figure]) -> None:
    figure = draw(pl.DataFrame(), theme.LIGHT)
    assert not figure.data
    assert figure.layout.annotations[0].text


def markers(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.mode == "markers"]


def test_partial_periods_are_hollow_and_insufficient_ones_are_crosses(
    queries: Queries, view: View
) -> None:
    figure = DRAWN["share_over_time"](queries, view, theme.LIGHT)
    dots = [t for t in markers(figure) if t.name == "Share"]
    colours = {x: c for t in dots for x, c in zip(t.x, t.marker.color, strict=True)}
    assert colours == {
        date(2025, 1, 1): theme.LIGHT.muted,
        date(2025, 3, 1): theme.LIGHT.muted,
        date(2025, 4, 1): theme.LIGHT.surface,
    }
    cross = next(t for t in markers(figure) if t.marker.symbol == "x-thin")
    assert list(cross.x) == [date(2025, 2, 1)]
    assert "insufficient" in cross.hovertext[0]
    figure = DRAWN["author_shares"](queries, view, theme.LIGHT)
    dotted = [t for t in figure.data if t.mode == "lines" and t.line.dash == "dot"]
    assert [x for t in dotted for x in t.x[:2]] == [date(2025, 3, 1), date(2025, 4, 1)] * 2


def test_every_share_has_its_interval(queries: Queries, view: View) -> None:
    frame = queries.topic_shares(view)
    trace = DRAWN["share_dots"](queries, view, theme.LIGHT).data[0]
    for i, row in enumerate(frame.iter_rows(named=True)):
        assert trace.x[i] + trace.error_x.array[i] == pytest.approx(100 * row["share_high"])
        assert trace.x[i] - trace.error_x.arrayminus[i] == pytest.approx(100 * row["share_low"])
    history = queries.topic_history(view, ["agents"])
    figure = DRAWN["share_over_time"](queries, view, theme.LIGHT)
    (points,) = (t for t in figure.data if t.name == "Share")
    shown = history.filter("is_sufficient")
    assert [y + more for y, more in zip(points.y, points.error_y.array, strict=True)] == [
        pytest.approx(100 * high) for high in shown["share_high"]
    ]


def test_the_level_is_a_line_with_its_band(queries: Queries, view: View) -> None:
    history = queries.topic_history(view, ["agents"])
    known = history.filter(pl.col("level").is_not_null())
    figure = DRAWN["share_over_time"](queries, view, theme.LIGHT)
    (line,) = (t for t in figure.data if t.name == "Level")
    assert list(line.x) == known["period_start_on"].to_list()
    assert list(line.y) == [pytest.approx(100 * level) for level in known["level"]]
    (band,) = (t for t in figure.data if t.fill)
    bounds = [*known["level_high"], *known["level_low"].reverse()]
    assert list(band.y) == [pytest.approx(100 * bound) for bound in bounds]


def test_labels_are_escaped_and_wrapped() -> None:
    assert base.wrapped("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert base.wrapped("a" * 90).count("<br>") == 1


def test_the_calendar_has_every_day_status(queries: Queries) -> None:
    frame = queries.coverage("hf_daily")
    statuses = [calendars.day_status(row) for row in frame.iter_rows(named=True)]
    assert set(statuses) == {0, 1, 2, 3}
    figure = calendars.coverage_calendar(frame, theme.LIGHT)
    assert [t.z[0][0] is None or t.z[0][0] >= 0 for t in figure.data] == [True, True]


def test_no_line_crosses_a_break(queries: Queries, view: View) -> None:
    history = queries.topic_history(view, ["agents"])
    whole = share_over_time(history, theme.LIGHT, grain="month")
    broken = share_over_time(history, theme.LIGHT, grain="month", breaks=[MARCH])

    def lines(figure: go.Figure) -> list[list[date]]:
        return [list(t.x) for t in figure.data if t.name == "Level"]

    assert lines(whole) == [[date(2025, 1, 1), date(2025, 2, 1), MARCH]]
    assert lines(broken) == [[date(2025, 1, 1), date(2025, 2, 1)], [MARCH]]
    (line,) = broken.layout.shapes
    assert date(2025, 2, 1).isoformat() < line.x0 < MARCH.isoformat()
    assert not whole.layout.shapes
