"""Reliability: stated probabilities against what followed, in bins.

Belongs here: the bins, their table and criteria. Does not belong here: other measures of verdicts
(`backtest.py`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.evaluation.histories import History
from pipelines.evaluation.report import Criterion, Table

N_BINS: Final = 10
TOLERANCE: Final = 0.05
MIN_ROWS: Final = 100
"""A bin with fewer rows has no criterion."""
MIN_PAPERS: Final = 10
"""In a quarter, at the earlier level. With fewer, a share lies below its level in most quarters."""

_SCHEMA: Final = {
    "series": pl.String(), "bin": pl.Int64(), "rows": pl.Int64(), "stated": pl.Float64(),
    "observed": pl.Float64(),
}  # fmt: skip


def bins(history: History) -> pl.DataFrame:
    """Return rows, the mean stated probability and the observed frequency, by bin of the stated."""
    known = history.has_outcome & (history.n_before >= MIN_PAPERS)
    rows = pl.DataFrame(
        {
            "stated": history.probability[known],
            "observed": (history.over_before[known] > 0).astype(float),
        }
    ).with_columns(bin=(pl.col("stated") * N_BINS).floor().clip(0, N_BINS - 1).cast(pl.Int64))
    return (
        rows.group_by("bin")
        .agg(pl.len().alias("rows"), pl.col("stated", "observed").mean())
        .sort("bin")
        .select(series=pl.lit(history.name), **{name: name for name in _SCHEMA if name != "series"})
        .cast(_SCHEMA)  # type: ignore[arg-type]
    )


def criterion(found: pl.DataFrame) -> Criterion:
    """Return whether the observed frequencies are near the stated probabilities."""
    many = found.filter(pl.col("rows") >= MIN_ROWS)
    far = many.filter(_is_far())
    by_series = many.group_by("series", maintain_order=True).agg(n=_is_far().sum(), of=pl.len())
    named = by_series.filter(pl.col("n") > 0).select(
        pl.format("{} ({} of {})", "series", "n", "of")
    )
    result = f"{many.height - far.height} of {many.height} bins"
    return Criterion(
        f"In bins with {MIN_ROWS} rows, the next quarter lies above the earlier level as often as "
        f"stated, ± {TOLERANCE * 100:.0f} points",
        result + (f"; farther in {'; '.join(named.to_series())}" if far.height else ""),
        far.is_empty(),
        is_binding=False,
    )


def line(found: pl.DataFrame) -> str:
    """Return how far stated probabilities can be trusted, or an empty text without a full bin."""
    many = found.filter(pl.col("rows") >= MIN_ROWS)
    if many.is_empty():
        return ""
    far = many.filter(_is_far())
    lower = far.filter(pl.col("observed") < pl.col("stated")).height
    where = f"; in {lower} of the other {far.height} topics are lower than stated" if lower else ""
    return (
        f"- **Stated probabilities** are within {TOLERANCE * 100:.0f} points of what followed in "
        f"{many.height - far.height} of {many.height} bins with {MIN_ROWS} rows{where}."
    )


def table(found: pl.DataFrame) -> Table:
    """Return one row per series and one column per bin."""
    far = (pl.col("rows") >= MIN_ROWS) & _is_far()
    percent = [(pl.col(n) * 100).round().cast(pl.Int64) for n in ("stated", "observed")]
    text = pl.format("{} / {} ({})", *percent, "rows")
    cells = found.with_columns(cell=pl.when(far).then(pl.format("{} *", text)).otherwise(text))
    wide = cells.pivot("bin", index="series", values="cell", maintain_order=True)
    names = {str(n): f"{n / N_BINS:.1f} to {(n + 1) / N_BINS:.1f}" for n in range(N_BINS)}
    return Table(
        "Reliability by stated probability that the next quarter lies above the earlier level: "
        f"stated / observed in % (rows); * more than {TOLERANCE * 100:.0f} points between them",
        wide.select("series", *(pl.col(n).alias(v) for n, v in names.items() if n in wide.columns)),
    )


def _is_far() -> pl.Expr:
    return (pl.col("stated") - pl.col("observed")).abs() > TOLERANCE
