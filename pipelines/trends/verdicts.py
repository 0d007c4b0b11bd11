"""Verdicts: rising, falling, flat or insufficient, with the reason.

Belongs here: control of the false discovery rate, adjustment of intervals for selection (FCR), the
rule of the verdict, first occurrence and emergence. Does not belong here: growth
(`growth.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.trends.grids import Bools, Floats, Grid, Ints
from pipelines.trends.growth import LEVEL, Growth

MAX_Q: Final = 0.10
"""False discovery rate of the verdicts rising and falling."""

MIN_EFFECT: Final = float(np.log(1.2))
"""Least growth of the verdicts rising and falling, however significant."""

FLAT_WITHIN: Final = float(np.log(1.5))
"""The verdict flat needs an interval that rules out a change of this size in both directions."""

MIN_PAPERS: Final = 10
"""Least number of papers of a series in both windows together for a test."""

WINDOW_COUNTS: Final = (
    "n_papers_current", "n_total_current", "n_papers_before", "n_total_before",
)  # fmt: skip
"""Papers of the series and of the population, in the current and in the previous window."""

GROWTH_COLUMNS: Final = (
    "growth", "growth_low", "growth_high", "growth_level", "p_value", "q_value", "verdict",
    "verdict_reason",
)  # fmt: skip
"""Growth and verdict, as `judge_growth` returns them."""

EMERGING_WITHIN: Final = {"week": 26, "month": 6, "quarter": 2}
"""A series may emerge for this many periods from its first paper on."""

EMERGING_HISTORY: Final = 2
"""The history must have this many times as many complete periods."""

EMERGING_PAPERS: Final = 5
"""Least number of papers of an emerging series."""


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Return Benjamini-Hochberg q-values along each row. NaN (not tested) stays NaN.

    A q-value is the smallest false discovery rate at which the test is rejected. Source: Y.
    Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995), 289–300.
    """
    if p_values.size == 0:
        return p_values.copy()
    tested = ~np.isnan(p_values)
    order = np.argsort(np.where(tested, p_values, np.inf), axis=1, kind="stable")
    ranked = np.take_along_axis(np.where(tested, p_values, np.inf), order, axis=1)
    n_tested = np.maximum(tested.sum(axis=1, keepdims=True), 1)
    scaled = ranked * n_tested / np.arange(1, p_values.shape[1] + 1)
    lowest = np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]
    q_values = np.empty_like(p_values)
    np.put_along_axis(q_values, order, np.minimum(lowest, 1.0), axis=1)
    return np.where(tested, q_values, np.nan)


def is_tested(grid: Grid, growth: Growth, min_papers_to_date: int = 0) -> Bools:
    """Return which cells are tested.

    These have complete and comparable windows with at least `MIN_PAPERS` papers together, and at
    least `min_papers_to_date` papers of the series so far. The conditional test does not depend on
    the sum of both windows, so selecting by it keeps the level of the test.
    """
    windows = growth.windows
    tested: Bools = windows.is_complete & (windows.k1 + windows.k0 >= MIN_PAPERS)
    return tested & windows.is_comparable & (papers_to_date(grid) >= min_papers_to_date)


def papers_to_date(grid: Grid) -> Floats:
    """Return for each cell the papers of its series up to its period."""
    return np.cumsum(np.where(grid.is_present, grid.n_papers, 0.0), axis=0)


def is_directional(verdict: NDArray[np.generic]) -> Bools:
    """Return which verdicts are rising or falling."""
    directional: Bools = (verdict == "rising") | (verdict == "falling")
    return directional


def fcr_levels(selected: Bools, tested: Bools, level: float = LEVEL) -> Floats:
    """Return the level of each cell's interval, adjusted for selection (FCR).

    Selected intervals (rising or falling) have extreme estimates, so at the nominal level too many
    of them miss the true value. With R of m tested intervals selected, the level
    1 - (1 - level) R / m controls the false coverage-statement rate: the expected share of selected
    intervals that miss is at most 1 - level. Source: Y. Benjamini and D. Yekutieli, Journal of the
    American Statistical Association 100 (2005), 71–81.
    """
    n_tested = np.maximum(tested.sum(axis=1, keepdims=True), 1)
    n_selected = selected.sum(axis=1, keepdims=True)
    return np.where(selected, 1 - (1 - level) * n_selected / n_tested, level)


def judge_growth(
    grid: Grid, growth: Growth, min_papers_to_date: int = 0
) -> dict[str, NDArray[np.generic]]:
    """Return `WINDOW_COUNTS` and `GROWTH_COLUMNS` of the cells of a grid.

    The false discovery rate is controlled within each period. The reason is the first that applies:

    - insufficient: `partial`, `short_history`, `gap`, `no_total`, `coverage_differs`,
      `text_differs`, `few_papers`;
    - rising or falling: `significant`;
    - flat: `small_change` (significant, but less than `MIN_EFFECT`), `no_change`;
    - insufficient: `wide_interval`.
    """
    windows = growth.windows
    tested = is_tested(grid, growth, min_papers_to_date)
    p_value = np.where(tested, growth.p_value, np.nan)
    q_value = benjamini_hochberg(p_value)
    rules = _verdict_rules(grid, growth, tested, q_value)
    holds = [rule for _, _, rule in rules]
    verdict = np.select(holds, [verdict for _, verdict, _ in rules], "insufficient")
    level = fcr_levels(is_directional(verdict), tested)
    low, high = growth.distribution.bounds(level)
    counts = zip(WINDOW_COUNTS, (windows.k1, windows.n1, windows.k0, windows.n0), strict=True)
    return {
        **{name: np.where(windows.is_complete, n, np.nan) for name, n in counts},
        "growth": growth.growth,
        "growth_low": low,
        "growth_high": high,
        "growth_level": np.where(np.isnan(growth.growth), np.nan, level),
        "p_value": p_value,
        "q_value": q_value,
        "verdict": verdict,
        "verdict_reason": np.select(holds, [reason for reason, _, _ in rules], "wide_interval"),
    }


def _verdict_rules(
    grid: Grid, growth: Growth, tested: Bools, q_value: Floats
) -> list[tuple[str, str, Bools]]:
    """Reason, verdict and the cells it applies to, in order of precedence."""
    windows = growth.windows
    low, high = np.nan_to_num(growth.low), np.nan_to_num(growth.high)
    significant = tested & (np.nan_to_num(q_value, nan=1.0) <= MAX_Q)
    large = np.abs(np.nan_to_num(growth.growth)) >= MIN_EFFECT
    narrow = tested & (low > -FLAT_WITHIN) & (high < FLAT_WITHIN)
    return [
        ("partial", "insufficient", grid.is_partial | windows.has_partial),
        ("short_history", "insufficient", windows.is_short),
        ("gap", "insufficient", windows.has_gap),
        ("no_total", "insufficient", windows.is_empty),
        ("coverage_differs", "insufficient", windows.differs["complete_share"]),
        ("text_differs", "insufficient", windows.differs["text_share"]),
        ("few_papers", "insufficient", ~tested),
        ("significant", "rising", significant & large & (np.nan_to_num(growth.growth) > 0)),
        ("significant", "falling", significant & large),
        ("small_change", "flat", significant & narrow),
        ("no_change", "flat", narrow),
    ]


def first_seen(grid: Grid) -> Ints:
    """Return for each cell the index of the first period with a paper of its series, or -1."""
    seen = papers_to_date(grid) > 0
    return np.where(seen, np.argmax(seen, axis=0)[None, :], -1)


def is_emerging(grid: Grid, growth: Growth, first: Ints, verdict: NDArray[np.generic]) -> Bools:
    """Return which cells are emerging. This is a rule, not a test.

    The first paper is within the last `EMERGING_WITHIN` periods of a history with at least
    `EMERGING_HISTORY` times as many complete periods. The series has at least `EMERGING_PAPERS`
    papers so far. It is rising, or had no paper in the previous window of two comparable windows.
    The period is not partial.
    """
    within = EMERGING_WITHIN[grid.grain]
    is_long = np.cumsum(grid.is_usable.any(axis=1)) >= EMERGING_HISTORY * within
    age = grid.ticks[:, None] - grid.ticks[np.maximum(first, 0)]
    papers = papers_to_date(grid)
    is_new = (first >= 0) & (age < within)
    windows = growth.windows
    none_before = windows.is_complete & windows.is_comparable & (windows.k0 == 0)
    emerges: Bools = grid.is_usable & is_long[:, None] & is_new & (papers >= EMERGING_PAPERS)
    emerges &= (verdict == "rising") | none_before

    return emerges
