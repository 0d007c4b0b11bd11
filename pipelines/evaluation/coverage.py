"""Coverage: how often the intervals hold the truth, where the truth is known.

Belongs here: simulated histories with known shares. Does not belong here: the intervals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Counted, Evidence, all_counted
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends.grids import Bools, Floats
from pipelines.trends.growth import USUAL_VARIANCE, WINDOWS, grow
from pipelines.trends.shares import shrink
from pipelines.trends.verdicts import MIN_PAPERS, is_tested, judge_growth, level_of_called

LEVELS = (0.90, 0.95)
N_HISTORIES = 40
DRIFT = {"week": 0.01, "month": 0.05, "quarter": 0.1}
"""Variance by which the log odds of a made-up share wander from period to period; what lasts of the
change of real shares is of this size."""
MIN_TOTAL = 30
TOLERANCE = 0.02
CALLED = "growth, called"
PLAIN = "growth, called, plain"

METHOD = f"""
For each population and grain, {N_HISTORIES} histories with as many periods, papers and topics as
the real one are made up. The log odds of each topic's share begin at the topic's real mean,
wander (variance per period: {", ".join(f"{g} {v}" for g, v in DRIFT.items())}) and carry noise
that does not last ({", ".join(f"{g} {v}" for g, v in USUAL_VARIANCE.items())}); papers are
binomial. So what is estimated is known: the share without the noise, and the ratio of its means
over both windows. *Share* is the plain share with Wilson's interval, which promises to hold the
share of the period, its noise included; *share_shrunk* and *growth* are those of the tables.
Counted are periods of at least {MIN_TOTAL} papers; for growth, windows with at least {MIN_PAPERS}
papers of the topic, which are those that get a verdict. *growth, called* counts those alone that
are called rising or falling, with the wider intervals that they get for it: topics are called
because they look large, so the plain interval holds the truth far less often there (*growth,
called, plain*, which promises nothing). Weeks are taken as whole. Histories that jump, or drift in
step, are not made up here.
"""


def evaluate(evidence: Evidence, n_histories: int = N_HISTORIES, seed: int = 0) -> Part:
    """Share of intervals that hold the truth, by population, grain, figure and level."""
    counted = [c for c in all_counted(evidence) if (c.grid.n_total[:, 0] >= MIN_TOTAL).any()]
    if not counted:
        return Part("Coverage of intervals", METHOD, skipped="no period has 30 papers.")
    rows = [row for c in counted for row in _tally(c, n_histories, seed)]
    by_grid = pl.DataFrame(rows, orient="row")
    overall = (
        by_grid.group_by("figure", "promised", maintain_order=True)
        .agg(pl.col("held", "intervals").sum())
        .with_columns(found=pl.col("held") / pl.col("intervals"))
    )
    promises = [_promise(row) for row in overall.iter_rows(named=True) if row["figure"] != PLAIN]
    wide = by_grid.with_columns(found=pl.col("held") / pl.col("intervals")).pivot(
        "promised", index=["population", "grain", "figure", "intervals"], values="found"
    )
    return Part(
        "Coverage of intervals",
        METHOD,
        promises,
        [Table(f"Share of intervals that hold the truth; {n_histories} histories each", wide)],
    )


def _promise(row: Mapping[str, Any]) -> Promise:
    found, promised, n = row["found"], row["promised"], row["intervals"]
    told = f"{found:.1%} of {n:,}"
    if row["figure"] == CALLED:
        # Wider than they need be where a verdict asks for more than a small q; and there are few.
        low, high = wilson(row["held"], n)
        told = f"{found:.1%} [{low:.1%}, {high:.1%}] of {n:,}"
        how_often, is_kept = f"at least {promised - TOLERANCE:.0%}", high >= promised - TOLERANCE
    else:
        how_often, is_kept = f"{promised:.0%} ± {TOLERANCE:.0%}", abs(found - promised) <= TOLERANCE
    return Promise(
        f"{promised:.0%} intervals of {row['figure']} hold the truth in {how_often} of cases",
        told,
        is_kept,
        # Too wide is careful, and a target missed; too narrow is a promise broken.
        is_binding=found < promised,
    )


def _tally(counted: Counted, n_histories: int, seed: int) -> list[dict[str, object]]:
    grain, total = counted.grain, counted.grid.n_total
    chance = np.random.default_rng([seed, total.shape[0], total.shape[1], WINDOWS[grain][0]])
    real = (counted.grid.n_papers.sum(axis=0) + 0.5) / (total.sum(axis=0) + 1)
    start = np.log(real / (1 - real))
    held: dict[tuple[str, float], list[int]] = {}
    for _ in range(n_histories):
        walk = np.cumsum(chance.normal(0, np.sqrt(DRIFT[grain]), total.shape), axis=0)
        level_share = _share(start + walk - walk.mean(axis=0))
        noise = chance.normal(0, np.sqrt(USUAL_VARIANCE[grain]), total.shape)
        noisy_share = _share(start + walk - walk.mean(axis=0) + noise)
        papers = chance.binomial(total.astype(np.int64), noisy_share).astype(np.float64)
        grid = counted.with_counts(papers)
        many = total >= MIN_TOTAL
        true_growth = np.log(_window_means(level_share, total, grain))
        growth = grow(grid)
        tested = is_tested(grid, growth) & ~np.isnan(true_growth)
        verdict = judge_growth(grid, growth)["verdict"]
        called = tested & ((verdict == "rising") | (verdict == "falling"))
        for level in LEVELS:
            shares = shrink(grid, level)
            bounds = growth.law.bounds(np.full(total.shape, level))
            wider = growth.law.bounds(level_of_called(called, tested, level))
            cases = {
                "share": (noisy_share, _wilson(papers, total, many, level), many),
                "share_shrunk": (level_share, (shares.low, shares.high), many),
                "growth": (true_growth, bounds, tested),
                CALLED: (true_growth, wider, called),
                PLAIN: (true_growth, bounds, called),
            }
            for figure, (truth, (low, high), at) in cases.items():
                tally = held.setdefault((figure, level), [0, 0])
                tally[0] += int(((low <= truth) & (truth <= high))[at].sum())
                tally[1] += int(at.sum())
    return [
        {
            "population": counted.population,
            "grain": grain,
            "figure": figure,
            "promised": level,
            "held": hits,
            "intervals": n,
        }
        for (figure, level), (hits, n) in held.items()
        if n
    ]


def _share(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def _window_means(share: Floats, total: Floats, grain: str) -> Floats:
    """Ratio of the mean shares of both windows that end with each period; NaN before the first."""
    current, before = WINDOWS[grain]
    papers = np.vstack([np.zeros((1, share.shape[1])), np.cumsum(share * total, axis=0)])
    of = np.vstack([np.zeros((1, share.shape[1])), np.cumsum(total, axis=0)])
    out = np.full(share.shape, np.nan)
    at = np.arange(current + before, share.shape[0] + 1)
    k1, n1 = papers[at] - papers[at - current], of[at] - of[at - current]
    k0, n0 = (cells[at - current] - cells[at - current - before] for cells in (papers, of))
    out[at - 1] = (k1 / n1) / (k0 / n0)
    return out


def _wilson(papers: Floats, total: Floats, at: Bools, level: float) -> tuple[Floats, Floats]:
    low, high = np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    pairs = zip(papers[at].tolist(), total[at].tolist(), strict=True)
    low[at], high[at] = zip(*(wilson(k, n, level) for k, n in pairs), strict=True)
    return low, high
