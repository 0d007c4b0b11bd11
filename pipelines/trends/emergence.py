"""First occurrence of a series, and whether it is emerging.

Belongs here: rules on when a series was first seen. Does not belong here: anything tested.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.trends.grids import Bools, Floats, Grid, Ints

EMERGING_WITHIN: Final = {"week": 26, "month": 6, "quarter": 2}
"""A series may emerge for this many periods from its first paper on."""

EMERGING_HISTORY: Final = 2
"""The history must have this many times as many complete periods."""

EMERGING_PAPERS: Final = 5
"""Least number of papers of an emerging series."""


def papers_to_date(grid: Grid) -> Floats:
    """Return for each cell the papers of its series up to its period."""
    return np.cumsum(np.where(grid.is_present, grid.n_papers, 0.0), axis=0)


def first_seen(grid: Grid) -> Ints:
    """Return for each cell the index of the first period with a paper of its series, or -1."""
    seen = papers_to_date(grid) > 0
    return np.where(seen, np.argmax(seen, axis=0)[None, :], -1)


def is_emerging(grid: Grid, first: Ints) -> Bools:
    """Return which cells are emerging. This is a rule, not a test.

    The first paper is within the last `EMERGING_WITHIN` periods of a history with at least
    `EMERGING_HISTORY` times as many complete periods, and the series has at least
    `EMERGING_PAPERS` papers so far. The period is not partial.
    """
    within = EMERGING_WITHIN[grid.grain]
    is_long = np.cumsum(grid.is_usable.any(axis=1)) >= EMERGING_HISTORY * within
    age = grid.ticks[:, None] - grid.ticks[np.maximum(first, 0)]
    is_new = (first >= 0) & (age < within)
    emerges: Bools = grid.is_usable & is_long[:, None] & is_new
    return emerges & (papers_to_date(grid) >= EMERGING_PAPERS)
