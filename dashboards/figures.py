"""Frame → Plotly figure. Pure: the same frame and theme give the same figure.

Belongs here: what is drawn. Every share and every statistic is drawn with its interval; partial
periods are hollow and dashed; insufficient ones are a grey cross on the axis. Does not: titles
(pages write them as headings), queries, or colours (`theme`).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.theme import Theme, template

Row = Mapping[str, Any]
Trace = dict[str, Any]
ROW_HEIGHT = 34
LABEL_WIDTH = 28
PERCENT = f"{formats.NBSP}%"


@dataclass(frozen=True)
class Series:
    """A line with its band: columns of the value and its bounds, and its name."""

    value: str
    low: str
    high: str
    name: str
    scale: int = 1

    def of(self, row: Row, column: str) -> float | None:
        """A value as it is drawn."""
        return None if row[column] is None else row[column] * self.scale


# Numbers of authors as rpt_author_count_distribution groups them.
BUCKETS = (*map(str, range(1, 10)), "10–19", "20–49", "50+")


def plain(text: str) -> str:
    """Text that Plotly shows as it is, without reading mark-up in it."""
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


def dots_height(n_rows: int) -> int:
    """Height in pixels of a dot chart with so many rows."""
    return 56 + ROW_HEIGHT * max(1, n_rows)


def empty(theme: Theme, message: str) -> go.Figure:
    """A figure that says why there is nothing to see."""
    figure = _figure(theme)
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


def share_dots(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Shares with intervals, one row a topic, in the frame's order from the top.

    Columns: topic_name, share, share_low, share_high, n_papers, n_total.
    """
    if frame.is_empty():
        return empty(theme, "No topics to draw.")
    hover = [
        f"<b>{plain(r['topic_name'])}</b><br>{formats.share(r['share'])} "
        f"[{formats.share_interval(r['share_low'], r['share_high'])}]"
        f"<br>{r['n_papers']:,} of {r['n_total']:,} papers"
        for r in frame.iter_rows(named=True)
    ]
    columns = ("share", "share_low", "share_high")
    scaled = frame.with_columns(pl.col(name) * 100 for name in columns)
    figure = _dots(scaled, theme, columns, hover)
    top = max(_largest(scaled["share_high"]), 1.0)
    figure.update_xaxes(ticksuffix=PERCENT, range=[0, top * 1.04], title_text="Share of papers")
    return figure


def difference_dots(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Differences of shares with intervals, around a zero line.

    Columns: topic_name, difference, difference_low, difference_high, before_share, share.
    """
    if frame.is_empty():
        return empty(theme, "No earlier covered period to compare with.")
    hover = [
        f"<b>{plain(r['topic_name'])}</b><br>{formats.points(r['difference'])} points "
        f"[{formats.points_interval(r['difference_low'], r['difference_high'])}]"
        f"<br>from {formats.share(r['before_share'])} to {formats.share(r['share'])}"
        for r in frame.iter_rows(named=True)
    ]
    columns = ("difference", "difference_low", "difference_high")
    scaled = frame.with_columns(pl.col(name) * 100 for name in columns)
    figure = _dots(scaled, theme, columns, hover)
    figure.add_vline(x=0, line={"color": theme.muted, "width": 1})
    figure.update_xaxes(title_text="Difference, percentage points", tickformat="+,~f")
    return figure


def share_over_time(
    frame: pl.DataFrame,
    theme: Theme,
    *,
    grain: str,
    top: float | None = None,
    breaks: Sequence[date] = (),
) -> go.Figure:
    """A topic's share by period with its interval as a band.

    Columns: period_start_on, period_end_on, share, share_low, share_high, n_papers, n_total,
    is_partial, is_sufficient. `top` fixes the upper end of the axis, so that panels compare.
    `breaks` are the first days of periods that do not compare with those before.
    """
    if frame.is_empty():
        return empty(theme, "No periods to draw.")

    def say(row: Row) -> str:
        return (
            f"{formats.share(row['share'])} "
            f"[{formats.share_interval(row['share_low'], row['share_high'])}]"
            f"<br>{row['n_papers']:,} of {row['n_total']:,} papers"
        )

    one = Series("share", "share_low", "share_high", "Share", 100)
    figure = _lines(frame, theme, [one], grain, say, breaks)
    top = 100 * (highest(frame) if top is None else top)
    figure.update_yaxes(ticksuffix=PERCENT, range=[-0.025 * top, top], nticks=6)
    return figure


def highest(frame: pl.DataFrame) -> float:
    """The upper end of a share axis that holds every interval worth its ink."""
    return max(0.01, _largest(frame.filter(pl.col("is_sufficient"))["share_high"])) * 1.06


def _largest(values: pl.Series) -> float:
    return max((float(value) for value in values if value is not None), default=0.0)


def author_statistics(
    frame: pl.DataFrame, theme: Theme, *, grain: str, breaks: Sequence[date] = ()
) -> go.Figure:
    """Median, mean and 90th percentile of authors per paper, each with its band.

    Columns of rpt_author_counts.
    """
    if frame.is_empty():
        return empty(theme, "No periods to draw.")
    series = [
        Series("median_authors", "median_low", "median_high", "Median"),
        Series("p90_authors", "p90_low", "p90_high", "90th percentile"),
        Series("mean_authors", "mean_low", "mean_high", "Mean"),
    ]

    def say(row: Row) -> str:
        lines = [
            f"{s.name}: {formats.decimal(row[s.value])} "
            f"[{formats.number_interval(row[s.low], row[s.high])}]"
            for s in series
        ]
        return "<br>".join([*lines, f"n = {row['n_papers']:,} papers"])

    figure = _lines(frame, theme, series, grain, say, breaks)
    highs = (_largest(frame[name]) for one in series for name in (one.value, one.high))
    _from_zero(figure, cut_of_statistics(frame) or 1.06 * max(highs))
    figure.update_yaxes(title_text="Authors per paper")
    return figure


def cut_of_statistics(frame: pl.DataFrame) -> float | None:
    """Where the axis of `author_statistics` ends; null when all intervals fit.

    The 90th percentile of few papers has an interval up to the largest team. Shown whole it would
    press the lines together, so it is cut at twice the highest estimate.
    """
    drawn = _largest(frame["p90_authors"]), _largest(frame["mean_authors"])
    top = 2 * max(drawn)
    return top if _largest(frame["p90_high"]) > top > 0 else None


def author_shares(
    frame: pl.DataFrame, theme: Theme, *, grain: str, breaks: Sequence[date] = ()
) -> go.Figure:
    """Share of papers with one author and with ten or more, each with its band."""
    if frame.is_empty():
        return empty(theme, "No periods to draw.")
    series = [
        Series("ten_plus_share", "ten_plus_share_low", "ten_plus_share_high", "Ten or more", 100),
        Series("solo_share", "solo_share_low", "solo_share_high", "One author", 100),
    ]

    def say(row: Row) -> str:
        lines = [
            f"{s.name}: {formats.share(row[s.value])} "
            f"[{formats.share_interval(row[s.low], row[s.high])}]"
            for s in series
        ]
        return "<br>".join([*lines, f"n = {row['n_papers']:,} papers"])

    figure = _lines(frame, theme, series, grain, say, breaks)
    solid = frame.filter(pl.col("is_sufficient"))
    _from_zero(figure, 106 * max(0.01, *(_largest(solid[one.high]) for one in series)))
    figure.update_yaxes(title_text="Share of papers", ticksuffix=PERCENT)
    return figure


def _from_zero(figure: go.Figure, top: float) -> None:
    """An axis that leaves room under 0 for the crosses of insufficient periods."""
    figure.update_yaxes(range=[-0.025 * top, top], nticks=8)


def author_distribution(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Share of papers by number of authors, as bars with intervals.

    Columns of rpt_author_count_distribution.
    """
    if frame.is_empty():
        return empty(theme, "No papers with a known number of authors.")
    figure = _figure(theme)
    figure.add_bar(
        x=frame["bucket"].to_list(),
        y=(frame["share"] * 100).to_list(),
        marker={"color": theme.accent_band, "line": {"color": theme.accent, "width": 1}},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (100 * (frame["share_high"] - frame["share"])).to_list(),
            "arrayminus": (100 * (frame["share"] - frame["share_low"])).to_list(),
            "color": theme.accent,
            "thickness": 1.5,
            "width": 4,
        },
        hovertext=[
            f"<b>{plain(r['bucket'])} {'author' if r['bucket'] == '1' else 'authors'}</b><br>"
            f"{formats.share(r['share'])} "
            f"[{formats.share_interval(r['share_low'], r['share_high'])}]<br>"
            f"{r['n_papers']:,} of {r['n_total']:,} papers"
            for r in frame.iter_rows(named=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    # All of them, also those without a paper: a number that is left out would look like the next.
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=BUCKETS,
        range=[-0.5, len(BUCKETS) - 0.5],
        title_text="Authors of the paper",
        tickangle=0,
        tickvals=BUCKETS,
        ticktext=[bucket.replace("–", "–<br>") for bucket in BUCKETS],
    )
    top = 112 * max(0.01, _largest(frame["share_high"]))
    figure.update_yaxes(title_text="Share of papers", ticksuffix=PERCENT, range=[0, top])
    # From here on a bar holds many numbers: it must not be read as one more step.
    figure.add_vline(x=8.5, line={"color": theme.muted, "width": 1, "dash": "dot"})
    figure.add_annotation(
        text="wider groups",
        x=8.55,
        y=1,
        yref="paper",
        xanchor="left",
        showarrow=False,
        font={"color": theme.muted, "size": 11},
    )
    figure.update_layout(bargap=0.25)
    return figure


def papers_over_time(
    periods: Sequence[Row], theme: Theme, *, grain: str, breaks: Sequence[date] = ()
) -> go.Figure:
    """Papers counted per period, as bars; partial periods are hollow.

    Rows: start, end, n_total, is_partial.
    """
    if not periods:
        return empty(theme, "No periods to draw.")
    figure = _figure(theme)
    figure.add_bar(
        x=[_middle(p["start"], p["end"]) for p in periods],
        y=[p["n_total"] for p in periods],
        width=[0.78 * ((p["end"] - p["start"]).days + 1) * 86_400_000 for p in periods],
        marker={
            "color": ["rgba(0,0,0,0)" if p["is_partial"] else theme.accent for p in periods],
            "line": {"color": theme.accent, "width": 1.2},
        },
        hovertext=[
            f"<b>{formats.period(grain, p['start'])}</b>{_partly(p['is_partial'])}"
            f"<br>{formats.plural(p['n_total'], 'paper')}"
            for p in periods
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    for p in periods:
        if p["start"] in breaks:
            _break(figure, p["start"], theme)
    _date_axis(figure, grain, [p["start"] for p in periods])
    figure.update_yaxes(title_text="Papers", rangemode="tozero", tickformat=",d", nticks=5)
    return figure


def _figure(theme: Theme, traces: Sequence[Trace] = ()) -> go.Figure:
    # All traces at once: Plotly takes more than twice as long over one after the other.
    return go.Figure(data=list(traces), layout={"template": template(theme)})


def _partly(is_partial: object) -> str:
    return " (partial)" if is_partial else ""


def _middle(start: date, end: date) -> str:
    return (start + (end - start) / 2).isoformat()


def _dots(
    frame: pl.DataFrame, theme: Theme, columns: tuple[str, str, str], hover: list[str]
) -> go.Figure:
    value, low, high = columns
    rows = list(range(frame.height))
    figure = _figure(theme)
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
        hovertemplate="%{hovertext}<extra></extra>",
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


def _lines(
    frame: pl.DataFrame,
    theme: Theme,
    series: Sequence[Series],
    grain: str,
    say: Callable[[Row], str],
    breaks: Sequence[date],
) -> go.Figure:
    rows = list(frame.sort("period_start_on").iter_rows(named=True))
    runs = _runs(rows, breaks)
    traces: list[Trace] = []
    for one, (colour, band) in zip(series, theme.series(), strict=False):
        traces += [trace for run in runs for trace in _band(run, one, band)]
        traces += [trace for run in runs for trace in _line(run, one, colour, theme)]
    traces.append(_hover(rows, series[0], grain, say))
    thin = [row for row in rows if not row["is_sufficient"]]
    traces.append(
        {
            "type": "scatter",
            "x": [row["period_start_on"] for row in thin],
            "y": [0] * len(thin),
            "mode": "markers",
            "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": theme.muted}},
            "hovertext": [
                f"<b>{formats.period(grain, row['period_start_on'])}</b><br>insufficient"
                for row in thin
            ],
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    )
    figure = _figure(theme, traces)
    for left, right in pairwise(row["period_start_on"] for row in rows):
        if right in breaks:
            _break(figure, left + (right - left) / 2, theme)
    _date_axis(figure, grain, [row["period_start_on"] for row in rows])
    return figure


def _break(figure: go.Figure, day: date, theme: Theme) -> None:
    """A dotted line that nothing compares across."""
    figure.add_vline(
        x=day.isoformat(), line={"color": theme.muted, "width": 1.5, "dash": "dot"}, layer="below"
    )


def _runs(rows: Sequence[Row], breaks: Sequence[date]) -> list[list[Row]]:
    """Stretches of sufficient periods that follow one another without a gap or a break."""
    runs: list[list[Row]] = []
    last_end: date | None = None
    for row in rows:
        if not row["is_sufficient"]:
            last_end = None
            continue
        start = row["period_start_on"]
        if last_end is None or start != last_end + timedelta(days=1) or start in breaks:
            runs.append([])
        runs[-1].append(row)
        last_end = row["period_end_on"]
    return runs


def _band(run: Sequence[Row], one: Series, colour: str) -> list[Trace]:
    """The interval around a stretch: an area, or an upright line where it is one period."""
    known = [row for row in run if row[one.low] is not None and row[one.high] is not None]
    if not known:
        return []
    days = [row["period_start_on"] for row in known]
    highs = [one.of(row, one.high) for row in known]
    lows = [one.of(row, one.low) for row in known]
    drawn: Trace = {
        "type": "scatter",
        "x": days + days[::-1],
        "y": highs + lows[::-1],
        "mode": "lines",
        "hoverinfo": "skip",
    }
    if len(known) == 1:
        return [drawn | {"line": {"width": 6, "color": colour}}]
    return [drawn | {"line": {"width": 0}, "fill": "toself", "fillcolor": colour}]


def _line(run: Sequence[Row], one: Series, colour: str, theme: Theme) -> list[Trace]:
    """The values of a stretch as lines and markers; dotted and hollow where partial."""
    solid: list[tuple[Any, Any]] = []
    dashed: list[tuple[Any, Any]] = []
    for left, right in pairwise(run):
        target = dashed if left["is_partial"] or right["is_partial"] else solid
        for row in (left, right):
            target.append((row["period_start_on"], one.of(row, one.value)))
        target.append((right["period_start_on"], None))
    drawn: list[Trace] = [
        {
            "type": "scatter",
            "x": [x for x, _ in points],
            "y": [y for _, y in points],
            "mode": "lines",
            "line": {"width": 2, "color": colour, "dash": dash},
            "hoverinfo": "skip",
        }
        for points, dash in ((solid, "solid"), (dashed, "dot"))
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
    return [*drawn, markers]


def _hover(rows: Sequence[Row], first: Series, grain: str, say: Callable[[Row], str]) -> Trace:
    """One label a period, whichever line it is near."""
    shown = [row for row in rows if row["is_sufficient"]]
    return {
        "type": "scatter",
        "x": [row["period_start_on"] for row in shown],
        "y": [first.of(row, first.value) for row in shown],
        "mode": "markers",
        "marker": {"size": 18, "color": "rgba(0,0,0,0)"},
        "hovertext": [
            f"<b>{formats.period(grain, row['period_start_on'])}</b>"
            f"{_partly(row['is_partial'])}<br>{say(row)}"
            for row in shown
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _date_axis(figure: go.Figure, grain: str, days: Sequence[date]) -> None:
    """Ticks on period starts, at most six, written as everywhere."""
    step = max(1, -(-len(days) // 5))
    ticks = list(days)[::-step][::-1]
    figure.update_xaxes(
        type="date",
        tickvals=ticks,
        ticktext=[_tick(grain, tick) for tick in ticks],
        tickangle=0,
    )


def _tick(grain: str, start: date) -> str:
    text = formats.day(start) if grain == "week" else formats.period(grain, start)
    return "<br>".join(text.rsplit(" ", 1))
