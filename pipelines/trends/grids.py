"""Frames of counts as dense grids: one per population and grain, periods × series.

Belongs here: checking the input, converting rows to arrays and back. Does not belong here:
statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

INPUT_SCHEMA: dict[str, pl.DataType] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "series_id": pl.String(),
    "n_papers": pl.Int64(),
    "n_total": pl.Int64(),
    "is_partial": pl.Boolean(),
}
"""Input of `judge`: one row per population, grain, period and series."""

OPTIONAL_SCHEMA: dict[str, pl.DataType] = {
    "complete_share": pl.Float64(),
    "text_share": pl.Float64(),
}
"""Data collection of the period, 0 to 1; may be missing or null: the share of its lists that were
captured in full, and of its papers with more text than a title."""

KEYS = ["population", "grain", "period_start_on", "series_id"]

PERIODS_PER_YEAR = {"week": 52, "month": 12, "quarter": 4}
"""The grains, and their seasonal period."""

TRUNCATE = {"week": "1w", "month": "1mo", "quarter": "1q"}
"""The grains as intervals of `dt.truncate`."""


@dataclass(frozen=True)
class Grid:
    """Counts of one population and grain: axis 0 is the period (ascending), axis 1 the series.

    Contains periods with at least one row. `ticks` numbers them on the calendar; a step of more
    than one is a gap. A cell without a row is missing (not `is_present`), not zero.
    """

    grain: str
    starts: Ints
    """Days since 1970-01-01 of each period's first day."""
    ticks: Ints
    n_papers: Floats
    n_total: Floats
    is_present: Bools
    is_partial: Bools
    conditions: Mapping[str, Floats]
    """The columns of `OPTIONAL_SCHEMA`; NaN where unknown."""
    rows: Ints
    """Position of each cell's row in the checked frame; -1 without a row."""

    @property
    def is_usable(self) -> Bools:
        """Cells that are present and not partial."""
        return self.is_present & ~self.is_partial

    @property
    def periods_per_year(self) -> int:
        """The seasonal period."""
        return PERIODS_PER_YEAR[self.grain]


def check(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of both schemas, sorted by population, grain, period and series.

    Raises ValueError, naming the first invalid row, for missing columns, nulls, an unknown grain, a
    date that is not the first day of its period, negative counts, more papers than the total, or
    duplicate keys.
    """
    missing = [name for name in INPUT_SCHEMA if name not in frame.columns]
    if missing:
        raise ValueError(f"missing columns: {', '.join(missing)}")
    unknown = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in OPTIONAL_SCHEMA.items()
        if name not in frame.columns
    ]
    schema = INPUT_SCHEMA | OPTIONAL_SCHEMA
    checked = frame.with_columns(unknown).select(
        pl.col(name).cast(dtype) for name, dtype in schema.items()
    )
    is_first_day = pl.any_horizontal(
        (pl.col("grain") == grain)
        & (pl.col("period_start_on") == pl.col("period_start_on").dt.truncate(every))
        for grain, every in TRUNCATE.items()
    )
    rules = {
        "a value is null": pl.any_horizontal(pl.col(list(INPUT_SCHEMA)).is_null()),
        f"grain must be one of {', '.join(TRUNCATE)}": ~pl.col("grain").is_in(list(TRUNCATE)),
        "period_start_on is not the first day of its period": ~is_first_day,
        "a count is negative": (pl.col("n_papers") < 0) | (pl.col("n_total") < 0),
        "n_papers is greater than n_total": pl.col("n_papers") > pl.col("n_total"),
    }
    for message, is_bad in rules.items():
        bad = checked.filter(is_bad)
        if not bad.is_empty():
            raise ValueError(f"{message}: {bad.row(0, named=True)} ({bad.height} such rows)")
    checked = checked.sort(KEYS)
    repeated = checked.filter(pl.struct(KEYS) == pl.struct(KEYS).shift(1))
    if not repeated.is_empty():
        raise ValueError(
            f"duplicate rows: {repeated.select(KEYS).row(0, named=True)} has more than one row "
            f"({repeated.height} rows too many); aggregate or drop them first"
        )
    return checked


def grids(checked: pl.DataFrame, rows: str | None = None) -> Iterator[Grid]:
    """Yield the grid of each population and grain of a checked frame.

    `rows` names a column with the positions of the rows, by default their order in the frame.
    """
    numbered = checked.rename({rows: "_row"}) if rows else checked.with_row_index("_row")
    for (_, grain), part in numbered.group_by(["population", "grain"], maintain_order=True):
        yield _grid(part, str(grain))


def _grid(part: pl.DataFrame, grain: str) -> Grid:
    starts, period = np.unique(
        part["period_start_on"].to_physical().cast(pl.Int64).to_numpy(), return_inverse=True
    )
    column = part["series_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    shape = (starts.size, int(column.max()) + 1)

    def spread(name: str, empty: float) -> Floats:
        cells = np.full(shape, empty, dtype=np.float64)
        cells[period, column] = part[name].cast(pl.Float64).to_numpy()
        return cells

    rows = spread("_row", -1).astype(np.int64)
    return Grid(
        grain=grain,
        starts=starts,
        ticks=_ticks(starts, grain),
        n_papers=spread("n_papers", 0),
        n_total=spread("n_total", 0),
        is_present=rows >= 0,
        is_partial=spread("is_partial", 0) > 0,
        conditions={name: spread(name, np.nan) for name in OPTIONAL_SCHEMA},
        rows=rows,
    )


def _ticks(starts: Ints, grain: str) -> Ints:
    """Number of each period on the calendar of its grain; adjacent periods differ by one."""
    if grain == "week":
        return np.floor_divide(starts + 3, 7)  # 1970-01-01 was a Thursday
    months = starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.floor_divide(months, 3) if grain == "quarter" else months


def start_of(ticks: Ints, grain: str) -> Ints:
    """Return the first day of periods by their number: days since 1970-01-01."""
    if grain == "week":
        return np.asarray(ticks * 7 - 3, dtype=np.int64)
    months = ticks * 3 if grain == "quarter" else ticks
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def gather(parts: list[tuple[Grid, Mapping[str, NDArray[np.generic]]]]) -> pl.DataFrame:
    """Return the arrays as columns, one row per row of the checked frame, in its order.

    NaN becomes null.
    """
    rows = np.concatenate([grid.rows[grid.is_present] for grid, _ in parts])
    order = np.argsort(rows)
    return pl.DataFrame(
        {
            name: np.concatenate([cells[name][grid.is_present] for grid, cells in parts])[order]
            for name in parts[0][1]
        }
    ).with_columns(selectors.float().fill_nan(None))


def ordered_sums(cells: Floats, axis: int) -> Floats:
    """Return sums along a short axis, in order, so that other series do not change any bit."""
    first, *others = np.moveaxis(cells, axis, 0)
    total = np.array(first, dtype=np.float64)
    for part in others:
        total += part
    return total
