"""Bursts against an exhaustive search over all state sequences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from pipelines.trends.bursts import burst_levels
from tests.unit.trend_frames import frame, grid_of

pytestmark = pytest.mark.unit


def brute_force(counts: list[int], totals: list[int]) -> int:
    """Last state of the cheapest of all 2^T sequences; the one with less burst in a tie."""
    seen, total = sum(counts), sum(totals)
    if seen in {0, total}:
        return 0
    base = seen / total
    rates = (base, min(2 * base, 1 - (1 - base) / 2))
    climb = math.log(len(counts))
    best = (math.inf, 0)
    for states in itertools.product((0, 1), repeat=len(counts)):
        cost = 0.0
        for before, state, k, n in zip((0, *states), states, counts, totals, strict=False):
            cost += climb if state > before else 0.0
            cost -= k * math.log(rates[state]) + (n - k) * math.log(1 - rates[state])
        best = min(best, (round(cost, 9), states[-1]))
    return best[1]


@pytest.mark.parametrize("seed", range(12))
def test_every_prefix_against_all_sequences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    totals = rng.integers(5, 60, 10).tolist()
    share = np.where(rng.uniform(size=10) < 0.3, 0.5, 0.1)
    counts = [int(rng.binomial(n, p)) for n, p in zip(totals, share, strict=True)]
    levels = burst_levels(grid_of(frame({"a": counts, "b": totals, "c": [0] * 10}, totals=totals)))
    expected = [brute_force(counts[:end], totals[:end]) for end in range(1, 11)]
    assert levels[:, 0].tolist() == expected
    assert not levels[:, 1].any()
    assert not levels[:, 2].any()


def test_a_burst_begins_and_ends() -> None:
    counts = [5] * 20 + [30] * 4 + [5] * 6
    levels = burst_levels(grid_of(frame({"a": counts}, grain="week")))[:, 0]
    assert levels.tolist() == [0] * 20 + [1] * 4 + [0] * 6


def test_partial_periods_are_not_batches() -> None:
    counts, totals = [5, 5, 5, 5, 90, 30, 30], [100] * 7
    levels = burst_levels(grid_of(frame({"a": counts}, totals=totals, partial=[4])))[:, 0]
    assert levels[4] == -1
    assert levels[6] == brute_force([5, 5, 5, 5, 30, 30], [100] * 6)
