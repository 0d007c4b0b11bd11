"""All series of counts judged in one pass, each kind of series separately.

Belongs here: which function judges each kind of series. Does not belong here: statistics.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.trends.grids import KEYS
from pipelines.trends.judging import JUDGED_COLUMNS, OUTPUT_SCHEMA, judge
from pipelines.trends.teams import KINDS, judge_shares

JUDGED_SCHEMA: Final = pl.Schema({name: OUTPUT_SCHEMA[name] for name in JUDGED_COLUMNS})


def judge_series(counted: pl.DataFrame, *, min_term_papers: int) -> pl.DataFrame:
    """Return the rows of `counted` with the columns of `JUDGED_SCHEMA` added.

    `counted` has `series_kind` and the columns of `grids.INPUT_SCHEMA`, one row per kind and key.
    Kinds are independent: they share no prior, overdispersion or false discovery rate. A series of
    kind `term` is tested once it has `min_term_papers` papers: terms are in the vocabulary because
    they became frequent, and testing them earlier would select for later growth. Team kinds have
    growth and verdict only; their other columns are null. Raises ValueError as `judge` does.
    """
    parts = []
    for (kind,), part in counted.group_by("series_kind", maintain_order=True):
        if kind in KINDS:
            judged = judge_shares(part)
        else:
            judged = judge(part, min_papers_to_date=min_term_papers if kind == "term" else 0)
        lacking = {n: pl.lit(None, t) for n, t in JUDGED_SCHEMA.items() if n not in judged.columns}
        columns = judged.with_columns(**lacking).select(*KEYS, *JUDGED_SCHEMA).cast(JUDGED_SCHEMA)
        parts.append(part.join(columns, on=KEYS, how="left", validate="1:1"))
    empty = counted.clear().with_columns(pl.lit(None, t).alias(n) for n, t in JUDGED_SCHEMA.items())
    return pl.concat([empty, *parts])
