"""Filter and smoother against a dense Gaussian posterior, and the model's calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pipelines.trends.components import components
from pipelines.trends.grids import Floats
from pipelines.trends.levels import (
    REGIME_VARIANCE,
    START_MEAN,
    START_VARIANCE,
    filter_levels,
    smooth_back,
)

pytestmark = pytest.mark.unit

N_PERIODS = 12
Q, S2 = np.array([0.002, 0.05]), np.array([0.01, 0.03])
LARGE = 400_000.0
"""Papers in a period: so many that the counts' likelihood is nearly a normal distribution."""


@dataclass(frozen=True)
class Case:
    n_papers: Floats
    n_total: Floats
    part_share: Floats


@pytest.fixture
def case() -> Case:
    """Three cells over twelve periods: one complete, one with gaps, one that starts late."""
    rng = np.random.default_rng(3)
    shape = (N_PERIODS, 3)
    n_total = np.full(shape, LARGE)
    n_total[[2, 3, 7], 1] = 0
    n_total[:5, 2] = 0
    log_odds = -3 + np.cumsum(rng.normal(0, 0.1, shape), axis=0) + rng.normal(0, 0.1, shape)
    n_papers = np.round(n_total / (1 + np.exp(-log_odds)))
    return Case(n_papers, n_total, rng.choice([0.0, 0.5, 1.0], (N_PERIODS, 1)))


def dense_posterior(case: Case, t: int, cell: int, q: float, s2: float) -> tuple[Floats, Floats]:
    """Mean and covariance of (x_0, … x_t, r) given the counts up to t, by matrix inversion."""
    prior_mean = np.append(np.full(t + 1, START_MEAN), 0.0)
    prior = np.zeros((t + 2, t + 2))
    steps = np.arange(t + 1)
    prior[:-1, :-1] = START_VARIANCE + q * np.minimum.outer(steps, steps)
    prior[-1, -1] = REGIME_VARIANCE
    seen = np.flatnonzero(case.n_total[: t + 1, cell] > 0)
    if not seen.size:
        return prior_mean, prior
    share = case.n_papers[seen, cell] / case.n_total[seen, cell]
    precision = case.n_total[seen, cell] * share * (1 - share)
    design = np.zeros((seen.size, t + 2))
    design[np.arange(seen.size), seen] = 1
    design[:, -1] = case.part_share[seen, 0]
    noise = np.diag(s2 + 1 / precision)
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + noise)
    observed = np.log(share / (1 - share))
    return prior_mean + gain @ (observed - design @ prior_mean), prior - gain @ design @ prior


@pytest.mark.parametrize("cell", [0, 1, 2])
@pytest.mark.parametrize("component", [0, 1])
def test_filter_is_the_dense_posterior(case: Case, cell: int, component: int) -> None:
    filtered = filter_levels(case.n_papers, case.n_total, case.part_share, Q, S2)
    for t in range(N_PERIODS):
        mean, cov = dense_posterior(case, t, cell, Q[component], S2[component])
        at = (t, component, cell)
        assert filtered.level[at] == pytest.approx(mean[t], abs=2e-3)
        assert filtered.regime[at] == pytest.approx(mean[-1], abs=2e-3)
        assert filtered.level_variance[at] == pytest.approx(cov[t, t], rel=2e-3)
        assert filtered.covariance[at] == pytest.approx(cov[t, -1], rel=2e-3, abs=1e-6)
        assert filtered.regime_variance[at] == pytest.approx(cov[-1, -1], rel=2e-3)


@pytest.mark.parametrize("cell", [0, 1, 2])
@pytest.mark.parametrize("component", [0, 1])
def test_smoother_is_the_dense_posterior(case: Case, cell: int, component: int) -> None:
    """Means, variances and the covariance of the level at t with each earlier level."""
    filtered = filter_levels(case.n_papers, case.n_total, case.part_share, Q, S2)
    for t in (5, N_PERIODS - 1):
        mean, cov = dense_posterior(case, t, cell, Q[component], S2[component])
        lags = list(smooth_back(filtered, t, Q, N_PERIODS))
        assert [lag.steps for lag in lags] == list(range(1, t + 1))
        for lag in lags:
            s = t - lag.steps
            at = (component, cell)
            assert lag.level[at] == pytest.approx(mean[s], abs=3e-3)
            assert lag.level_variance[at] == pytest.approx(cov[s, s], rel=3e-3)
            assert lag.covariance[at] == pytest.approx(cov[t, s], rel=3e-3, abs=1e-6)


def test_likelihood_is_that_of_the_normal_predictions(case: Case) -> None:
    """Differences between components; the constant of the counts cancels."""
    filtered = filter_levels(case.n_papers, case.n_total, case.part_share, Q, S2)
    share = case.n_papers[:, 0] / case.n_total[:, 0]
    observed = np.log(share / (1 - share))
    sampling = 1 / (case.n_total[:, 0] * share * (1 - share))
    expected = []
    for c in (0, 1):
        total = 0.0
        for t in range(N_PERIODS):
            load = np.append(np.zeros(max(t - 1, 0)), [1.0, case.part_share[t, 0]])
            prior = np.array([START_MEAN, 0.0]), np.diag([START_VARIANCE, REGIME_VARIANCE])
            posterior, cov = dense_posterior(case, t - 1, 0, Q[c], S2[c]) if t else prior
            mean = float(load @ posterior)
            variance = float(load @ cov @ load) + (float(Q[c]) if t else 0.0)
            variance += S2[c] + sampling[t]
            total -= 0.5 * (np.log(variance) + (observed[t] - mean) ** 2 / variance)
        expected.append(total)
    found = filtered.log_likelihood[:, :, 0].sum(axis=0)
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], abs=0.02)


def test_an_unobserved_cell_keeps_its_prior() -> None:
    none = np.zeros((4, 1))
    filtered = filter_levels(none, none, none, Q, S2)
    assert (filtered.level == START_MEAN).all()
    assert (filtered.log_likelihood == 0).all()
    assert filtered.level_variance[:, 1, 0] == pytest.approx(START_VARIANCE + Q[1] * np.arange(4))


@pytest.mark.parametrize("n_papers", [0.0, 1.0, 5_000.0])
def test_extreme_counts_have_finite_levels(n_papers: float) -> None:
    """No paper at all, one, or every paper of the period."""
    q, s2 = components(52)
    counts = np.full((30, 1), n_papers)
    filtered = filter_levels(counts, np.full((30, 1), 5_000.0), np.zeros((30, 1)), q, s2)
    for values in (filtered.level, filtered.level_variance, filtered.log_likelihood):
        assert np.isfinite(values).all()
    assert (filtered.level_variance > 0).all()


def test_the_mode_agrees_with_numerical_integration() -> None:
    """Small counts: Laplace's approximation of one period against the exact posterior."""
    for k, n in ((0, 30), (2, 60), (10, 90)):
        found = filter_levels(
            np.array([[float(k)]]), np.array([[float(n)]]), np.zeros((1, 1)),
            np.array([0.01]), np.array([0.02]),
        )  # fmt: skip
        theta = np.linspace(-14, 5, 40_001)
        prior = -0.5 * (theta - START_MEAN) ** 2 / (START_VARIANCE + 0.02)
        density = np.exp(prior + k * theta - n * np.logaddexp(0, theta))
        density /= density.sum()
        mean = float(density @ theta)
        exact = START_MEAN + (mean - START_MEAN) * START_VARIANCE / (START_VARIANCE + 0.02)
        # The mode is above the mean of a left-skewed posterior, by less than 0.45 of its width.
        width = float(np.sqrt(found.level_variance[0, 0, 0]))
        assert abs(found.level[0, 0, 0] - exact) < 0.45 * width
