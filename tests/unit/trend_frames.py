"""Frames of counts for the tests of trends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl
from hypothesis import strategies as st

from pipelines.trends.grids import INPUT_SCHEMA, Grid, check, grids

STARTS = {
    "week": [dt.date(2023, 1, 2) + dt.timedelta(weeks=at) for at in range(200)],
    "month": [dt.date(2015 + at // 12, 1 + at % 12, 1) for at in range(100)],
    "quarter": [dt.date(2010 + at // 4, 1 + 3 * (at % 4), 1) for at in range(60)],
}


def frame(
    counts: Mapping[str, Sequence[int]],
    totals: Sequence[int] | int = 100,
    grain: str = "month",
    partial: Sequence[int] = (),
    gaps: Sequence[int] = (),
) -> pl.DataFrame:
    """One population: series → counts per period. `partial` and `gaps` are positions of periods."""
    rows = [
        {
            "population": "field",
            "grain": grain,
            "period_start_on": STARTS[grain][at],
            "series_id": series,
            "n_papers": n_papers,
            "n_total": totals if isinstance(totals, int) else totals[at],
            "is_partial": at in partial,
        }
        for series, values in counts.items()
        for at, n_papers in enumerate(values)
        if at not in gaps
    ]
    return pl.DataFrame(rows, schema=INPUT_SCHEMA)


def grid_of(counts: pl.DataFrame) -> Grid:
    (grid,) = grids(check(counts))
    return grid


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Small frames with gaps, partial periods, empty totals and missing rows."""
    rows = []
    for population in draw(st.sampled_from([["a"], ["a", "b"]])):
        grain = draw(st.sampled_from(["week", "month", "quarter"]))
        n_periods = draw(st.integers(1, 40))
        size = draw(st.sampled_from([1, 3, 60, 5000]))
        n_series = draw(st.integers(1, 4))
        for at in range(n_periods):
            state = draw(st.sampled_from(["whole"] * 12 + ["partial", "gap", "empty"]))
            total = 0 if state == "empty" else draw(st.integers(0, size))
            for series in range(n_series):
                if state == "gap" or draw(st.integers(0, 40)) == 0:
                    continue
                share = draw(st.sampled_from([0.0, 0.0, 0.02, 0.3, 1.0]))
                top = draw(st.integers(0, int(total * share)))
                rows.append(
                    {
                        "population": population,
                        "grain": grain,
                        "period_start_on": STARTS[grain][at],
                        "series_id": f"s{series}",
                        "n_papers": total if share == 1.0 else top,
                        "n_total": total,
                        "is_partial": state == "partial",
                    }
                )
    return pl.DataFrame(rows, schema=INPUT_SCHEMA)
