"""Intervals of figures that Python counts; those of the marts are macros. Belongs here: no more."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Final

import numpy as np

from pipelines.trends.grids import Floats

LEVEL: Final = 0.95


def wilson(hits: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Bounds of a share by E. B. Wilson, JASA 22 (1927), 209–212; (0, 1) where n is 0."""
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def bootstrap(
    n_clusters: int,
    figure: Callable[[Floats], float],
    seed: int,
    n_draws: int = 1_000,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Percentile bounds of a figure over draws of whole clusters, with replacement.

    `figure` is given how often each cluster was drawn; a draw without a figure (NaN) is left out.
    NaN bounds where none has one. Source: B. Efron and R. J. Tibshirani, An Introduction to the
    Bootstrap (1993), chapters 8 and 13.
    """
    if not n_clusters:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).multinomial(
        n_clusters, np.full(n_clusters, 1 / n_clusters), size=n_draws
    )
    figures = np.array([figure(draw.astype(np.float64)) for draw in draws])
    figures = figures[~np.isnan(figures)]
    if not figures.size:
        return float("nan"), float("nan")
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
