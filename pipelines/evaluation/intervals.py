"""Confidence intervals of the evaluation. The marts compute theirs in SQL macros.

Belongs here: Wilson's interval and the cluster bootstrap. Does not belong here: intervals of growth
and smoothed shares (`pipelines/trends/`).
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Final

import numpy as np

from pipelines.trends.grids import Floats

LEVEL: Final = 0.95


def wilson(hits: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return Wilson's interval of a proportion; (0, 1) if n is 0."""
    if n <= 0:
        return 0.0, 1.0
    low, high = wilson_bounds(np.array(hits, dtype=np.float64), np.array(n, np.float64), level)
    return float(low), float(high)


def wilson_bounds(hits: Floats, n: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return Wilson's intervals of proportions with n > 0.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209–212.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def bootstrap(
    n_clusters: int,
    statistic: Callable[[Floats], float],
    seed: int,
    n_draws: int = 1_000,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Return the percentile interval of a statistic by a cluster bootstrap.

    Clusters are drawn with replacement. `statistic` gets the number of times each cluster was
    drawn; draws for which it is NaN are left out. The bounds are NaN if no draw is left. Source: B.
    Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13.
    """
    if not n_clusters:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).multinomial(
        n_clusters, np.full(n_clusters, 1 / n_clusters), size=n_draws
    )
    values = np.array([statistic(draw.astype(np.float64)) for draw in draws])
    values = values[~np.isnan(values)]
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
