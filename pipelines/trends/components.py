"""How fast each series moves, and how noisy it is: a posterior over components (q, s2).

Belongs here: the grid of components and their weights, pooled over series (empirical Bayes). Does
not belong here: the model itself (`levels.py`).

Every series has its own posterior over the components; the prior is the distribution of components
over all series of the kind and population, learned from the data up to the period. Source: the
adaptive shrinkage of M. Stephens, *False discovery rates: a new deal*, Biostatistics 18 (2017),
275-294, with components of movement in place of components of effect size.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.trends.grids import Bools, Floats, ordered_sums

YEARLY_SD: Final = (0.01, 0.12, 0.25, 0.5, 0.8, 1.25)
"""Standard deviation of a year's movement of the log odds: from constant to a factor of 3.5."""

OVERDISPERSION: Final = (0.003, 0.02, 0.08)
"""Variance of the log odds of one period around the level: 5, 14 and 28 %."""

PRIOR_COUNT: Final = 2.0
"""Each component counts as this many series before any is seen."""

EM_STEPS: Final = 50


def components(periods_per_year: int) -> tuple[Floats, Floats]:
    """Return q per period and s2 of every component."""
    sd, s2 = np.meshgrid(YEARLY_SD, OVERDISPERSION, indexing="ij")
    return (sd.ravel() ** 2) / periods_per_year, s2.ravel()


def posterior_weights(log_likelihood: Floats, is_seen: Bools) -> Floats:
    """Return for each period the posterior over components of each series.

    `log_likelihood` has periods × components × series, summed over a series' cells; `is_seen` has
    periods × series: whether the series has had a paper. The result has the shape of the likelihood
    and sums to 1 over components. The pooled prior of a period is fitted by EM to the likelihood of
    the data of seen series up to it.
    """
    to_date = np.cumsum(log_likelihood, axis=0)
    likelihood = np.exp(to_date - to_date.max(axis=1, keepdims=True))
    pooled = np.full(to_date.shape[1], 1 / to_date.shape[1])
    weights = np.empty_like(to_date)
    for t in range(to_date.shape[0]):
        if t and not log_likelihood[t].any():
            weights[t] = weights[t - 1]
            continue
        # Series that are not seen yet do not change any bit of the sums.
        seen = np.ascontiguousarray(likelihood[t][:, is_seen[t]])
        for _ in range(EM_STEPS):
            counts = _posterior(pooled, seen).sum(axis=1) + PRIOR_COUNT
            pooled = counts / counts.sum()
        weights[t] = _posterior(pooled, likelihood[t])
    return weights


def _posterior(pooled: Floats, likelihood: Floats) -> Floats:
    joint = pooled[:, None] * likelihood
    return np.asarray(joint / ordered_sums(joint, 0), dtype=np.float64)
