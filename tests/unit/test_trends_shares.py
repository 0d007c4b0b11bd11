"""Smoothed shares against an independent implementation, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.trends.grids import Grid
from pipelines.trends.growth import overdispersion
from pipelines.trends.shares import DRIFTS, PRIOR_DRIFT, STEP_PENALTY, shrink
from tests.unit.trend_frames import frame, grid_of

pytestmark = pytest.mark.unit


def random_grid(seed: int, n_periods: int = 15, n_series: int = 6, **options: object) -> Grid:
    rng = np.random.default_rng(seed)
    totals = rng.integers(50, 150, n_periods)
    level = np.log(rng.uniform(0.01, 0.2, n_series)) + np.cumsum(
        rng.normal(0, 0.2, (n_periods, n_series)), axis=0
    )
    counts = rng.binomial(totals[:, None], np.exp(level).clip(0, 0.8))
    series = {f"s{at}": counts[:, at].tolist() for at in range(n_series)}
    return grid_of(frame(series, totals=totals.tolist(), **options))  # type: ignore[arg-type]


def log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def prior(grid: Grid, at: int) -> tuple[float, float]:
    """Alpha and beta over series by moments of the shares of all periods so far."""
    shares, chances, papers, of = [], [], 0.0, 0.0
    for series in range(grid.n_papers.shape[1]):
        k, n = grid.n_papers[: at + 1, series].sum(), grid.n_total[: at + 1, series].sum()
        if k > 0:
            papers, of = papers + k, of + n
            shares.append(k / n)
            chances.append(k / n * (1 - k / n) / n)
    mean = (papers + 0.5) / (of + 1)
    if len(shares) < 2:
        return 0.5, 0.5
    between = float(np.var(shares, ddof=1)) - sum(chances) / len(shares)
    strength = mean * (1 - mean) / between - 1 if between > 0 else 100
    strength = min(max(strength, 1), 100)
    return max(mean * strength, 0.1), max((1 - mean) * strength, 0.1)


def test_by_hand() -> None:
    grid = random_grid(1)
    n_series, extra = 6, overdispersion(grid)
    posteriors = {drift: [(0.0, 0.0)] * n_series for drift in DRIFTS}
    usual = DRIFTS.index(PRIOR_DRIFT["month"])
    score = {drift: -STEP_PENALTY * abs(at - usual) for at, drift in enumerate(DRIFTS)}
    found = shrink(grid)
    for at in range(15):
        best = max(DRIFTS, key=lambda drift: (score[drift], -drift))
        for series in range(n_series):
            for drift in DRIFTS:
                a, b = posteriors[drift][series]
                if at == 0:
                    a, b = prior(grid, 0)
                else:  # the log odds have variance 1/a + 1/b; the drift adds to it
                    keep = (1 / a + 1 / b) / (1 / a + 1 / b + drift)
                    a, b = a * keep, b * keep
                posteriors[drift][series] = a, b
            a, b = posteriors[best][series]
            n = grid.n_total[at, series]
            dispersion = 1 + extra[at] * n * (a / (a + b)) * (b / (a + b))
            now = grid.n_papers[at, series] / dispersion
            other = (n - grid.n_papers[at, series]) / dispersion
            was_seen = grid.n_papers[:at, series].sum() > 0
            for drift in DRIFTS:
                before = posteriors[drift][series]
                if at and was_seen:
                    score[drift] += log_beta(before[0] + now, before[1] + other) - log_beta(*before)
                posteriors[drift][series] = before[0] + now, before[1] + other
            posterior = stats.beta(a + now, b + other)
            assert found.shrunk[at, series] == pytest.approx(posterior.mean())
            assert found.low[at, series] == pytest.approx(posterior.ppf(0.025))
            assert found.high[at, series] == pytest.approx(posterior.ppf(0.975))
        assert found.drift[at] == best


def test_the_first_period_is_shrunk_towards_the_other_series() -> None:
    counts = {f"s{at}": [count] for at, count in enumerate([10, 11, 9, 10, 12, 8, 10, 0])}
    shares = shrink(grid_of(frame(counts)))
    assert 0.03 < shares.shrunk[0, -1] < 0.1


def test_partial_periods_do_not_affect_later_ones() -> None:
    whole, partial = random_grid(2), random_grid(2, partial=[14])
    assert np.array_equal(shrink(whole).shrunk[:14], shrink(partial).shrunk[:14])
    odd = grid_of(frame({"a": [5, 5, 5, 5, 90, 5], "b": [5] * 6}, partial=[4]))
    shares = shrink(odd)
    assert shares.shrunk[4, 0] > 0.15
    assert shares.shrunk[5, 0] < 0.1


def test_no_papers_no_share() -> None:
    shares = shrink(grid_of(frame({"a": [5, 0, 5]}, totals=[100, 0, 100])))
    assert np.isnan(shares.shrunk[1, 0])
    assert not np.isnan(shares.shrunk[2, 0])


def test_coverage_and_gain_over_the_raw_share() -> None:
    rng = np.random.default_rng(3)
    level = np.log(rng.uniform(0.01, 0.1, 80)) + np.cumsum(rng.normal(0, 0.1, (60, 80)), axis=0)
    true = np.exp(level).clip(0, 0.5)
    counts = rng.binomial(300, true)
    series = {f"{at:02}": counts[:, at].tolist() for at in range(80)}
    shares = shrink(grid_of(frame(series, totals=300)))
    late = slice(30, None)
    inside = (shares.low <= true) & (true <= shares.high)
    assert inside[late].mean() == pytest.approx(0.95, abs=0.03)
    raw = counts / 300
    assert np.abs(shares.shrunk - true)[late].mean() < 0.8 * np.abs(raw - true)[late].mean()
