"""What was said at each T of a history, by whom, and what came.

Belongs here: calls, scores and forecasts of all methods, outcomes, and what noise gets. Does not
belong here: how they are counted and compared (`backtest.py`).
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
N_DEALT: Final = 10
"""How many times papers are dealt anew for noise."""


@dataclass(frozen=True)
class Outcomes:
    """What came after each T: axis 0 is T, axis 1 the topic; NaN where it is not known."""

    holds: Floats
    """Log of the next window's share over that of the earlier one."""
    goes_on: Floats
    """Log of the next window's share over that of the current one."""
    following: Floats
    """The next window's share."""
    a_year_ago: Floats
    """The share of the same window a year before."""

    @property
    def of_calls(self) -> tuple[Floats, Floats]:
        """What a call is held against."""
        return self.holds, self.goes_on


@dataclass(frozen=True)
class History:
    """One grid at all its T: axis 0 is T, axis 1 the topic; NaN where there is nothing to say."""

    name: str
    growth: Growth
    called: Floats
    """1 rising, -1 falling, 0 neither."""
    scores: Mapping[str, Floats]
    forecasts: Mapping[str, Floats]
    outcomes: Outcomes
    step: Floats
    """Mean absolute step of the topic's share between periods, up to T."""
    noise: Mapping[str, tuple[int, ...]]
    """For each method calls on papers dealt anew; how many of them hold, and go on."""
    block: int
    """Periods whose calls rest on much the same papers."""

    @property
    def is_tested(self) -> Bools:
        """Cells with enough papers, an earlier window and a next one."""
        tested: Bools = self.is_foretold & ~np.isnan(self.outcomes.holds)
        return tested

    @property
    def is_foretold(self) -> Bools:
        """Cells with enough papers, and a next window."""
        windows = self.growth.windows
        many: Bools = windows.is_complete & (windows.k1 + windows.k0 >= MIN_PAPERS)
        return many & ~np.isnan(self.outcomes.following)


def history(grid: Grid, name: str, chance: np.random.Generator) -> History:
    """What was said at each T of a grid, and what came."""
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
            "seasonal naive": outcomes.a_year_ago,
            "MACD": _mean(share, current),
            "current window": ratio[0],
            "both windows": (windows.k1 + windows.k0) / np.maximum(windows.n1 + windows.n0, 1),
            "four periods": _last_four(grid),
        },
        outcomes=outcomes,
        step=_steps(share),
        noise=_noise(grid, called, chance),
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
        "seasonal naive": np.log(outcomes.a_year_ago) - log_before,
        "MACD": (short - long) / np.sqrt(np.maximum(long, 1e-6)),
    }


def _plain_share(grid: Grid) -> Floats:
    share = np.full(grid.n_papers.shape, np.nan)
    np.divide(grid.n_papers, grid.n_total, out=share, where=grid.is_usable)
    return share


def outcomes_of(grid: Grid, growth: Growth) -> Outcomes:
    """What came after each T of a grid."""
    windows, (current, before) = growth.windows, WINDOWS[grid.grain]
    ahead = _ahead(grid, current)
    k2, n2 = windows.k1[ahead], windows.n1[ahead]
    known = (ahead > 0)[:, None] & windows.is_complete & (n2 > 0)
    # The window before of so many periods ago is the one right before today's.
    earlier = np.searchsorted(grid.ticks, grid.ticks - before)
    is_there = (grid.ticks[earlier] == grid.ticks - before)[:, None] & windows.is_complete[earlier]
    log_earlier = _log_share(windows.k0[earlier], windows.n0[earlier])
    log_next = _log_share(k2, n2)
    return Outcomes(
        holds=np.where(known & is_there, log_next - log_earlier, np.nan),
        goes_on=np.where(known, log_next - _log_share(windows.k1, windows.n1), np.nan),
        following=np.where(known, k2 / np.maximum(n2, 1), np.nan),
        a_year_ago=_a_year_ago(grid, k2, n2),
    )


def _noise(grid: Grid, called: Floats, chance: np.random.Generator) -> dict[str, tuple[int, ...]]:
    """For each method calls on papers dealt anew, and how many hold and go on, over all deals."""
    usable = grid.is_usable
    total = np.where(usable, grid.n_total, 0.0).max(axis=1)
    papers = np.where(usable, grid.n_papers, 0.0).sum(axis=0).astype(np.int64)
    found: dict[str, tuple[int, ...]] = {}
    for _ in range(N_DEALT if total.any() else 0):
        dealt = chance.multinomial(papers, total / total.sum()).T.astype(np.float64)
        made = replace(grid, n_papers=np.where(usable, dealt, grid.n_papers))
        growth = grow(made)
        outcomes = outcomes_of(made, growth)
        scores = _scores(made, growth, outcomes)
        scores[OURS] = (1 - growth.p_value) * np.sign(growth.growth)
        enough = growth.windows.k1 + growth.windows.k0 >= MIN_PAPERS
        for method, score in scores.items():
            said = strongest(np.where(enough & ~np.isnan(outcomes.holds), score, np.nan), called)
            came = [said != 0, *((said != 0) & (np.sign(o) == said) for o in outcomes.of_calls)]
            before = found.get(method, (0, 0, 0))
            found[method] = tuple(
                n + int(cells.sum()) for n, cells in zip(before, came, strict=True)
            )
    return found


def _last_four(grid: Grid) -> Floats:
    """The plain share of the last four periods that can be used."""
    out = np.full(grid.n_papers.shape, np.nan)
    at = np.flatnonzero(grid.is_usable.all(axis=1))
    for place in range(3, at.size):
        last = at[place - 3 : place + 1]
        out[last[-1]] = grid.n_papers[last].sum(axis=0) / np.maximum(
            grid.n_total[last].sum(axis=0), 1
        )
    return out


def _ahead(grid: Grid, current: int) -> Ints:
    """For each T the position of the last period of the next window; 0 where it is not whole."""
    at = np.arange(grid.starts.size)
    there = np.minimum(at + current, grid.starts.size - 1)
    usable = np.concatenate([[0], np.cumsum(grid.is_usable.all(axis=1))])
    whole = usable[there + 1] - usable[at + 1] == current
    return np.where(whole & (grid.ticks[there] - grid.ticks == current), there, 0)


def _log_share(k: Floats, n: Floats) -> Floats:
    """Half a paper added, so that none is no minus infinity."""
    return np.asarray(np.log((k + 0.5) / np.maximum(n + 1, 1)), dtype=np.float64)


def _a_year_ago(grid: Grid, k2: Floats, n2: Floats) -> Floats:
    """Share in the next window of a year before; NaN where it is not known."""
    year = grid.periods_a_year
    back = np.searchsorted(grid.ticks, grid.ticks - year)
    is_there = grid.ticks[back] == grid.ticks - year
    known = is_there[:, None] & (n2[back] > 0)
    return np.where(known, (k2[back] + 0.5) / (n2[back] + 1), np.nan)


def _mean(share: Floats, span: int) -> Floats:
    """Exponential mean with weight 2 / (span + 1) on the newest share; gaps leave it as it is."""
    weight = 2 / (span + 1)
    out, now = np.empty_like(share), np.full(share.shape[1], np.nan)
    for at, row in enumerate(share):
        now = np.where(np.isnan(now), row, np.where(np.isnan(row), now, now + weight * (row - now)))
        out[at] = now
    return out


def _steps(share: Floats) -> Floats:
    step = np.abs(np.diff(share, axis=0, prepend=np.nan))
    seen = ~np.isnan(step)
    total = np.cumsum(np.where(seen, step, 0.0), axis=0)
    n = np.cumsum(seen, axis=0)
    mean = np.divide(total, n, out=np.full(share.shape, np.nan), where=n > 0)
    return np.where(mean > 0, mean, np.nan)


def strongest(score: Floats, ours: Floats) -> Floats:
    """The sign of the largest scores at each T, as many as there are calls in `ours`; else 0."""
    strength = np.where(np.isnan(score), -1.0, np.abs(score))
    rank = np.argsort(np.argsort(-strength, axis=1, kind="stable"), axis=1, kind="stable")
    chosen = (rank < (ours != 0).sum(axis=1)[:, None]) & (strength > 0)
    return np.where(chosen, np.sign(score), 0.0)
