"""Team sizes: whether solo and large-team papers rise or fall, and exact intervals of the middle.

Belongs here: verdicts on the shares of solo and ten-plus papers, the interval of the median by
order statistics, and the interval of a skewed mean. Does not belong here: counting authors (SQL
does) and the Wilson intervals of the shares (SQL has them). Formulas: docs/methodology.md.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from pipelines.trends.grids import KEYS, OPTIONAL_SCHEMA, Floats, Grid, Ints, check, gather, grids
from pipelines.trends.growth import grow
from pipelines.trends.verdicts import judge_growth

TEAM_KEYS: Final = ["population", "grain", "period_start_on", "topic_id"]

TEAM_SCHEMA: Final[dict[str, pl.DataType]] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "topic_id": pl.String(),
} | {
    f"{kind}_{name}": dtype
    for kind in ("solo", "ten_plus")
    for name, dtype in {
        "growth": pl.Float64(),
        "growth_low": pl.Float64(),
        "growth_high": pl.Float64(),
        "p_value": pl.Float64(),
        "q_value": pl.Float64(),
        "verdict": pl.String(),
        "verdict_reason": pl.String(),
    }.items()
}
"""What `judge_teams` returns."""

CENTRE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "population": pl.String(),
    "grain": pl.String(),
    "period_start_on": pl.Date(),
    "topic_id": pl.String(),
    "n_papers": pl.Int64(),
    "mean_authors": pl.Float64(),
    "mean_low": pl.Float64(),
    "mean_high": pl.Float64(),
    "median_authors": pl.Float64(),
    "median_low": pl.Int64(),
    "median_high": pl.Int64(),
    "median_coverage": pl.Float64(),
}
"""What `centre_authors` returns."""

Z95: Final = 1.959963984540054


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
        kind: _judge_share(
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
        for kind in ("solo", "ten_plus")
    }
    out = judged["solo"].select(*KEYS[:3], topic_id="series_id")
    for kind, part in judged.items():
        out = out.hstack(part.select(pl.exclude(KEYS).name.prefix(f"{kind}_")))
    return out.select(pl.col(name).cast(dtype) for name, dtype in TEAM_SCHEMA.items())


def _judge_share(frame: pl.DataFrame) -> pl.DataFrame:
    """Keys, growth and verdict of the rows of a frame that `judge` would take."""
    given = check(frame)
    if given.is_empty():
        names = [name.removeprefix("solo_") for name in TEAM_SCHEMA if name.startswith("solo_")]
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
    growth = grow(grid)
    return {
        "growth": growth.growth,
        "growth_low": growth.low,
        "growth_high": growth.high,
        **judge_growth(grid, growth),
    }


def median_ranks(n: Ints) -> tuple[Ints, Ints, Floats]:
    """Return the ranks of the order statistics that bound the median, and their exact coverage.

    For n values the interval from the r-th smallest to the r-th largest misses a median of any law
    with probability at most 2·P(Binomial(n, 1/2) < r); r is the largest rank for which that is at
    most 5 %. Where there is none (n < 6) both ranks are 0 and the coverage is NaN. Source: W. J.
    Conover, Practical Nonparametric Statistics, 3rd edition (1999), section 3.2.
    """
    counts = np.asarray(n, dtype=np.int64)
    # The normal quantile is never more than a rank or two off: try the ranks around it.
    near = np.floor(counts / 2 - Z95 * np.sqrt(counts) / 2).astype(np.int64)
    low = np.zeros_like(counts)
    for step in (-2, -1, 0, 1, 2, 3):
        rank = near + step
        fits = (rank >= 1) & (rank <= counts) & (_miss(rank, counts) <= 0.05)
        low = np.where(fits, np.maximum(low, rank), low)
    there = low >= 1
    coverage = np.where(there, 1 - _miss(np.maximum(low, 1), counts), np.nan)
    return low, np.where(there, counts - low + 1, 0), coverage


def _miss(rank: Ints, n: Ints) -> Floats:
    """2·P(Binomial(n, 1/2) < rank), through the incomplete beta function."""
    rank = np.clip(rank, 1, np.maximum(n, 1))
    return np.asarray(2 * special.betainc(n - rank + 1.0, rank, 0.5), dtype=np.float64)


def centre_authors(histogram: pl.DataFrame) -> pl.DataFrame:
    """Return mean and median of the author count with 95 % intervals, with `CENTRE_SCHEMA`.

    `histogram` has population, grain, period_start_on, topic_id, n_authors and n_papers: how many
    papers have so many authors; repeated rows are added up. The interval of the mean is Hall's (it
    allows for skewness, and is wider above than below), null where there is no spread to go by;
    that of the median is between order statistics, null below 6 papers. Sorted by the four keys.
    """
    counts = (
        histogram.select(*TEAM_KEYS, "n_authors", "n_papers")
        .filter(pl.col("n_papers") > 0)
        .group_by(*TEAM_KEYS, "n_authors")
        .agg(pl.col("n_papers").sum().cast(pl.Int64))
        .sort(*TEAM_KEYS, "n_authors")
    )
    authors, papers = pl.col("n_authors").cast(pl.Float64), pl.col("n_papers").cast(pl.Float64)
    mean = (authors * papers).sum() / papers.sum()
    cells = counts.group_by(TEAM_KEYS, maintain_order=True).agg(
        pl.col("n_papers").sum().alias("n"),
        mean_authors=mean,
        second=((authors - mean) ** 2 * papers).sum(),
        third=((authors - mean) ** 3 * papers).sum(),
    )
    n = cells["n"].to_numpy().astype(np.int64)
    low, high, coverage = median_ranks(n)
    mean_low, mean_high = _hall(
        n, *(cells[name].to_numpy() for name in ("mean_authors", "second", "third"))
    )
    cells = cells.with_columns(
        pl.Series("low_rank", low),
        pl.Series("high_rank", high),
        pl.Series("median_coverage", coverage),
        pl.Series("mean_low", mean_low),
        pl.Series("mean_high", mean_high),
    ).with_columns(pl.col("median_coverage", "mean_low", "mean_high").fill_nan(None))
    ranked = counts.with_columns(to=pl.col("n_papers").cum_sum().over(TEAM_KEYS)).join(
        cells.select(*TEAM_KEYS, "n", "low_rank", "high_rank"), on=TEAM_KEYS, maintain_order="left"
    )

    def at(rank: pl.Expr) -> pl.Expr:
        found = pl.col("n_authors").filter(pl.col("to") >= rank).first()
        return pl.when(rank.first() >= 1).then(found)

    middle = ranked.group_by(TEAM_KEYS, maintain_order=True).agg(
        median_low=at(pl.col("low_rank")),
        median_high=at(pl.col("high_rank")),
        median_authors=(at((pl.col("n") + 1) // 2) + at(pl.col("n") // 2 + 1)) / 2,
    )
    return (
        cells.join(middle, on=TEAM_KEYS, maintain_order="left")
        .with_columns(n_papers=pl.col("n"))
        .select(pl.col(name).cast(dtype) for name, dtype in CENTRE_SCHEMA.items())
    )


def _hall(n: Ints, mean: Floats, second: Floats, third: Floats) -> tuple[Floats, Floats]:
    """Bounds of the mean by Hall's cubic transformation, which takes the skewness out.

    Source: P. Hall, "On the removal of skewness by transformation", Journal of the Royal
    Statistical Society B 54 (1992), 221–228. NaN where all values are the same.
    """
    spread = np.sqrt(np.maximum(second / n, 0.0))
    has_spread = (n > 1) & (spread > 0)
    scale = np.where(has_spread, spread, 1.0)
    skewness = np.where(has_spread, third / n / scale**3, 0.0)

    def untransform(x: Floats) -> Floats:
        """The value t with t + s·t²/3 + s²·t³/27 + s/(6n) = x, for skewness s."""
        small = np.abs(skewness) < 1e-8
        s = np.where(small, 1.0, skewness)
        return np.where(small, x, 3 / s * (np.cbrt(1 + s * (x - s / (6 * n))) - 1))

    reach = Z95 / np.sqrt(n)
    low, high = mean - scale * untransform(reach), mean - scale * untransform(-reach)
    return np.where(has_spread, low, np.nan), np.where(has_spread, high, np.nan)
