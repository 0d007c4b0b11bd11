"""Growth of a share between two windows: log ratio, interval and p-value.

Belongs here: windows, overdispersion, the seasonal component, the interval and the test. Does not
belong here: verdicts (`verdicts.py`), shares of single periods (`shares.py`). For formulas, sources
and limits see docs/methodology.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from pipelines.trends.grids import Bools, Floats, Grid, Ints, row_sums

WINDOWS: Final = {"week": (4, 8), "month": (2, 2), "quarter": (1, 1)}
"""Per grain: number of periods in the current and in the previous window."""

PRIOR_OVERDISPERSION: Final = {"week": 0.01, "month": 0.008, "quarter": 0.003}
"""Prior of the overdispersion, the additional variance of the log odds of one period's share.
Measured."""

PRIOR_WEIGHT: Final = 300.0
"""Weight of `PRIOR_OVERDISPERSION`, in triples of periods with about 20 papers each."""

MIN_OVERDISPERSION: Final = 0.0025
"""Lower bound of the overdispersion: a standard deviation of 5 % between periods."""

MIN_EXPECTED: Final = 1.0
"""Least expected papers per period of a triple that is used to estimate the overdispersion."""

SEASON_WEIGHT: Final = 20.0
"""Weight of the prior "no season", in squared standardised seasonal components."""

MIN_SEASON_FACTOR: Final = 0.05
"""A seasonal component with a smaller factor is left out."""

MAX_GROWTH: Final = float(np.log(1000))
"""Growth and its bounds are clipped to a factor of 1000. More means that there was nothing."""

MAX_CHANGE: Final = {"complete_share": 0.25, "text_share": 0.2}
"""Windows whose data collection differs by more are not comparable. A list captured early in the
day is not a sample of the day, and topics are found more often in longer texts. Either change
would look like a trend."""

LEVEL: Final = 0.95
"""Level of intervals."""

SHAPE_LOW: Final = 0.25
SHAPE_HIGH: Final = 0.75
"""Added to the counts to get the shape parameters of a bound. Clopper-Pearson adds 0 and 1,
Jeffreys 1/2 and 1/2. The midpoint keeps the level of the test in the far tail, with shorter
intervals than Clopper-Pearson."""


@dataclass(frozen=True)
class Windows:
    """Sums over the current (1) and the previous window (0), and why they may be incomplete."""

    k1: Floats
    n1: Floats
    k0: Floats
    n0: Floats
    has_gap: Bools
    has_partial: Bools
    is_short: Bools
    differs: Mapping[str, Bools]
    """Column of `OPTIONAL_SCHEMA` → whether it changed by more than `MAX_CHANGE`."""

    @property
    def is_comparable(self) -> Bools:
        """Whether data collection is comparable in both windows."""
        comparable: Bools = ~np.logical_or.reduce(list(self.differs.values()))
        return comparable

    @property
    def is_complete(self) -> Bools:
        """Whether no period is missing or partial and the population has papers in both."""
        complete: Bools = ~(self.has_gap | self.has_partial | self.is_short | self.is_empty)
        return complete

    @property
    def is_empty(self) -> Bools:
        """Whether the population (not the series) has no paper in one of the windows."""
        empty: Bools = (self.n1 == 0) | (self.n0 == 0)
        return empty


@dataclass(frozen=True)
class GrowthDistribution:
    """Parameters of the beta distributions behind the interval; NaN for incomplete windows."""

    k1: Floats
    k0: Floats
    """Counts divided by the dispersion."""
    offset: Floats
    """Log ratio of the totals, previous over current window, minus the seasonal component."""

    def bounds(self, level: Floats | float) -> tuple[Floats, Floats]:
        """Return the bounds of growth at one level, or at a level per cell.

        Quantiles of beta distributions midway between Clopper-Pearson's and Jeffreys'.
        """
        low = _logit_quantile(self.k1 + SHAPE_LOW, self.k0 + SHAPE_HIGH, (1 - level) / 2)
        high = _logit_quantile(self.k1 + SHAPE_HIGH, self.k0 + SHAPE_LOW, (1 + level) / 2)
        return (
            np.clip(low + self.offset, -MAX_GROWTH, MAX_GROWTH),
            np.clip(high + self.offset, -MAX_GROWTH, MAX_GROWTH),
        )


@dataclass(frozen=True)
class Growth:
    """Growth of each cell, a natural logarithm; NaN for incomplete windows."""

    windows: Windows
    growth: Floats
    low: Floats
    high: Floats
    p_value: Floats
    is_seasonal: Bools
    distribution: GrowthDistribution


def grow(grid: Grid, level: float = LEVEL) -> Growth:
    """Return the growth of every cell, seasonally adjusted where there are two years of data.

    `level` is the level of the intervals.
    """
    windows = window_sums(grid)
    current, before = WINDOWS[grid.grain]
    noise = overdispersion(grid)[:, None] * (1 / current + 1 / before)
    plain, variance = _log_ratio(windows, noise)
    season, season_variance = _season(grid, windows, plain, variance)
    return growth_of(windows, noise, season, season_variance, level)


def growth_of(
    windows: Windows,
    noise: Floats,
    season: Floats,
    season_variance: Floats,
    level: float = LEVEL,
) -> Growth:
    """Return the growth of cells, given the overdispersion and the seasonal component."""
    growth, p_value, distribution = _test(windows, noise, season, season_variance)
    low, high = distribution.bounds(level)
    is_seasonal = ~np.isnan(growth) & (season_variance > 0)
    clipped = np.clip(growth, low, high)
    return Growth(windows, clipped, low, high, p_value, is_seasonal, distribution)


def window_sums(grid: Grid) -> Windows:
    """Return the sums over both windows as of each period."""
    current, before = WINDOWS[grid.grain]
    span = current + before
    usable = grid.is_usable
    k = np.where(usable, grid.n_papers, 0.0)
    n = np.where(usable, grid.n_total, 0.0)
    n_present = _trailing(grid.is_present.astype(np.float64), grid.ticks, span)
    n_usable = _trailing(usable.astype(np.float64), grid.ticks, span)
    k1, n1 = _trailing(k, grid.ticks, current), _trailing(n, grid.ticks, current)
    return Windows(
        k1=k1,
        n1=n1,
        k0=_trailing(k, grid.ticks, span) - k1,
        n0=_trailing(n, grid.ticks, span) - n1,
        has_gap=n_present < span,
        has_partial=n_usable < n_present,
        is_short=np.broadcast_to((grid.ticks - grid.ticks[0] + 1 < span)[:, None], k.shape),
        differs={
            name: _differs(grid, grid.conditions[name], most, current, span)
            for name, most in MAX_CHANGE.items()
        },
    )


def _differs(grid: Grid, condition: Floats, most: float, current: int, span: int) -> Bools:
    """Whether the means of a condition over both windows differ by more than `most`."""
    is_known = grid.is_usable & ~np.isnan(condition)
    known = np.where(is_known, condition, 0.0)
    n1 = _trailing(is_known.astype(np.float64), grid.ticks, current)
    n0 = _trailing(is_known.astype(np.float64), grid.ticks, span) - n1
    sum1 = _trailing(known, grid.ticks, current)
    sum0 = _trailing(known, grid.ticks, span) - sum1
    differs: Bools = np.abs(_ratio(sum1, n1) - _ratio(sum0, n0)) > most
    return differs & (n1 > 0) & (n0 > 0)


def overdispersion(grid: Grid) -> Floats:
    """Return for each period the overdispersion of a share's log odds, from earlier periods only.

    This is the variance that does not persist. The estimate is minus the product of two successive
    changes of a share (divided by p (1 - p), to get log odds), minus its expectation under binomial
    sampling, averaged over all series and triples of adjacent periods before this one. It is shrunk
    towards `PRIOR_OVERDISPERSION`.
    """
    prior_value = PRIOR_OVERDISPERSION[grid.grain]
    total = np.zeros(grid.ticks.size)
    weight = np.zeros(grid.ticks.size)
    last = np.arange(2, grid.ticks.size)
    last = last[grid.ticks[last] - grid.ticks[last - 2] == 2]
    if last.size:
        triple = [last - 2, last - 1, last]
        k = np.stack([grid.n_papers[at] for at in triple])
        n = np.stack([grid.n_total[at] for at in triple])
        pooled = _ratio(k.sum(axis=0), n.sum(axis=0))
        is_used = (
            np.logical_and.reduce([grid.is_usable[at] for at in triple])
            & (pooled * n.min(axis=0) >= MIN_EXPECTED)
            & (pooled < 1)
        )
        pooled = np.where(is_used, pooled, 0.5)
        odds = pooled * (1 - pooled)
        shares = _ratio(k, n) / odds
        sampling = np.where(is_used, _ratio(np.ones_like(odds), n[1] * odds), 0.0)
        product = -(shares[2] - shares[1]) * (shares[1] - shares[0]) - sampling
        weights = np.where(is_used, 1 / (sampling + 4 * prior_value) ** 2, 0.0)
        total[last] = row_sums(weights * np.where(is_used, product, 0.0))
        weight[last] = row_sums(weights)
    prior = PRIOR_WEIGHT / (0.05 + 4 * prior_value) ** 2
    estimate = (_before(total) + prior * prior_value) / (_before(weight) + prior)
    return np.maximum(estimate, MIN_OVERDISPERSION)


def _log_ratio(windows: Windows, noise: Floats) -> tuple[Floats, Floats]:
    """Log ratio of both shares, half a paper added to each, and its variance; NaN if incomplete."""
    at = windows.is_complete
    k1, n1, k0, n0 = windows.k1[at] + 0.5, windows.n1[at], windows.k0[at] + 0.5, windows.n0[at]
    pooled = (k1 + k0 - 0.5) / (n1 + n0 + 1)
    ratio, variance = np.full(at.shape, np.nan), np.full(at.shape, np.nan)
    ratio[at] = np.log(k1 / n1) - np.log(k0 / n0)
    extra = np.broadcast_to(noise, at.shape)[at] * (1 - pooled) ** 2
    variance[at] = (1 - pooled) * (1 / k1 + 1 / k0) + extra
    return ratio, variance


def _season(grid: Grid, windows: Windows, plain: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """The seasonal component of growth, and the variance that subtracting it adds.

    Both are 0 with less than two years of data. The component is the growth of the same windows a
    year earlier, minus the mean growth over the year around them, times a factor from 0 to 1: the
    slope of the regression, over all series and earlier periods, of growth (minus that mean) on the
    component.
    """
    year, half = grid.periods_per_year, grid.periods_per_year // 2
    nothing = np.zeros_like(plain)
    centre = np.searchsorted(grid.ticks, grid.ticks - year)
    is_there = grid.ticks[np.minimum(centre, grid.ticks.size - 1)] == grid.ticks - year
    is_there &= grid.ticks - grid.ticks[0] + 1 >= 2 * year
    if not is_there.any():
        return nothing, nothing
    valid = ~np.isnan(plain)
    from_, to = (np.searchsorted(grid.ticks, grid.ticks - year + at) for at in (-half, half))
    sums, counts = (
        np.vstack([np.zeros((1, plain.shape[1])), np.cumsum(cells, axis=0)])
        for cells in (np.where(valid, plain, 0.0), valid.astype(np.float64))
    )
    n_year = counts[to] - counts[from_]
    mean = _ratio(sums[to] - sums[from_], n_year)
    has_papers = windows.k1 + windows.k0 > 0  # a series without papers has no season
    is_used = is_there[:, None] & valid & valid[centre] & (n_year >= 0.8 * year)
    is_used &= has_papers & has_papers[centre]
    part = np.where(is_used, plain[centre] - mean, 0.0)
    rest = np.where(is_used, plain - mean, 0.0)
    weights = _ratio(is_used.astype(np.float64), np.where(valid, variance, 1.0))
    both, alone = row_sums(weights * part * rest), row_sums(weights * part * part)
    factor = np.clip(_before(both) / (_before(alone) + SEASON_WEIGHT), 0.0, 1.0)[:, None]
    is_adjusted = is_used & (factor >= MIN_SEASON_FACTOR)
    spread = np.where(valid[centre], variance[centre], 0.0)
    return np.where(is_adjusted, factor * part, 0.0), np.where(is_adjusted, factor**2 * spread, 0.0)


def _test(
    windows: Windows, noise: Floats, season: Floats, season_variance: Floats
) -> tuple[Floats, Floats, GrowthDistribution]:
    """Growth, its p-value and its distribution, by the conditional binomial test of both counts.

    Given k1 + k0 papers in both windows, k1 is binomial with probability t = n1 / (n1 + n0) if the
    share did not change. Both counts are divided by the dispersion. The estimate of growth has a
    prior with the weight of one paper, centred on no change.
    """
    at = windows.is_complete
    k1, n1, k0, n0 = windows.k1[at], windows.n1[at], windows.k0[at], windows.n0[at]
    null_share = n1 / (n1 + n0)
    pooled = (k1 + k0 + 0.5) / (n1 + n0 + 1)
    # 1 / (1 / e1 + 1 / e0) with the expected counts e under the null hypothesis
    expected = (k1 + k0) * null_share * (1 - null_share)
    extra = np.broadcast_to(noise, at.shape)[at] * (1 - pooled) ** 2 + season_variance[at]
    dispersion = 1 - pooled + extra * expected
    k1, k0 = k1 / dispersion, k0 / dispersion
    offset = np.log(n0 / n1) - season[at]
    null = special.expit(-offset)
    growth = np.log((k1 + null_share) / (k0 + 1 - null_share)) + offset
    # Each tail is computed from its side, so that tiny p-values keep their precision.
    rises = growth > 0
    tail = special.betainc(
        np.where(rises, k1, k0) + SHAPE_LOW,
        np.where(rises, k0, k1) + SHAPE_HIGH,
        np.where(rises, null, 1 - null),
    )

    def cells(values: Floats) -> Floats:
        out = np.full(windows.k1.shape, np.nan)
        out[at] = values
        return out

    distribution = GrowthDistribution(cells(k1), cells(k0), cells(offset))
    return cells(growth), cells(np.minimum(1.0, 2 * tail)), distribution


def _logit_quantile(alpha: Floats, beta: Floats, level: Floats | float) -> Floats:
    """Logit of a quantile of the beta distribution, finite at both ends."""
    at = special.betaincinv(alpha, beta, level)
    tiny = np.finfo(np.float64).tiny
    odds = np.log(np.maximum(at, tiny)) - np.log(np.maximum(1 - at, tiny))
    return np.asarray(odds, dtype=np.float64)


def _trailing(cells: Floats, ticks: Ints, width: int) -> Floats:
    """Sum over the `width` calendar periods up to each period; exact for integers."""
    total = np.vstack([np.zeros((1, cells.shape[1])), np.cumsum(cells, axis=0)])
    return total[1:] - total[np.searchsorted(ticks, ticks - width + 1)]


def _before(values: Floats) -> Floats:
    """Cumulative sum over the preceding entries."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotient; 0 where the denominator is 0."""
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)
