"""Calls, scores, forecasts and outcomes at each forecast origin T of a history.

Belongs here: these for all methods, and the permutation null. Does not belong here: how they are
aggregated and compared (`backtest.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pipelines.trends.grids import Bools, Floats, Grid, Ints
from pipelines.trends.growth import WINDOWS, Growth, grow
from pipelines.trends.shares import shrink
from pipelines.trends.verdicts import MIN_PAPERS, judge_growth

OURS: Final = "verdicts"
N_PERMUTATIONS: Final = 10
"""Random assignments of papers to periods, for the null."""


@dataclass(frozen=True)
class Outcomes:
    """Outcomes after each T: axis 0 is T, axis 1 the topic; NaN where unknown."""

    over_earlier: Floats
    """Log ratio of the next window's share to that of the earlier window."""
    over_current: Floats
    """Log ratio of the next window's share to that of the current window."""
    next_share: Floats
    """Share of the next window."""
    year_ago: Floats
    """Share of the next window's counterpart a year earlier."""

    @property
    def of_calls(self) -> tuple[Floats, Floats]:
        """The outcomes that confirm a call, and that continue it."""
        return self.over_earlier, self.over_current


@dataclass(frozen=True)
class History:
    """A grid at all T: axis 0 is T, axis 1 the topic; NaN where unknown."""

    name: str
    growth: Growth
    called: Floats
    """1 rising, -1 falling, 0 neither."""
    scores: Mapping[str, Floats]
    forecasts: Mapping[str, Floats]
    outcomes: Outcomes
    step: Floats
    """Mean absolute change of the topic's share between periods, up to T."""
    null: Mapping[str, tuple[int, ...]]
    """Method → calls under the null, and how many are confirmed and continued."""
    block: int
    """Length of a bootstrap block: periods whose calls share most papers."""

    @property
    def is_tested(self) -> Bools:
        """Cells with enough papers, an earlier window and a next window."""
        tested: Bools = self.is_forecast & ~np.isnan(self.outcomes.over_earlier)
        return tested

    @property
    def is_forecast(self) -> Bools:
        """Cells with enough papers and a next window."""
        windows = self.growth.windows
        enough: Bools = windows.is_complete & (windows.k1 + windows.k0 >= MIN_PAPERS)
        return enough & ~np.isnan(self.outcomes.next_share)


def history(grid: Grid, name: str, rng: np.random.Generator) -> History:
    """Return calls, scores, forecasts and outcomes at each T of a grid."""
    growth, current = grow(grid), WINDOWS[grid.grain][0]
    windows, verdict = growth.windows, judge_growth(grid, growth)["verdict"]
    outcomes = outcomes_of(grid, growth)
    share = _plain_share(grid)
    called = np.where(verdict == "rising", 1.0, np.where(verdict == "falling", -1.0, 0.0))
    ratio = windows.k1 / np.maximum(windows.n1, 1), windows.k0 / np.maximum(windows.n0, 1)
    return History(
        name=name,
        block=current,
        growth=growth,
        called=called,
        scores=_scores(grid, growth, outcomes),
        forecasts={
            OURS: shrink(grid).shrunk,
            "persistence": share,
            "raw growth": np.minimum(ratio[0] ** 2 / np.maximum(ratio[1], 1e-6), 1.0),
            "seasonal naive": outcomes.year_ago,
            "MACD": _mean(share, current),
            "current window": ratio[0],
            "both windows": (windows.k1 + windows.k0) / np.maximum(windows.n1 + windows.n0, 1),
            "four periods": _last_four(grid),
        },
        outcomes=outcomes,
        step=_steps(share),
        null=_null(grid, called, rng),
    )


def _scores(grid: Grid, growth: Growth, outcomes: Outcomes) -> dict[str, Floats]:
    windows, (current, before) = growth.windows, WINDOWS[grid.grain]
    share = _plain_share(grid)
    short, long = _mean(share, current), _mean(share, current + before)
    log_before = _log_share(windows.k0, windows.n0)
    return {
        OURS: growth.low,
        "persistence": _log_share(grid.n_papers, grid.n_total) - log_before,
        "raw growth": _log_share(windows.k1, windows.n1) - log_before,
        "seasonal naive": np.log(outcomes.year_ago) - log_before,
        "MACD": (short - long) / np.sqrt(np.maximum(long, 1e-6)),
    }


def _plain_share(grid: Grid) -> Floats:
    share = np.full(grid.n_papers.shape, np.nan)
    np.divide(grid.n_papers, grid.n_total, out=share, where=grid.is_usable)
    return share


def outcomes_of(grid: Grid, growth: Growth) -> Outcomes:
    """Return the outcomes after each T of a grid."""
    windows, (current, before) = growth.windows, WINDOWS[grid.grain]
    ahead = _ahead(grid, current)
    k2, n2 = windows.k1[ahead], windows.n1[ahead]
    known = (ahead > 0)[:, None] & windows.is_complete & (n2 > 0)
    # The earlier window: the previous window as of `before` periods ago.
    earlier = np.searchsorted(grid.ticks, grid.ticks - before)
    is_there = (grid.ticks[earlier] == grid.ticks - before)[:, None] & windows.is_complete[earlier]
    log_earlier = _log_share(windows.k0[earlier], windows.n0[earlier])
    log_next = _log_share(k2, n2)
    return Outcomes(
        over_earlier=np.where(known & is_there, log_next - log_earlier, np.nan),
        over_current=np.where(known, log_next - _log_share(windows.k1, windows.n1), np.nan),
        next_share=np.where(known, k2 / np.maximum(n2, 1), np.nan),
        year_ago=_year_ago(grid, k2, n2),
    )


def _null(grid: Grid, called: Floats, rng: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """Method → calls, confirmed calls and continued calls, with papers assigned at random."""
    usable = grid.is_usable
    total = np.where(usable, grid.n_total, 0.0).max(axis=1)
    papers = np.where(usable, grid.n_papers, 0.0).sum(axis=0).astype(np.int64)
    found: dict[str, tuple[int, ...]] = {}
    for _ in range(N_PERMUTATIONS if total.any() else 0):
        assigned = rng.multinomial(papers, total / total.sum()).T.astype(np.float64)
        trendless = replace(grid, n_papers=np.where(usable, assigned, grid.n_papers))
        growth = grow(trendless)
        outcomes = outcomes_of(trendless, growth)
        scores = _scores(trendless, growth, outcomes)
        scores[OURS] = (1 - growth.p_value) * np.sign(growth.growth)
        enough = growth.windows.k1 + growth.windows.k0 >= MIN_PAPERS
        for method, score in scores.items():
            usable_score = np.where(enough & ~np.isnan(outcomes.over_earlier), score, np.nan)
            calls = strongest(usable_score, called)
            hits = [calls != 0, *((calls != 0) & (np.sign(o) == calls) for o in outcomes.of_calls)]
            before = found.get(method, (0, 0, 0))
            found[method] = tuple(
                n + int(cells.sum()) for n, cells in zip(before, hits, strict=True)
            )
    return found


def _last_four(grid: Grid) -> Floats:
    """The observed share of the last four usable periods."""
    out = np.full(grid.n_papers.shape, np.nan)
    at = np.flatnonzero(grid.is_usable.all(axis=1))
    for end in range(3, at.size):
        last = at[end - 3 : end + 1]
        out[last[-1]] = grid.n_papers[last].sum(axis=0) / np.maximum(
            grid.n_total[last].sum(axis=0), 1
        )
    return out


def _ahead(grid: Grid, current: int) -> Ints:
    """Position of the last period of the next window for each T; 0 if it is not complete."""
    at = np.arange(grid.starts.size)
    ahead = np.minimum(at + current, grid.starts.size - 1)
    usable = np.concatenate([[0], np.cumsum(grid.is_usable.all(axis=1))])
    complete = usable[ahead + 1] - usable[at + 1] == current
    return np.where(complete & (grid.ticks[ahead] - grid.ticks == current), ahead, 0)


def _log_share(k: Floats, n: Floats) -> Floats:
    """Log share, with half a paper added so that it is finite."""
    return np.asarray(np.log((k + 0.5) / np.maximum(n + 1, 1)), dtype=np.float64)


def _year_ago(grid: Grid, k2: Floats, n2: Floats) -> Floats:
    """Share of the next window as of a year before; NaN where unknown."""
    year = grid.periods_per_year
    back = np.searchsorted(grid.ticks, grid.ticks - year)
    is_there = grid.ticks[back] == grid.ticks - year
    known = is_there[:, None] & (n2[back] > 0)
    return np.where(known, (k2[back] + 0.5) / (n2[back] + 1), np.nan)


def _mean(share: Floats, span: int) -> Floats:
    """Exponential moving average with weight 2 / (span + 1) on the latest share; skips gaps."""
    weight = 2 / (span + 1)
    out, now = np.empty_like(share), np.full(share.shape[1], np.nan)
    for at, row in enumerate(share):
        now = np.where(np.isnan(now), row, np.where(np.isnan(row), now, now + weight * (row - now)))
        out[at] = now
    return out


def _steps(share: Floats) -> Floats:
    """Mean absolute change of each share up to each T; NaN where there is none."""
    step = np.abs(np.diff(share, axis=0, prepend=np.nan))
    known = ~np.isnan(step)
    total = np.cumsum(np.where(known, step, 0.0), axis=0)
    n = np.cumsum(known, axis=0)
    mean = np.divide(total, n, out=np.full(share.shape, np.nan), where=n > 0)
    return np.where(mean > 0, mean, np.nan)


def strongest(score: Floats, ours: Floats) -> Floats:
    """Return 1 or -1 for the largest scores at each T, as many as calls in `ours`; else 0."""
    strength = np.where(np.isnan(score), -1.0, np.abs(score))
    rank = np.argsort(np.argsort(-strength, axis=1, kind="stable"), axis=1, kind="stable")
    chosen = (rank < (ours != 0).sum(axis=1)[:, None]) & (strength > 0)
    return np.where(chosen, np.sign(score), 0.0)
