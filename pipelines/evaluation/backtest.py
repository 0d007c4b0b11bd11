"""Backtest: verdicts at T against what was listed after T, beside simpler methods.

Belongs here: what is foretold, by whom, and how it came out. Does not belong here: the verdicts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.histories import N_DEALT, OURS, History, history, strongest
from pipelines.evaluation.intervals import bootstrap, wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends.grids import Bools, Floats
from pipelines.trends.growth import WINDOWS
from pipelines.trends.verdicts import MIN_PAPERS

SETTINGS: Final = (
    ("hf_daily", "month"), ("hf_daily", "week"), ("arxiv", "month"), ("arxiv", "week"),
)  # fmt: skip
TOP: Final = 10
NDCG_TOP: Final = 20
MOST_GAIN: Final = float(np.log(8))
PROMISED: Final = 0.8
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


def _calls(history: History, method: str) -> Floats:
    """1, -1 or 0 for each cell: as many calls at each T as there are verdicts."""
    ours = np.where(history.is_tested, history.called, 0.0)
    if method == OURS:
        return ours
    return strongest(np.where(history.is_tested, history.scores[method], np.nan), ours)


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
