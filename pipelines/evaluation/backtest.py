"""Backtest: what was stated at each period against the next quarter, series by series.

Belongs here: measures of verdicts, of the stated probability and of rankings. Does not belong here:
statements and outcomes (`histories.py`), the rule of verdicts (`pipelines/trends/changes.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.histories import OURS, History, histories
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.placebo import permuted
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.changes import LIKELY
from pipelines.trends.grids import PERIODS_PER_YEAR, Bools, Floats

MIN_HOLDS: Final = 0.92
MIN_CALLS: Final = 30
AIMS: Final = {"quarter": 0.05, "half_year": 0.12, "year": 0.25}
"""Horizon → least share of rows of complete periods of `hf_daily` that are called."""
N_BINS: Final = 10
BIN_TOLERANCE: Final = 0.05
BIN_MIN: Final = 100
MIN_EXPECTED: Final = 10
"""Papers in a quarter. With fewer, a share lies below its level in most quarters."""
MAX_FLIPS: Final = 0.02
FLIP_MONTHS: Final = 4
NDCG_TOP: Final = 20
MAX_GAIN: Final = float(np.log(8))
MIN_RANKED: Final = 20
N_SHUFFLES: Final = 3

_RANKED: Final = {
    "series": pl.String(), "method": pl.String(), "periods": pl.Int64(), "AUC": pl.Float64(),
    f"NDCG@{NDCG_TOP}": pl.Float64(),
}  # fmt: skip

METHOD = f"""
Every published statement is compared with the quarter that follows it. A row is a topic in a
complete period, with a comparable change over the horizon. A verdict *rising* or *falling*
**holds** if the share of the next quarter lies on the called side of the level a horizon earlier.
It **continues** if that share lies beyond the present level as well. Verdicts use data up to their
period only, so the next quarter is new data. For `arxiv`, its share is the weighted mean over the
categories, of periods in which those with nine tenths of the weight were captured.

*Noise* is the share that holds when the papers' dates are permuted ({N_SHUFFLES} times) and as
many rows are called, those with the smallest error of the sign. Rows of one topic in adjacent
periods are dependent, so intervals are Wilson's with the number of called topics as n (95 %).

*Flips* are verdicts followed by the opposite one, over the same horizon, within {FLIP_MONTHS}
months. *Reliability* compares the stated probability of a rise with the frequency with which the
next quarter lies above the earlier level, in {N_BINS} bins, for topics with {MIN_EXPECTED} expected
papers in a quarter. The next quarter has movement and
sampling error of its own, which the stated probability is not about, so observed frequencies are
nearer to one half. *AUC* is the probability that a topic that rose over the earlier level ranks
above one that did not, in the same period. The gain of NDCG@{NDCG_TOP} is the log ratio of the next
quarter's share to the earlier level, from 0 to ln 8. All methods rank the same rows: ours by
growth; *raw growth* by the log ratio of the last quarter's share to that of the
quarter a horizon earlier; *persistence* by that of the last period; *MACD* by the difference of
moving averages over one and two quarters.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Return holds, continues, reliability, flips and ranking of every published series."""
    counts = evidence.counts
    if counts.is_empty():
        return Part("Backtest", METHOD, skipped="there are no counts.")
    found = [h for h in histories(counts, judge(counts)) if h.is_stated.any()]
    if not any((_has_outcome(h) & (h.called != 0)).any() for h in found):
        return Part("Backtest", METHOD, skipped="no verdict has a next quarter to compare with.")
    noise = _noise(evidence, found, seed)
    verdicts = pl.DataFrame(
        [_verdicts(h, noise.get(h.name)) for h in found], infer_schema_length=None
    )
    bins = pl.concat([_reliability(h) for h in found])
    rankings = pl.DataFrame([row for h in found for row in _rankings(h)], schema=_RANKED)
    return Part(
        "Backtest",
        METHOD,
        [*_holds_criteria(verdicts), *_other_criteria(verdicts, bins, rankings)],
        [
            Table("Verdicts: how many, and whether they hold and continue", verdicts),
            Table("Reliability of the stated probability of a rise", bins),
            Table(f"Ranking: AUC and NDCG@{NDCG_TOP}", rankings),
        ],
    )


def _has_outcome(history: History) -> Bools:
    return np.asarray(history.is_stated & ~np.isnan(history.over_before), dtype=np.bool_)


def _agree(calls: Floats, outcome: Floats) -> Bools:
    return np.asarray((calls != 0) & (np.sign(np.nan_to_num(outcome)) == calls), dtype=np.bool_)


def _verdicts(history: History, noise: float | None) -> dict[str, object]:
    known = _has_outcome(history)
    called = np.where(known, history.called, 0.0)
    likely = np.where(known, history.likely, 0.0)
    n, topics = int((called != 0).sum()), int((called != 0).any(axis=0).sum())
    holds = int(_agree(called, history.over_before).sum())
    low, high = wilson(holds / n * topics, topics) if n else (None, None)
    n_likely = int((likely != 0).sum())
    stated = int(history.is_stated.sum())
    return {
        "population": history.population,
        "grain": history.grain,
        "horizon": history.horizon,
        "rows": stated,
        "called": float((history.called != 0)[history.is_stated].sum() / stated),
        "with outcome": n,
        "topics": topics,
        "holds": holds / n if n else None,
        "low": low,
        "high": high,
        "noise": noise,
        "continues": float(_agree(called, history.over_now).sum() / n) if n else None,
        "likely": n_likely,
        "likely holds": _agree(likely, history.over_before).sum() / n_likely if n_likely else None,
        "flips": _flips(history),
    }


def _flips(history: History) -> float | None:
    """Share of verdicts followed by the opposite one within `FLIP_MONTHS`."""
    within = round(PERIODS_PER_YEAR[history.grain] * FLIP_MONTHS / 12)
    flipped = n = 0
    for row, tick in enumerate(history.ticks):
        ahead = (history.ticks > tick) & (history.ticks <= tick + max(within, 1))
        called = history.called[row]
        opposite = (history.called[ahead] == -called).any(axis=0) if ahead.any() else called > 2
        n += int((called != 0).sum())
        flipped += int((opposite & (called != 0)).sum())
    return flipped / n if n else None


def _noise(evidence: Evidence, found: list[History], seed: int) -> dict[str, float]:
    """Share that holds without any trend, of as many rows as are called."""
    hits: dict[str, list[int]] = {}
    n_called = {h.name: int((np.where(_has_outcome(h), h.called, 0) != 0).sum()) for h in found}
    for population, grain in dict.fromkeys((h.population, h.grain) for h in found):
        counted = count(evidence, population, grain)
        if counted is None:
            continue
        rng = np.random.default_rng([seed, counted.period.size])
        for _ in range(N_SHUFFLES):
            shuffled = permuted(evidence.counts, counted, rng)
            for history in histories(shuffled, judge(shuffled)):
                known = _has_outcome(history)
                error = np.where(known, np.minimum(history.probability, 1 - history.probability), 1)
                n = min(n_called.get(history.name, 0), int(known.sum()))
                at = np.argsort(error, axis=None, kind="stable")[:n]
                right = (np.sign(history.growth) == np.sign(history.over_before)).ravel()[at]
                tally = hits.setdefault(history.name, [0, 0])
                tally[0] += int(right.sum())
                tally[1] += n
    return {name: right / n for name, (right, n) in hits.items() if n}


def _reliability(history: History) -> pl.DataFrame:
    known = _has_outcome(history) & (history.expected >= MIN_EXPECTED)
    stated = history.probability[known]
    rose = history.over_before[known] > 0
    number = np.minimum((stated * N_BINS).astype(int), N_BINS - 1)
    return pl.DataFrame(
        [
            {
                "series": history.name,
                "probability": f"{n / N_BINS:.1f} to {(n + 1) / N_BINS:.1f}",
                "rows": int((number == n).sum()),
                "stated": float(stated[number == n].mean()),
                "observed": float(rose[number == n].mean()),
            }
            for n in range(N_BINS)
            if (number == n).any()
        ],
        schema={
            "series": pl.String(), "probability": pl.String(), "rows": pl.Int64(),
            "stated": pl.Float64(), "observed": pl.Float64(),
        },
    )  # fmt: skip


def _rankings(history: History) -> list[dict[str, object]]:
    """AUC and NDCG of each method, as means over periods with enough rows."""
    known = _has_outcome(history)
    for score in history.scores.values():
        known &= ~np.isnan(score)
    discount = 1 / np.log2(np.arange(2, NDCG_TOP + 2))
    rows = []
    for method, score in history.scores.items():
        auc, ndcg = [], []
        for t in np.flatnonzero(known.sum(axis=1) >= MIN_RANKED):
            outcome, own = history.over_before[t][known[t]], score[t][known[t]]
            gain = np.clip(outcome, 0, MAX_GAIN)
            best = np.sort(gain)[::-1][:NDCG_TOP] @ discount
            if best > 0 and (outcome <= 0).any():
                order = np.argsort(-own, kind="stable")[:NDCG_TOP]
                ndcg.append(gain[order] @ discount / best)
                above = own[outcome > 0][:, None] - own[outcome <= 0][None, :]
                auc.append((above > 0).mean() + (above == 0).mean() / 2)
        if auc:
            rows.append(
                {
                    "series": history.name,
                    "method": method,
                    "periods": len(auc),
                    "AUC": float(np.mean(auc)),
                    f"NDCG@{NDCG_TOP}": float(np.mean(ndcg)),
                }
            )
    return rows


def _holds_criteria(verdicts: pl.DataFrame) -> list[Criterion]:
    many = verdicts.filter(pl.col("with outcome") >= MIN_CALLS)
    missed = many.filter(pl.col("holds") < MIN_HOLDS)
    above = many.filter(pl.col("low") > pl.col("noise").fill_null(0.5))
    likely = verdicts.filter(pl.col("likely") >= MIN_CALLS)
    wrong = likely.filter(pl.col("likely holds") < 1 - LIKELY)
    hf = verdicts.filter(pl.col("population") == "hf_daily", pl.col("horizon").is_in(list(AIMS)))
    short = hf.filter(pl.col("called") < pl.col("horizon").replace_strict(AIMS, default=0.0))
    return [
        Criterion(
            f"In each series with {MIN_CALLS} verdicts they hold more often than noise",
            f"{above.height} of {many.height} series",
            above.height == many.height,
        ),
        Criterion(
            f"In each series with {MIN_CALLS} verdicts at least {MIN_HOLDS:.0%} hold",
            _named(missed, "holds", many.height),
            missed.is_empty(),
            is_binding=False,
        ),
        Criterion(
            f"In each series with {MIN_CALLS} likely verdicts at least {1 - LIKELY:.0%} hold",
            _named(wrong, "likely holds", likely.height),
            wrong.is_empty(),
            is_binding=False,
        ),
        Criterion(
            "Of the rows of `hf_daily`, "
            + ", ".join(f"{aim:.0%} ({name.replace('_', '-')})" for name, aim in AIMS.items())
            + " are called",
            _named(short, "called", hf.height),
            short.is_empty(),
            is_binding=False,
        ),
    ]


def _other_criteria(
    verdicts: pl.DataFrame, bins: pl.DataFrame, rankings: pl.DataFrame
) -> list[Criterion]:
    off = (pl.col("stated") - pl.col("observed")).abs() > BIN_TOLERANCE
    many = bins.filter(pl.col("rows") >= BIN_MIN)
    far = many.filter(off)
    flips = verdicts.drop_nulls("flips").filter(pl.col("flips") > MAX_FLIPS)
    criteria = [
        Criterion(
            f"At most {MAX_FLIPS:.0%} of verdicts are reversed within {FLIP_MONTHS} months",
            _named(flips, "flips", verdicts.drop_nulls("flips").height),
            flips.is_empty(),
            is_binding=False,
        ),
        Criterion(
            f"Observed frequencies are within {BIN_TOLERANCE:.0%} of the stated probability, in "
            f"bins with {BIN_MIN} rows",
            f"{many.height - far.height} of {many.height} bins",
            far.is_empty(),
            is_binding=False,
        ),
    ]
    for name in ("AUC", f"NDCG@{NDCG_TOP}"):
        worse = _best_in(rankings, name, lambda ours, best: ours >= best)
        criteria.append(
            Criterion(
                f"{name} is at least that of raw growth, MACD and persistence in every series",
                worse or "in all series",
                not worse,
                is_binding=False,
            )
        )
    return criteria


def _named(rows: pl.DataFrame, column: str, n: int) -> str:
    """`12 of 14 series; not in hf_daily week, year (0.85)`."""
    missed = "; ".join(
        f"{r['population']} {r['grain']}, {r['horizon'].replace('_', '-')} ({r[column]:.1%})"
        for r in rows.iter_rows(named=True)
    )
    return f"{n - rows.height} of {n} series" + (f"; not {missed}" if missed else "")


def _best_in(rankings: pl.DataFrame, column: str, better: Callable[[float, float], bool]) -> str:
    """The series in which another method is better, with that method."""
    worse = []
    for (series,), part in rankings.group_by(["series"], maintain_order=True):
        ours = part.filter(method=OURS)[column].item()
        others = part.filter(pl.col("method") != OURS).sort(column)
        if others.height and not better(ours, others[column][-1]):
            worse.append(f"{series}: {others['method'][-1]} ({others[column][-1] - ours:+.3f})")
    return "; ".join(worse)
