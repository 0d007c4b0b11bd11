"""The level of a share over time: a local-level model of its log odds, observed through counts.

    k_t ~ Binomial(n_t, expit(theta_t))       theta_t = x_t + c_t r + e_t,   e_t ~ N(0, s2)
    x_t = x_(t-1) + w_t,   w_t ~ N(0, q)      r ~ N(0, REGIME_VARIANCE), constant

`x` is the level, `q` how fast it moves, `e` overdispersion. `c_t` is the share of lists that were
not captured in full; `r` is how far such lists are from complete ones. A pair (q, s2) is a
*component*; every series has a posterior over components (see `components.py`).

Belongs here: filtering and smoothing for given components, vectorised over components and cells.
Does not belong here: choosing components, verdicts, tables.

Sources: J. Durbin and S. J. Koopman, *Time Series Analysis by State Space Methods*, 2nd edition,
Oxford 2012, sections 2.2 to 2.4 (filter, smoother) and 10.6 (mode estimation for binomial counts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from pipelines.trends.grids import Floats

START_MEAN: Final = -4.5
START_VARIANCE: Final = 2.25
"""Before its first data a share is between 0.06 % and 17 % with 95 % probability."""

REGIME_VARIANCE: Final = 0.02
"""A list captured in part has shares within 28 % of the complete list's, with 95 % probability.

Estimated from 115 days of 2025 that were captured in part (1,676 papers) and again in full (3,035):
0.021 [0.013, 0.033] over 110 topics. See `docs/evaluation.md`, Capture regime.
"""

NEWTON_STEPS: Final = 8
MAX_STEP: Final = 1.0
_TINY: Final = 1e-12


@dataclass(frozen=True)
class Filtered:
    """The posterior after each period; axes: period, component, cell."""

    level: Floats
    regime: Floats
    level_variance: Floats
    covariance: Floats
    regime_variance: Floats
    log_likelihood: Floats
    """Of the period's counts given the earlier ones, up to a constant of the counts."""


@dataclass(frozen=True)
class Lag:
    """The level `steps` periods before period t, given the data up to t; axes: component, cell."""

    steps: int
    level: Floats
    level_variance: Floats
    covariance: Floats
    """With the level at t."""


def filter_levels(
    n_papers: Floats, n_total: Floats, part_share: Floats, q: Floats, s2: Floats
) -> Filtered:
    """Return the filtered levels of all cells under all components.

    `n_papers` and `n_total` are periods × cells, one row per consecutive period; a cell with
    `n_total` 0 was not observed. `part_share` is periods × 1. `q` and `s2` have one value per
    component.
    """
    n_periods, n_cells = n_papers.shape
    shape = (q.size, n_cells)
    level, regime = np.full(shape, START_MEAN), np.zeros(shape)
    p_xx = np.full(shape, START_VARIANCE)
    p_xr, p_rr = np.zeros(shape), np.full(shape, REGIME_VARIANCE)
    stored = [np.empty((n_periods, *shape)) for _ in range(6)]
    for t in range(n_periods):
        if t:
            p_xx = p_xx + q[:, None]
        c, seen = part_share[t, 0], n_total[t] > 0
        b_x, b_r = p_xx + c * p_xr, p_xr + c * p_rr
        mean, variance = level + c * regime, b_x + c * b_r + s2[:, None]
        theta, weight, likelihood = _mode(n_papers[t], n_total[t], mean, variance)
        # The counts act like one observation of theta with precision `weight`.
        gain = np.where(seen, weight / (1 + weight * variance), 0.0)
        shift = np.where(seen, (theta - mean) / variance, 0.0)
        level, regime = level + b_x * shift, regime + b_r * shift
        p_xx, p_xr, p_rr = p_xx - b_x**2 * gain, p_xr - b_x * b_r * gain, p_rr - b_r**2 * gain
        likelihood = np.where(seen, likelihood, 0.0)
        for out, value in zip(stored, (level, regime, p_xx, p_xr, p_rr, likelihood), strict=True):
            out[t] = value
    return Filtered(*stored)


def _mode(k: Floats, n: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the posterior mode of theta, the counts' precision there, and Laplace's likelihood."""
    theta = mean
    for _ in range(NEWTON_STEPS):
        share = expit(theta)
        slope = k - n * share - (theta - mean) / variance
        curvature = n * share * (1 - share) + 1 / variance
        theta = theta + np.clip(slope / curvature, -MAX_STEP, MAX_STEP)
    share = expit(theta)
    weight = n * share * (1 - share)
    likelihood = (
        k * theta
        - n * np.logaddexp(0, theta)
        - 0.5 * (theta - mean) ** 2 / variance
        - 0.5 * np.log1p(weight * variance)
    )
    return theta, weight, likelihood


def smooth_back(filtered: Filtered, t: int, q: Floats, max_steps: int) -> Iterator[Lag]:
    """Yield the level 1, 2, … `max_steps` periods before t, given the data up to t.

    The fixed-interval smoother, run back from t; its gains also give the covariance with the level
    at t.
    """
    level, regime = filtered.level[t], filtered.regime[t]
    s_xx, s_xr, s_rr = (
        filtered.level_variance[t], filtered.covariance[t], filtered.regime_variance[t],
    )  # fmt: skip
    cov_x, cov_r = s_xx, s_xr
    noise = q[:, None]
    for steps in range(1, min(max_steps, t) + 1):
        s = t - steps
        f_xx, f_xr, f_rr = (
            filtered.level_variance[s], filtered.covariance[s], filtered.regime_variance[s],
        )  # fmt: skip
        determinant = np.maximum((f_xx + noise) * f_rr - f_xr**2, _TINY * _TINY)
        # Only the level moves, so the smoother's gain is the identity but for its first row.
        j_x, j_r = 1 - noise * f_rr / determinant, noise * f_xr / determinant
        level_change = level - filtered.level[s]
        level = filtered.level[s] + j_x * level_change + j_r * (regime - filtered.regime[s])
        e_xx, e_xr, e_rr = s_xx - (f_xx + noise), s_xr - f_xr, s_rr - f_rr
        s_xx = f_xx + j_x**2 * e_xx + 2 * j_x * j_r * e_xr + j_r**2 * e_rr
        s_xr = f_xr + j_x * e_xr + j_r * e_rr
        cov_x = cov_x * j_x + cov_r * j_r
        yield Lag(steps, level, s_xx, cov_x)
