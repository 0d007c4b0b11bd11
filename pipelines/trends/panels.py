"""Panels: what is observed of the series of a population, and how its cells are combined.

A panel has a base grain (the finest grain in which most periods can be used) and cells. The panel
of `hf_daily` has one cell. The panel of `arxiv` has one cell per primary category, combined with
fixed weights (direct standardisation), so that a change in which categories were captured changes
no level. Source: B. R. Kirkwood and J. A. C. Sterne, *Essential Medical Statistics*, 2nd edition,
Blackwell 2003, chapter 25.

Belongs here: base grains, cells, weights, and the way from rows to arrays. Does not belong here:
statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipelines.trends.grids import PERIODS_PER_YEAR, Bools, Floats, Grid, Ints, grids, start_of

CATEGORY_WEIGHTS: Final = {
    "arxiv.cs.CV": 0.35,
    "arxiv.cs.CL": 0.22,
    "arxiv.cs.LG": 0.22,
    "arxiv.cs.AI": 0.10,
    "arxiv.cs.RO": 0.07,
    "arxiv.cs.IR": 0.02,
    "arxiv.stat.ML": 0.01,
    "arxiv.eess.AS": 0.01,
}
"""Fixed weights of the categories in the level of `arxiv`: rounded shares of new submissions."""

MIN_USABLE_SHARE: Final = 0.5
"""The base grain is the finest one in which at least this share of the periods is not partial."""


@dataclass(frozen=True)
class Panel:
    """Counts by base period (consecutive, no gaps), cell and series."""

    population: str
    grain: str
    first_tick: int
    n_papers: Floats
    """periods × cells × series"""
    n_total: Floats
    """The same shape; 0 where the cell was not observed."""
    part_share: Floats
    """Per period: the share of lists not captured in full; 0 where unknown."""
    text_share: Floats
    """Per period: the share of papers with more text than a title; NaN where unknown."""
    mix: Floats
    """periods × categories: the share of each category among the papers of `arxiv`, else empty."""
    weights: Floats
    """Of the cells."""
    series: list[str]

    @property
    def is_standardised(self) -> bool:
        """Whether the level is a weighted mean over categories."""
        return self.weights.size > 1

    @property
    def ends(self) -> Ints:
        """The day after each base period, in days since 1970-01-01."""
        return start_of(np.arange(self.n_papers.shape[0]) + self.first_tick + 1, self.grain)

    @property
    def standards(self) -> Floats:
        """periods × cells: weights of the cells observed so far; they sum to 1, or all are 0."""
        seen = np.logical_or.accumulate((self.n_total > 0).any(axis=2), axis=0)
        kept = seen * self.weights
        sums = kept.sum(axis=1, keepdims=True)
        return np.asarray(kept / np.where(sums > 0, sums, 1.0), dtype=np.float64)

    @property
    def periods_per_year(self) -> int:
        """Base periods in a year."""
        return PERIODS_PER_YEAR[self.grain]

    @property
    def is_observed(self) -> Bools:
        """Per period: whether any cell was."""
        return np.asarray((self.n_total > 0).any(axis=(1, 2)), dtype=np.bool_)


def panel_of(checked: pl.DataFrame, population: str, grain: str, mixes: pl.DataFrame) -> Panel:
    """Return the panel of a population, with this base grain, in a checked frame of one kind.

    `mixes` has population, grain, period_start_on and n_total of the categories of `arxiv`; it
    tells the mix where the frame has no rows by category.
    """
    at_grain = checked.filter(pl.col("grain") == grain)
    own = at_grain.filter(pl.col("population") == population)
    (base,) = grids(own)
    names = [population]
    if population == "arxiv":
        present = set(at_grain["population"].unique())
        names = [name for name in CATEGORY_WEIGHTS if name in present] or names
    cells = [_cell(at_grain.filter(pl.col("population") == name)) for name in names]
    series = sorted(own["series_id"].unique())
    first, last = int(base.ticks[0]), int(base.ticks[-1])
    shape = (last - first + 1, len(cells), len(series))
    n_papers, n_total = np.zeros(shape), np.zeros(shape)
    column = {name: i for i, name in enumerate(series)}
    for c, (grid, ids) in enumerate(cells):
        inside = (grid.ticks >= first) & (grid.ticks <= last)
        columns = np.array([column[name] for name in ids])
        at = np.ix_(grid.ticks[inside] - first, np.array([c]), columns)
        usable = grid.is_usable[inside]
        n_papers[at] = np.where(usable, grid.n_papers[inside], 0.0)[:, None, :]
        n_total[at] = np.where(usable, grid.n_total[inside], 0.0)[:, None, :]
    weights = np.array([CATEGORY_WEIGHTS.get(name, 1.0) for name in names])
    return Panel(
        population=population,
        grain=grain,
        first_tick=first,
        n_papers=n_papers,
        n_total=n_total,
        part_share=np.nan_to_num(1 - _per_period(base, "complete_share", first, last)),
        text_share=_per_period(base, "text_share", first, last),
        mix=_mix(mixes, population, grain, base, shape[0]),
        weights=weights,
        series=series,
    )


def base_grain(parts: list[Grid], end: int) -> str | None:
    """Return the base grain as of a day, from the periods that ended by then; None if none has.

    `end` is the day after the last one, in days since 1970-01-01.
    """
    usable = {}
    for part in parts:
        ended = start_of(part.ticks + 1, part.grain) <= end
        if ended.any():
            usable[part.grain] = part.is_usable[ended].any(axis=1)
    for grain in ("week", "month", "quarter"):
        if grain in usable and usable[grain].mean() >= MIN_USABLE_SHARE:
            return grain
    return max(usable, key=lambda grain: int(usable[grain].sum()), default=None)


def _cell(rows: pl.DataFrame) -> tuple[Grid, list[str]]:
    (grid,) = grids(rows)
    return grid, sorted(rows["series_id"].unique())


def _per_period(grid: Grid, name: str, first: int, last: int) -> Floats:
    values = np.full(last - first + 1, np.nan)
    # The same for all series of a period.
    values[grid.ticks - first] = np.fmax.reduce(grid.conditions[name], axis=1)
    return values


def _mix(mixes: pl.DataFrame, population: str, grain: str, base: Grid, n_periods: int) -> Floats:
    if population != "arxiv":
        return np.zeros((n_periods, 0))
    counts = np.zeros((n_periods, len(CATEGORY_WEIGHTS)))
    tick_of = dict(zip(base.starts.tolist(), base.ticks.tolist(), strict=True))
    rows = mixes.filter(pl.col("grain") == grain).with_columns(
        pl.col("period_start_on").to_physical()
    )
    names = {name: i for i, name in enumerate(CATEGORY_WEIGHTS)}
    for name, _, start, n_total in rows.iter_rows():
        if name in names and start in tick_of:
            counts[tick_of[start] - int(base.ticks[0]), names[name]] = n_total
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.maximum(totals, 1), dtype=np.float64)


def mixes_of(counted: pl.DataFrame) -> pl.DataFrame:
    """Return population, grain, period_start_on and n_total of arXiv's categories."""
    return (
        counted.filter(pl.col("population").is_in(list(CATEGORY_WEIGHTS)))
        .group_by("population", "grain", "period_start_on")
        .agg(pl.col("n_total").max())
        .sort("population", "grain", "period_start_on")
    )
