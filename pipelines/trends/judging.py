"""The entry point: from a frame of counts to a frame of levels, changes and verdicts.

Belongs here: the output schema, which base period each published period is read from, and which
changes are comparable. Does not belong here: the model (`levels.py`) or the verdict (`changes.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.trends.bursts import burst_levels
from pipelines.trends.changes import (
    HORIZONS,
    INTERVAL_LEVEL,
    MAX_MIX_DIFFERENCE,
    MAX_TEXT_DIFFERENCE,
    MIN_PAPERS,
    Change,
    Levels,
    verdicts,
)
from pipelines.trends.emergence import first_seen, is_emerging, papers_to_date
from pipelines.trends.grids import KEYS, Bools, Floats, Grid, Ints, check, gather, grids, start_of
from pipelines.trends.panels import base_grain, mixes_of, panel_of

PRIMARY_HORIZON: Final = {"week": "quarter", "month": "half_year", "quarter": "year"}
"""Grain → the horizon of the columns `growth` and `verdict` without a prefix."""

CHANGE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "growth": pl.Float64(),
    "growth_low": pl.Float64(),
    "growth_high": pl.Float64(),
    "sign_error": pl.Float64(),
    "hold_probability": pl.Float64(),
    "level_before": pl.Float64(),
    "began_on": pl.Date(),
    "began_from_on": pl.Date(),
    "began_to_on": pl.Date(),
    "verdict": pl.String(),
    "verdict_reason": pl.String(),
}
"""What is stated of one horizon."""

OUTPUT_SCHEMA: Final[dict[str, pl.DataType]] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "series_id": pl.String(),
    "level": pl.Float64(),
    "level_low": pl.Float64(),
    "level_high": pl.Float64(),
    "horizon": pl.String(),
    **CHANGE_SCHEMA,
    "growth_level": pl.Float64(),
    "burst_level": pl.Int64(),
    "first_seen_on": pl.Date(),
    "is_emerging": pl.Boolean(),
    **{f"{h}_{name}": dtype for h in HORIZONS for name, dtype in CHANGE_SCHEMA.items()},
}
"""Output of `judge`: one row per row of its input."""

JUDGED_COLUMNS = tuple(name for name in OUTPUT_SCHEMA if name not in KEYS)
"""The columns that `judge` adds to the keys."""

Cells = dict[str, NDArray[np.generic]]


def judge(
    frame: pl.DataFrame, *, mixes: pl.DataFrame | None = None, min_papers_to_date: int = 0
) -> pl.DataFrame:
    """Return levels, changes and verdicts, with `OUTPUT_SCHEMA`, sorted by the four keys.

    `frame` has the columns of `grids.INPUT_SCHEMA` and perhaps `grids.OPTIONAL_SCHEMA`: one row per
    population, grain, period and series of one kind, with zero counts included. `mixes` are those
    of `panels.mixes_of`, by default of the frame itself. A series has a verdict once it has
    `min_papers_to_date` papers, and `MIN_PAPERS` at least.

    `level` is the share behind the counts, from 0 to 1, standardised where the panel has several
    cells; growth is the natural logarithm of the ratio of two levels (0.69 is a doubling). Bounds
    are those of 80 % intervals. The columns without a prefix are those of the grain's
    `PRIMARY_HORIZON`. Null: all of these where the period is partial or nothing was observed;
    changes over a horizon that is longer than the history. A row depends only on rows up to the end
    of its period, of all grains of its population (and, for `arxiv`, of its categories).

    Raises ValueError for invalid or duplicate rows.
    """
    checked = check(frame)
    if checked.is_empty():
        return pl.DataFrame(schema=OUTPUT_SCHEMA)
    mixes = mixes_of(checked) if mixes is None else mixes
    numbered = checked.with_row_index("_row")
    parts: list[tuple[Grid, Mapping[str, NDArray[np.generic]]]] = []
    for (population,), _ in checked.group_by("population", maintain_order=True):
        own = list(grids(numbered.filter(pl.col("population") == population), "_row"))
        bases = _Bases(checked, str(population), mixes, own)
        parts += [(g, _judge_grid(g, bases, min_papers_to_date)) for g in own]
    columns = gather(parts)
    dates = [
        name for name, dtype in OUTPUT_SCHEMA.items() if dtype == pl.Date() and name not in KEYS
    ]
    return (
        pl.concat([checked.select(KEYS), columns], how="horizontal")
        .with_columns(
            pl.col(dates).cast(pl.Int32).cast(pl.Date),
            pl.col("burst_level").replace(-1, None),
            growth_level=pl.when(pl.col("growth").is_not_null()).then(INTERVAL_LEVEL),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in OUTPUT_SCHEMA.items())
    )


class _Bases:
    """The fitted levels of a population by base grain. As of most days it is the same grain."""

    def __init__(
        self, checked: pl.DataFrame, population: str, mixes: pl.DataFrame, parts: list[Grid]
    ) -> None:
        self._given = checked, population, mixes
        self._parts = parts
        self._fitted: dict[str, Levels] = {}

    def of(self, grid: Grid, row: int) -> tuple[Levels, int] | None:
        """The levels that a period is read from, and the last base period that ends with it.

        None where no base period inside it was observed.
        """
        end = int(start_of(grid.ticks[row : row + 1] + 1, grid.grain)[0])
        grain = base_grain(self._parts, end)
        if grain is None:
            return None
        if grain not in self._fitted:
            checked, population, mixes = self._given
            self._fitted[grain] = Levels(panel_of(checked, population, grain, mixes))
        levels = self._fitted[grain]
        panel = levels.panel
        first, t = (
            int(np.searchsorted(panel.ends, day, side="right")) for day in (grid.starts[row], end)
        )
        return (levels, t - 1) if panel.is_observed[first:t].any() else None


def _judge_grid(grid: Grid, bases: _Bases, min_papers_to_date: int) -> Cells:
    shape = grid.n_papers.shape
    out: Cells = {name: np.full(shape, np.nan) for name in ("level", "level_low", "level_high")}
    for horizon in HORIZONS:
        for name, dtype in CHANGE_SCHEMA.items():
            empty: object = "" if dtype == pl.String() else np.nan
            out[f"{horizon}_{name}"] = np.full(shape, empty, dtype=object if empty == "" else float)
    to_date = papers_to_date(grid)
    enough = np.where(to_date >= max(MIN_PAPERS, min_papers_to_date), to_date, 0.0)
    for row in range(grid.ticks.size):
        if grid.is_partial[row].any():
            _refuse(out, row, "partial")
        elif base := bases.of(grid, row):
            _fill_row(out, row, *base, enough[row])
        else:
            _refuse(out, row, "no_data")
    primary = PRIMARY_HORIZON[grid.grain]
    first = first_seen(grid)
    out |= {name: out[f"{primary}_{name}"] for name in CHANGE_SCHEMA}
    return {
        **out,
        "horizon": np.full(shape, primary, dtype=object),
        "burst_level": burst_levels(grid),
        "first_seen_on": np.where(first >= 0, grid.starts[np.maximum(first, 0)], np.nan),
        "is_emerging": is_emerging(grid, first),
    }


def _refuse(out: Cells, row: int, reason: str, horizons: Iterable[str] = HORIZONS) -> None:
    for horizon in horizons:
        out[f"{horizon}_verdict"][row] = "not_comparable"
        out[f"{horizon}_verdict_reason"][row] = reason


def _fill_row(out: Cells, row: int, levels: Levels, t: int, enough: Floats) -> None:
    position = levels.at(t)
    out["level"][row] = position.level
    out["level_low"][row], out["level_high"][row] = position.level_low, position.level_high
    for horizon in HORIZONS:
        change, reason = position.changes.get(horizon), _obstacle(levels, t, horizon)
        if change is None or reason == "short_history":
            _refuse(out, row, "short_history", [horizon])
            continue
        for name, values in _change_cells(levels, t, change, reason, enough).items():
            out[f"{horizon}_{name}"][row] = values


def _change_cells(
    levels: Levels, t: int, change: Change, reason: str, enough: Floats
) -> dict[str, NDArray[np.generic]]:
    comparable = np.full(enough.shape, not reason)
    verdict = verdicts(change, comparable, enough)
    few = comparable & (enough < MIN_PAPERS)
    grain, tick = levels.panel.grain, t + levels.panel.first_tick

    def began(steps: Floats) -> Ints:
        # A level that was lowest at the end of one period began to rise in the next.
        return start_of(tick + 1 - np.maximum(steps, 1).astype(np.int64), grain)

    is_likely = np.isin(verdict, ["likely_rising", "likely_falling"])
    called = is_likely | np.isin(verdict, ["rising", "falling"])
    return {
        "growth": change.growth,
        "growth_low": change.low,
        "growth_high": change.high,
        "sign_error": change.sign_error,
        "hold_probability": change.hold,
        "level_before": change.level_before,
        "began_on": np.where(called, began(change.began), np.nan),
        "began_from_on": np.where(called, began(change.began_from), np.nan),
        "began_to_on": np.where(called, began(change.began_to), np.nan),
        "verdict": verdict,
        "verdict_reason": np.select(
            [~comparable, few, verdict == "flat", verdict == "unclear", is_likely],
            [reason, "few_papers", "small_change", "wide_interval", "likely"],
            "certain",
        ),
    }  # fmt: skip


def _obstacle(levels: Levels, t: int, horizon: str) -> str:
    """Why the level at t is not comparable with the one a horizon before; empty if it is."""
    panel, steps = levels.panel, levels.steps(horizon)
    if t - steps < 0 or not panel.is_observed[: t - steps + 1].any():
        return "short_history"
    window = levels.steps("month")
    if (
        _differ(panel.text_share[:, None], panel.is_observed, t, steps, window)
        > MAX_TEXT_DIFFERENCE
    ):
        return "text_differs"
    if panel.is_standardised or not panel.mix.shape[1]:
        return ""
    mix = _differ(panel.mix, panel.is_observed, t, steps, window)
    return "mix_differs" if mix > MAX_MIX_DIFFERENCE else ""


def _differ(values: Floats, observed: Bools, t: int, steps: int, window: int) -> float:
    """The largest difference between the means of two windows; 0 where one is unknown."""
    means = []
    for end in (t, t - steps):
        part = values[max(0, end - window + 1) : end + 1]
        part = part[observed[max(0, end - window + 1) : end + 1]]
        part = part[~np.isnan(part).any(axis=1)]
        if not part.size:
            return 0.0
        means.append(part.mean(axis=0))
    return float(np.abs(means[0] - means[1]).max())
