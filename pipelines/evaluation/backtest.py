"""Backtest: verdicts at T against what was listed after T, beside simpler methods.

Belongs here: what is foretold, by whom, and how it came out. Does not belong here: the verdicts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.intervals import bootstrap, wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends.grids import Bools, Floats, Grid, Ints
from pipelines.trends.growth import WINDOWS, Growth, grow
from pipelines.trends.shares import shrink
from pipelines.trends.verdicts import MIN_PAPERS, judge_growth

SETTINGS: Final = (
    ("hf_daily", "month"), ("hf_daily", "week"), ("arxiv", "month"), ("arxiv", "week"),
)  # fmt: skip
TOP: Final = 10
NDCG_TOP: Final = 20
MOST_GAIN: Final = float(np.log(8))
PROMISED: Final = 0.8
OURS: Final = "verdicts"
N_DEALT: Final = 10
LEAST_BLOCKS: Final = 5
BINS: Final = (0.0, 0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975, 1.0)

METHOD = f"""
At each period T the verdicts and scores use periods up to T alone; then the *next* window is
looked at, as long as the current one and without overlap: {WINDOWS["week"][0]} weeks,
{WINDOWS["month"][0]} months. Two questions are asked. *Holds*: does the next window lie on the
called side of the *earlier* window, as long as the window before and right before it? *Goes on*:
does it go beyond even the *current* window?

The window before is not what a call is held against: a topic is called because that window was low
(or high), partly by chance, so nearly everything lies on the called side of it afterwards, noise
too. The call did not look at the earlier window, so a call on noise holds in half of the cases.
*Noise* is what a method gets where there is nothing to find: papers dealt anew over the periods,
{N_DEALT} times, and as many topics called as there are verdicts (ours those with the smallest p). A
method that remembers the earlier window, as MACD does, gets more than half there, so methods are
compared by what they get beyond their own noise.

The others may call as many topics at each T as the verdicts do, of those that are tested: those for
which their score is largest. *Persistence* compares the last period with the window before; *raw
growth* both windows, without regard to chance; *seasonal naive* says what the same window did a
year ago (only where there is one); *MACD* takes the exponential mean over the span of the current
window less that over the span of both, divided by the root of the latter.

Precision@{TOP}: of the {TOP} topics put first as rising at each T (ours by the lower bound of the
95 % interval of growth), the share for which *holds* is true; noise gets one half. NDCG@{NDCG_TOP}:
gain is the logarithm of next over earlier, at least 0 and at most that of × 8. MASE: mean error of
a forecast of the next window's share, divided by the mean step of that topic's share between
periods up to T. Forecasts: ours the share with memory; persistence the last period's share; raw
growth the current window's times its growth; seasonal naive the same window a year ago; MACD the
short mean; *current window*, *both windows* and *four periods* their plain shares. All of it over
topics with {MIN_PAPERS} papers in both windows.

Intervals are 95 %. Calls of one topic follow each other closely, so those of shares of calls are
Wilson's with as many cases as topics were called; of MASE by bootstrap over topics; of precision
and NDCG by bootstrap over stretches of periods as long as the current window, none below
{LEAST_BLOCKS} stretches.
"""


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


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Direction, ranking, calibration and error of forecasts, ours and others'."""
    chance = np.random.default_rng(seed)
    histories = [
        history(counted.grid, counted.name, chance)
        for population, grain in SETTINGS
        if (
            counted := count(
                evidence, population, grain, whole=(population, grain) == ("arxiv", "week")
            )
        )
    ]
    histories = [h for h in histories if (h.is_tested & (h.called != 0)).any()]
    if not histories:
        return Part("Backtest", METHOD, skipped="no verdict has a next window to be held against.")
    directions = pl.concat([_directions(h) for h in histories])
    rankings = pl.concat([_rankings(h, seed) for h in histories])
    errors = pl.concat([_errors(h, seed) for h in histories])
    return Part(
        "Backtest",
        METHOD,
        [*_promises(directions), *_targets(rankings, errors)],
        [
            Table("Direction: share of calls that came true, and what noise gets", directions),
            Table(f"Ranking: precision@{TOP} and NDCG@{NDCG_TOP} of rising", rankings),
            Table("Forecasts of the next window's share: MASE (less is better)", errors),
            Table(
                "How much of what is said lasts: the probability of growth above 0, 1 − p/2 on its "
                "side, against how often the next window lay above the earlier one",
                pl.concat([_calibration(h) for h in histories]),
            ),
        ],
    )


def history(grid: Grid, name: str, chance: np.random.Generator) -> History:
    """What was said at each T of a grid, and what came."""
    growth, current = grow(grid), WINDOWS[grid.grain][0]
    windows, verdict = growth.windows, judge_growth(grid, growth)["verdict"]
    outcomes = _outcomes(grid, growth)
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


def _outcomes(grid: Grid, growth: Growth) -> Outcomes:
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
        outcomes = _outcomes(made, growth)
        scores = _scores(made, growth, outcomes)
        scores[OURS] = (1 - growth.p_value) * np.sign(growth.growth)
        enough = growth.windows.k1 + growth.windows.k0 >= MIN_PAPERS
        for method, score in scores.items():
            said = _strongest(np.where(enough & ~np.isnan(outcomes.holds), score, np.nan), called)
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


def _calls(history: History, method: str) -> Floats:
    """1, -1 or 0 for each cell: as many calls at each T as there are verdicts."""
    ours = np.where(history.is_tested, history.called, 0.0)
    if method == OURS:
        return ours
    return _strongest(np.where(history.is_tested, history.scores[method], np.nan), ours)


def _strongest(score: Floats, ours: Floats) -> Floats:
    """The sign of the largest scores at each T, as many as there are calls in `ours`; else 0."""
    strength = np.where(np.isnan(score), -1.0, np.abs(score))
    rank = np.argsort(np.argsort(-strength, axis=1, kind="stable"), axis=1, kind="stable")
    chosen = (rank < (ours != 0).sum(axis=1)[:, None]) & (strength > 0)
    return np.where(chosen, np.sign(score), 0.0)


def _directions(history: History) -> pl.DataFrame:
    rows = []
    for method in history.scores:
        calls = _calls(history, method)
        made = calls != 0
        row: dict[str, object] = {
            "series": history.name, "method": method, "calls": int(made.sum()),
            "topics": int(made.any(axis=0).sum()), "periods": int(made.any(axis=1).sum()),
        }  # fmt: skip
        n, *by_chance = history.noise.get(method, (0, 0, 0))
        named = zip(("holds", "goes on"), history.outcomes.of_calls, by_chance, strict=True)
        for name, outcome, hits in named:
            right = made & (np.sign(np.nan_to_num(outcome)) == calls)
            row |= _share_of_calls(name, int(right.sum()), int(made.sum()), made)
            row[f"{name}: noise"] = hits / n if n else None
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _share_of_calls(name: str, hits: int, n: int, made: Bools) -> dict[str, object]:
    """A share of calls, with Wilson's interval for as many cases as topics were called."""
    if not n:
        return {name: None, f"{name}: low": None, f"{name}: high": None}
    topics = int(made.any(axis=0).sum())
    low, high = wilson(hits / n * topics, topics)
    return {name: hits / n, f"{name}: low": low, f"{name}: high": high}


def _rate(
    name: str,
    hits: NDArray[Any],
    of: NDArray[Any],
    seed: int,
    least: int = 2,
) -> dict[str, object]:
    """A ratio of sums over clusters, with its bootstrap interval; none below `least` clusters."""

    def figure(weights: Floats) -> float:
        below = float(weights @ of)
        return float(weights @ hits) / below if below else float("nan")

    kept = of > 0
    hits, of = hits[kept], of[kept]
    if not of.size:
        return {name: None, f"{name}: low": None, f"{name}: high": None}
    bounds: tuple[float | None, float | None] = (None, None)
    if of.size >= least:
        bounds = bootstrap(of.size, figure, seed)
    return {name: figure(np.ones(of.size)), f"{name}: low": bounds[0], f"{name}: high": bounds[1]}


def _by_block(values: Floats, at: Bools, block: int) -> tuple[Floats, Floats]:
    """Sums and numbers of the values of each stretch of `block` periods."""
    stretch = np.flatnonzero(at) // block
    size = int(stretch.max(initial=-1)) + 1
    sums = np.bincount(stretch, values, size).astype(np.float64)
    return sums, np.bincount(stretch, minlength=size).astype(np.float64)


def _rankings(history: History, seed: int) -> pl.DataFrame:
    eligible = history.is_tested
    gain = np.where(eligible, np.clip(history.outcomes.holds, 0, MOST_GAIN), 0.0)
    discount = 1 / np.log2(np.arange(2, NDCG_TOP + 2))
    best = -np.sort(-gain, axis=1)[:, :NDCG_TOP]
    ideal = best @ discount[: best.shape[1]]
    rows = []
    for method, score in history.scores.items():
        usable = eligible & ~np.isnan(score)
        at = (usable.sum(axis=1) >= TOP) & (ideal > 0)
        order = np.argsort(np.where(usable, -score, np.inf), axis=1, kind="stable")
        first = np.take_along_axis(history.outcomes.holds > 0, order[:, :TOP], axis=1)
        ranked = np.take_along_axis(gain, order[:, :NDCG_TOP], axis=1)
        ndcg = (ranked @ discount[: ranked.shape[1]])[at] / ideal[at]
        precision = first[at].mean(axis=1) if at.any() else np.zeros(0)
        rows.append(
            {"series": history.name, "method": method, "periods": int(at.sum())}
            | _rate(
                f"precision@{TOP}", *_by_block(precision, at, history.block), seed, LEAST_BLOCKS
            )
            | _rate(f"NDCG@{NDCG_TOP}", *_by_block(ndcg, at, history.block), seed, LEAST_BLOCKS)
        )
    return pl.DataFrame(rows)


def _errors(history: History, seed: int) -> pl.DataFrame:
    rows = []
    for method, forecast in history.forecasts.items():
        scaled = np.abs(forecast - history.outcomes.following) / history.step
        known = history.is_foretold & ~np.isnan(scaled)
        hits, of = np.where(known, scaled, 0.0).sum(axis=0), known.sum(axis=0)
        rows.append(
            {"series": history.name, "method": method, "forecasts": int(known.sum())}
            | _rate("MASE", hits, of, seed)
        )
    return pl.DataFrame(rows)


def _calibration(history: History) -> pl.DataFrame:
    tested = history.is_tested
    p = history.growth.p_value[tested]
    above = np.where(history.growth.growth[tested] > 0, 1 - p / 2, p / 2)
    came = history.outcomes.holds[tested] > 0
    rows = []
    for low, high in itertools.pairwise(BINS):
        inside = (above >= low) & ((above < high) | (high == 1.0))
        if inside.any():
            rows.append(
                {
                    "series": history.name,
                    "said": f"{low:g} to {high:g}",
                    "topics × periods": int(inside.sum()),
                    "mean said": float(above[inside].mean()),
                    "came true": float(came[inside].mean()),
                }
            )
    return pl.DataFrame(rows)


def _promises(directions: pl.DataFrame) -> list[Promise]:
    ours = directions.filter(pl.col("method") == OURS, pl.col("calls") > 0)
    calls, topics = int(ours["calls"].sum()), int(ours["topics"].sum())
    hits, by_chance = (
        float((ours[name] * ours["calls"]).sum()) for name in ("holds", "holds: noise")
    )
    low, high = wilson(hits / calls * topics, topics)
    parts = "; ".join(
        f"{row['series']} {row['holds']:.0%} of {row['calls']}"
        for row in ours.iter_rows(named=True)
    )
    found = f"{hits / calls:.1%} [{low:.1%}, {high:.1%}] of {calls:,} ({parts})"
    beyond = directions.with_columns(beyond=pl.col("holds") - pl.col("holds: noise"))
    beaten = _beaten(beyond, "beyond", lambda ours, best: ours > best)
    return [
        Promise(
            "The next window lies on the called side of the earlier one more often than for calls "
            "on noise",
            f"{found}; noise {by_chance / calls:.1%}",
            low > by_chance / calls,
        ),
        Promise(
            f"It does so for more than {PROMISED:.0%} of calls",
            found,
            hits / calls > PROMISED,
            is_binding=False,
        ),
        Promise(
            "Direction is right further beyond noise than by any of the other methods, everywhere",
            beaten,
            beaten == "everywhere",
            is_binding=False,
        ),
    ]


def _targets(rankings: pl.DataFrame, errors: pl.DataFrame) -> list[Promise]:
    found = []
    for frame, name, better in (
        (rankings, f"precision@{TOP}", lambda ours, best: ours >= best),
        (rankings, f"NDCG@{NDCG_TOP}", lambda ours, best: ours >= best),
        (errors.with_columns(-pl.col("MASE")), "MASE", lambda ours, best: ours >= best),
    ):
        where = _beaten(frame, name, better)
        found.append(
            Promise(
                f"{name} is no worse than that of any other method, everywhere",
                where,
                where == "everywhere",
                is_binding=False,
            )
        )
    return found


def _beaten(frame: pl.DataFrame, column: str, better: Callable[[float, float], bool]) -> str:
    """`everywhere`, or the series in which another method is better, with that method."""
    worse = []
    for (series,), part in frame.group_by(["series"], maintain_order=True):
        ours = part.filter(method=OURS)[column].item()
        others = part.filter(pl.col("method") != OURS).drop_nulls(column).sort(column)
        if ours is not None and others.height and not better(ours, others[column][-1]):
            worse.append(f"{series}: {others['method'][-1]}")
    return "everywhere" if not worse else "beaten in " + "; ".join(worse)
