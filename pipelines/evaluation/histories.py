"""What was stated at each period of a population, and what followed.

Belongs here: statements, the shares after them, and what simpler methods state of the same rows.
Does not belong here: measures (`backtest.py`), the simpler methods themselves (`rivals.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.rivals import (
    MIN_SEEN,
    RANDOM_WALK,
    TWO_WINDOWS,
    Dense,
    RandomWalk,
    dense,
    random_walk,
    two_windows,
)
from pipelines.trends.changes import HORIZONS
from pipelines.trends.grids import (
    KEYS,
    PERIODS_PER_YEAR,
    Bools,
    Floats,
    Grid,
    Ints,
    check,
    grids,
    start_of,
)
from pipelines.trends.panels import CATEGORY_WEIGHTS, base_grain

OURS: Final = "verdicts"
AS_MANY: Final = "as many"
"""The surest rows, as many as the random walk calls."""
SETTINGS: Final = tuple((p, g) for p in ("hf_daily", "arxiv") for g in ("week", "month", "quarter"))

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
    over_share: Floats
    """Log ratio of the next quarter's share to that of the quarter a horizon earlier."""
    n_before: Floats
    """Papers of the topic in a quarter at the earlier level."""
    calls: Mapping[str, Floats]
    """Method → what it calls: 1, -1 or 0; only stated rows."""
    scores: Mapping[str, Floats]
    """Method → score of rising, larger is stronger."""

    @property
    def has_outcome(self) -> Bools:
        """Stated rows whose next quarter is known."""
        return np.asarray(self.is_stated & ~np.isnan(self.over_before), dtype=np.bool_)

    @property
    def name(self) -> str:
        """`hf_daily week, year`."""
        return f"{self.population} {self.grain}, {self.horizon.replace('_', '-')}"


@dataclass(frozen=True)
class _Base:
    """The base grain of a population, which the simpler methods see."""

    grain: str
    counts: Dense
    walk: RandomWalk

    @property
    def periods_per_year(self) -> int:
        return PERIODS_PER_YEAR[self.grain]

    def at(self, grid: Grid) -> Ints:
        """The last base period that ends by the end of each period; -1 without one."""
        ends = start_of(
            np.arange(self.counts.n_total.shape[0]) + self.counts.first_tick + 1, self.grain
        )
        own = start_of(grid.ticks + 1, grid.grain)
        return np.asarray(np.searchsorted(ends, own, side="right") - 1, dtype=np.int64)


def _base(counts: pl.DataFrame, population: str) -> _Base | None:
    own = check(counts.filter(pl.col("population") == population))
    parts = {g.grain: g for g in grids(own)}
    end = max((int(start_of(g.ticks[-1:] + 1, g.grain)[0]) for g in parts.values()), default=0)
    grain = base_grain(list(parts.values()), end)
    if grain is None:
        return None
    seen = dense(parts[grain])
    return _Base(grain, seen, RandomWalk(seen, PERIODS_PER_YEAR[grain]))


def histories(counts: pl.DataFrame, judged: pl.DataFrame) -> Iterator[History]:
    """Yield the history of each published population, grain and horizon.

    `judged` is the output of `judge` for `counts`.
    """
    rows = counts.sort(KEYS).hstack(judged.sort(KEYS).drop(KEYS))
    bases: dict[str, _Base | None] = {}
    for population, grain in SETTINGS:
        own = rows.filter(population=population, grain=grain)
        if own.is_empty() or own["level"].is_null().all():
            continue
        if population not in bases:
            bases[population] = _base(counts, population)
        base = bases[population]
        if base is None:
            continue
        (grid,) = grids(check(own))
        shares = standardised(counts, population, grain, grid)
        for horizon in HORIZONS:
            yield _history(own, grid, shares, horizon, base)


def standardised(counts: pl.DataFrame, population: str, grain: str, grid: Grid) -> Floats:
    """Return raw shares by period and topic; for `arxiv`, weighted means over its categories."""
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


class _Cells:
    """Columns of judged rows as periods × topics."""

    def __init__(self, own: pl.DataFrame, grid: Grid, horizon: str) -> None:
        self._own, self._grid, self._horizon = own, grid, horizon

    def of(self, name: str) -> Floats:
        """A column of the horizon; NaN where null."""
        return self._spread(self._own[f"{self._horizon}_{name}"].cast(pl.Float64))

    def verdicts(self, numbers: Mapping[str, float]) -> Floats:
        """A number for each verdict, 0 for the others."""
        return np.nan_to_num(
            self._spread(self._own[f"{self._horizon}_verdict"].replace_strict(numbers, default=0.0))
        )

    def _spread(self, values: pl.Series) -> Floats:
        cells = np.full(self._grid.n_papers.shape, np.nan)
        cells[self._grid.is_present] = values.to_numpy()[self._grid.rows[self._grid.is_present]]
        return cells


def _history(own: pl.DataFrame, grid: Grid, shares: Floats, horizon: str, base: _Base) -> History:
    cells = _Cells(own, grid, horizon)
    year = PERIODS_PER_YEAR[grid.grain]
    quarter, steps = year // 4, max(1, year // HORIZONS[horizon])
    following = _log(mean_over(grid, shares, 1, quarter + 1))
    current, earlier = (
        _log(mean_over(grid, shares, 1 - quarter - back, 1 - back)) for back in (0, steps)
    )
    growth, before = cells.of("growth"), _log(cells.of("level_before"))
    comparable = grid.is_present & (cells.verdicts({"not_comparable": 1.0}) == 0)
    stated = comparable & ~np.isnan(growth)
    error, hold, at = cells.of("sign_error"), cells.of("hold_probability"), base.at(grid)
    called = cells.verdicts(_CALLED)
    back = max(1, base.periods_per_year // HORIZONS[horizon])
    walk = random_walk(base.walk, at, back, stated)
    window = min(back, base.periods_per_year // 4)
    windows = two_windows(base.counts, at, back, window, stated)
    return History(
        population=str(own["population"][0]),
        grain=grid.grain,
        horizon=horizon,
        ticks=grid.ticks,
        is_stated=stated,
        called=called,
        likely=cells.verdicts(_LIKELY),
        probability=np.where(growth > 0, hold, 1 - hold),
        growth=growth,
        over_before=following - before,
        over_now=following - before - growth,
        over_share=following - earlier,
        n_before=np.exp(before) * grid.n_total * quarter,
        calls={
            OURS: np.where(stated, called, 0.0),
            AS_MANY: _surest(stated, error, growth, int((walk.calls != 0).sum())),
            RANDOM_WALK: walk.calls,
            TWO_WINDOWS: windows.calls,
        },
        scores={
            OURS: growth,
            "raw growth": current - earlier,
            "MACD": _macd(shares, quarter),
            "persistence": _log(shares) - earlier,
            RANDOM_WALK: walk.score,
            TWO_WINDOWS: windows.score,
        },
    )


def _surest(stated: Bools, error: Floats, growth: Floats, n: int) -> Floats:
    """The direction of the n stated rows with the smallest probability of the wrong sign."""
    order = np.argsort(np.where(stated, error, np.inf), axis=None, kind="stable")[:n]
    calls = np.zeros(stated.size)
    calls[order] = np.sign(growth.ravel()[order])
    return calls.reshape(stated.shape)


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
