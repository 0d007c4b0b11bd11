"""Backtest: verdicts at T against what was listed after T, beside simpler methods.

Belongs here: what is foretold, by whom, and how it came out. Does not belong here: the verdicts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.intervals import bootstrap
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
BINS: Final = (0.0, 0.025, 0.1, 0.3, 0.5, 0.7, 0.9, 0.975, 1.0)

METHOD = f"""
At each period T the verdicts and scores use periods up to T alone; then the *next* window is
looked at, as long as the current one and without overlap: {WINDOWS["week"][0]} weeks,
{WINDOWS["month"][0]} months. Two questions are asked. *Holds*: does the next window lie on the
called side of the window *before*, which is what the verdict claims? *Goes on*: does it go beyond
even the *current* window?

The others may call as many topics at each T as the verdicts do: those for which their score is
largest. *Persistence* compares the last period with the window before; *raw growth* both windows,
without regard to chance; *seasonal naive* says what the same window did a year ago (only where
there is one); *MACD* takes the exponential mean over the span of the current window less that
over the span of both, divided by the root of the latter. Called topics are not drawn again for
them from those that have enough papers: any topic with a paper will do.

Precision@{TOP}: of the {TOP} topics put first as rising at each T (ours by the lower bound of
growth), the share for which *holds* is true. NDCG@{NDCG_TOP}: gain is the logarithm of next over
before, at least 0 and at most that of × 8. MASE: mean error of a forecast of the next window's
share, divided by the mean step of that topic's share between periods up to T; topics with
{MIN_PAPERS} papers in the windows. Forecasts: ours the share with memory; persistence the last
period's share; raw growth the current window's times its growth; seasonal naive the same window a
year ago; MACD the short mean.

Intervals are 95 %, by bootstrap over topics (accuracy, MASE) or over periods (precision, NDCG).
Periods follow each other closely, so they are narrower than they should be, all of them alike.
"""


@dataclass(frozen=True)
class History:
    """One grid at all its T: axis 0 is T, axis 1 the topic; NaN where there is nothing to say."""

    name: str
    growth: Growth
    called: Floats
    """1 rising, -1 falling, 0 neither."""
    scores: Mapping[str, Floats]
    forecasts: Mapping[str, Floats]
    holds: Floats
    """Log of the next window's share over that of the window before."""
    goes_on: Floats
    """Log of the next window's share over that of the current one."""
    following: Floats
    """The next window's share."""
    step: Floats
    """Mean absolute step of the topic's share between periods, up to T."""

    @property
    def is_tested(self) -> Bools:
        """Cells with enough papers, and an outcome."""
        windows = self.growth.windows
        many = windows.is_complete & (windows.k1 + windows.k0 >= MIN_PAPERS)
        tested: Bools = many & ~np.isnan(self.holds)
        return tested


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Direction, ranking, calibration and error of forecasts, ours and others'."""
    histories = [
        history(counted.grid, counted.name)
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
    directions = pl.concat([_directions(h, seed) for h in histories])
    rankings = pl.concat([_rankings(h, seed) for h in histories])
    errors = pl.concat([_errors(h, seed) for h in histories])
    return Part(
        "Backtest",
        METHOD,
        [*_promises(directions), *_targets(rankings, errors)],
        [
            Table("Direction: share of calls that came true", directions),
            Table(f"Ranking: precision@{TOP} and NDCG@{NDCG_TOP} of rising", rankings),
            Table("Forecasts of the next window's share: MASE (less is better)", errors),
            Table(
                "Calibration: the probability of growth above 0, 1 − p/2 on its side, against how "
                "often the next window lay above the one before",
                pl.concat([_calibration(h) for h in histories]),
            ),
        ],
    )


def history(grid: Grid, name: str) -> History:
    """What was said at each T of a grid, and what came."""
    growth, shares = grow(grid), shrink(grid)
    verdict = judge_growth(grid, growth)["verdict"]
    windows, (current, before) = growth.windows, WINDOWS[grid.grain]
    ahead = _ahead(grid, current)
    k2, n2 = windows.k1[ahead], windows.n1[ahead]
    known = (ahead > 0)[:, None] & windows.is_complete & (n2 > 0)
    log_before, log_current, log_next = (
        _log_share(k, n) for k, n in ((windows.k0, windows.n0), (windows.k1, windows.n1), (k2, n2))
    )
    share = np.divide(
        grid.n_papers, grid.n_total, out=np.full(grid.n_papers.shape, np.nan), where=grid.is_usable
    )
    short, long = _mean(share, current), _mean(share, current + before)
    a_year_ago = _a_year_ago(grid, k2, n2)
    current_share = np.exp(log_current)
    return History(
        name=name,
        growth=growth,
        called=np.where(verdict == "rising", 1.0, np.where(verdict == "falling", -1.0, 0.0)),
        scores={
            OURS: np.where(np.isnan(growth.low), np.nan, growth.low),
            "persistence": _log_share(grid.n_papers, grid.n_total) - log_before,
            "raw growth": log_current - log_before,
            "seasonal naive": np.log(a_year_ago) - log_before,
            "MACD": (short - long) / np.sqrt(np.maximum(long, 1e-6)),
        },
        forecasts={
            OURS: shares.shrunk,
            "persistence": share,
            "raw growth": np.minimum(current_share * np.exp(log_current - log_before), 1.0),
            "seasonal naive": a_year_ago,
            "MACD": short,
        },
        holds=np.where(known, log_next - log_before, np.nan),
        goes_on=np.where(known, log_next - log_current, np.nan),
        following=np.where(known, k2 / np.maximum(n2, 1), np.nan),
        step=_steps(share),
    )


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
    has_outcome = ~np.isnan(history.holds)
    ours = np.where(has_outcome, history.called, 0.0)
    if method == OURS:
        return ours
    windows = history.growth.windows
    score = np.where(has_outcome & (windows.k1 + windows.k0 > 0), history.scores[method], np.nan)
    strength = np.where(np.isnan(score), -1.0, np.abs(score))
    rank = np.argsort(np.argsort(-strength, axis=1, kind="stable"), axis=1, kind="stable")
    chosen = (rank < (ours != 0).sum(axis=1)[:, None]) & (strength > 0)
    return np.where(chosen, np.sign(score), 0.0)


def _directions(history: History, seed: int) -> pl.DataFrame:
    rows = []
    for method in history.scores:
        calls = _calls(history, method)
        made = calls != 0
        row: dict[str, object] = {
            "series": history.name, "method": method, "calls": int(made.sum()),
            "periods": int(made.any(axis=1).sum()),
        }  # fmt: skip
        for name, outcome in (("holds", history.holds), ("goes on", history.goes_on)):
            right = made & (np.sign(np.nan_to_num(outcome)) == calls)
            row |= _rate(name, right.sum(axis=0), made.sum(axis=0), seed)
        rows.append(row)
    return pl.DataFrame(rows)


def _rate(
    name: str,
    hits: NDArray[Any],
    of: NDArray[Any],
    seed: int,
) -> dict[str, object]:
    """A ratio of sums over clusters, with its bootstrap interval."""

    def figure(weights: Floats) -> float:
        below = float(weights @ of)
        return float(weights @ hits) / below if below else float("nan")

    kept = of > 0
    hits, of = hits[kept], of[kept]
    if not of.size:
        return {name: None, f"{name}: low": None, f"{name}: high": None}
    low, high = bootstrap(of.size, figure, seed)
    return {name: figure(np.ones(of.size)), f"{name}: low": low, f"{name}: high": high}


def _rankings(history: History, seed: int) -> pl.DataFrame:
    eligible = ~np.isnan(history.holds) & (
        history.growth.windows.k1 + history.growth.windows.k0 > 0
    )
    gain = np.where(eligible, np.clip(history.holds, 0, MOST_GAIN), 0.0)
    discount = 1 / np.log2(np.arange(2, NDCG_TOP + 2))
    best = -np.sort(-gain, axis=1)[:, :NDCG_TOP]
    ideal = best @ discount[: best.shape[1]]
    rows = []
    for method, score in history.scores.items():
        usable = eligible & ~np.isnan(score)
        at = (usable.sum(axis=1) >= TOP) & (ideal > 0)
        order = np.argsort(np.where(usable, -score, np.inf), axis=1, kind="stable")
        first = np.take_along_axis(history.holds > 0, order[:, :TOP], axis=1)
        ranked = np.take_along_axis(gain, order[:, :NDCG_TOP], axis=1)
        ndcg = (ranked @ discount[: ranked.shape[1]])[at] / ideal[at]
        ones = np.ones(int(at.sum()))
        rows.append(
            {"series": history.name, "method": method, "periods": int(at.sum())}
            | _rate(f"precision@{TOP}", first[at].mean(axis=1) if at.any() else ones, ones, seed)
            | _rate(f"NDCG@{NDCG_TOP}", ndcg, ones, seed)
        )
    return pl.DataFrame(rows)


def _errors(history: History, seed: int) -> pl.DataFrame:
    rows = []
    for method, forecast in history.forecasts.items():
        scaled = np.abs(forecast - history.following) / history.step
        known = history.is_tested & ~np.isnan(scaled)
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
    came = history.holds[tested] > 0
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
    ours = directions.filter(method=OURS)
    hits = float((ours["holds"] * ours["calls"]).sum())
    calls = int(ours["calls"].sum())
    parts = "; ".join(
        f"{row['series']} {row['holds']:.0%} of {row['calls']}"
        for row in ours.iter_rows(named=True)
    )
    return [
        Promise(
            f"Of topics called rising or falling, more than {PROMISED:.0%} lie on that side of the "
            "window before in the next window too",
            f"{hits / calls:.1%} of {calls:,} ({parts})",
            hits / calls > PROMISED,
        ),
        Promise(
            "Direction is right more often than by any of the other methods, everywhere",
            _beaten(directions, "holds", lambda ours, best: ours > best),
            _beaten(directions, "holds", lambda ours, best: ours > best) == "everywhere",
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
