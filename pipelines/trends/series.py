"""All series of counts judged in one pass, each kind of series separately.

Belongs here: which judgement each kind of series gets. Does not belong here: any statistic.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.trends.grids import KEYS
from pipelines.trends.judging import OUTPUT_SCHEMA, judge
from pipelines.trends.teams import judge_shares

TEAM_KINDS: Final = ("solo", "ten_plus")
JUDGED_SCHEMA: Final = pl.Schema({n: t for n, t in OUTPUT_SCHEMA.items() if n not in KEYS})


def judge_series(counted: pl.DataFrame, *, min_term_papers: int) -> pl.DataFrame:
    """Return the rows of `counted` with the columns of `JUDGED_SCHEMA` added.

    `counted` has `series_kind` and the columns of `grids.INPUT_SCHEMA`, one row per kind and key.
    Kinds are independent: none contributes to another's prior, variance or false discoveries.
    A series of kind `term` is tested once it has had `min_term_papers` papers: terms are followed
    because they became frequent, and testing them earlier would select for later growth. Team
    kinds get growth and verdict only; their other columns are null.
    Raises ValueError as `judge` does.
    """
    parts = []
    for (kind,), part in counted.group_by("series_kind", maintain_order=True):
        if kind in TEAM_KINDS:
            judged = judge_shares(part)
        else:
            judged = judge(part, least_seen=min_term_papers if kind == "term" else 0)
        lacking = {n: pl.lit(None, t) for n, t in JUDGED_SCHEMA.items() if n not in judged.columns}
        columns = judged.with_columns(**lacking).select(*KEYS, *JUDGED_SCHEMA).cast(JUDGED_SCHEMA)
        parts.append(part.join(columns, on=KEYS, how="left", validate="1:1"))
    empty = counted.clear().with_columns(pl.lit(None, t).alias(n) for n, t in JUDGED_SCHEMA.items())
    return pl.concat([empty, *parts])
