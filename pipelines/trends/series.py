"""All series of counts judged in one pass, each kind of series separately.

Belongs here: which frame each kind of series is judged from. Does not belong here: statistics.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.trends.grids import KEYS, OPTIONAL_SCHEMA
from pipelines.trends.judging import JUDGED_COLUMNS, OUTPUT_SCHEMA, judge
from pipelines.trends.panels import mixes_of

TEAM_KINDS: Final = ("solo", "ten_plus")
"""Shares of the papers with one, and with ten or more, authors; one series per topic."""

JUDGED_SCHEMA: Final = pl.Schema({name: OUTPUT_SCHEMA[name] for name in JUDGED_COLUMNS})


def judge_series(counted: pl.DataFrame, *, min_term_papers: int) -> pl.DataFrame:
    """Return the rows of `counted` with the columns of `JUDGED_SCHEMA` added.

    `counted` has `series_kind` and the columns of `grids.INPUT_SCHEMA`, one row per kind and key.
    Kinds are independent: they share neither components nor the bound on false calls. A series of
    kind `term` has a verdict once it has `min_term_papers` papers: terms are in the vocabulary
    because they became frequent, and judging them earlier would select for later growth. Totals of
    team kinds differ between series, and a missing row counts as 0 of 0. Raises ValueError as
    `judge` does.
    """
    mixes = mixes_of(counted.filter(~pl.col("series_kind").is_in(TEAM_KINDS)))
    parts = []
    for (kind,), part in counted.group_by("series_kind", maintain_order=True):
        frame = _filled(part) if kind in TEAM_KINDS else part
        least = min_term_papers if kind == "term" else 0
        judged = judge(frame, mixes=mixes, min_papers_to_date=least)
        columns = judged.select(*KEYS, *JUDGED_SCHEMA).cast(JUDGED_SCHEMA)
        parts.append(part.join(columns, on=KEYS, how="left", validate="1:1"))
    empty = counted.clear().with_columns(pl.lit(None, t).alias(n) for n, t in JUDGED_SCHEMA.items())
    return pl.concat([empty, *parts])


def _filled(part: pl.DataFrame) -> pl.DataFrame:
    """The rows, and rows of zeros for series that have no row in a period."""
    conditions = [name for name in OPTIONAL_SCHEMA if name in part.columns]
    given = part.select(*KEYS, "n_papers", "n_total", "is_partial", *conditions)
    periods = given.group_by("population", "grain", "period_start_on").agg(
        pl.col("is_partial").any(), pl.col(conditions).max()
    )
    # Of all grains: a topic may have a month, and no paper with a known day.
    series = given.select("population", "series_id").unique()
    zeros = (
        periods.join(series, on="population")
        .join(given, on=KEYS, how="anti")
        .with_columns(n_papers=pl.lit(0, pl.Int64), n_total=pl.lit(0, pl.Int64))
    )
    return pl.concat([given, zeros.select(given.columns)])
