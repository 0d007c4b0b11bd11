"""Changes of a level over several horizons, each with its interval and verdict.

Belongs here: horizons, posteriors of a change (mixtures of normal distributions over components),
the rule of the verdict. Does not belong here: the model (`levels.py`), tables (`judging.py`).

Label and interval come from one posterior: `rising` means that the interval lies above no change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

from pipelines.trends.components import Weights, components
from pipelines.trends.grids import Bools, Floats, ordered_sums
from pipelines.trends.levels import State, Step, ahead, follow
from pipelines.trends.panels import Panel

HORIZONS: Final = {"month": 12, "quarter": 4, "half_year": 2, "year": 1}
"""Horizon → how many of them are in a year."""

INTERVAL_LEVEL: Final = 0.80
"""Level of the published intervals: 10 % of the probability on each side."""

CALLED: Final = (1 - INTERVAL_LEVEL) / 2
"""Largest probability of the wrong sign of a change called rising or falling."""

CALLED_MEAN: Final = 0.05
"""And the largest mean of that probability over the series so called (Bayesian FDR)."""

LIKELY: Final = 0.20
"""The same bound for `likely_rising` and `likely_falling`."""

FLAT_WITHIN: Final = float(np.log(1.2))
"""`flat`: the interval contains no change, and lies within this distance of it."""

MIN_PAPERS: Final = 10
"""Papers of a series up to the period; below, its changes are `unclear`."""

MAX_TEXT_DIFFERENCE: Final = 0.2
"""Periods whose share of papers with an abstract or keywords differs by more are not comparable."""

MAX_MIX_DIFFERENCE: Final = 0.1
"""Where a level is not standardised, periods whose mix of categories differs by more are not."""

BEGAN: Final = (0.8, 0.95, 0.33)
"""A change began when this part of it was still to come; and the bounds of when it began.

Of simulated doublings, at once or over 13 or 26 weeks, the bounds contain the beginning of 3 in 4.
"""

_BISECTIONS: Final = 5
_SECANTS: Final = 6
"""Errors of quantiles are below 1e-5 on the archive."""

_TINY: Final = 1e-300


@dataclass(frozen=True)
class Change:
    """The change of a horizon up to one period; one value per series.

    `growth` is the natural logarithm of the ratio of both levels: the posterior median, so that it
    has the likelier sign. `low` and `high` bound its 80 % interval; `sign_error` is the probability
    that its sign is wrong. `hold` is the probability that the share of the next quarter lies on
    this side of the earlier level. `began` is the number of base periods since the change began,
    within `began_from` and `began_to`.
    """

    growth: Floats
    low: Floats
    high: Floats
    sign_error: Floats
    hold: Floats
    level_before: Floats
    began: Floats
    began_from: Floats
    began_to: Floats


@dataclass(frozen=True)
class Position:
    """All that is stated as of one base period."""

    level: Floats
    level_low: Floats
    level_high: Floats
    changes: dict[str, Change]


@dataclass(frozen=True)
class _Posterior:
    """The distributions as of one base period."""

    level: _Mixture
    change: dict[str, _Mixture]
    outlook: dict[str, _Mixture]
    """From the earlier level to the share of the next quarter."""
    path: dict[str, Floats]
    """Mean change since 0, 1, 2, … periods ago, up to the horizon: lags × series."""


class Levels:
    """The fitted levels of a panel. Every statement as of a period uses only data up to it."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._parts = components(panel.periods_per_year)
        n_periods, n_cells, n_series = panel.n_papers.shape
        self._cells = (self._parts.noise.size, n_cells, n_series)
        self._standards = panel.standards
        self._ahead = ahead(self._parts, self.steps("quarter"))
        flat = (n_periods, n_cells * n_series)
        steps = follow(
            panel.n_papers.reshape(flat), panel.n_total.reshape(flat), panel.part_share,
            self._parts, self.steps("year"),
        )  # fmt: skip
        weights = Weights(self._parts.noise.size, n_series)
        seen = np.cumsum(panel.n_papers.sum(axis=1), axis=0) > 0
        self._known: dict[tuple[int, float], Position] = {}
        self._posteriors: list[_Posterior] = []
        for t, step in enumerate(steps):
            by_cell = step.log_likelihood.reshape(self._cells)
            current = weights.update(ordered_sums(by_cell, 1), seen[t])
            self._posteriors.append(self._posterior(t, step, current))

    def steps(self, horizon: str) -> int:
        """Base periods in a horizon, one at least."""
        return max(1, round(self.panel.periods_per_year / HORIZONS[horizon]))

    def at(self, t: int, interval: float = INTERVAL_LEVEL) -> Position:
        """The levels and changes as of base period t, with intervals of this level."""
        if (t, interval) not in self._known:
            self._known[t, interval] = _position(self._posteriors[t], (1 - interval) / 2)
        return self._known[t, interval]

    def _posterior(self, t: int, step: Step, weights: Floats) -> _Posterior:
        s, past = step.state, step.earlier
        now, variance = s.level.reshape(self._cells), s.p_xx.reshape(self._cells)
        current = self._standards[t] if self._standards[t].any() else self.panel.weights
        level, slope = _level(now, current)
        lags = past.level.shape[0]
        before = past.level.reshape(lags, *self._cells)
        standards = self._standards[t - 1 - np.arange(lags)]
        # Only cells observed by then count: a cell without an earlier level has no change.
        standards = np.where(standards.any(axis=1, keepdims=True), standards, current)
        growth = np.log(_level(now, standards)[0]) - np.log(_level(before, standards)[0])
        path = ordered_sums(growth * weights, 1)
        path = np.concatenate([np.zeros((1, path.shape[1])), path])
        future, future_variance = self._future(t, s)
        present = _Share(now, variance, past.with_level)
        coming = _Share(
            future, future_variance, past.with_level + self._ahead.slope * past.with_slope
        )
        change, outlook = {}, {}
        for name in HORIZONS:
            lag = self.steps(name) - 1
            if lag < lags:
                earlier = before[lag], past.variance[lag].reshape(self._cells), standards[lag]
                change[name], outlook[name] = (
                    _Mixture(*self._difference(share, lag, *earlier), weights)
                    for share in (present, coming)
                )
        return _Posterior(
            level=_Mixture(np.log(level), ordered_sums(slope**2 * variance, 1), weights),
            change=change,
            outlook=outlook,
            path={name: path[: self.steps(name) + 1] for name in change},
        )

    def _future(self, t: int, s: State) -> tuple[Floats, Floats]:
        """Mean and variance of the log odds of the next quarter's share, with its sampling error.

        The next quarter is taken to have as many papers as the last one.
        """
        g = self._ahead.slope
        mean = s.level + g * s.slope
        variance = s.p_xx + 2 * g * s.p_xb + g**2 * s.p_bb + self._ahead.variance[:, None]
        first = max(0, t + 1 - self.steps("quarter"))
        papers = self.panel.n_total[first : t + 1].sum(axis=0).reshape(1, -1)
        share = expit(mean)
        sampling = np.where(papers > 0, 1 / (np.maximum(papers, 1) * share * (1 - share)), 0.0)
        # The expected logarithm of a count is below the logarithm of its mean.
        mean = mean - sampling / 2
        return mean.reshape(self._cells), (variance + sampling).reshape(self._cells)

    def _difference(
        self, share: _Share, lag: int, before: Floats, variance: Floats, standard: Floats
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the logarithm of the ratio to an earlier level (delta method)."""
        level, slope = _level(share.log_odds, standard)
        level_before, slope_before = _level(before, standard)
        spread = (
            slope**2 * share.variance
            + slope_before**2 * variance
            - 2 * slope * slope_before * share.with_earlier[lag].reshape(self._cells)
        )
        return np.log(level) - np.log(level_before), np.maximum(ordered_sums(spread, 1), 1e-12)


@dataclass(frozen=True)
class _Share:
    """The log odds of a share: components × cells × series; and covariances with earlier levels."""

    log_odds: Floats
    variance: Floats
    with_earlier: Floats


def _level(log_odds: Floats, standard: Floats) -> tuple[Floats, Floats]:
    """The standardised share, and d ln(share) / d log odds of each cell.

    `log_odds` ends with components × cells × series, `standard` with cells.
    """
    share = expit(log_odds)
    weights = standard[..., None, :, None]
    level = ordered_sums(weights * share, -2)
    return level, weights * share * (1 - share) / level[..., None, :]


class _Mixture:
    """A mixture of normal distributions: components × series."""

    def __init__(self, means: Floats, variances: Floats, weights: Floats) -> None:
        self._means, self._sd, self._weights = means, np.sqrt(variances), weights
        self.mean: Floats = ordered_sums(weights * means, 0)

    def below(self, x: Floats) -> Floats:
        """Probability of a value below x."""
        return ordered_sums(self._weights * ndtr((x - self._means) / self._sd), 0)

    def quantile(self, p: float) -> Floats:
        """By regula falsi (Illinois), within the quantiles of the lowest and highest component.

        The first cut is at 0, so that a quantile is above 0 if and only if `below(0) < p`. Source:
        M. Dowell and P. Jarratt, *A modified regula falsi method*, BIT 11 (1971), 168-174.
        """
        ends = self._means + self._sd * ndtri(p)
        low, high = ends.min(axis=0), ends.max(axis=0)
        at_low, at_high = np.full_like(low, -p), np.full_like(low, 1 - p)
        was_low = np.zeros_like(low)
        x = np.clip(0.0, low, high)
        for step in range(1, _BISECTIONS + _SECANTS + 1):
            excess = self.below(x) - p
            is_low = excess < 0
            low, high = np.where(is_low, x, low), np.where(is_low, high, x)
            # An end that stays twice counts half, so that both ends move.
            at_high = np.where(is_low, np.where(was_low > 0, at_high / 2, at_high), excess)
            at_low = np.where(is_low, excess, np.where(was_low < 0, at_low / 2, at_low))
            was_low = np.where(is_low, 1.0, -1.0)
            x = (low + high) / 2
            if step >= _BISECTIONS:
                secant = (low * at_high - high * at_low) / np.maximum(at_high - at_low, _TINY)
                x = np.clip(secant, low, high)
        return np.asarray(x, dtype=np.float64)


def _position(posterior: _Posterior, tail: float) -> Position:
    level = posterior.level
    log_level = level.quantile(0.5)
    return Position(
        level=np.exp(log_level),
        level_low=np.exp(level.quantile(tail)),
        level_high=np.exp(level.quantile(1 - tail)),
        changes={
            name: _change(change, posterior.outlook[name], log_level, posterior.path[name], tail)
            for name, change in posterior.change.items()
        },
    )


def _change(
    change: _Mixture, outlook: _Mixture, level: Floats, path: Floats, tail: float
) -> Change:
    growth = change.quantile(0.5)
    zero = np.zeros_like(growth)
    falls, ends_below = change.below(zero), outlook.below(zero)
    began, earliest, latest = _began(growth, path)
    return Change(
        growth=growth,
        low=change.quantile(tail),
        high=change.quantile(1 - tail),
        sign_error=np.minimum(falls, 1 - falls),
        hold=np.where(growth > 0, 1 - ends_below, ends_below),
        level_before=np.exp(level - growth),
        began=began,
        began_from=earliest,
        began_to=latest,
    )


def _began(growth: Floats, path: Floats) -> tuple[Floats, Floats, Floats]:
    """How many base periods ago the change began, and the bounds of that.

    `path` has the change since 0, 1, 2, … periods ago. The largest of it in the direction of
    `growth` is the whole change. It began when a fifth of the whole had been made, at the latest
    possible time: the lowest level itself can be any period of a long flat stretch.
    """
    signed = path * np.sign(growth)
    whole = signed.max(axis=0)
    steps = np.arange(path.shape[0])[:, None]
    began, earliest, latest = (
        np.where(signed >= part * whole, steps, path.shape[0]).min(axis=0).astype(np.float64)
        for part in BEGAN
    )
    return began, earliest, latest


def verdicts(change: Change, is_comparable: Bools, n_papers: Floats) -> NDArray[np.str_]:
    """Return the verdict of each series over one horizon: see `docs/methodology.md`, Verdicts.

    `n_papers` counts the papers of the series up to the period. Series that are not comparable get
    `not_comparable`; the caller knows the reason.
    """
    can_call = is_comparable & (n_papers >= MIN_PAPERS)
    called = _called(change.sign_error, can_call & (change.sign_error < CALLED))
    likely = can_call & (change.sign_error <= LIKELY)
    is_up = change.growth > 0
    surely_differs = (change.low > 0) | (change.high < 0)
    flat = can_call & ~surely_differs & (change.low > -FLAT_WITHIN) & (change.high < FLAT_WITHIN)
    return np.select(
        [~is_comparable, called & is_up, called, flat, likely & is_up, likely],
        ["not_comparable", "rising", "falling", "flat", "likely_rising", "likely_falling"],
        "unclear",
    )


def _called(sign_error: Floats, candidates: Bools) -> Bools:
    """The candidates with the smallest errors whose mean error is at most `CALLED_MEAN`.

    Source: M. A. Newton et al., *Detecting differential gene expression with a semiparametric
    hierarchical mixture method*, Biostatistics 5 (2004), 155-176.
    """
    order = np.argsort(np.where(candidates, sign_error, np.inf), kind="stable")
    ranked = sign_error[order][: int(candidates.sum())]
    means = np.cumsum(ranked) / np.arange(1, ranked.size + 1)
    called = np.zeros(sign_error.shape, dtype=np.bool_)
    called[order[: int((means <= CALLED_MEAN).sum())]] = True
    return called
