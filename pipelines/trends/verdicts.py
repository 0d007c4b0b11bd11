"""Verdicts: which growth is called rising or falling, and why not.

Belongs here: the false-discovery rate, the rule of the verdict and its reason, first sight and
emergence. Does not belong here: the numbers they rest on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.trends.grids import Bools, Floats, Grid, Ints
from pipelines.trends.growth import LEVEL, Growth

MAX_Q: Final = 0.10
"""The share of false verdicts among those called rising or falling that is put up with."""

MIN_EFFECT: Final = float(np.log(1.2))
"""A smaller growth is not called rising or falling, however sure."""

FLAT_WITHIN: Final = float(np.log(1.5))
"""Flat is said only where the interval excludes a change by this much either way."""

MIN_PAPERS: Final = 10
"""Papers of the series in both windows together for it to be tested."""

WINDOW_COUNTS: Final = (
    "n_papers_current", "n_total_current", "n_papers_before", "n_total_before",
)  # fmt: skip
"""Papers of the series and all papers, in the current window and in the one before."""

EMERGING_WITHIN: Final = {"week": 26, "month": 6, "quarter": 2}
"""A series is new for so many periods after it was first seen."""

EMERGING_HISTORY: Final = 2
"""And only when so many times as many complete periods have been."""

EMERGING_PAPERS: Final = 5
"""And with at least so many papers since then."""


def false_discovery(p_values: Floats) -> Floats:
    """Return Benjamini–Hochberg q-values along each row; NaN is not tested and stays NaN.

    Source: Y. Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57 (1995),
    289–300; as adjusted p-values: the smallest rate at which a test would be called.
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


def is_tested(grid: Grid, growth: Growth, least_seen: int = 0) -> Bools:
    """Return which cells are tested: complete, comparable windows with `MIN_PAPERS` papers or more.

    And a series with at least `least_seen` papers so far. The number of papers in both windows
    together says nothing of their order, so choosing by it leaves the tests' level as it is.
    """
    windows = growth.windows
    tested: Bools = windows.is_complete & (windows.k1 + windows.k0 >= MIN_PAPERS)
    return tested & windows.is_comparable & (seen_so_far(grid) >= least_seen)


def seen_so_far(grid: Grid) -> Floats:
    """Return for each cell the papers of its series up to its period."""
    return np.cumsum(np.where(grid.is_present, grid.n_papers, 0.0), axis=0)


def level_of_called(called: Bools, tested: Bools, level: float = LEVEL) -> Floats:
    """Return for each cell the level of its interval: `level`, and more where one was called.

    Of m intervals the R that were called are the ones that look largest, so at `level` more of them
    miss than they promise. At 1 - (1 - level) R / m the expected share of them that misses is
    1 - level again.
    Source: Y. Benjamini and D. Yekutieli, Journal of the American Statistical Association 100
    (2005), 71-81.
    """
    n_tested = np.maximum(tested.sum(axis=1, keepdims=True), 1)
    n_called = called.sum(axis=1, keepdims=True)
    return np.where(called, 1 - (1 - level) * n_called / n_tested, level)


def judge_growth(grid: Grid, growth: Growth, least_seen: int = 0) -> dict[str, NDArray[np.generic]]:
    """Return windows' counts, growth, its bounds and level, p, q, verdict and reason of cells.

    The first reason that applies: `partial` (a period of the windows is), `short_history`, `gap`,
    `no_total`, `coverage_differs`, `text_differs` and `few_papers`: insufficient; `significant`:
    rising or falling; `small_change` (as sure, but less than `MIN_EFFECT`) and `no_change`: flat;
    `wide_interval`: insufficient.
    """
    windows = growth.windows
    tested = is_tested(grid, growth, least_seen)
    p_value = np.where(tested, growth.p_value, np.nan)
    q_value = false_discovery(p_value)
    low, high = np.nan_to_num(growth.low), np.nan_to_num(growth.high)
    significant = tested & (np.nan_to_num(q_value, nan=1.0) <= MAX_Q)
    large = np.abs(np.nan_to_num(growth.growth)) >= MIN_EFFECT
    narrow = tested & (low > -FLAT_WITHIN) & (high < FLAT_WITHIN)
    rules: list[tuple[str, str, Bools]] = [
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
    holds = [rule for _, _, rule in rules]
    verdict = np.select(holds, [verdict for _, verdict, _ in rules], "insufficient")
    level = level_of_called((verdict == "rising") | (verdict == "falling"), tested)
    called_low, called_high = growth.law.bounds(level)
    counts = zip(WINDOW_COUNTS, (windows.k1, windows.n1, windows.k0, windows.n0), strict=True)
    return {
        **{name: np.where(windows.is_complete, n, np.nan) for name, n in counts},
        "growth": growth.growth,
        "growth_low": called_low,
        "growth_high": called_high,
        "growth_level": np.where(np.isnan(growth.growth), np.nan, level),
        "p_value": p_value,
        "q_value": q_value,
        "verdict": verdict,
        "verdict_reason": np.select(holds, [reason for reason, _, _ in rules], "wide_interval"),
    }


def first_seen(grid: Grid) -> Ints:
    """Return for each cell the index of the first period with a paper of its series, or -1."""
    seen = seen_so_far(grid) > 0
    return np.where(seen, np.argmax(seen, axis=0)[None, :], -1)


def is_emerging(grid: Grid, growth: Growth, first: Ints, verdict: NDArray[np.generic]) -> Bools:
    """Return which cells emerge: new in a long enough history, with papers, and rising or new.

    First seen within the last `EMERGING_WITHIN` periods, when at least `EMERGING_HISTORY` times as
    many complete periods have been; at least `EMERGING_PAPERS` papers so far; and rising, or with
    no paper in the window before, where both windows can be compared. Never in a partial period.
    Nothing is tested by it.
    """
    within = EMERGING_WITHIN[grid.grain]
    is_long = np.cumsum(grid.is_usable.any(axis=1)) >= EMERGING_HISTORY * within
    age = grid.ticks[:, None] - grid.ticks[np.maximum(first, 0)]
    papers = seen_so_far(grid)
    is_new = (first >= 0) & (age < within)
    windows = growth.windows
    nothing_before = windows.is_complete & windows.is_comparable & (windows.k0 == 0)
    emerges: Bools = grid.is_usable & is_long[:, None] & is_new & (papers >= EMERGING_PAPERS)
    emerges &= (verdict == "rising") | nothing_before
    return emerges
