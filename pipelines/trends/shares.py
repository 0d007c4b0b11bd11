"""Shares with memory: an empirical-Bayes share of each series in each period, with interval.

Belongs here: the prior over series, the drifting past, and the credible interval. Does not belong
here: growth. Formulas, sources and limits: docs/methodology.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from pipelines.trends.grids import Floats, Grid, row_sums
from pipelines.trends.growth import LEVEL, extra_variance

DRIFTS: Final = (0.0, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.3)
"""Candidates for how much the log odds of a share drift: variance per period of a random walk."""

USUAL_DRIFT: Final = {"week": 0.01, "month": 0.05, "quarter": 0.1}
"""The candidate that holds before data have their say (measured)."""

STEP_COST: Final = 3.0
"""Log probability that a candidate must gain for each step it lies away from the usual one."""

LEAST_STRENGTH: Final = 1.0
MOST_STRENGTH: Final = 100.0
"""Bounds of the strength of the prior over series, in papers."""

LEAST_PRIOR: Final = 0.1
"""Least alpha and beta of that prior: below, nearly all of it stands at 0 or at 1."""


@dataclass(frozen=True)
class Shares:
    """Posterior mean and credible bounds of each cell's share; NaN where the total is 0."""

    shrunk: Floats
    low: Floats
    high: Floats
    drift: Floats
    """For each period the drift that was best at foretelling the periods before it."""


def shrink(grid: Grid, level: float = LEVEL) -> Shares:
    """Return the empirical-Bayes share of every cell of a grid, with intervals of the level.

    The prior of a cell is a beta law: over all series before the series has a past, and then what
    its past says, with the variance of its log odds widened by the drift. The posterior adds the
    period's counts, divided by their dispersion. A partial period sees its own counts, and nothing
    later sees them. Source: M. West, P. J. Harrison and H. S. Migon, "Dynamic generalized linear
    models and Bayesian forecasting", Journal of the American Statistical Association 80 (1985),
    73–83.
    """
    alpha, beta, drift = _followed(grid)
    has_papers = grid.is_present & (grid.n_total > 0)

    def cells(values: Floats) -> Floats:
        out = np.full(grid.n_papers.shape, np.nan)
        out[has_papers] = values
        return out

    a, b = alpha[has_papers], beta[has_papers]
    mean = a / (a + b)
    low = np.minimum(special.betaincinv(a, b, (1 - level) / 2), mean)
    high = np.maximum(special.betaincinv(a, b, (1 + level) / 2), mean)
    return Shares(cells(mean), cells(low), cells(high), drift)


def _prior_over_series(grid: Grid) -> tuple[Floats, Floats]:
    """Alpha and beta of a beta law over series, per period, by moments of all periods so far."""
    k = np.cumsum(grid.n_papers, axis=0)
    n = np.cumsum(grid.n_total, axis=0)
    known = (n > 0) & (k > 0)  # a series nobody has seen yet says nothing
    share = np.divide(k, n, out=np.zeros_like(k), where=known)
    n_series = known.sum(axis=1)
    many = np.maximum(n_series, 1)
    total = row_sums(share)
    papers, of = row_sums(np.where(known, k, 0.0)), row_sums(np.where(known, n, 0.0))
    mean = (papers + 0.5) / (of + 1)
    centred = np.where(known, share - (total / many)[:, None], 0.0)
    chance = np.divide(share * (1 - share), n, out=np.zeros_like(k), where=known)
    between = row_sums(centred**2) / np.maximum(n_series - 1, 1) - row_sums(chance) / many
    room = mean * (1 - mean)
    strength = np.where(between > 0, room / np.maximum(between, room / 1e9) - 1, MOST_STRENGTH)
    strength = np.clip(strength, LEAST_STRENGTH, MOST_STRENGTH)
    is_known = n_series > 1  # one series alone would be its own prior: Jeffreys' instead
    strength, mean = np.where(is_known, strength, 1.0), np.where(is_known, mean, 0.5)
    return np.maximum(mean * strength, LEAST_PRIOR), np.maximum((1 - mean) * strength, LEAST_PRIOR)


def _followed(grid: Grid) -> tuple[Floats, Floats, Floats]:
    """Posterior alpha and beta of each cell under the drift that foretold best, and that drift."""
    drifts = np.array(DRIFTS)[:, None]
    extra = extra_variance(grid)
    prior_alpha, prior_beta = _prior_over_series(grid)
    usable = grid.is_usable
    k, rest = grid.n_papers, grid.n_total - grid.n_papers
    n_periods, n_series = k.shape
    # Per drift and series: what is believed; per series: whether it has a past and was ever seen.
    alpha, beta = np.ones((len(DRIFTS), n_series)), np.ones((len(DRIFTS), n_series))
    has_past, seen = np.zeros(n_series, dtype=np.bool_), np.zeros(n_series, dtype=np.bool_)
    steps = np.arange(len(DRIFTS)) - DRIFTS.index(USUAL_DRIFT[grid.grain])
    score = -STEP_COST * np.abs(steps)
    alphas, betas, drift = np.empty_like(k), np.empty_like(k), np.empty(n_periods)
    for at in range(n_periods):
        gone = float(grid.ticks[at] - grid.ticks[at - 1]) if at else 0.0
        keep = 1 / (1 + gone * drifts * alpha * beta / (alpha + beta))
        alpha = np.where(has_past, alpha * keep, prior_alpha[at])
        beta = np.where(has_past, beta * keep, prior_beta[at])
        best = int(np.argmax(score))
        mean = alpha[best] / (alpha[best] + beta[best])
        dispersion = 1 + extra[at] * grid.n_total[at] * mean * (1 - mean)
        now, other = k[at] / dispersion, rest[at] / dispersion
        drift[at] = DRIFTS[best]
        alphas[at], betas[at] = alpha[best] + now, beta[best] + other
        learns = usable[at]
        foretold = _foretold(now, other, alpha, beta)
        score += row_sums(np.where(seen & has_past & learns, foretold, 0.0))
        alpha, beta = alpha + np.where(learns, now, 0.0), beta + np.where(learns, other, 0.0)
        has_past |= learns & (grid.n_total[at] > 0)
        seen |= learns & (k[at] > 0)
    return alphas, betas, drift


def _foretold(k: Floats, rest: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Log probability of each series' counts under each drift, but for a constant."""
    log_odds = special.betaln(alpha + k, beta + rest) - special.betaln(alpha, beta)
    return np.asarray(log_odds, dtype=np.float64)
