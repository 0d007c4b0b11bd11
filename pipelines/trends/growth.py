"""Growth of a share between two windows: log ratio, interval and p-value.

Belongs here: windows, the extra variation of shares, the seasonal part, and the interval. Does not
belong here: what is called rising (`verdicts.py`) and the shares themselves (`shares.py`).
Formulas, sources and limits: docs/methodology.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from pipelines.trends.grids import Bools, Floats, Grid, Ints, row_sums

WINDOWS: Final = {"week": (4, 8), "month": (2, 2), "quarter": (1, 1)}
"""Per grain: periods in the current window, and in the one before it."""

USUAL_VARIANCE: Final = {"week": 0.01, "month": 0.008, "quarter": 0.003}
"""Extra variance of the log odds of one period's share, before data have their say (measured)."""

USUAL_WEIGHT: Final = 300.0
"""How many triples of periods, at some 20 papers each, `USUAL_VARIANCE` is worth."""

LEAST_VARIANCE: Final = 0.0025
"""The extra variance is never taken as less: no share is steadier than 5 % between periods."""

MIN_EXPECTED: Final = 1.0
"""Papers expected in each of three periods for them to tell of the extra variance."""

SEASON_WEIGHT: Final = 20.0
"""Squared standardised seasonal parts that "there is no season" is worth before data speak."""

MIN_SEASON_FACTOR: Final = 0.05
"""Below this the seasonal part is left out."""

MOST_GROWTH: Final = float(np.log(1000))
"""Growth and its bounds are held to a factor of 1000 either way: more means "from nothing"."""

MOST_CHANGE: Final = {"complete_share": 0.25, "text_share": 0.2}
"""Windows that differ by more in how they were observed are not compared. What is listed early in
a day is no sample of the day, and topics are found more often where there is more text: a change of
either would look like a change of the field."""

LEVEL: Final = 0.95
"""Of intervals."""

LESS: Final = 0.25
MORE: Final = 0.75
"""Papers added to the counts for a bound: 0 and 1 are Clopper and Pearson's, 1/2 and 1/2 Jeffreys'.
Half way the tests keep their level far out in the tail and the intervals are not far too wide."""


@dataclass(frozen=True)
class Windows:
    """Sums over the current window (1) and the one before (0), and why there may be none."""

    k1: Floats
    n1: Floats
    k0: Floats
    n0: Floats
    has_gap: Bools
    has_partial: Bools
    is_short: Bools
    differs: Mapping[str, Bools]
    """Whether the windows were observed too differently: a condition's name → cells."""

    @property
    def is_comparable(self) -> Bools:
        """No condition differs."""
        comparable: Bools = ~np.logical_or.reduce(list(self.differs.values()))
        return comparable

    @property
    def is_complete(self) -> Bools:
        """Every period of both windows is there, none is partial, and both have papers."""
        complete: Bools = ~(self.has_gap | self.has_partial | self.is_short | self.is_empty)
        return complete

    @property
    def is_empty(self) -> Bools:
        """The population (not the series) has no paper in one of the windows."""
        empty: Bools = (self.n1 == 0) | (self.n0 == 0)
        return empty


@dataclass(frozen=True)
class Law:
    """What the interval of each cell is taken from; NaN where the windows are not complete."""

    k1: Floats
    k0: Floats
    """The counts over the dispersion."""
    back: Floats
    """Log odds of the window before, were the share the same, less the season."""

    def bounds(self, level: Floats | float) -> tuple[Floats, Floats]:
        """Bounds at one level, or at each cell's own.

        Quantiles of the beta laws half way between Clopper and Pearson's and Jeffreys'.
        """
        low = _logit_quantile(self.k1 + LESS, self.k0 + MORE, (1 - level) / 2) + self.back
        high = _logit_quantile(self.k1 + MORE, self.k0 + LESS, (1 + level) / 2) + self.back
        return np.clip(low, -MOST_GROWTH, MOST_GROWTH), np.clip(high, -MOST_GROWTH, MOST_GROWTH)


@dataclass(frozen=True)
class Growth:
    """Growth of each cell: NaN where the windows are not complete."""

    windows: Windows
    growth: Floats
    low: Floats
    high: Floats
    p_value: Floats
    is_seasonal: Bools
    law: Law


def grow(grid: Grid, level: float = LEVEL) -> Growth:
    """Return the growth of every cell of a grid, net of a season where two years tell of one.

    `level` is that of the intervals.
    """
    windows = window_sums(grid)
    current, before = WINDOWS[grid.grain]
    noise = extra_variance(grid)[:, None] * (1 / current + 1 / before)
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
    """Return the growth of cells whose extra variance and seasonal part are known."""
    growth, p_value, law = _test(windows, noise, season, season_variance)
    low, high = law.bounds(level)
    is_seasonal = ~np.isnan(growth) & (season_variance > 0)
    return Growth(windows, np.clip(growth, low, high), low, high, p_value, is_seasonal, law)


def window_sums(grid: Grid) -> Windows:
    """Return the sums over both windows that end with each period."""
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
            for name, most in MOST_CHANGE.items()
        },
    )


def _differs(grid: Grid, condition: Floats, most: float, current: int, span: int) -> Bools:
    """Whether a condition's means over both windows, where they are known, are further apart."""
    is_known = grid.is_usable & ~np.isnan(condition)
    whole = np.where(is_known, condition, 0.0)
    n1 = _trailing(is_known.astype(np.float64), grid.ticks, current)
    n0 = _trailing(is_known.astype(np.float64), grid.ticks, span) - n1
    whole1 = _trailing(whole, grid.ticks, current)
    whole0 = _trailing(whole, grid.ticks, span) - whole1
    differs: Bools = np.abs(_ratio(whole1, n1) - _ratio(whole0, n0)) > most
    return differs & (n1 > 0) & (n0 > 0)


def extra_variance(grid: Grid) -> Floats:
    """Return for each period the extra variance of the log odds of a share, from earlier ones only.

    It is the part that does not last: minus the product of two successive changes of a share (over
    p (1 - p), so of its log odds), less what chance alone brings, averaged over all series and
    triples of neighbouring periods before this one, and held to `USUAL_VARIANCE` while these are
    few.
    """
    usual = USUAL_VARIANCE[grid.grain]
    total = np.zeros(grid.ticks.size)
    weight = np.zeros(grid.ticks.size)
    last = np.arange(2, grid.ticks.size)
    last = last[grid.ticks[last] - grid.ticks[last - 2] == 2]
    if last.size:
        triple = [last - 2, last - 1, last]
        k = np.stack([grid.n_papers[at] for at in triple])
        n = np.stack([grid.n_total[at] for at in triple])
        pooled = _ratio(k.sum(axis=0), n.sum(axis=0))
        tells = (
            np.logical_and.reduce([grid.is_usable[at] for at in triple])
            & (pooled * n.min(axis=0) >= MIN_EXPECTED)
            & (pooled < 1)
        )
        pooled = np.where(tells, pooled, 0.5)
        odds = pooled * (1 - pooled)
        shares = _ratio(k, n) / odds
        chance = np.where(tells, _ratio(np.ones_like(odds), n[1] * odds), 0.0)
        product = -(shares[2] - shares[1]) * (shares[1] - shares[0]) - chance
        weights = np.where(tells, 1 / (chance + 4 * usual) ** 2, 0.0)
        total[last] = row_sums(weights * np.where(tells, product, 0.0))
        weight[last] = row_sums(weights)
    prior = USUAL_WEIGHT / (0.05 + 4 * usual) ** 2
    estimate = (_before(total) + prior * usual) / (_before(weight) + prior)
    return np.maximum(estimate, LEAST_VARIANCE)


def _log_ratio(windows: Windows, noise: Floats) -> tuple[Floats, Floats]:
    """Log ratio of both shares, half a paper added to each, and its variance; NaN if none."""
    at = windows.is_complete
    k1, n1, k0, n0 = windows.k1[at] + 0.5, windows.n1[at], windows.k0[at] + 0.5, windows.n0[at]
    pooled = (k1 + k0 - 0.5) / (n1 + n0 + 1)
    ratio, variance = np.full(at.shape, np.nan), np.full(at.shape, np.nan)
    ratio[at] = np.log(k1 / n1) - np.log(k0 / n0)
    extra = np.broadcast_to(noise, at.shape)[at] * (1 - pooled) ** 2
    variance[at] = (1 - pooled) * (1 / k1 + 1 / k0) + extra
    return ratio, variance


def _season(grid: Grid, windows: Windows, plain: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """The part of the growth that the season explains, and the variance that taking it out adds.

    Both are 0 where less than two years tell of it. The seasonal part is the growth of the same
    windows a year before, less the mean growth over the year around them, times a factor between 0
    and 1: the regression slope, over all series and earlier periods, of a growth (less the same
    mean) on that part.
    """
    year, half = grid.periods_a_year, grid.periods_a_year // 2
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
    is_seen = windows.k1 + windows.k0 > 0  # a series without a paper tells of no season
    tells = is_there[:, None] & valid & valid[centre] & (n_year >= 0.8 * year)
    tells &= is_seen & is_seen[centre]
    part = np.where(tells, plain[centre] - mean, 0.0)
    rest = np.where(tells, plain - mean, 0.0)
    weights = _ratio(tells.astype(np.float64), np.where(valid, variance, 1.0))
    both, alone = row_sums(weights * part * rest), row_sums(weights * part * part)
    factor = np.clip(_before(both) / (_before(alone) + SEASON_WEIGHT), 0.0, 1.0)[:, None]
    takes = tells & (factor >= MIN_SEASON_FACTOR)
    spread = np.where(valid[centre], variance[centre], 0.0)
    return np.where(takes, factor * part, 0.0), np.where(takes, factor**2 * spread, 0.0)


def _test(
    windows: Windows, noise: Floats, season: Floats, season_variance: Floats
) -> tuple[Floats, Floats, Law]:
    """Growth, its p-value and the law of its interval, from the conditional law of the two counts.

    Given k1 + k0 papers in both windows, k1 is binomial, with probability t = n1 / (n1 + n0) if the
    share did not change. Both counts are divided by the dispersion. The growth has a prior worth
    one paper, centred on no change.
    """
    at = windows.is_complete
    k1, n1, k0, n0 = windows.k1[at], windows.n1[at], windows.k0[at], windows.n0[at]
    still = n1 / (n1 + n0)
    pooled = (k1 + k0 + 0.5) / (n1 + n0 + 1)
    expected = (k1 + k0) * still * (1 - still)  # 1 / (1 / e1 + 1 / e0), e: papers expected if still
    extra = np.broadcast_to(noise, at.shape)[at] * (1 - pooled) ** 2 + season_variance[at]
    dispersion = 1 - pooled + extra * expected
    k1, k0 = k1 / dispersion, k0 / dispersion
    back = np.log(n0 / n1) - season[at]
    null = special.expit(-back)
    growth = np.log((k1 + still) / (k0 + 1 - still)) + back
    # One tail alone, from its own side, so that tiny p-values keep their digits.
    rises = growth > 0
    tail = special.betainc(
        np.where(rises, k1, k0) + LESS,
        np.where(rises, k0, k1) + MORE,
        np.where(rises, null, 1 - null),
    )

    def cells(values: Floats) -> Floats:
        out = np.full(windows.k1.shape, np.nan)
        out[at] = values
        return out

    law = Law(cells(k1), cells(k0), cells(back))
    return cells(growth), cells(np.minimum(1.0, 2 * tail)), law


def _logit_quantile(alpha: Floats, beta: Floats, level: Floats | float) -> Floats:
    """Logit of a quantile of the beta law, finite at both ends."""
    at = special.betaincinv(alpha, beta, level)
    tiny = np.finfo(np.float64).tiny
    odds = np.log(np.maximum(at, tiny)) - np.log(np.maximum(1 - at, tiny))
    return np.asarray(odds, dtype=np.float64)


def _trailing(cells: Floats, ticks: Ints, width: int) -> Floats:
    """Sum over the `width` calendar periods that end with each period; whole numbers stay exact."""
    total = np.vstack([np.zeros((1, cells.shape[1])), np.cumsum(cells, axis=0)])
    return total[1:] - total[np.searchsorted(ticks, ticks - width + 1)]


def _before(values: Floats) -> Floats:
    """Running sum over what comes before each entry."""
    return np.concatenate([[0.0], np.cumsum(values)[:-1]])


def _ratio(top: Floats, bottom: Floats) -> Floats:
    """Quotient; 0 where the bottom is 0."""
    return np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0)
