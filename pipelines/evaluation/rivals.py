"""Simpler methods that say whether a share rose or fell, for comparison with the verdicts.

Belongs here: a weekly random walk with noise, and the test of two windows. Does not belong here:
what they are compared with (`histories.py`), measures (`comparison.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from pipelines.trends.grids import Bools, Floats, Grid, Ints
from pipelines.trends.levels import START_MEAN, START_VARIANCE

RANDOM_WALK: Final = "random walk"
TWO_WINDOWS: Final = "two windows"

YEARLY_SD: Final = (0.1, 0.2, 0.3, 0.5, 0.8)
"""Standard deviation of a year's movement of the log odds; one value for all topics."""
NOISE: Final = (0.0, 0.02, 0.05, 0.1)
"""Variance of one period's log odds in addition to sampling; one value for all topics."""
MEAN_ERROR: Final = 0.05
"""Largest mean probability of the wrong sign among the topics that the random walk calls."""
MIN_CHANGE: Final = float(np.log(1.2))
FALSE_DISCOVERIES: Final = 0.05
"""Rate of false discoveries of the two-window test (Benjamini and Hochberg)."""
MIN_SEEN: Final = 0.6
"""Least part of a window's periods that must be usable."""


@dataclass(frozen=True)
class Rival:
    """Calls and scores of a method: rows × topics.

    A call is 1, -1 or 0; a larger score is a stronger rise, NaN where unknown.
    """

    calls: Floats
    score: Floats


@dataclass(frozen=True)
class Dense:
    """Counts of consecutive periods; a total of 0 was not observed."""

    first_tick: int
    n_papers: Floats
    n_total: Floats


def dense(grid: Grid) -> Dense:
    """Return the usable counts of a grid without gaps between periods."""
    at = grid.ticks - grid.ticks[0]
    papers = np.zeros((int(at[-1]) + 1, grid.n_papers.shape[1]))
    total = np.zeros_like(papers)
    papers[at] = np.where(grid.is_usable, grid.n_papers, 0.0)
    total[at] = np.where(grid.is_usable, grid.n_total, 0.0)
    return Dense(int(grid.ticks[0]), papers, total)


class RandomWalk:
    """A random walk with noise of the log odds; movement and noise are the same for all topics.

    Both are those with the highest likelihood of all topics up to a period. Source: J. Durbin and
    S. J. Koopman, *Time Series Analysis by State Space Methods*, 2nd edition, Oxford 2012, chapter
    2 (filter and smoother of the local level model).
    """

    def __init__(self, counts: Dense, periods_per_year: int) -> None:
        k, n = counts.n_papers, counts.n_total
        y = np.log((k + 0.5) / (n - k + 0.5))
        sampling = 1 / (k + 0.5) + 1 / (n - k + 0.5)
        sd, noise = np.meshgrid(YEARLY_SD, NOISE, indexing="ij")
        self._q = sd.ravel()[:, None] ** 2 / periods_per_year
        shape = (self._q.size, k.shape[1])
        level, variance = np.full(shape, START_MEAN), np.full(shape, START_VARIANCE)
        levels, variances, likelihoods = [], [], []
        for t in range(k.shape[0]):
            variance = variance + self._q * (t > 0)
            total = variance + noise.ravel()[:, None] + sampling[t]
            seen = n[t] > 0
            gain = np.where(seen, variance / total, 0.0)
            likelihood = -0.5 * (np.log(total) + (y[t] - level) ** 2 / total)
            likelihoods.append(np.where(seen, likelihood, 0.0).sum(axis=1))
            level, variance = level + gain * (y[t] - level), variance * (1 - gain)
            levels.append(level)
            variances.append(variance)
        self._levels, self._variances = np.stack(levels), np.stack(variances)
        self._best: Ints = np.cumsum(likelihoods, axis=0).argmax(axis=1)

    def change(self, t: int, steps: int) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the change over `steps` periods, as of period t."""
        best = self._best[t]
        q = self._q[best, 0]
        now, var_now = self._levels[t, best], self._variances[t, best]
        level, variance, covariance = now, var_now, var_now
        for s in range(t - 1, t - steps - 1, -1):
            before, var_before = self._levels[s, best], self._variances[s, best]
            gain = var_before / (var_before + q)
            level = before + gain * (level - before)
            variance = var_before + gain**2 * (variance - var_before - q)
            covariance = gain * covariance
        spread = np.maximum(var_now + variance - 2 * covariance, 1e-12)
        return now - level, np.sqrt(spread)


def random_walk(walk: RandomWalk, at: Ints, steps: int, stated: Bools) -> Rival:
    """Return what the random walk calls at the periods `at` (-1: none), among the stated topics.

    It calls the topics that changed by a fifth or more with the smallest probability of the wrong
    sign, so many that the mean of it is at most `MEAN_ERROR`.
    """
    calls, score = np.zeros(stated.shape), np.full(stated.shape, np.nan)
    for row, t in enumerate(at):
        if t < steps:
            continue
        mean, sd = walk.change(int(t), steps)
        error = np.where(stated[row] & (np.abs(mean) >= MIN_CHANGE), ndtr(-np.abs(mean) / sd), 1.0)
        order = np.argsort(error, kind="stable")
        n = int((np.cumsum(error[order]) <= MEAN_ERROR * np.arange(1, error.size + 1)).sum())
        called = order[:n]
        calls[row, called] = np.sign(mean[called])
        score[row] = mean
    return Rival(calls, score)


def two_windows(counts: Dense, at: Ints, steps: int, window: int, stated: Bools) -> Rival:
    """Return what a test of the last window against the one `steps` periods before calls.

    It is the z test of two proportions with a pooled variance; topics of a period are adjusted for
    multiple testing. Source: Y. Benjamini and Y. Hochberg, *Controlling the false discovery rate*,
    Journal of the Royal Statistical Society B 57 (1995), 289-300.
    """
    calls, score = np.zeros(stated.shape), np.full(stated.shape, np.nan)
    papers, total, seen = (
        np.concatenate([np.zeros((1, stated.shape[1])), np.cumsum(values, axis=0)])
        for values in (counts.n_papers, counts.n_total, counts.n_total > 0)
    )
    for row, t in enumerate(at):
        if t < steps + window - 1:
            continue
        ends = np.array([t + 1, t + 1 - steps])
        k, n, part = (x[ends] - x[ends - window] for x in (papers, total, seen))
        known = stated[row] & (part >= MIN_SEEN * window).all(axis=0)
        share = k / np.maximum(n, 1)
        pooled = k.sum(axis=0) / np.maximum(n.sum(axis=0), 1)
        error = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / np.maximum(n, 1)).sum(0))
        z = (share[0] - share[1]) / error
        p = np.where(known, 2 * ndtr(-np.abs(z)), 1.0)
        order = np.argsort(p, kind="stable")
        passed = p[order] <= FALSE_DISCOVERIES * np.arange(1, p.size + 1) / max(known.sum(), 1)
        called = order[: np.flatnonzero(passed)[-1] + 1] if passed.any() else order[:0]
        calls[row, called] = np.sign(z[called])
        score[row] = np.where((part >= MIN_SEEN * window).all(axis=0), z, np.nan)
    return Rival(calls, score)
