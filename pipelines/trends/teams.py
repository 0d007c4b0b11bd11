"""Team sizes: whether solo and large-team papers rise or fall.

Belongs here: verdicts on the shares of solo and ten-plus papers. Does not belong here: counting
authors and intervals of their numbers (SQL does). Formulas: docs/methodology.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.trends.grids import KEYS, OPTIONAL_SCHEMA, Grid, check, gather, grids
from pipelines.trends.growth import grow
from pipelines.trends.verdicts import WINDOW_COUNTS, judge_growth

KINDS: Final = ("solo", "ten_plus")

JUDGED: Final[dict[str, pl.DataType]] = {
    "growth": pl.Float64(),
    "growth_low": pl.Float64(),
    "growth_high": pl.Float64(),
    "growth_level": pl.Float64(),
    "p_value": pl.Float64(),
    "q_value": pl.Float64(),
    "verdict": pl.String(),
    "verdict_reason": pl.String(),
}

TEAM_SCHEMA: Final[dict[str, pl.DataType]] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "topic_id": pl.String(),
    **{
        f"n_{what}_{window}": pl.Int64()
        for window in ("current", "before")
        for what in ("papers", *KINDS)
    },
    **{f"{kind}_{name}": dtype for kind in KINDS for name, dtype in JUDGED.items()},
}
"""What `judge_teams` returns."""


def judge_teams(frame: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts on the share of solo and of ten-plus papers, with `TEAM_SCHEMA`.

    `frame` has one row per population, grain, period and topic ("all" included) with n_papers,
    n_solo, n_ten_plus and is_partial. A topic without a row in a period that has others has no
    paper in it. Growth is that of n_solo / n_papers (n_ten_plus / n_papers) by the code and the
    rule of `judge`; false discoveries are held within population, grain and period, each share for
    itself.
    Raises ValueError as `judge` does.
    """
    judged = {
        kind: judge_shares(
            frame.select(
                "population",
                "grain",
                "period_start_on",
                "is_partial",
                *[name for name in OPTIONAL_SCHEMA if name in frame.columns],
                series_id=pl.col("topic_id"),
                n_papers=pl.col(f"n_{kind}"),
                n_total=pl.col("n_papers"),
            )
        )
        for kind in KINDS
    }
    out = judged["solo"].select(
        *KEYS[:3],
        topic_id="series_id",
        n_papers_current="n_total_current",
        n_papers_before="n_total_before",
    )
    for kind, part in judged.items():
        counts = {f"n_{kind}_{at}": pl.col(f"n_papers_{at}") for at in ("current", "before")}
        out = out.hstack(part.select(pl.col(list(JUDGED)).name.prefix(f"{kind}_"), **counts))
    return out.select(pl.col(name).cast(dtype) for name, dtype in TEAM_SCHEMA.items())


def judge_shares(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the keys, window counts and the columns of `JUDGED`, one row per row of `frame`.

    `frame` is as for `judge`, except that totals may differ between series and rows may be missing:
    a series without a row in a period that has others counts as 0 of 0 there.
    """
    given = check(frame)
    if given.is_empty():
        names = (*WINDOW_COUNTS, *JUDGED)
        return pl.DataFrame(schema=dict.fromkeys([*KEYS, *names], pl.Null))
    checked = check(_filled(given))
    columns = gather([(grid, _grown(grid)) for grid in grids(checked)])
    full = pl.concat([checked.select(KEYS), columns], how="horizontal")
    return full.join(given.select(KEYS), on=KEYS, how="semi", maintain_order="left")


def _filled(given: pl.DataFrame) -> pl.DataFrame:
    """The rows and, for topics that are missing in a period that has others, rows of zeros."""
    periods = given.group_by("population", "grain", "period_start_on").agg(
        pl.col("is_partial").any(), pl.col(list(OPTIONAL_SCHEMA)).max()
    )
    topics = given.select("population", "grain", "series_id").unique()
    zeros = (
        periods.join(topics, on=["population", "grain"])
        .join(given, on=KEYS, how="anti")
        .with_columns(n_papers=pl.lit(0, pl.Int64), n_total=pl.lit(0, pl.Int64))
    )
    return pl.concat([given, zeros.select(given.columns)])


def _grown(grid: Grid) -> dict[str, NDArray[np.generic]]:
    return judge_growth(grid, grow(grid))
