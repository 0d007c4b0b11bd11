"""The way in: a frame of counts becomes a frame of shares, growth and verdicts.

Belongs here: putting the parts together. Does not belong here: any statistic.
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
"""What `judge` returns: one row per row of its input."""


def judge(frame: pl.DataFrame, *, least_seen: int = 0) -> pl.DataFrame:
    """Return shares, growth and verdicts, with `OUTPUT_SCHEMA`, sorted by the four keys.

    `frame` has the columns of `grids.INPUT_SCHEMA` (others are left out), one row per population,
    grain, period and series, zero counts included. A period without rows is a gap; a row that is
    missing in a period that has others is a gap of its series. A series is tested once it has had
    `least_seen` papers.

    Shares are between 0 and 1, growth is a natural logarithm (0.69 is a doubling) of the current
    window's share over that of the window before, `growth_basis` is `previous_window` or, net of
    the season, `seasonal`. `growth_level` is the level of its interval: 0.95, and more where the
    verdict is rising or falling (`level_of_called`). Null: shares of a period without papers;
    counts of windows, growth, its basis and level, p and q where a window is not complete; p and q
    where too few papers were tested; `burst_level` of a partial period; `first_seen_on` before the
    first paper. Every row depends on rows of its own and earlier periods of its population and
    grain alone.

    Raises ValueError for a frame that breaks the schema or holds a key twice.
    """
    checked = check(frame)
    if checked.is_empty():
        return pl.DataFrame(schema=OUTPUT_SCHEMA)
    columns = gather([(grid, _judge_grid(grid, least_seen)) for grid in grids(checked)])
    return (
        pl.concat([checked.select(KEYS), columns], how="horizontal")
        .with_columns(
            pl.col("first_seen_on").cast(pl.Int32).cast(pl.Date),
            pl.col("burst_level").replace(-1, None),
            growth_basis=pl.when(pl.col("growth").is_not_null()).then("growth_basis"),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in OUTPUT_SCHEMA.items())
    )


def _judge_grid(grid: Grid, least_seen: int) -> dict[str, NDArray[np.generic]]:
    shares = shrink(grid)
    growth = grow(grid)
    called = judge_growth(grid, growth, least_seen)
    first = first_seen(grid)
    return {
        "share_shrunk": shares.shrunk,
        "shrunk_low": shares.low,
        "shrunk_high": shares.high,
        "growth_basis": np.where(growth.is_seasonal, "seasonal", "previous_window"),
        **called,
        "burst_level": burst_levels(grid),
        "first_seen_on": np.where(first >= 0, grid.starts[np.maximum(first, 0)], np.nan),
        "is_emerging": is_emerging(grid, growth, first, called["verdict"]),
    }
