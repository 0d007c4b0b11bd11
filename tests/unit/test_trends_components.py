"""Posteriors over components: they find the speed and the noise that the series have."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.trends.components import (
    OVERDISPERSION,
    YEARLY_SD,
    components,
    posterior_weights,
)
from pipelines.trends.grids import Floats
from pipelines.trends.levels import filter_levels

pytestmark = pytest.mark.unit


def weights_of(sd: float, s2: float, n_periods: int = 104, n_series: int = 60) -> Floats:
    """The last weights of series that move and vary like this."""
    rng = np.random.default_rng(5)
    shape = (n_periods, n_series)
    walk = np.cumsum(rng.normal(0, sd / np.sqrt(52), shape), axis=0)
    share = 1 / (1 + np.exp(3 - walk - rng.normal(0, np.sqrt(s2), shape)))
    total = np.full(shape, 400.0)
    papers = rng.binomial(400, share).astype(np.float64)
    q, noise = components(52)
    filtered = filter_levels(papers, total, np.zeros((n_periods, 1)), q, noise)
    seen = np.ones(shape, dtype=np.bool_)
    return np.asarray(posterior_weights(filtered.log_likelihood, seen)[-1], dtype=np.float64)


def test_components_are_all_pairs() -> None:
    q, s2 = components(52)
    pairs = set(zip((q * 52).round(6).tolist(), s2.tolist(), strict=True))
    assert pairs == {(round(sd**2, 6), noise) for sd in YEARLY_SD for noise in OVERDISPERSION}
    assert components(12)[0] == pytest.approx(components(52)[0] * 52 / 12)


@pytest.mark.parametrize("sd", [0.01, 0.5, 1.25])
@pytest.mark.parametrize("s2", [0.003, 0.08])
def test_the_weights_find_movement_and_noise(sd: float, s2: float) -> None:
    q, noise = components(52)
    pooled = weights_of(sd, s2).mean(axis=1)
    assert float(pooled @ np.sqrt(q * 52)) == pytest.approx(sd, rel=0.35, abs=0.06)
    assert float(pooled @ noise) == pytest.approx(s2, rel=0.3, abs=0.01)


def test_weights_sum_to_one_and_learn_from_seen_series_only() -> None:
    rng = np.random.default_rng(0)
    likelihood = rng.normal(0, 3, (8, 4, 5))
    seen = np.ones((8, 5), dtype=np.bool_)
    weights = posterior_weights(likelihood, seen)
    assert weights.sum(axis=1) == pytest.approx(1)
    more = np.concatenate([likelihood, rng.normal(0, 3, (8, 4, 2))], axis=2)
    unseen = np.concatenate([seen, np.zeros((8, 2), dtype=np.bool_)], axis=1)
    assert np.array_equal(posterior_weights(more, unseen)[:, :, :5], weights)


def test_weights_of_a_period_ignore_later_ones() -> None:
    rng = np.random.default_rng(1)
    likelihood, seen = rng.normal(0, 3, (9, 4, 6)), np.ones((9, 6), dtype=np.bool_)
    assert np.array_equal(
        posterior_weights(likelihood[:5], seen[:5]), posterior_weights(likelihood, seen)[:5]
    )
