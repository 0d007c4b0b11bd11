"""Backtest: what was stated at each period against the next quarter, series by series.

Belongs here: measures of verdicts. Does not belong here: statements and outcomes (`histories.py`),
stated probabilities (`reliability.py`), other methods (`comparison.py`), the rule of verdicts
(`pipelines/trends/changes.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation import comparison, reliability, statements, summary
from pipelines.evaluation.comparison import MIN_CALLS, agree
from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.histories import AS_MANY, History, histories
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.placebo import permuted
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.evaluation.rivals import RANDOM_WALK, TWO_WINDOWS
from pipelines.trends import judge
from pipelines.trends.changes import LIKELY
from pipelines.trends.grids import PERIODS_PER_YEAR

MIN_HOLDS: Final = 0.92
AIMS: Final = {"quarter": 0.05, "half_year": 0.12, "year": 0.25}
"""Horizon → least share of rows of complete periods of `hf_daily` that are called."""
MAX_FLIPS: Final = 0.02
FLIP_MONTHS: Final = 4
N_SHUFFLES: Final = 3

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
months.

**Reliability** compares the stated probability with the observed frequency. Each row states the
probability that the share of the next quarter lies on the called side of the earlier level
(`hold_probability`); here it is that of the upper side, in {reliability.N_BINS} bins, for topics
with {reliability.MIN_PAPERS} papers or more in a quarter at the earlier level.

**Other methods** see the same rows. *{RANDOM_WALK}* is a random walk with noise of the log odds, of
the weeks of `hf_daily` and the months of `arxiv` as a whole. Movement and noise are the same for
all topics. It calls changes of a fifth or more at a mean probability of the wrong sign of 5 %.
*{AS_MANY}* are the rows of our model with the smallest probability of the wrong sign, as many as
the random walk calls. *{TWO_WINDOWS}* is a z test of the last quarter against the quarter a horizon
earlier (of months, for a month), with false discoveries of 5 %. A call of any method holds by the
model's earlier level, as above. That level is part of the verdict, so the second figure uses raw
shares of quarters, which favours methods that use the same raw shares.

*AUC* is the probability that a topic that rose over the earlier level ranks above one that did not,
in the same period. The gain of {comparison.NDCG} is the log ratio of the next quarter's share to
the earlier level, from 0 to ln 8. Verdicts rank by growth; *raw growth* by the log ratio of the
last quarter's share to that of the quarter a horizon earlier; *persistence* by that of the last
period; *MACD* by the difference of moving averages over one and two quarters; *{RANDOM_WALK}* by
growth, *{TWO_WINDOWS}* by z.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Return holds, continues, reliability, flips and ranking of every published series."""
    counts = evidence.counts
    if counts.is_empty():
        return Part("Backtest", METHOD, skipped="there are no counts.")
    judged = judge(counts)
    found = [h for h in histories(counts, judged) if h.is_stated.any()]
    if not any((h.has_outcome & (h.called != 0)).any() for h in found):
        return Part("Backtest", METHOD, skipped="no verdict has a next quarter to compare with.")
    noise = _noise(evidence, found, seed)
    verdicts = pl.DataFrame(
        [_verdicts(h, noise.get(h.name)) for h in found], infer_schema_length=None
    )
    bins = pl.concat([reliability.bins(h) for h in found])
    calls, rankings = comparison.calls_of(found), comparison.rankings_of(found)
    return Part(
        "Backtest",
        METHOD,
        [
            *_holds_criteria(verdicts),
            _flips_criterion(verdicts),
            *statements.criteria(judged),
            reliability.criterion(bins),
            *comparison.criteria(calls, rankings),
        ],
        [
            Table("Verdicts: how many, and whether they hold and continue", verdicts),
            reliability.table(bins),
            comparison.calls_table(calls),
            comparison.rankings_table(rankings),
        ],
        summary=[
            *summary.lines(verdicts),
            summary.likely_line(verdicts),
            reliability.line(bins),
        ],
    )


def _verdicts(history: History, noise: float | None) -> dict[str, object]:
    known = history.has_outcome
    called = np.where(known, history.called, 0.0)
    likely = np.where(known, history.likely, 0.0)
    n, topics = int((called != 0).sum()), int((called != 0).any(axis=0).sum())
    holds = int(agree(called, history.over_before).sum())
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
        "continues": float(agree(called, history.over_now).sum() / n) if n else None,
        "likely": n_likely,
        "likely holds": agree(likely, history.over_before).sum() / n_likely if n_likely else None,
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
    n_called = {h.name: int((np.where(h.has_outcome, h.called, 0) != 0).sum()) for h in found}
    for population, grain in dict.fromkeys((h.population, h.grain) for h in found):
        counted = count(evidence, population, grain)
        if counted is None:
            continue
        rng = np.random.default_rng([seed, counted.period.size])
        for _ in range(N_SHUFFLES):
            shuffled = permuted(evidence.counts, counted, rng)
            for history in histories(shuffled, judge(shuffled)):
                known = history.has_outcome
                error = np.where(known, np.minimum(history.probability, 1 - history.probability), 1)
                n = min(n_called.get(history.name, 0), int(known.sum()))
                at = np.argsort(error, axis=None, kind="stable")[:n]
                right = (np.sign(history.growth) == np.sign(history.over_before)).ravel()[at]
                tally = hits.setdefault(history.name, [0, 0])
                tally[0] += int(right.sum())
                tally[1] += n
    return {name: right / n for name, (right, n) in hits.items() if n}


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


def _flips_criterion(verdicts: pl.DataFrame) -> Criterion:
    known = verdicts.drop_nulls("flips")
    flips = known.filter(pl.col("flips") > MAX_FLIPS)
    return Criterion(
        f"At most {MAX_FLIPS:.0%} of verdicts are reversed within {FLIP_MONTHS} months",
        _named(flips, "flips", known.height),
        flips.is_empty(),
        is_binding=False,
    )


def _named(rows: pl.DataFrame, column: str, n: int) -> str:
    """`12 of 14 series; not in hf_daily week, year (0.85)`."""
    missed = "; ".join(
        f"{r['population']} {r['grain']}, {r['horizon'].replace('_', '-')} ({r[column]:.1%})"
        for r in rows.iter_rows(named=True)
    )
    return f"{n - rows.height} of {n} series" + (f"; not {missed}" if missed else "")
