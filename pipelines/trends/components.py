"""How fast each series moves, and how noisy it is: a posterior over components.

Belongs here: the grid of components and their weights, pooled over series (empirical Bayes). Does
not belong here: the model itself (`levels.py`).

Every series has its own posterior over the components; the prior is the distribution of components
over all series of the kind and population, learned from the data up to the period. Source: the
adaptive shrinkage of M. Stephens, *False discovery rates: a new deal*, Biostatistics 18 (2017),
275-294, with components of movement in place of components of effect size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.trends.grids import Bools, Floats, ordered_sums

YEARLY_SD: Final = (0.1, 0.25, 0.5, 1.0)
"""Standard deviation of a year's movement of the log odds: from 10 % to a factor of 2.7."""

OVERDISPERSION: Final = (0.005, 0.02, 0.08)
"""Variance of the log odds of one period around the level: 7, 14 and 28 %."""

SLOPE_SHARE: Final = 0.8
"""Part of the yearly variance that comes from a slope; the rest are jumps of the level."""

SLOPE_MEMORY: Final = 0.25
"""Years until a slope has decayed to 1/e of itself."""

PRIOR_COUNT: Final = 2.0
"""Each component counts as this many series before any is seen."""

EM_STEPS: Final = 50


@dataclass(frozen=True)
class Components:
    """The parameters of each component, per base period; arrays have one value per component."""

    decay: float
    """A slope times this is the next period's expected slope."""
    jump: Floats
    """Variance of the level's own movement."""
    start: Floats
    """Variance of a slope about which nothing is known."""
    noise: Floats
    """Variance of the log odds of one period around the level."""

    @property
    def bend(self) -> Floats:
        """Variance of a slope's movement: it keeps the variance of slopes at `start`."""
        return np.asarray(self.start * (1 - self.decay**2), dtype=np.float64)


def components(periods_per_year: int) -> Components:
    """Return every pair of a yearly movement and an overdispersion.

    A slope b with the variance v and the decay d, summed over many periods, contributes
    v (1 + d) / (1 - d) to the variance per period.
    """
    sd, noise = (a.ravel() for a in np.meshgrid(YEARLY_SD, OVERDISPERSION, indexing="ij"))
    per_period = sd**2 / periods_per_year
    decay = float(np.exp(-1 / (SLOPE_MEMORY * periods_per_year)))
    return Components(
        decay=decay,
        jump=(1 - SLOPE_SHARE) * per_period,
        start=SLOPE_SHARE * per_period * (1 - decay) / (1 + decay),
        noise=noise,
    )


class Weights:
    """Weights of the components of each series; every update takes the next period's data."""

    def __init__(self, n_components: int, n_series: int) -> None:
        self._to_date = np.zeros((n_components, n_series))
        self._pooled = np.full(n_components, 1 / n_components)
        self.current: Floats = np.full_like(self._to_date, 1 / n_components)

    def update(self, log_likelihood: Floats, is_seen: Bools) -> Floats:
        """Return the posterior over components, components × series; it sums to 1 over components.

        `log_likelihood` has the same shape, summed over a series' cells; `is_seen` tells which
        series have had a paper. The pooled prior is fitted by EM to the likelihood of all data of
        seen series so far.
        """
        if log_likelihood.any():
            self._to_date = self._to_date + log_likelihood
            likelihood = np.exp(self._to_date - self._to_date.max(axis=0))
            # Series that are not seen yet do not change any bit of the sums.
            seen = np.ascontiguousarray(likelihood[:, is_seen])
            for _ in range(EM_STEPS):
                counts = _posterior(self._pooled, seen).sum(axis=1) + PRIOR_COUNT
                self._pooled = counts / counts.sum()
            self.current = _posterior(self._pooled, likelihood)
        return self.current


def _posterior(pooled: Floats, likelihood: Floats) -> Floats:
    joint = pooled[:, None] * likelihood
    return np.asarray(joint / ordered_sums(joint, 0), dtype=np.float64)
