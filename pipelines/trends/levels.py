"""The level of a share over time: a damped trend of its log odds, observed through counts.

    k_t ~ Binomial(n_t, expit(theta_t))         theta_t = x_t + c_t r + e_t,   e_t ~ N(0, noise)
    x_t = x_(t-1) + b_(t-1) + w_t               w_t ~ N(0, jump)
    b_t = decay b_(t-1) + u_t                   u_t ~ N(0, bend)
                                                r ~ N(0, REGIME_VARIANCE), constant

`x` is the level, `b` its slope, `e` overdispersion. `c_t` is the share of lists that were not
captured in full; `r` is how far such lists are from complete ones. The variances make a
*component*; every series has a posterior over components (see `components.py`).

Belongs here: filtering and smoothing for given components, vectorised over components and cells.
Does not belong here: choosing components, verdicts, tables.

Sources: J. Durbin and S. J. Koopman, *Time Series Analysis by State Space Methods*, 2nd edition,
Oxford 2012, sections 3.2 (trends), 4.3 (filter), 10.6 (mode estimation for binomial counts);
B. D. O. Anderson and J. B. Moore, *Optimal Filtering*, Prentice-Hall 1979, section 7.3 (fixed-lag
smoothing: earlier levels are part of the state).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit

from pipelines.trends.components import Components
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


@dataclass(frozen=True)
class State:
    """The posterior of level, slope and regime after a period; axes: component, cell."""

    level: Floats
    slope: Floats
    regime: Floats
    p_xx: Floats
    p_xb: Floats
    p_xr: Floats
    p_bb: Floats
    p_br: Floats
    p_rr: Floats


@dataclass(frozen=True)
class Earlier:
    """The levels 1, 2, … periods before, given all data so far; axes: lag, component, cell."""

    level: Floats
    variance: Floats
    with_level: Floats
    """Covariance with the present level; likewise with the slope and the regime."""
    with_slope: Floats
    with_regime: Floats


@dataclass(frozen=True)
class Step:
    """What is known after a period."""

    state: State
    earlier: Earlier
    log_likelihood: Floats
    """Of the period's counts given the earlier ones, up to a constant of the counts."""


def follow(
    n_papers: Floats, n_total: Floats, part_share: Floats, parts: Components, max_lag: int
) -> Iterator[Step]:
    """Yield what is known after each period, with at most `max_lag` earlier levels.

    `n_papers` and `n_total` are periods × cells, one row per consecutive period; a cell with
    `n_total` 0 was not observed. `part_share` has one value per period.
    """
    shape = (parts.noise.size, n_papers.shape[1])
    zero = np.zeros(shape)
    state = State(
        np.full(shape, START_MEAN), zero, zero, np.full(shape, START_VARIANCE), zero, zero,
        zero + parts.start[:, None], zero, np.full(shape, REGIME_VARIANCE),
    )  # fmt: skip
    earlier = Earlier(*(np.empty((0, *shape)) for _ in range(5)))
    for t in range(n_papers.shape[0]):
        if t:
            earlier = _moved_past(state, earlier, parts, max_lag)
            state = _moved(state, parts)
        step = _observed(state, earlier, n_papers[t], n_total[t], part_share[t], parts)
        state, earlier = step.state, step.earlier
        yield step


def _moved(s: State, parts: Components) -> State:
    decay = parts.decay
    return State(
        level=s.level + s.slope,
        slope=decay * s.slope,
        regime=s.regime,
        p_xx=s.p_xx + 2 * s.p_xb + s.p_bb + parts.jump[:, None],
        p_xb=decay * (s.p_xb + s.p_bb),
        p_xr=s.p_xr + s.p_br,
        p_bb=decay**2 * s.p_bb + parts.bend[:, None],
        p_br=decay * s.p_br,
        p_rr=s.p_rr,
    )


def _moved_past(s: State, past: Earlier, parts: Components, max_lag: int) -> Earlier:
    """The past after the present level has joined it and the state has moved on."""
    level, variance, with_x, with_b, with_r = (
        np.concatenate([new[None], old[: max_lag - 1]])
        for new, old in (
            (s.level, past.level),
            (s.p_xx, past.variance),
            (s.p_xx, past.with_level),
            (s.p_xb, past.with_slope),
            (s.p_xr, past.with_regime),
        )
    )
    return Earlier(level, variance, with_x + with_b, parts.decay * with_b, with_r)


def _observed(
    s: State, past: Earlier, k: Floats, n: Floats, c: np.float64, parts: Components
) -> Step:
    """State and past given the counts, which act like one observation of theta."""
    seen = n > 0
    g_x, g_b, g_r = s.p_xx + c * s.p_xr, s.p_xb + c * s.p_br, s.p_xr + c * s.p_rr
    mean, variance = s.level + c * s.regime, g_x + c * g_r + parts.noise[:, None]
    theta, weight, likelihood = _mode(k, n, mean, variance)
    gain = np.where(seen, weight / (1 + weight * variance), 0.0)
    shift = np.where(seen, (theta - mean) / variance, 0.0)
    state = State(
        level=s.level + g_x * shift,
        slope=s.slope + g_b * shift,
        regime=s.regime + g_r * shift,
        p_xx=s.p_xx - g_x**2 * gain,
        p_xb=s.p_xb - g_x * g_b * gain,
        p_xr=s.p_xr - g_x * g_r * gain,
        p_bb=s.p_bb - g_b**2 * gain,
        p_br=s.p_br - g_b * g_r * gain,
        p_rr=s.p_rr - g_r**2 * gain,
    )
    g = past.with_level + c * past.with_regime
    earlier = Earlier(
        level=past.level + g * shift,
        variance=past.variance - g**2 * gain,
        with_level=past.with_level - g * (g_x * gain),
        with_slope=past.with_slope - g * (g_b * gain),
        with_regime=past.with_regime - g * (g_r * gain),
    )
    return Step(state, earlier, np.where(seen, likelihood, 0.0))


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


@dataclass(frozen=True)
class Ahead:
    """How the mean level of the next `steps` periods follows from level and slope."""

    slope: float
    """The slope counts this many times."""
    variance: Floats
    """Of what moves it until then, and of overdispersion; one value per component."""


def ahead(parts: Components, steps: int) -> Ahead:
    """Return how the mean of log odds over the next `steps` periods depends on the state."""
    # After j periods, a slope of 1 has moved the level by reach[j].
    reach = np.concatenate([[0.0], np.cumsum(parts.decay ** np.arange(steps))])
    jumps = np.arange(steps, 0, -1) / steps
    bends = np.array([reach[: steps - i].sum() for i in range(steps)]) / steps
    variance = parts.jump * (jumps**2).sum() + parts.bend * (bends**2).sum() + parts.noise / steps
    return Ahead(float(reach[1:].mean()), np.asarray(variance, dtype=np.float64))
