"""Smoothed shares: an empirical-Bayes estimate per series and period, with a credible interval.

Belongs here: the prior over series, the dynamic model, the credible interval. Does not belong here:
growth (`growth.py`). For formulas, sources and limits see docs/methodology.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from pipelines.trends.grids import Floats, Grid, row_sums
from pipelines.trends.growth import LEVEL, overdispersion

DRIFTS: Final = (0.0, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.3)
"""Candidates for the drift: variance per period of the random walk of a share's log odds."""

PRIOR_DRIFT: Final = {"week": 0.01, "month": 0.05, "quarter": 0.1}
"""The candidate with the highest prior probability (measured)."""

STEP_PENALTY: Final = 3.0
"""Prior log probability lost with each step away from `PRIOR_DRIFT`."""

MIN_STRENGTH: Final = 1.0
MAX_STRENGTH: Final = 100.0
"""Bounds of alpha + beta of the prior over series."""

MIN_SHAPE: Final = 0.1
"""Lower bound of alpha and beta of that prior. Below it nearly all mass is at 0 or 1."""


@dataclass(frozen=True)
class Shares:
    """Posterior mean and credible bounds of each cell; NaN where the total is 0."""

    shrunk: Floats
    low: Floats
    high: Floats
    drift: Floats
    """For each period, the drift with the highest posterior probability given earlier periods."""


def shrink(grid: Grid, level: float = LEVEL) -> Shares:
    """Return the empirical-Bayes share of every cell of a grid, with intervals at `level`.

    The prior of a cell is a beta distribution: that over all series while the series has no
    history, then the posterior of the previous period, with the variance of the log odds increased
    by the drift. The posterior adds the period's counts, divided by their dispersion. The counts of
    a partial period affect this period only. Source: M. West, P. J. Harrison and H. S. Migon,
    "Dynamic generalized linear models and Bayesian forecasting", Journal of the American
    Statistical Association 80 (1985), 73–83.
    """
    alpha, beta, drift = _filter(grid)
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
    """Alpha and beta over series, per period, by the method of moments over all periods so far."""
    k = np.cumsum(grid.n_papers, axis=0)
    n = np.cumsum(grid.n_total, axis=0)
    known = (n > 0) & (k > 0)  # series without papers so far are left out
    share = np.divide(k, n, out=np.zeros_like(k), where=known)
    n_series = known.sum(axis=1)
    many = np.maximum(n_series, 1)
    total = row_sums(share)
    papers, of = row_sums(np.where(known, k, 0.0)), row_sums(np.where(known, n, 0.0))
    mean = (papers + 0.5) / (of + 1)
    centred = np.where(known, share - (total / many)[:, None], 0.0)
    sampling = np.divide(share * (1 - share), n, out=np.zeros_like(k), where=known)
    between = row_sums(centred**2) / np.maximum(n_series - 1, 1) - row_sums(sampling) / many
    limit = mean * (1 - mean)
    strength = np.where(between > 0, limit / np.maximum(between, limit / 1e9) - 1, MAX_STRENGTH)
    strength = np.clip(strength, MIN_STRENGTH, MAX_STRENGTH)
    is_known = n_series > 1  # a single series would be its own prior: use Jeffreys' prior
    strength, mean = np.where(is_known, strength, 1.0), np.where(is_known, mean, 0.5)
    return np.maximum(mean * strength, MIN_SHAPE), np.maximum((1 - mean) * strength, MIN_SHAPE)


def _filter(grid: Grid) -> tuple[Floats, Floats, Floats]:
    """Posterior alpha and beta of each cell under the most probable drift, and that drift."""
    drifts = np.array(DRIFTS)[:, None]
    extra = overdispersion(grid)
    prior_alpha, prior_beta = _prior_over_series(grid)
    usable = grid.is_usable
    k, rest = grid.n_papers, grid.n_total - grid.n_papers
    n_periods, n_series = k.shape
    # Drifts × series: the posterior; per series: whether it has a history, and any paper.
    alpha, beta = np.ones((len(DRIFTS), n_series)), np.ones((len(DRIFTS), n_series))
    has_past, has_papers = np.zeros(n_series, dtype=np.bool_), np.zeros(n_series, dtype=np.bool_)
    steps = np.arange(len(DRIFTS)) - DRIFTS.index(PRIOR_DRIFT[grid.grain])
    score = -STEP_PENALTY * np.abs(steps)
    alphas, betas, drift = np.empty_like(k), np.empty_like(k), np.empty(n_periods)
    for at in range(n_periods):
        elapsed = float(grid.ticks[at] - grid.ticks[at - 1]) if at else 0.0
        keep = 1 / (1 + elapsed * drifts * alpha * beta / (alpha + beta))
        alpha = np.where(has_past, alpha * keep, prior_alpha[at])
        beta = np.where(has_past, beta * keep, prior_beta[at])
        best = int(np.argmax(score))
        mean = alpha[best] / (alpha[best] + beta[best])
        dispersion = 1 + extra[at] * grid.n_total[at] * mean * (1 - mean)
        now, other = k[at] / dispersion, rest[at] / dispersion
        drift[at] = DRIFTS[best]
        alphas[at], betas[at] = alpha[best] + now, beta[best] + other
        learns = usable[at]
        likelihood = _log_likelihood(now, other, alpha, beta)
        score += row_sums(np.where(has_papers & has_past & learns, likelihood, 0.0))
        alpha, beta = alpha + np.where(learns, now, 0.0), beta + np.where(learns, other, 0.0)
        has_past |= learns & (grid.n_total[at] > 0)
        has_papers |= learns & (k[at] > 0)
    return alphas, betas, drift


def _log_likelihood(k: Floats, rest: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Beta-binomial log likelihood of each series under each drift, up to a constant."""
    log_odds = special.betaln(alpha + k, beta + rest) - special.betaln(alpha, beta)
    return np.asarray(log_odds, dtype=np.float64)
