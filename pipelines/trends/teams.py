"""Team sizes: growth and verdicts of the shares of papers with one and with ten or more authors.

Belongs here: the two shares as series for `judge_growth`. Does not belong here: counting authors
(SQL). For formulas see docs/methodology.md.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.trends.grids import KEYS, OPTIONAL_SCHEMA, check, gather, grids
from pipelines.trends.growth import grow
from pipelines.trends.judging import OUTPUT_SCHEMA
from pipelines.trends.verdicts import GROWTH_COLUMNS, WINDOW_COUNTS, judge_growth

KINDS: Final = ("solo", "ten_plus")

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
    **{f"{kind}_{name}": OUTPUT_SCHEMA[name] for kind in KINDS for name in GROWTH_COLUMNS},
}
"""Output of `judge_teams`."""


def judge_teams(frame: pl.DataFrame) -> pl.DataFrame:
    """Return growth and verdicts of the shares of solo and ten-plus papers, with `TEAM_SCHEMA`.

    `frame` has one row per population, grain, period and topic ("all" included) with n_papers,
    n_solo, n_ten_plus and is_partial. A topic without a row in a period has no paper in it. Growth
    of n_solo / n_papers and n_ten_plus / n_papers is computed as in `judge`. The false discovery
    rate is controlled within population, grain and period, separately for both shares. Raises
    ValueError as `judge` does.
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
        out = out.hstack(
            part.select(pl.col(list(GROWTH_COLUMNS)).name.prefix(f"{kind}_"), **counts)
        )
    return out.select(pl.col(name).cast(dtype) for name, dtype in TEAM_SCHEMA.items())


def judge_shares(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the keys, `WINDOW_COUNTS` and `GROWTH_COLUMNS`, one row per row of `frame`.

    `frame` is as for `judge`, except that totals may differ between series and rows may be missing:
    a series without a row in a period counts as 0 of 0.
    """
    given = check(frame)
    if given.is_empty():
        names = (*WINDOW_COUNTS, *GROWTH_COLUMNS)
        return pl.DataFrame(schema=dict.fromkeys([*KEYS, *names], pl.Null))
    checked = check(_filled(given))
    columns = gather([(grid, judge_growth(grid, grow(grid))) for grid in grids(checked)])
    full = pl.concat([checked.select(KEYS), columns], how="horizontal")
    return full.join(given.select(KEYS), on=KEYS, how="semi", maintain_order="left")


def _filled(given: pl.DataFrame) -> pl.DataFrame:
    """The rows, and zero rows of topics that have no row in a period."""
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
