"""Backtest: verdicts and forecasts at T against outcomes after T, compared with simpler methods.

Belongs here: measures of direction, ranking, forecast error and calibration. Does not belong here:
calls and outcomes (`histories.py`), verdicts (`pipelines/trends/verdicts.py`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.histories import N_PERMUTATIONS, OURS, History, history, strongest
from pipelines.evaluation.intervals import bootstrap, wilson
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.grids import Bools, Floats
from pipelines.trends.growth import WINDOWS
from pipelines.trends.verdicts import MIN_PAPERS

SETTINGS: Final = (
    ("hf_daily", "month"), ("hf_daily", "week"), ("arxiv", "month"), ("arxiv", "week"),
)  # fmt: skip
TOP: Final = 10
NDCG_TOP: Final = 20
MAX_GAIN: Final = float(np.log(8))
MIN_CONFIRMED: Final = 0.8
MIN_BLOCKS: Final = 5
BINS: Final = (0.0, 0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975, 1.0)
IN_ALL: Final = "in all series"


METHOD = f"""
A rolling-origin backtest. At each origin T, verdicts, scores and forecasts use periods up to T
only. The outcome is the share of the *next* window, which has the length of the current window
({WINDOWS["week"][0]} weeks, {WINDOWS["month"][0]} months) and does not overlap it. A call is the
verdict rising or falling. It is *confirmed* if the next window differs in the called direction
from the *earlier* window: the one before the previous window, with the same length. It is
*continued* if the next window also differs in the called direction from the *current* window.

Calls are not compared with the previous window. A topic is called because that window was low or
high, partly through sampling error, so nearly every call would be confirmed by regression to the
mean. The call does not use the earlier window, so a call without a trend is confirmed in half of
the cases. The *null* columns show calls when there is no trend: papers are assigned to periods at
random, {N_PERMUTATIONS} times, and as many topics are called as there are verdicts (for verdicts,
those with the smallest p). Methods that use the earlier window, such as MACD, exceed one half
there. Methods are therefore compared by the difference to their own null.

At each T, every method calls as many tested topics as the verdicts do: those with the largest
scores. *Persistence* compares the last period with the previous window. *Raw growth* compares both
windows and ignores sampling error. *Seasonal naive* uses the change of the same window a year
earlier, if there is one. *MACD* is the difference of exponential moving averages over the spans of
the current window and of both windows, divided by the square root of the latter.

Precision@{TOP} is the share of confirmed topics among the {TOP} ranked highest as rising at each T
(verdicts: by the lower bound of the 95 % interval of growth); without a trend it is one half. In
NDCG@{NDCG_TOP} the gain is the log ratio of the next to the earlier window, from 0 to ln 8. MASE
is the mean absolute error of a forecast of the next window's share, divided by the mean absolute
change of that topic's share between periods up to T. Forecasts: smoothed share (verdicts), share
of the last period (persistence), share of the current window times its growth (raw growth), share
of the same window a year earlier (seasonal naive), short moving average (MACD), and the observed
shares of the *current window*, *both windows* and *four periods*. All measures are over topics
with at least {MIN_PAPERS} papers in both windows together.

Intervals are 95 %. Calls of one topic at adjacent T are dependent. Intervals of shares of calls
are therefore Wilson's with the number of called topics as n; those of MASE are bootstrapped over
topics; those of precision and NDCG over blocks of periods with the length of the current window,
if there are at least {MIN_BLOCKS} blocks.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Return direction, ranking, forecast error and calibration of all methods."""
    rng = np.random.default_rng(seed)
    histories = [
        history(counted.grid, counted.name, rng)
        for population, grain in SETTINGS
        if (
            counted := count(
                evidence, population, grain, whole=(population, grain) == ("arxiv", "week")
            )
        )
    ]
    histories = [h for h in histories if (h.is_tested & (h.called != 0)).any()]
    if not histories:
        return Part("Backtest", METHOD, skipped="no verdict has a next window to compare with.")
    directions = pl.concat([_directions(h) for h in histories])
    rankings = pl.concat([_rankings(h, seed) for h in histories])
    errors = pl.concat([_errors(h, seed) for h in histories])
    return Part(
        "Backtest",
        METHOD,
        [*_direction_criteria(directions), *_targets(rankings, errors)],
        [
            Table("Direction: share of calls confirmed and continued", directions),
            Table(f"Ranking: precision@{TOP} and NDCG@{NDCG_TOP} of rising topics", rankings),
            Table("Forecasts of the next window's share: MASE (lower is better)", errors),
            Table(
                "Calibration: one-sided probability of growth (1 − p/2 if growth is positive, else "
                "p/2) against the observed frequency of a next window above the earlier one",
                pl.concat([_calibration(h) for h in histories]),
            ),
        ],
    )


def _calls(history: History, method: str) -> Floats:
    """1, -1 or 0 for each cell: as many calls at each T as verdicts."""
    ours = np.where(history.is_tested, history.called, 0.0)
    if method == OURS:
        return ours
    return strongest(np.where(history.is_tested, history.scores[method], np.nan), ours)


def _directions(history: History) -> pl.DataFrame:
    rows = []
    for method in history.scores:
        calls = _calls(history, method)
        is_call = calls != 0
        row: dict[str, object] = {
            "series": history.name, "method": method, "calls": int(is_call.sum()),
            "topics": int(is_call.any(axis=0).sum()), "periods": int(is_call.any(axis=1).sum()),
        }  # fmt: skip
        n, *null_hits = history.null.get(method, (0, 0, 0))
        named = zip(("confirmed", "continued"), history.outcomes.of_calls, null_hits, strict=True)
        for name, outcome, hits in named:
            right = is_call & (np.sign(np.nan_to_num(outcome)) == calls)
            row |= _share_of_calls(name, int(right.sum()), is_call)
            row[f"{name}: null"] = hits / n if n else None
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _share_of_calls(name: str, hits: int, is_call: Bools) -> dict[str, object]:
    """A share of calls, with Wilson's interval for n = called topics."""
    n, topics = int(is_call.sum()), int(is_call.any(axis=0).sum())
    if not n:
        return {name: None, f"{name}: low": None, f"{name}: high": None}
    low, high = wilson(hits / n * topics, topics)
    return {name: hits / n, f"{name}: low": low, f"{name}: high": high}


def _rate(
    name: str,
    hits: NDArray[Any],
    of: NDArray[Any],
    seed: int,
    min_clusters: int = 2,
) -> dict[str, object]:
    """A ratio of sums over clusters, with its bootstrap interval if there are enough clusters."""

    def ratio(weights: Floats) -> float:
        denominator = float(weights @ of)
        return float(weights @ hits) / denominator if denominator else float("nan")

    kept = of > 0
    hits, of = hits[kept], of[kept]
    if not of.size:
        return {name: None, f"{name}: low": None, f"{name}: high": None}
    bounds: tuple[float | None, float | None] = (None, None)
    if of.size >= min_clusters:
        bounds = bootstrap(of.size, ratio, seed)
    return {name: ratio(np.ones(of.size)), f"{name}: low": bounds[0], f"{name}: high": bounds[1]}


def _by_block(values: Floats, at: Bools, block: int) -> tuple[Floats, Floats]:
    """Sum and number of the values in each block of `block` periods."""
    number = np.flatnonzero(at) // block
    size = int(number.max(initial=-1)) + 1
    sums = np.bincount(number, values, size).astype(np.float64)
    return sums, np.bincount(number, minlength=size).astype(np.float64)


def _rankings(history: History, seed: int) -> pl.DataFrame:
    eligible = history.is_tested
    gain = np.where(eligible, np.clip(history.outcomes.over_earlier, 0, MAX_GAIN), 0.0)
    discount = 1 / np.log2(np.arange(2, NDCG_TOP + 2))
    best = -np.sort(-gain, axis=1)[:, :NDCG_TOP]
    ideal = best @ discount[: best.shape[1]]
    rows = []
    for method, score in history.scores.items():
        usable = eligible & ~np.isnan(score)
        at = (usable.sum(axis=1) >= TOP) & (ideal > 0)
        order = np.argsort(np.where(usable, -score, np.inf), axis=1, kind="stable")
        first = np.take_along_axis(history.outcomes.over_earlier > 0, order[:, :TOP], axis=1)
        ranked = np.take_along_axis(gain, order[:, :NDCG_TOP], axis=1)
        ndcg = (ranked @ discount[: ranked.shape[1]])[at] / ideal[at]
        precision = first[at].mean(axis=1) if at.any() else np.zeros(0)
        rows.append(
            {"series": history.name, "method": method, "periods": int(at.sum())}
            | _rate(f"precision@{TOP}", *_by_block(precision, at, history.block), seed, MIN_BLOCKS)
            | _rate(f"NDCG@{NDCG_TOP}", *_by_block(ndcg, at, history.block), seed, MIN_BLOCKS)
        )
    return pl.DataFrame(rows)


def _errors(history: History, seed: int) -> pl.DataFrame:
    rows = []
    for method, forecast in history.forecasts.items():
        scaled = np.abs(forecast - history.outcomes.next_share) / history.step
        known = history.is_forecast & ~np.isnan(scaled)
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
    observed = history.outcomes.over_earlier[tested] > 0
    rows = []
    for low, high in itertools.pairwise(BINS):
        inside = (above >= low) & ((above < high) | (high == 1.0))
        if inside.any():
            rows.append(
                {
                    "series": history.name,
                    "probability": f"{low:g} to {high:g}",
                    "topics × periods": int(inside.sum()),
                    "mean probability": float(above[inside].mean()),
                    "observed": float(observed[inside].mean()),
                }
            )
    return pl.DataFrame(rows)


def _direction_criteria(directions: pl.DataFrame) -> list[Criterion]:
    ours = directions.filter(pl.col("method") == OURS, pl.col("calls") > 0)
    calls, topics = int(ours["calls"].sum()), int(ours["topics"].sum())
    hits, null_hits = (
        float((ours[name] * ours["calls"]).sum()) for name in ("confirmed", "confirmed: null")
    )
    low, high = wilson(hits / calls * topics, topics)
    parts = "; ".join(
        f"{row['series']} {row['confirmed']:.0%} of {row['calls']}"
        for row in ours.iter_rows(named=True)
    )
    result = f"{hits / calls:.1%} [{low:.1%}, {high:.1%}] of {calls:,} ({parts})"
    over_null = directions.with_columns(over_null=pl.col("confirmed") - pl.col("confirmed: null"))
    best = _best_in(over_null, "over_null", lambda ours, best: ours > best)
    return [
        Criterion(
            "Calls are confirmed more often than calls under the null",
            f"{result}; null {null_hits / calls:.1%}",
            low > null_hits / calls,
        ),
        Criterion(
            f"More than {MIN_CONFIRMED:.0%} of calls are confirmed",
            result,
            hits / calls > MIN_CONFIRMED,
            is_binding=False,
        ),
        Criterion(
            "The share of confirmed calls exceeds its null by more than for any other method",
            best,
            best == IN_ALL,
            is_binding=False,
        ),
    ]


def _targets(rankings: pl.DataFrame, errors: pl.DataFrame) -> list[Criterion]:
    measures = (
        (rankings, f"precision@{TOP}"),
        (rankings, f"NDCG@{NDCG_TOP}"),
        (errors.with_columns(-pl.col("MASE")), "MASE"),
    )
    results = [
        (name, _best_in(frame, name, lambda ours, best: ours >= best)) for frame, name in measures
    ]
    return [
        Criterion(
            f"{name} is at least as good as for any other method",
            where,
            where == IN_ALL,
            is_binding=False,
        )
        for name, where in results
    ]


def _best_in(frame: pl.DataFrame, column: str, better: Callable[[float, float], bool]) -> str:
    """`IN_ALL`, or the series in which another method is better, with that method."""
    worse = []
    for (series,), part in frame.group_by(["series"], maintain_order=True):
        ours = part.filter(method=OURS)[column].item()
        others = part.filter(pl.col("method") != OURS).drop_nulls(column).sort(column)
        if ours is not None and others.height and not better(ours, others[column][-1]):
            worse.append(f"{series}: {others['method'][-1]}")
    return IN_ALL if not worse else "better methods: " + "; ".join(worse)
