"""Posteriors over components: they find the speed and the noise that the series have."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.trends.components import (
    OVERDISPERSION,
    SLOPE_SHARE,
    YEARLY_SD,
    Weights,
    components,
)
from pipelines.trends.grids import Bools, Floats
from pipelines.trends.levels import follow

pytestmark = pytest.mark.unit


def weights_of(sd: float, s2: float, n_periods: int = 104, n_series: int = 60) -> Floats:
    """The last weights of series that move and vary like this, by the model's own trend."""
    rng = np.random.default_rng(5)
    shape, parts = (n_periods, n_series), components(52)
    share = SLOPE_SHARE * sd**2 / 52
    start = share * (1 - parts.decay) / (1 + parts.decay)
    slope = rng.normal(0, np.sqrt(start), n_series)
    level, levels = np.full(n_series, -3.0), []
    for _ in range(n_periods):
        levels.append(level)
        level = level + slope + rng.normal(0, np.sqrt((1 - SLOPE_SHARE) * sd**2 / 52), n_series)
        shock = rng.normal(0, np.sqrt(start * (1 - parts.decay**2)), n_series)
        slope = parts.decay * slope + shock
    share_seen = 1 / (1 + np.exp(-np.array(levels) - rng.normal(0, np.sqrt(s2), shape)))
    papers = rng.binomial(400, share_seen).astype(np.float64)
    weights = Weights(parts.noise.size, n_series)
    seen = np.ones(n_series, dtype=np.bool_)
    for step in follow(papers, np.full(shape, 400.0), np.zeros(n_periods), parts, 1):
        weights.update(step.log_likelihood, seen)
    return weights.current


def test_components_are_all_pairs() -> None:
    weekly, monthly = components(52), components(12)
    for parts, per_year in ((weekly, 52), (monthly, 12)):
        sums = parts.jump + parts.start * (1 + parts.decay) / (1 - parts.decay)
        yearly = np.sqrt(sums * per_year).round(6).tolist()
        assert set(zip(yearly, parts.noise.tolist(), strict=True)) == {
            (sd, noise) for sd in YEARLY_SD for noise in OVERDISPERSION
        }
    assert weekly.decay**52 == pytest.approx(monthly.decay**12)


def test_a_slope_keeps_its_variance() -> None:
    parts = components(52)
    assert parts.decay**2 * parts.start + parts.bend == pytest.approx(parts.start)


@pytest.mark.parametrize("sd", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("s2", [0.005, 0.08])
def test_the_weights_find_movement_and_noise(sd: float, s2: float) -> None:
    pooled = weights_of(sd, s2).mean(axis=1)
    of_sd = np.repeat(YEARLY_SD, len(OVERDISPERSION))
    assert float(pooled @ of_sd) == pytest.approx(sd, rel=0.35, abs=0.06)
    assert float(pooled @ components(52).noise) == pytest.approx(s2, rel=0.3, abs=0.01)


def updated(likelihood: Floats, seen: Bools) -> list[Floats]:
    """Weights after each period: components × series."""
    weights = Weights(*likelihood.shape[1:])
    return [weights.update(*period) for period in zip(likelihood, seen, strict=True)]


def test_weights_sum_to_one_and_learn_from_seen_series_only() -> None:
    rng = np.random.default_rng(0)
    likelihood = rng.normal(0, 3, (8, 4, 5))
    seen = np.ones((8, 5), dtype=np.bool_)
    weights = updated(likelihood, seen)
    assert all(w.sum(axis=0) == pytest.approx(1) for w in weights)
    more = np.concatenate([likelihood, rng.normal(0, 3, (8, 4, 2))], axis=2)
    unseen = np.concatenate([seen, np.zeros((8, 2), dtype=np.bool_)], axis=1)
    for few, many in zip(weights, updated(more, unseen), strict=True):
        assert np.array_equal(many[:, :5], few)


def test_a_period_without_data_changes_no_weight() -> None:
    rng = np.random.default_rng(1)
    likelihood, seen = rng.normal(0, 3, (3, 4, 6)), np.ones((3, 6), dtype=np.bool_)
    likelihood[1] = 0
    first, second, third = updated(likelihood, seen)
    assert np.array_equal(first, second)
    assert not np.array_equal(second, third)
