"""Shares with memory: an empirical-Bayes share of each series in each period, with interval.

Belongs here: the prior over series, the discounted past, and the credible interval. Does not belong
here: growth. Formulas, sources and limits: docs/methodology.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from pipelines.trends.grids import Floats, Grid, row_sums

MEMORIES: Final = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
"""Candidates for the weight that a period's counts keep from one period to the next."""

CREDIBLE: Final = (0.025, 0.975)

LEAST_STRENGTH: Final = 1.0
MOST_STRENGTH: Final = 10_000.0
"""Bounds of the strength of the prior over series, in papers."""


@dataclass(frozen=True)
class Shares:
    """Posterior mean and 95 % credible bounds of each cell's share; NaN where the total is 0."""

    shrunk: Floats
    low: Floats
    high: Floats
    memory: Floats
    """For each period the memory that was best at foretelling the periods before it."""


def shrink(grid: Grid) -> Shares:
    """Return the empirical-Bayes share of every cell of a grid.

    The posterior is Beta(m·s + sum of r^j·k, m·(1-s) + sum of r^j·(n-k)) over the usable periods j
    steps back: a prior (mean m, strength s) over all series, and the series' own past that fades by
    the memory r. A partial period sees its own counts, and is not remembered.
    """
    alpha0, beta0 = _prior_over_series(grid)
    alphas, betas, memory = _remembered(grid, alpha0, beta0)
    alpha = alphas + grid.n_papers
    beta = betas + grid.n_total - grid.n_papers
    has_papers = grid.is_present & (grid.n_total > 0)

    def cells(values: Floats) -> Floats:
        out = np.full(grid.n_papers.shape, np.nan)
        out[has_papers] = values
        return out

    a, b = alpha[has_papers], beta[has_papers]
    low, high = (cells(special.betaincinv(a, b, level)) for level in CREDIBLE)
    return Shares(cells(a / (a + b)), low, high, memory)


def _prior_over_series(grid: Grid) -> tuple[Floats, Floats]:
    """Alpha and beta of a beta law over series, per period, by moments of all periods so far."""
    usable = grid.is_usable
    k = np.cumsum(np.where(usable, grid.n_papers, 0.0), axis=0)
    n = np.cumsum(np.where(usable, grid.n_total, 0.0), axis=0)
    known = (n > 0) & (k > 0)  # a series nobody has seen yet says nothing
    share = np.divide(k, n, out=np.zeros_like(k), where=known)
    n_series = known.sum(axis=1)
    many = np.maximum(n_series, 1)
    total = row_sums(share)
    mean = (total + 0.5) / (n_series + 1)
    centred = np.where(known, share - (total / many)[:, None], 0.0)
    chance = np.divide(share * (1 - share), n, out=np.zeros_like(k), where=known)
    between = row_sums(centred**2) / np.maximum(n_series - 1, 1) - row_sums(chance) / many
    room = mean * (1 - mean)
    strength = np.where(between > 0, room / np.maximum(between, room / 1e9) - 1, MOST_STRENGTH)
    strength = np.clip(strength, LEAST_STRENGTH, MOST_STRENGTH)
    strength = np.where(n_series > 1, strength, LEAST_STRENGTH)
    return (mean * strength)[:, None], ((1 - mean) * strength)[:, None]


def _remembered(grid: Grid, alpha0: Floats, beta0: Floats) -> tuple[Floats, Floats, Floats]:
    """What is believed before each period's own counts, under the memory that foretold best."""
    memories = np.array(MEMORIES)[:, None]
    usable = grid.is_usable
    k = np.where(usable, grid.n_papers, 0.0)
    rest = np.where(usable, grid.n_total - grid.n_papers, 0.0)
    n_periods, n_series = k.shape
    past_k = np.zeros((len(MEMORIES), n_series))
    past_rest = np.zeros((len(MEMORIES), n_series))
    score = np.zeros(len(MEMORIES))
    seen = np.zeros(n_series, dtype=np.bool_)
    alphas, betas, memory = np.empty_like(k), np.empty_like(k), np.empty(n_periods)
    for at in range(n_periods):
        if at:
            fade = memories ** float(grid.ticks[at] - grid.ticks[at - 1])
            past_k, past_rest = fade * (past_k + k[at - 1]), fade * (past_rest + rest[at - 1])
        # The prior of the period before: the counts that it is to foretell are not in it.
        known = max(at - 1, 0)
        best = int(np.argmax(score))
        memory[at] = MEMORIES[best]
        alphas[at], betas[at] = alpha0[at] + past_k[best], beta0[at] + past_rest[best]
        if at:
            foretold = _foretold(k[at], rest[at], past_k + alpha0[known], past_rest + beta0[known])
            score += row_sums(np.where(seen, foretold, 0.0))
        seen |= k[at] > 0
    return alphas, betas, memory


def _foretold(k: Floats, rest: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Log probability of each series' counts under each memory, but for a constant."""
    log_odds = special.betaln(alpha + k, beta + rest) - special.betaln(alpha, beta)
    return np.asarray(log_odds, dtype=np.float64)
