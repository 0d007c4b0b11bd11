"""Filter, smoother and prediction against a dense Gaussian posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from pipelines.trends.components import Components, components
from pipelines.trends.grids import Floats
from pipelines.trends.levels import (
    REGIME_VARIANCE,
    START_MEAN,
    START_VARIANCE,
    Step,
    ahead,
    follow,
)

pytestmark = pytest.mark.unit

N_PERIODS = 12
PARTS = Components(
    decay=0.8,
    jump=np.array([0.002, 0.05]),
    start=np.array([0.004, 0.0005]),
    noise=np.array([0.01, 0.03]),
)
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
    return Case(n_papers, n_total, rng.choice([0.0, 0.5, 1.0], N_PERIODS))


@dataclass(frozen=True)
class Dense:
    """Joint normal distribution of the levels, the slopes and the regime of periods 0 to t."""

    mean: Floats
    cov: Floats
    t: int

    def level(self, s: int) -> int:
        return s

    def slope(self, s: int) -> int:
        return self.t + 1 + s


def dense(case: Case, t: int, cell: int, component: int, seen_to: int | None = None) -> Dense:
    """The posterior given the counts up to `seen_to`, by default t, by matrix inversion."""
    jump, start, noise = (x[component] for x in (PARTS.jump, PARTS.start, PARTS.noise))
    # Every level and slope is a sum of independent shocks: x_0, b_0, w_1 … w_t, u_1 … u_t, r.
    n = t + 1
    shocks = np.zeros((2 * n + 1, 2 * n + 1))
    shocks[0, 0] = shocks[n, n] = shocks[-1, -1] = 1
    for s in range(1, n):
        shocks[s] = shocks[s - 1] + shocks[n + s - 1]
        shocks[s, s] += 1
        shocks[n + s] = PARTS.decay * shocks[n + s - 1]
        shocks[n + s, n + s] += 1
    variances = np.concatenate(
        [
            [START_VARIANCE], np.full(t, jump),
            [start], np.full(t, start * (1 - PARTS.decay**2)), [REGIME_VARIANCE],
        ]
    )  # fmt: skip
    prior = shocks @ np.diag(variances) @ shocks.T
    mean = np.concatenate([np.full(n, START_MEAN), np.zeros(n + 1)])
    last = t if seen_to is None else seen_to
    seen = np.flatnonzero(case.n_total[: last + 1, cell] > 0)
    if not seen.size:
        return Dense(mean, prior, t)
    share = case.n_papers[seen, cell] / case.n_total[seen, cell]
    precision = case.n_total[seen, cell] * share * (1 - share)
    design = np.zeros((seen.size, 2 * n + 1))
    design[np.arange(seen.size), seen] = 1
    design[:, -1] = case.part_share[seen]
    gain = (
        prior @ design.T
        @ np.linalg.inv(design @ prior @ design.T + np.diag(noise + 1 / precision))
    )  # fmt: skip
    surprise = np.log(share / (1 - share)) - design @ mean
    return Dense(mean + gain @ surprise, prior - gain @ design @ prior, t)


def steps_of(case: Case) -> list[Step]:
    return list(follow(case.n_papers, case.n_total, case.part_share, PARTS, N_PERIODS))


@pytest.mark.parametrize("cell", [0, 1, 2])
@pytest.mark.parametrize("component", [0, 1])
def test_the_state_is_the_dense_posterior(case: Case, cell: int, component: int) -> None:
    at = (component, cell)
    for t, step in enumerate(steps_of(case)):
        d, s = dense(case, t, cell, component), step.state
        x, b, r = d.level(t), d.slope(t), -1
        for value, i in ((s.level, x), (s.slope, b), (s.regime, r)):
            assert value[at] == pytest.approx(d.mean[i], abs=2e-3)
        for value, i, j in (
            (s.p_xx, x, x), (s.p_xb, x, b), (s.p_xr, x, r),
            (s.p_bb, b, b), (s.p_br, b, r), (s.p_rr, r, r),
        ):  # fmt: skip
            assert value[at] == pytest.approx(d.cov[i, j], rel=3e-3, abs=1e-6)


@pytest.mark.parametrize("cell", [0, 1, 2])
@pytest.mark.parametrize("component", [0, 1])
def test_earlier_levels_are_the_dense_posterior(case: Case, cell: int, component: int) -> None:
    """Means, variances and covariances with the present state."""
    for t, step in enumerate(steps_of(case)):
        d, past = dense(case, t, cell, component), step.earlier
        assert past.level.shape[0] == t
        for lag in range(1, t + 1):
            at, s = (lag - 1, component, cell), t - lag
            assert past.level[at] == pytest.approx(d.mean[s], abs=3e-3)
            for value, i in (
                (past.variance, s), (past.with_level, t), (past.with_slope, d.slope(t)),
                (past.with_regime, -1),
            ):  # fmt: skip
                assert value[at] == pytest.approx(d.cov[s, i], rel=3e-3, abs=1e-6)


def test_the_past_has_at_most_the_given_lags(case: Case) -> None:
    short = list(follow(case.n_papers, case.n_total, case.part_share, PARTS, 3))
    assert [step.earlier.level.shape[0] for step in short] == [0, 1, 2, *[3] * (N_PERIODS - 3)]
    for part, whole in zip(short, steps_of(case), strict=True):
        assert np.array_equal(part.earlier.variance, whole.earlier.variance[:3])


def test_the_mean_of_the_coming_periods_is_that_of_the_dense_prediction(case: Case) -> None:
    """Periods 8 to 11 predicted from the counts up to 7, with their overdispersion."""
    steps = steps_of(case)
    for component in (0, 1):
        d = dense(case, 11, 0, component, seen_to=7)
        coming = np.zeros(d.mean.size)
        coming[8:12] = 1 / 4
        then, s = ahead(PARTS, 4), steps[7].state
        level, slope = s.level[component, 0], s.slope[component, 0]
        assert level + then.slope * slope == pytest.approx(coming @ d.mean, abs=3e-3)
        variance = (
            s.p_xx + 2 * then.slope * s.p_xb + then.slope**2 * s.p_bb + then.variance[:, None]
        )
        expected = coming @ d.cov @ coming + PARTS.noise[component] / 4
        assert variance[component, 0] == pytest.approx(expected, rel=3e-3)


def test_likelihood_is_that_of_the_normal_predictions(case: Case) -> None:
    """Differences between components; the constant of the counts cancels."""
    found = sum(step.log_likelihood[:, 0] for step in steps_of(case))
    share = case.n_papers[:, 0] / case.n_total[:, 0]
    observed = np.log(share / (1 - share))
    sampling = 1 / (case.n_total[:, 0] * share * (1 - share))
    expected = []
    for component in (0, 1):
        total = 0.0
        for t in range(N_PERIODS):
            d = dense(case, t, 0, component, seen_to=t - 1)
            load = np.zeros(d.mean.size)
            load[t], load[-1] = 1, case.part_share[t]
            variance = load @ d.cov @ load + PARTS.noise[component] + sampling[t]
            total -= 0.5 * (np.log(variance) + (observed[t] - load @ d.mean) ** 2 / variance)
        expected.append(total)
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], abs=0.02)


def test_an_unobserved_cell_keeps_its_prior() -> None:
    none = np.zeros((4, 1))
    steps = list(follow(none, none, none[:, 0], PARTS, 4))
    assert all((step.state.level == START_MEAN).all() for step in steps)
    assert all((step.log_likelihood == 0).all() for step in steps)
    widths = [step.state.p_xx[1, 0] for step in steps]
    assert widths[0] == START_VARIANCE
    assert np.diff(widths)[0] == pytest.approx(PARTS.jump[1] + PARTS.start[1])
    assert steps[-1].state.p_bb == pytest.approx(PARTS.start[:, None])


@pytest.mark.parametrize("n_papers", [0.0, 1.0, 5_000.0])
def test_extreme_counts_have_finite_levels(n_papers: float) -> None:
    """No paper at all, one, or every paper of the period."""
    counts, total = np.full((30, 1), n_papers), np.full((30, 1), 5_000.0)
    for step in follow(counts, total, np.zeros(30), components(52), 8):
        for values in (step.state.level, step.state.p_xx, step.log_likelihood):
            assert np.isfinite(values).all()
        assert (step.state.p_xx > 0).all()
        assert (step.earlier.variance > 0).all()


def test_the_mode_agrees_with_numerical_integration() -> None:
    """Small counts: Laplace's approximation of one period against the exact posterior."""
    noise = float(PARTS.noise[0])
    for k, n in ((0, 30), (2, 60), (10, 90)):
        (step,) = follow(np.array([[float(k)]]), np.array([[float(n)]]), np.zeros(1), PARTS, 1)
        theta = np.linspace(-14, 5, 40_001)
        prior = -0.5 * (theta - START_MEAN) ** 2 / (START_VARIANCE + noise)
        density = np.exp(prior + k * theta - n * np.logaddexp(0, theta))
        density /= density.sum()
        mean = float(density @ theta)
        exact = START_MEAN + (mean - START_MEAN) * START_VARIANCE / (START_VARIANCE + noise)
        # The mode is above the mean of a left-skewed posterior, by less than 0.45 of its width.
        width = float(np.sqrt(step.state.p_xx[0, 0]))
        assert abs(step.state.level[0, 0] - exact) < 0.45 * width
