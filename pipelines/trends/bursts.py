"""Bursts: Kleinberg's two-state automaton over batches, decoded as of each period.

Belongs here: the burst level. Does not belong here: verdicts.

Source: J. Kleinberg, "Bursty and hierarchical structure in streams", Data Mining and Knowledge
Discovery 7 (2003), 373–397, on batched arrivals.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.trends.grids import Floats, Grid, Ints

SCALE: Final = 2.0
"""Ratio of the burst rate to the base rate."""

GAMMA: Final = 1.0
"""Entering a burst costs GAMMA times the logarithm of the number of batches; leaving is free."""

_BLOCK_CELLS = 2_000_000


def burst_levels(grid: Grid) -> Ints:
    """Return 1 for cells in a burst as of their period, 0 for others, -1 for unusable cells.

    The base rate, the number of batches and the state sequence of least cost as of T are computed
    from usable periods up to T only. The level is the last state of that sequence, the lower one in
    a tie. Later periods do not change it, at the cost of one decoding per period.
    """
    usable = grid.is_usable
    k = np.where(usable, grid.n_papers, 0.0)
    rest = np.where(usable, grid.n_total - grid.n_papers, 0.0)
    seen, seen_rest = np.cumsum(k, axis=0), np.cumsum(rest, axis=0)
    climb = GAMMA * np.log(np.maximum(np.cumsum(usable, axis=0), 1))
    gain, loss = _log_ratios(seen, seen_rest)
    # Only the cost difference of both states (burst minus base) matters. A Viterbi step clips it
    # between 0 and the cost of entering a burst, then adds the difference of the batch.
    difference = np.empty_like(k)
    width = max(1, _BLOCK_CELLS // max(k.shape[0], 1))
    for left in range(0, k.shape[1], width):
        part = slice(left, left + width)
        running = climb[:, part].copy()
        for at in range(k.shape[0]):
            later = running[at:]
            np.clip(later, 0.0, climb[at:, part], out=later)
            later -= k[at, part] * gain[at:, part]
            later -= rest[at, part] * loss[at:, part]
        difference[:, part] = running
    return np.where(usable, (difference < -1e-9).astype(np.int64), -1)


def _log_ratios(seen: Floats, seen_rest: Floats) -> tuple[Floats, Floats]:
    """Log ratio of burst and base rate, for a paper of the series and for any other paper."""
    total = seen + seen_rest
    bursts = (seen > 0) & (seen_rest > 0)
    base = np.where(bursts, seen / np.maximum(total, 1), 0.5)
    burst = np.minimum(SCALE * base, 1 - (1 - base) / SCALE)
    gain = np.where(bursts, np.log(burst / base), 0.0)
    loss = np.where(bursts, np.log((1 - burst) / (1 - base)), 0.0)
    return gain, loss
