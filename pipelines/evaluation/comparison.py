"""Verdicts next to simpler methods, on the same rows.

Belongs here: their calls, their rankings, and the criteria of both. Does not belong here: the
methods (`rivals.py`, `histories.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.histories import AS_MANY, OURS, History
from pipelines.evaluation.report import Criterion, Table
from pipelines.evaluation.rivals import RANDOM_WALK, TWO_WINDOWS
from pipelines.trends.grids import Bools, Floats

NDCG_TOP: Final = 20
MAX_GAIN: Final = float(np.log(8))
MIN_RANKED: Final = 20
"""Rows of a period, at least, to measure a ranking."""
MIN_CALLS: Final = 30
TO_BEAT: Final = ("raw growth", "MACD", "persistence")
NDCG: Final = f"NDCG@{NDCG_TOP}"

_RANKED: Final = {
    "series": pl.String(), "method": pl.String(), "periods": pl.Int64(), "AUC": pl.Float64(),
    NDCG: pl.Float64(),
}  # fmt: skip
_CALLS: Final = {
    "series": pl.String(), "method": pl.String(), "called": pl.Float64(), "n": pl.Int64(),
    "holds": pl.Float64(), "holds by shares": pl.Float64(), "continues": pl.Float64(),
}  # fmt: skip


def agree(calls: Floats, outcome: Floats) -> Bools:
    """Return whether a call has the direction of the outcome; false without a call."""
    return np.asarray((calls != 0) & (np.sign(np.nan_to_num(outcome)) == calls), dtype=np.bool_)


def calls_of(found: list[History]) -> pl.DataFrame:
    """Return by series and method how many rows are called, and how many calls hold.

    *holds* compares the next quarter with the model's earlier level, *holds by shares* with the
    raw share of the quarter a horizon earlier.
    """
    rows = [_calls(h, method) for h in found for method in h.calls]
    return pl.DataFrame(rows, schema=_CALLS)


def _calls(history: History, method: str) -> dict[str, object]:
    made = np.where(history.is_stated, history.calls[method], 0.0)
    known = np.where(history.has_outcome, made, 0.0)
    by_share = np.where(np.isnan(history.over_share), 0.0, known)
    n, n_share = int((known != 0).sum()), int((by_share != 0).sum())
    return {
        "series": history.name,
        "method": method,
        "called": float((made != 0).sum() / history.is_stated.sum()),
        "n": n,
        "holds": float(agree(known, history.over_before).sum() / n) if n else None,
        "holds by shares": (
            float(agree(by_share, history.over_share).sum() / n_share) if n_share else None
        ),
        "continues": float(agree(known, history.over_now).sum() / n) if n else None,
    }


def calls_table(calls: pl.DataFrame) -> Table:
    """Return one row per series and one column per method."""
    percent = [
        pl.col(name).mul(100).round().cast(pl.Int64).cast(pl.String).fill_null("–")
        for name in ("holds", "holds by shares", "continues")
    ]
    called = pl.col("called").mul(100).round(1)
    cell = (
        pl.when(pl.col("n") > 0)
        .then(pl.format("{} %; {} / {} / {} of {}", called, *percent, "n"))
        .otherwise(pl.format("{} %", called))
    )
    wide = calls.with_columns(cell=cell).pivot(
        "method", index="series", values="cell", maintain_order=True
    )
    return Table(
        "Calls of each method: rows called; holds / holds by raw shares / continues in % of the "
        "calls with an outcome",
        wide,
    )


def rankings_of(found: list[History]) -> pl.DataFrame:
    """Return AUC and NDCG by series and method, as means over periods with enough rows."""
    return pl.DataFrame([row for h in found for row in _rankings(h)], schema=_RANKED)


def _rankings(history: History) -> list[dict[str, object]]:
    known = history.has_outcome
    for score in history.scores.values():
        known = known & ~np.isnan(score)
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
            means = float(np.mean(auc)), float(np.mean(ndcg))
            rows.append(
                {"series": history.name, "method": method, "periods": len(auc),
                 "AUC": means[0], NDCG: means[1]}
            )  # fmt: skip
    return rows


def rankings_table(rankings: pl.DataFrame) -> Table:
    """Return one row per series and one column per method."""
    cell = pl.concat_str(*(_digits(name) for name in ("AUC", NDCG)), separator=" / ")
    wide = rankings.with_columns(cell=cell).pivot(
        "method", index=["series", "periods"], values="cell", maintain_order=True
    )
    return Table(f"Ranking: AUC / {NDCG}", wide)


def _digits(name: str) -> pl.Expr:
    return pl.col(name).map_elements(lambda x: f"{x:.3f}"[1:] if x < 1 else "1.000", pl.String())


def criteria(calls: pl.DataFrame, rankings: pl.DataFrame) -> list[Criterion]:
    """Return whether verdicts hold more often than other calls, and rank better than others."""
    return [
        _beats(calls, OURS, RANDOM_WALK, "Verdicts hold"),
        _beats(calls, AS_MANY, RANDOM_WALK, "The surest rows, as many, hold"),
        _beats(calls, OURS, TWO_WINDOWS, "Verdicts hold"),
        *(_ranks(rankings, name) for name in ("AUC", NDCG)),
    ]


def _beats(calls: pl.DataFrame, ours: str, theirs: str, hold: str) -> Criterion:
    many = calls.filter(pl.col("n") >= MIN_CALLS)
    both = many.filter(pl.col("method") == ours).join(
        many.filter(pl.col("method") == theirs), on="series"
    )
    worse = both.filter(pl.col("holds") < pl.col("holds_right"))
    named = "; ".join(
        f"{r['series']} ({r['holds']:.1%}, not {r['holds_right']:.1%})"
        for r in worse.iter_rows(named=True)
    )
    result = f"{both.height - worse.height} of {both.height} series"
    return Criterion(
        f"{hold} at least as often as the calls of *{theirs}*, where both have {MIN_CALLS}",
        result + (f"; less often in {named}" if named else ""),
        worse.is_empty(),
        is_binding=False,
    )


def _ranks(rankings: pl.DataFrame, column: str) -> Criterion:
    worse = []
    of = rankings.group_by(["series"], maintain_order=True)
    for (series,), part in of:
        ours = part.filter(method=OURS)[column].item()
        others = part.filter(pl.col("method").is_in(TO_BEAT)).sort(column)
        if others[column][-1] >= ours:
            worse.append(f"{series}: {others['method'][-1]} ({others[column][-1] - ours:+.3f})")
    n = rankings["series"].n_unique()
    result = f"{n - len(worse)} of {n} series" + (
        "; another is better in " + "; ".join(worse) if worse else ""
    )
    return Criterion(
        f"{column} is above that of {', '.join(TO_BEAT)} in every series",
        result,
        not worse,
        is_binding=False,
    )
