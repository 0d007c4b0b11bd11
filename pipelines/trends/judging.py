"""The entry point: from a frame of counts to a frame of shares, growth and verdicts.

Belongs here: the output schema, and combining the other modules. Does not belong here: statistics.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.trends.bursts import burst_levels
from pipelines.trends.grids import KEYS, Grid, check, gather, grids
from pipelines.trends.growth import grow
from pipelines.trends.shares import shrink
from pipelines.trends.verdicts import first_seen, is_emerging, judge_growth

OUTPUT_SCHEMA: dict[str, pl.DataType] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "series_id": pl.String(),
    "share_shrunk": pl.Float64(),
    "shrunk_low": pl.Float64(),
    "shrunk_high": pl.Float64(),
    "n_papers_current": pl.Int64(),
    "n_total_current": pl.Int64(),
    "n_papers_before": pl.Int64(),
    "n_total_before": pl.Int64(),
    "growth": pl.Float64(),
    "growth_low": pl.Float64(),
    "growth_high": pl.Float64(),
    "growth_level": pl.Float64(),
    "growth_basis": pl.String(),
    "p_value": pl.Float64(),
    "q_value": pl.Float64(),
    "verdict": pl.String(),
    "verdict_reason": pl.String(),
    "burst_level": pl.Int64(),
    "first_seen_on": pl.Date(),
    "is_emerging": pl.Boolean(),
}
"""Output of `judge`: one row per row of its input."""

JUDGED_COLUMNS = tuple(name for name in OUTPUT_SCHEMA if name not in KEYS)
"""The columns that `judge` adds to the keys; the marts have them too."""


def judge(frame: pl.DataFrame, *, min_papers_to_date: int = 0) -> pl.DataFrame:
    """Return shares, growth and verdicts, with `OUTPUT_SCHEMA`, sorted by the four keys.

    `frame` has the columns of `grids.INPUT_SCHEMA` and perhaps `grids.OPTIONAL_SCHEMA`: one row per
    population, grain, period and series, with zero counts included. A period without rows is a gap;
    a missing row in another period is a gap of its series. A series is tested once it has
    `min_papers_to_date` papers.

    Shares are from 0 to 1. Growth is the natural logarithm of the share of the current window over
    that of the previous window (0.69 is a doubling). `growth_basis` is `previous_window`, or
    `seasonal` if growth is seasonally adjusted. `growth_level` is the level of its interval: 0.95,
    and higher for the verdicts rising and falling (see `fcr_levels`).

    Null: shares of a period without papers; window counts, growth, its basis and level, p and q for
    incomplete windows; p and q of series with too few papers; `burst_level` of a partial period;
    `first_seen_on` before the first paper. A row depends only on rows of its population and grain
    up to its period.

    Raises ValueError for invalid or duplicate rows.
    """
    checked = check(frame)
    if checked.is_empty():
        return pl.DataFrame(schema=OUTPUT_SCHEMA)
    columns = gather([(grid, _judge_grid(grid, min_papers_to_date)) for grid in grids(checked)])
    return (
        pl.concat([checked.select(KEYS), columns], how="horizontal")
        .with_columns(
            pl.col("first_seen_on").cast(pl.Int32).cast(pl.Date),
            pl.col("burst_level").replace(-1, None),
            growth_basis=pl.when(pl.col("growth").is_not_null()).then("growth_basis"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in OUTPUT_SCHEMA.items())
    )


def _judge_grid(grid: Grid, min_papers_to_date: int) -> dict[str, NDArray[np.generic]]:
    shares = shrink(grid)
    growth = grow(grid)
    judged = judge_growth(grid, growth, min_papers_to_date)
    first = first_seen(grid)
    return {
        "share_shrunk": shares.shrunk,
        "shrunk_low": shares.low,
        "shrunk_high": shares.high,
        "growth_basis": np.where(growth.is_seasonal, "seasonal", "previous_window"),
        **judged,
        "burst_level": burst_levels(grid),
        "first_seen_on": np.where(first >= 0, grid.starts[np.maximum(first, 0)], np.nan),
        "is_emerging": is_emerging(grid, growth, first, judged["verdict"]),
    }
