"""What was stated at each period of a population, and what followed.

Belongs here: statements, the shares after them, and the scores of simpler methods. Does not belong
here: measures (`backtest.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipelines.trends.changes import HORIZONS
from pipelines.trends.grids import KEYS, PERIODS_PER_YEAR, Bools, Floats, Grid, Ints, check, grids
from pipelines.trends.panels import CATEGORY_WEIGHTS

OURS: Final = "verdicts"
SETTINGS: Final = tuple((p, g) for p in ("hf_daily", "arxiv") for g in ("week", "month", "quarter"))
MIN_SEEN: Final = 0.6
"""Least part of a quarter's periods that must be usable."""

_CALLED: Final = {"rising": 1.0, "falling": -1.0}
_LIKELY: Final = {"likely_rising": 1.0, "likely_falling": -1.0}


@dataclass(frozen=True)
class History:
    """Statements over one horizon and their outcomes: periods × topics; NaN where unknown."""

    population: str
    grain: str
    horizon: str
    ticks: Ints
    is_stated: Bools
    """Published, complete and comparable."""
    called: Floats
    """1 rising, -1 falling, 0 neither."""
    likely: Floats
    probability: Floats
    """Stated probability that the next quarter's share is above the level a horizon earlier."""
    growth: Floats
    over_before: Floats
    """Log ratio of the next quarter's share to the level a horizon earlier."""
    over_now: Floats
    """Log ratio of the next quarter's share to the present level."""
    expected: Floats
    """Papers of the topic in a quarter at the earlier level."""
    scores: Mapping[str, Floats]
    """Method → score of rising, larger is stronger."""

    @property
    def name(self) -> str:
        """`hf_daily week, year`."""
        return f"{self.population} {self.grain}, {self.horizon.replace('_', '-')}"


def histories(counts: pl.DataFrame, judged: pl.DataFrame) -> Iterator[History]:
    """Yield the history of each published population, grain and horizon.

    `judged` is the output of `judge` for `counts`.
    """
    rows = counts.sort(KEYS).hstack(judged.sort(KEYS).drop(KEYS))
    for population, grain in SETTINGS:
        own = rows.filter(population=population, grain=grain)
        if own.is_empty() or own["level"].is_null().all():
            continue
        (grid,) = grids(check(own))
        shares = standardised(counts, population, grain, grid)
        for horizon in HORIZONS:
            yield _history(own, grid, shares, horizon)


def standardised(counts: pl.DataFrame, population: str, grain: str, grid: Grid) -> Floats:
    """Raw shares by period and topic, of `arxiv` as the weighted mean over its categories."""
    if population != "arxiv":
        return _shares(grid)
    total, weight = np.zeros(grid.n_papers.shape), np.zeros(grid.n_papers.shape)
    for name, of_category in CATEGORY_WEIGHTS.items():
        rows = counts.filter(pl.col("population") == name, pl.col("grain") == grain)
        if rows.is_empty():
            continue
        (cell,) = grids(check(rows))
        both, at, inside = np.intersect1d(grid.ticks, cell.ticks, return_indices=True)
        if not both.size or cell.n_papers.shape[1] != grid.n_papers.shape[1]:
            continue
        share = _shares(cell)[inside]
        known = ~np.isnan(share)
        total[at] += np.where(known, share, 0.0) * of_category
        weight[at] += known * of_category
    # Shares over other categories would differ for that reason alone.
    usable = (weight > 0.9 * weight.max()) & grid.is_usable
    return np.where(usable, total / np.maximum(weight, 1e-9), np.nan)


def _shares(grid: Grid) -> Floats:
    share = np.full(grid.n_papers.shape, np.nan)
    np.divide(grid.n_papers, grid.n_total, out=share, where=grid.is_usable & (grid.n_total > 0))
    return share


def mean_over(grid: Grid, shares: Floats, start: int, stop: int) -> Floats:
    """Mean share, weighted by papers, of the periods `start` to `stop` (exclusive) after each."""
    first = int(grid.ticks[0])
    span = int(grid.ticks[-1]) - first + 1
    papers, total = np.zeros((span, shares.shape[1])), np.zeros((span, shares.shape[1]))
    weight = np.where(np.isnan(shares), 0.0, grid.n_total)
    papers[grid.ticks - first] = np.nan_to_num(shares) * weight
    total[grid.ticks - first] = weight
    out = np.full(shares.shape, np.nan)
    for row, tick in enumerate(grid.ticks - first):
        low, high = tick + start, tick + stop
        if low < 0 or high > span:
            continue
        seen = total[low:high] > 0
        enough = seen.mean(axis=0) >= MIN_SEEN
        of = total[low:high].sum(axis=0)
        out[row] = np.where(enough, papers[low:high].sum(axis=0) / np.maximum(of, 1), np.nan)
    return out


def _history(own: pl.DataFrame, grid: Grid, shares: Floats, horizon: str) -> History:
    def column(name: str) -> Floats:
        cells = np.full(grid.n_papers.shape, np.nan)
        values = own[f"{horizon}_{name}"].cast(pl.Float64).to_numpy()
        cells[grid.is_present] = values[grid.rows[grid.is_present]]
        return cells

    def directions(names: Mapping[str, float]) -> Floats:
        values = own[f"{horizon}_verdict"].replace_strict(names, default=0.0).to_numpy()
        cells = np.zeros(grid.n_papers.shape)
        cells[grid.is_present] = values[grid.rows[grid.is_present]]
        return cells

    year = PERIODS_PER_YEAR[grid.grain]
    quarter, steps = year // 4, max(1, year // HORIZONS[horizon])
    following = _log(mean_over(grid, shares, 1, quarter + 1))
    growth, before = column("growth"), _log(column("level_before"))
    current, earlier = (
        _log(mean_over(grid, shares, 1 - quarter - back, 1 - back)) for back in (0, steps)
    )
    refused = own[f"{horizon}_verdict"].replace_strict({"not_comparable": 1.0}, default=0.0)
    comparable = np.zeros(grid.n_papers.shape, dtype=np.bool_)
    comparable[grid.is_present] = refused.to_numpy()[grid.rows[grid.is_present]] == 0
    hold = column("hold_probability")
    return History(
        population=str(own["population"][0]),
        grain=grid.grain,
        horizon=horizon,
        ticks=grid.ticks,
        is_stated=comparable & ~np.isnan(growth),
        called=directions(_CALLED),
        likely=directions(_LIKELY),
        probability=np.where(growth > 0, hold, 1 - hold),
        growth=growth,
        over_before=following - before,
        over_now=following - before - growth,
        expected=np.exp(before) * grid.n_total * quarter,
        scores={
            OURS: growth,
            "raw growth": current - earlier,
            "MACD": _macd(shares, quarter),
            "persistence": _log(shares) - earlier,
        },
    )


def _log(share: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(share, 1e-4)), dtype=np.float64)


def _macd(shares: Floats, span: int) -> Floats:
    short, long = _average(shares, span), _average(shares, 2 * span)
    return np.asarray((short - long) / np.sqrt(np.maximum(long, 1e-6)), dtype=np.float64)


def _average(share: Floats, span: int) -> Floats:
    """Exponential moving average with weight 2 / (span + 1) on the latest share; skips gaps."""
    weight = 2 / (span + 1)
    out, now = np.empty_like(share), np.full(share.shape[1], np.nan)
    for at, row in enumerate(share):
        now = np.where(np.isnan(now), row, np.where(np.isnan(row), now, now + weight * (row - now)))
        out[at] = now
    return out
