"""Bar charts: papers per period, and papers by number of authors."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.choices import Period
from dashboards.figures.base import (
    HOVER,
    PERCENT,
    TRANSPARENT,
    empty,
    largest,
    new_figure,
    partial_mark,
    plain,
    set_date_axis,
    share_hover,
)
from dashboards.theme import Theme

DAY_MS = 86_400_000
BUCKETS = (*map(str, range(1, 10)), "10–19", "20–49", "50+")
"""Numbers of authors as rpt_author_count_distribution groups them."""

N_SINGLE = 9  # the first nine buckets hold one number of authors each


def author_distribution(frame: pl.DataFrame, theme: Theme) -> go.Figure:
    """Share of papers by number of authors, with intervals.

    Columns of rpt_author_count_distribution.
    """
    if frame.is_empty():
        return empty(theme, "No papers with a known number of authors.")
    figure = new_figure(theme)
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
            f"{share_hover(r)}<br>{r['n_papers']:,} of {r['n_total']:,} papers"
            for r in frame.iter_rows(named=True)
        ],
        hovertemplate=HOVER,
    )
    top = 112 * max(0.01, largest(frame["share_high"]))
    figure.update_yaxes(title_text="Share of papers", ticksuffix=PERCENT, range=[0, top])
    figure.update_layout(bargap=0.25)
    _set_bucket_axis(figure, theme)
    return figure


def _set_bucket_axis(figure: go.Figure, theme: Theme) -> None:
    """Show every bucket, also those without a paper, and mark where buckets get wider."""
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=BUCKETS,
        range=[-0.5, len(BUCKETS) - 0.5],
        title_text="Authors per paper",
        tickangle=0,
        tickvals=BUCKETS,
        ticktext=[bucket.replace("–", "–<br>") for bucket in BUCKETS],
    )
    edge = N_SINGLE - 0.5
    figure.add_vline(x=edge, line={"color": theme.muted, "width": 1, "dash": "dot"})
    figure.add_annotation(
        text="wider bins",
        x=edge + 0.05,
        y=1,
        yref="paper",
        xanchor="left",
        showarrow=False,
        font={"color": theme.muted, "size": 11},
    )


def papers_over_time(periods: Sequence[Period], theme: Theme, *, grain: str) -> go.Figure:
    """Papers per period; partial periods are hollow."""
    if not periods:
        return empty(theme, "No periods to show.")
    figure = new_figure(theme)
    figure.add_bar(
        x=[(p.start + (p.end - p.start) / 2).isoformat() for p in periods],
        y=[p.n_total for p in periods],
        width=[0.78 * ((p.end - p.start).days + 1) * DAY_MS for p in periods],
        marker={
            "color": [TRANSPARENT if p.is_partial else theme.accent for p in periods],
            "line": {"color": theme.accent, "width": 1.2},
        },
        hovertext=[
            f"<b>{formats.period(grain, p.start)}</b>{partial_mark(p.is_partial)}"
            f"<br>{formats.plural(p.n_total, 'paper')}"
            for p in periods
        ],
        hovertemplate=HOVER,
    )
    set_date_axis(figure, grain, [p.start for p in periods])
    figure.update_yaxes(title_text="Papers", rangemode="tozero", tickformat=",d", nticks=5)
    return figure
