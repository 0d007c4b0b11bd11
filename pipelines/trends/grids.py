"""Frames of counts as dense grids: one per population and grain, periods by series.

Belongs here: checking the input, and the way from rows to arrays and back. Does not belong here:
any statistic.
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
"""What `judge` takes: one row per population, grain, period and series."""

OPTIONAL_SCHEMA: dict[str, pl.DataType] = {
    "complete_share": pl.Float64(),
    "text_share": pl.Float64(),
}
"""How the period was observed, 0 to 1; may be missing or null: the share of its lists that were
captured whole, and of its papers that come with more text than a title."""

KEYS = ["population", "grain", "period_start_on", "series_id"]

PERIODS_A_YEAR = {"week": 52, "month": 12, "quarter": 4}
"""The grains, and after how many periods a season comes round."""

_TRUNCATE = {"week": "1w", "month": "1mo", "quarter": "1q"}


@dataclass(frozen=True)
class Grid:
    """Counts of one population and grain: axis 0 is the period (ascending), axis 1 the series.

    Only periods with a row are here; `ticks` numbers them on the calendar, so a jump of more than
    one is a gap. A cell without a row is not `is_present`: nothing is known of it.
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
    """The columns of `OPTIONAL_SCHEMA`; NaN where nobody knows."""
    rows: Ints
    """For each cell the position of its row in the checked frame; -1 where there is none."""

    @property
    def is_usable(self) -> Bools:
        """Cells that may be compared: present and not partial."""
        return self.is_present & ~self.is_partial

    @property
    def periods_a_year(self) -> int:
        """After how many periods a season comes round."""
        return PERIODS_A_YEAR[self.grain]


def check(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `INPUT_SCHEMA`, sorted by population, grain, period and series.

    Raises ValueError, naming the first offending row, for missing columns, nulls, an unknown grain,
    a date that does not begin its period, negative counts, more papers than the total, or a key
    that stands in two rows.
    """
    missing = [name for name in INPUT_SCHEMA if name not in frame.columns]
    if missing:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    unknown = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in OPTIONAL_SCHEMA.items()
        if name not in frame.columns
    ]
    wanted = INPUT_SCHEMA | OPTIONAL_SCHEMA
    checked = frame.with_columns(unknown).select(
        pl.col(name).cast(dtype) for name, dtype in wanted.items()
    )
    begins = pl.any_horizontal(
        (pl.col("grain") == grain)
        & (pl.col("period_start_on") == pl.col("period_start_on").dt.truncate(every))
        for grain, every in _TRUNCATE.items()
    )
    rules = {
        "a value is null": pl.any_horizontal(pl.col(list(INPUT_SCHEMA)).is_null()),
        f"grain is none of {', '.join(_TRUNCATE)}": ~pl.col("grain").is_in(list(_TRUNCATE)),
        "period_start_on does not begin its period": ~begins,
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
            f"duplicated rows: {repeated.select(KEYS).row(0, named=True)} stands in more than one "
            f"row ({repeated.height} rows too many); add them up or drop them first"
        )
    return checked


def grids(checked: pl.DataFrame) -> Iterator[Grid]:
    """Yield the grid of each population and grain of a frame that `check` returned."""
    numbered = checked.with_row_index("_row")
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
    """Number of each period on the calendar of its grain; neighbours differ by one."""
    if grain == "week":
        return np.floor_divide(starts + 3, 7)  # 1970-01-01 was a Thursday
    months = starts.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.floor_divide(months, 3) if grain == "quarter" else months


def gather(parts: list[tuple[Grid, Mapping[str, NDArray[np.generic]]]]) -> pl.DataFrame:
    """Return columns named as the parts' arrays, one row per row of the checked frame, in order.

    NaN becomes null.
    """
    order = np.concatenate([grid.rows[grid.is_present] for grid, _ in parts])
    back = np.argsort(order)
    return pl.DataFrame(
        {
            name: np.concatenate([cells[name][grid.is_present] for grid, cells in parts])[back]
            for name in parts[0][1]
        }
    ).with_columns(selectors.float().fill_nan(None))


def row_sums(cells: Floats) -> Floats:
    """Return the sum of each row, added in order: a series of zeros more changes no bit of it."""
    return np.asarray(np.cumsum(cells, axis=1)[:, -1], dtype=np.float64)
