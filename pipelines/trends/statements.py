"""Changes as rows, one per series, period and horizon, each with its plain sentence.

Belongs here: the shape of these rows, and every word and number of the sentence. Does not belong
here: the changes and verdicts themselves (`changes.py`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.trends.changes import HORIZONS
from pipelines.trends.judging import CHANGE_SCHEMA

PERIODS: Final = {
    "month": "a month",
    "quarter": "a quarter",
    "half_year": "half a year",
    "year": "a year",
}
"""Horizon → its length; with "ago", the period that it compares with."""

MOVES: Final = {
    "rising": "rising",
    "falling": "falling",
    "likely_rising": "probably rising",
    "likely_falling": "probably falling",
}
"""Verdict → its words. The other verdicts have sentences of their own."""

REASONS: Final = {
    "partial": "the period was captured in part",
    "no_data": "nothing was observed in the period",
    "short_history": "the history is too short",
    "text_differs": "a different share of the papers has an abstract or keywords",
    "mix_differs": "a different mix of categories was captured",
    "few_papers": "there are too few papers so far",
    "wide_interval": "the interval is too wide",
}
"""Reason of `not_comparable` or `unclear` → its words."""

STATED_SCHEMA: Final = pl.Schema(
    {
        "series_kind": pl.String(),
        "population": pl.String(),
        "grain": pl.String(),
        "period_start_on": pl.Date(),
        "series_id": pl.String(),
        "horizon": pl.String(),
        "level": pl.Float64(),
        **CHANGE_SCHEMA,
        "statement": pl.String(),
    }
)
"""Output of `state_changes`."""


def state_changes(judged: pl.DataFrame) -> pl.DataFrame:
    """Return one row per row of `judged` and horizon, with `STATED_SCHEMA`.

    `judged` has the columns of `judging.OUTPUT_SCHEMA` and `series_kind`. `statement` is for
    example "12.6 % of papers, 5.8 % a year ago: ×2.2 [1.6, 2.9]; rising since January 2025
    (between November 2024 and February 2025)". Its numbers are `level`, `level_before` and the
    exponentials of `growth`, `growth_low` and `growth_high`, rounded; its months are those of
    `began_on`, `began_from_on` and `began_to_on`.
    """
    keys = ["series_kind", "population", "grain", "period_start_on", "series_id"]
    parts = [
        judged.select(
            *keys,
            "level",
            *(pl.col(f"{horizon}_{name}").alias(name) for name in CHANGE_SCHEMA),
            horizon=pl.lit(horizon),
        ).with_columns(statement=_statement(horizon))
        for horizon in HORIZONS
    ]
    return pl.concat(parts).select(pl.col(name).cast(t) for name, t in STATED_SCHEMA.items())


def _statement(horizon: str) -> pl.Expr:
    period = PERIODS[horizon]
    reason = pl.col("verdict_reason").replace(REASONS)
    compared = pl.format(
        "{} % of papers, {} % {} ago: ×{} [{}, {}]",
        _percent("level"),
        _percent("level_before"),
        pl.lit(period),
        *(_ratio(name) for name in ("growth", "growth_low", "growth_high")),
    )
    earliest, latest = _month("began_from_on"), _month("began_to_on")
    margin = (
        pl.when(earliest == latest)
        .then(pl.lit(""))
        .otherwise(pl.format(" (between {} and {})", earliest, latest))
    )
    moves = pl.format(
        "{}; {} since {}{}", compared, pl.col("verdict").replace(MOVES), _month("began_on"), margin
    )
    return (
        pl.when(pl.col("verdict") == "not_comparable")
        .then(pl.format("Not comparable with {} ago: {}", pl.lit(period), reason))
        .when(pl.col("verdict") == "unclear")
        .then(pl.format("{}; unclear: {}", compared, reason))
        .when(pl.col("verdict") == "flat")
        .then(pl.format("{}; flat", compared))
        .otherwise(moves)
    )


def _percent(name: str) -> pl.Expr:
    """A share in percent: one decimal, two below 1 %."""
    percent = pl.col(name) * 100
    return pl.when(percent < 1).then(_fixed(percent, 2)).otherwise(_fixed(percent, 1))


def _ratio(name: str) -> pl.Expr:
    """The ratio of a logarithm, with about two digits, more where fewer would read as 1.00.

    The numbers of one sentence below 10 have two decimals if the lower bound is below 1.5.
    """
    ratio = pl.col(name).exp()
    is_near_one = ratio.is_between(0.995, 1.005) & (ratio != 1)
    return (
        pl.when(is_near_one | (ratio < 0.1))
        .then(_fixed(ratio, 3))
        .when((ratio < 9.95) & (pl.col("growth_low").exp() < 1.5))
        .then(_fixed(ratio, 2))
        .when(ratio < 9.95)
        .then(_fixed(ratio, 1))
        .otherwise(ratio.round().cast(pl.Int64).cast(pl.String))
    )


def _fixed(value: pl.Expr, decimals: int) -> pl.Expr:
    scaled = (value * 10**decimals).round().cast(pl.Int64)
    whole, rest = scaled // 10**decimals, scaled % 10**decimals
    return pl.format("{}.{}", whole, rest.cast(pl.String).str.zfill(decimals))


def _month(name: str) -> pl.Expr:
    return pl.col(name).dt.strftime("%B %Y")
