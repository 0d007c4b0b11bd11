"""Coverage: how often the intervals contain the true value, by simulation.

Belongs here: simulated histories with known shares. Does not belong here: the intervals
(`pipelines/trends/`, `intervals.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Counted, Evidence, all_counted
from pipelines.evaluation.intervals import wilson, wilson_bounds
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.grids import Bools, Floats
from pipelines.trends.growth import PRIOR_OVERDISPERSION, WINDOWS, grow
from pipelines.trends.shares import shrink
from pipelines.trends.verdicts import (
    MIN_PAPERS,
    fcr_levels,
    is_directional,
    is_tested,
    judge_growth,
)

LEVELS = (0.90, 0.95)
N_HISTORIES = 40
DRIFT = {"week": 0.01, "month": 0.05, "quarter": 0.1}
"""Variance of the random walk of a simulated share's log odds, per period. Real shares have
persistent changes of this size."""
MIN_TOTAL = 30
TOLERANCE = 0.02
SELECTED = "growth, selected"
UNADJUSTED = "growth, selected, unadjusted"

METHOD = f"""
For each population and grain, {N_HISTORIES} histories are simulated with as many periods, papers
and topics as the real one. The log odds of a topic's share start at its real mean, follow a random
walk (variance per period: {", ".join(f"{g} {v}" for g, v in DRIFT.items())}) and have independent
noise ({", ".join(f"{g} {v}" for g, v in PRIOR_OVERDISPERSION.items())}). The number of papers is
binomial. The true values are therefore known: the share without the noise, and the ratio of its
means over both windows.

*share* is the observed share with Wilson's interval, which should contain the share of the period
with its noise. *share_shrunk* and *growth* are the columns of the tables. Periods with at least
{MIN_TOTAL} papers count; for growth, windows with at least {MIN_PAPERS} papers of the topic, which
are those that are tested. *growth, selected* has only the topics with the verdict rising or
falling, with intervals adjusted for selection (FCR). Topics are selected because their estimate is
extreme, so without the adjustment coverage is far lower (*growth, selected, unadjusted*, to which
no criterion is attached). Weeks of `arxiv` count as complete. Sudden changes, and drift common to
several topics, are not simulated.
"""


class Case(NamedTuple):
    """Intervals of one figure with the true values, and the cells that count."""

    truth: Floats
    bounds: tuple[Floats, Floats]
    counts: Bools


def evaluate(evidence: Evidence, n_histories: int = N_HISTORIES, seed: int = 0) -> Part:
    """Return the coverage of intervals by population, grain, figure and nominal level."""
    counted = [c for c in all_counted(evidence) if (c.grid.n_total[:, 0] >= MIN_TOTAL).any()]
    if not counted:
        return Part("Coverage of intervals", METHOD, skipped=f"no period has {MIN_TOTAL} papers.")
    rows = [row for c in counted for row in _tally(c, n_histories, seed)]
    by_grid = pl.DataFrame(rows, orient="row")
    coverage = pl.col("covered") / pl.col("intervals")
    overall = (
        by_grid.group_by("figure", "nominal", maintain_order=True)
        .agg(pl.col("covered", "intervals").sum())
        .with_columns(coverage=coverage)
    )
    rows_with_criterion = overall.filter(pl.col("figure") != UNADJUSTED)
    table = by_grid.with_columns(coverage=coverage).pivot(
        "nominal", index=["population", "grain", "figure", "intervals"], values="coverage"
    )
    return Part(
        "Coverage of intervals",
        METHOD,
        [_criterion(row) for row in rows_with_criterion.iter_rows(named=True)],
        [Table(f"Coverage by nominal level; {n_histories} histories each", table)],
    )


def _criterion(row: Mapping[str, Any]) -> Criterion:
    coverage, nominal, n = row["coverage"], row["nominal"], row["intervals"]
    result = f"{coverage:.1%} of {n:,}"
    if row["figure"] == SELECTED:
        # One-sided: a verdict needs more than a small q, so these intervals are conservative.
        low, high = wilson(row["covered"], n)
        result = f"{coverage:.1%} [{low:.1%}, {high:.1%}] of {n:,}"
        condition, is_met = f"at least {nominal - TOLERANCE:.0%}", high >= nominal - TOLERANCE
    else:
        condition, is_met = f"{nominal:.0%} ± {TOLERANCE:.0%}", abs(coverage - nominal) <= TOLERANCE
    return Criterion(
        f"{nominal:.0%} intervals of {row['figure']} have a coverage of {condition}",
        result,
        is_met,
        # Only too low a coverage is an error; too high a coverage misses a target.
        is_binding=coverage < nominal,
    )


def _tally(counted: Counted, n_histories: int, seed: int) -> list[dict[str, object]]:
    """Rows: population, grain, figure, nominal, covered, intervals."""
    shape = counted.grid.n_total.shape
    rng = np.random.default_rng([seed, shape[0], shape[1], WINDOWS[counted.grain][0]])
    tallies: dict[tuple[str, float], list[int]] = {}
    for _ in range(n_histories):
        for figure, level, case in _simulated_cases(counted, rng):
            low, high = case.bounds
            tally = tallies.setdefault((figure, level), [0, 0])
            tally[0] += int(((low <= case.truth) & (case.truth <= high))[case.counts].sum())
            tally[1] += int(case.counts.sum())
    return [
        {
            "population": counted.population,
            "grain": counted.grain,
            "figure": figure,
            "nominal": level,
            "covered": covered,
            "intervals": n,
        }
        for (figure, level), (covered, n) in tallies.items()
        if n
    ]


def _simulated_cases(
    counted: Counted, rng: np.random.Generator
) -> Iterator[tuple[str, float, Case]]:
    """Simulate one history; yield figure, nominal level and the case."""
    grain, total = counted.grain, counted.grid.n_total
    real = (counted.grid.n_papers.sum(axis=0) + 0.5) / (total.sum(axis=0) + 1)
    start = np.log(real / (1 - real))
    walk = np.cumsum(rng.normal(0, np.sqrt(DRIFT[grain]), total.shape), axis=0)
    true_share = _share(start + walk - walk.mean(axis=0))
    noise = rng.normal(0, np.sqrt(PRIOR_OVERDISPERSION[grain]), total.shape)
    noisy_share = _share(start + walk - walk.mean(axis=0) + noise)
    papers = rng.binomial(total.astype(np.int64), noisy_share).astype(np.float64)
    grid = counted.with_counts(papers)
    true_growth = np.log(_window_ratio(true_share, total, grain))
    growth = grow(grid)
    enough = total >= MIN_TOTAL
    tested = is_tested(grid, growth) & ~np.isnan(true_growth)
    selected = tested & is_directional(judge_growth(grid, growth)["verdict"])
    for level in LEVELS:
        shares = shrink(grid, level)
        bounds = growth.distribution.bounds(np.full(total.shape, level))
        adjusted = growth.distribution.bounds(fcr_levels(selected, tested, level))
        observed = _wilson(papers, total, enough, level)
        yield "share", level, Case(noisy_share, observed, enough)
        yield "share_shrunk", level, Case(true_share, (shares.low, shares.high), enough)
        yield "growth", level, Case(true_growth, bounds, tested)
        yield SELECTED, level, Case(true_growth, adjusted, selected)
        yield UNADJUSTED, level, Case(true_growth, bounds, selected)


def _share(log_odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float64)


def _window_ratio(share: Floats, total: Floats, grain: str) -> Floats:
    """Ratio of the mean shares of both windows as of each period; NaN before the first window."""
    current, before = WINDOWS[grain]
    papers = np.vstack([np.zeros((1, share.shape[1])), np.cumsum(share * total, axis=0)])
    of = np.vstack([np.zeros((1, share.shape[1])), np.cumsum(total, axis=0)])
    ratio = np.full(share.shape, np.nan)
    at = np.arange(current + before, share.shape[0] + 1)
    k1, n1 = papers[at] - papers[at - current], of[at] - of[at - current]
    k0, n0 = (cells[at - current] - cells[at - current - before] for cells in (papers, of))
    ratio[at - 1] = (k1 / n1) / (k0 / n0)
    return ratio


def _wilson(papers: Floats, total: Floats, at: Bools, level: float) -> tuple[Floats, Floats]:
    """Wilson's intervals of some cells; NaN elsewhere."""
    low, high = np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    low[at], high[at] = wilson_bounds(papers[at], total[at], level)
    return low, high
