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

from pipelines.trends.components import components, posterior_weights
from pipelines.trends.grids import Bools, Floats, ordered_sums
from pipelines.trends.levels import Filtered, Lag, filter_levels, smooth_back
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

BEGAN: Final = (0.8, 0.95, 0.4)
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
    that its sign is wrong. `began` is the number of base periods since the change began, within
    `began_from` and `began_to`.
    """

    growth: Floats
    low: Floats
    high: Floats
    sign_error: Floats
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


class Levels:
    """The fitted levels of a panel. Every statement as of a period uses only data up to it."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self._q, s2 = components(panel.periods_per_year)
        n_periods, n_cells, n_series = panel.n_papers.shape
        flat = (n_periods, n_cells * n_series)
        self._filtered: Filtered = filter_levels(
            panel.n_papers.reshape(flat),
            panel.n_total.reshape(flat),
            panel.part_share[:, None],
            self._q,
            s2,
        )
        by_cell = self._filtered.log_likelihood.reshape(n_periods, -1, n_cells, n_series)
        seen = np.cumsum(panel.n_papers.sum(axis=1), axis=0) > 0
        self._weights = posterior_weights(by_cell.sum(axis=2), seen)
        self._standards = panel.standards
        self._known: dict[tuple[int, float], Position] = {}
        self._cells = (self._q.size, n_cells, n_series)

    def steps(self, horizon: str) -> int:
        """Base periods in a horizon, one at least."""
        return max(1, round(self.panel.periods_per_year / HORIZONS[horizon]))

    def at(self, t: int, interval: float = INTERVAL_LEVEL) -> Position:
        """The levels and changes as of base period t, with intervals of this level."""
        if (t, interval) not in self._known:
            self._known[t, interval] = self._at(t, (1 - interval) / 2)
        return self._known[t, interval]

    def _at(self, t: int, tail: float) -> Position:
        now = self._filtered.level[t].reshape(self._cells)
        variance = self._filtered.level_variance[t].reshape(self._cells)
        standard = self._standards[t]
        level, slope = _level(now, standard)
        mixture = _Mixture(np.log(level), ordered_sums(slope**2 * variance, 1), self._weights[t])
        log_level = mixture.quantile(0.5)
        horizons = {self.steps(name): name for name in HORIZONS}
        path = [np.zeros_like(log_level)]
        changes: dict[str, Change] = {}
        for lag in smooth_back(self._filtered, t, self._q, max(horizons)):
            change = self._change(lag, t, now, variance)
            path.append(change.mean)
            if name := horizons.get(lag.steps):
                changes[name] = _as_change(change, log_level, path, tail)
        return Position(
            level=np.exp(log_level), level_low=np.exp(mixture.quantile(tail)),
            level_high=np.exp(mixture.quantile(1 - tail)), changes=changes,
        )  # fmt: skip

    def _change(self, lag: Lag, t: int, now: Floats, variance: Floats) -> _Mixture:
        """The change since the lag, by the delta method.

        Only cells observed by then count: a cell without an earlier level has no change.
        """
        standard = self._standards[t - lag.steps]
        if not standard.any():
            standard = self._standards[t]
        level, slope = _level(now, standard)
        before, slope_before = _level(lag.level.reshape(self._cells), standard)
        spread = (
            slope**2 * variance
            + slope_before**2 * lag.level_variance.reshape(self._cells)
            - 2 * slope * slope_before * lag.covariance.reshape(self._cells)
        )
        return _Mixture(
            np.log(level) - np.log(before),
            np.maximum(ordered_sums(spread, 1), 1e-12),
            self._weights[t],
        )


def _level(log_odds: Floats, standard: Floats) -> tuple[Floats, Floats]:
    """The standardised share, components × series, and d ln(share) / d log odds by cell."""
    share = expit(log_odds)
    weights = standard[None, :, None]
    level = ordered_sums(weights * share, 1)
    return level, weights * share * (1 - share) / level[:, None, :]


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


def _as_change(change: _Mixture, level: Floats, path: list[Floats], tail: float) -> Change:
    growth = change.quantile(0.5)
    falls = change.below(np.zeros_like(growth))
    began, earliest, latest = _began(growth, path)
    return Change(
        growth=growth,
        low=change.quantile(tail),
        high=change.quantile(1 - tail),
        sign_error=np.minimum(falls, 1 - falls),
        level_before=np.exp(level - growth),
        began=began,
        began_from=earliest,
        began_to=latest,
    )


def _began(growth: Floats, path: list[Floats]) -> tuple[Floats, Floats, Floats]:
    """How many base periods ago the change began, and the bounds of that.

    `path` has the change since 0, 1, 2, … periods ago. The largest of it in the direction of
    `growth` is the whole change. It began when a fifth of the whole had been made, at the latest
    possible time: the lowest level itself can be any period of a long flat stretch.
    """
    signed = np.stack(path) * np.sign(growth)
    whole = signed.max(axis=0)
    steps = np.arange(len(path))[:, None]
    began, earliest, latest = (
        np.where(signed >= part * whole, steps, len(path)).min(axis=0).astype(np.float64)
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
