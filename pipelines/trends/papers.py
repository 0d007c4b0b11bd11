"""Trending papers: a score from repeated observations of upvotes, comments and stars.

Belongs here: the score, its inputs and its rank. Does not belong here: the observations (SQL),
topics. A score needs at least two observations; otherwise it is null.
"""

from __future__ import annotations

from typing import Final

import polars as pl

WINDOW_DAYS: Final = 14
"""A paper is scored on the day it is listed and on this many days after."""

LOOK_BACK_DAYS: Final = 7
"""Velocity is measured from the first observation within this many days before the last one."""

MIN_HOURS: Final = 6
"""Least time between the two observations of a velocity."""

GRAVITY: Final = 1.8
"""Exponent of age: how fast scores decay."""

COUNTERS: Final = {"upvotes": 1.0, "comments": 1.0, "github_stars": 1.0}
"""The counters and their weights in the score."""

SCORE_SCHEMA: Final[dict[str, pl.DataType]] = {
    "population": pl.String(),
    "day_on": pl.Date(),
    "paper_id": pl.String(),
    "listed_on": pl.Date(),
    "age_days": pl.Int64(),
    "n_observations": pl.Int64(),
    "first_observed_at": pl.Datetime("us"),
    "last_observed_at": pl.Datetime("us"),
    "observed_days": pl.Float64(),
    "upvotes": pl.Int64(),
    "comments": pl.Int64(),
    "github_stars": pl.Int64(),
    "upvotes_per_day": pl.Float64(),
    "comments_per_day": pl.Float64(),
    "github_stars_per_day": pl.Float64(),
    "score": pl.Float64(),
    "basis": pl.String(),
    "rank": pl.Int64(),
}
"""Output of `score_papers`."""

OBSERVED: Final = "observed"
NOT_ENOUGH: Final = "not enough observations"


def score_papers(observations: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """Return score, inputs and rank per population, day and paper, with `SCORE_SCHEMA`.

    `observations` has paper_id, observed_at (UTC, without zone), upvotes, comments and github_stars
    (nullable), one row per paper and time. `listings` has paper_id, population and listed_on. The
    days of a population are those with a listing. A day has the papers that were first listed at
    most `WINDOW_DAYS` before and observed by the end of the day.

    With velocities v per day from the first observation within `LOOK_BACK_DAYS` to the last one, at
    least 0, and t days since the listing:

        score = (ln(1 + v_upvotes) + ln(1 + v_comments) + ln(1 + v_stars)) / (t + 2)^1.8

    An unknown velocity adds 0. If all are unknown, basis is `not enough observations`, and score
    and rank are null. Rank 1 is the highest score; equal scores share a rank. Rows are sorted by
    population, day, rank (nulls last) and paper. Raises ValueError if a paper has two observations
    at the same time.
    """
    seen = observations.select(
        pl.col("paper_id").cast(pl.String),
        pl.col("observed_at").cast(pl.Datetime("us")),
        *(pl.col(name).cast(pl.Int64) for name in COUNTERS),
    ).sort("paper_id", "observed_at")
    duplicates = seen.filter(pl.struct("paper_id", "observed_at").is_duplicated())
    if not duplicates.is_empty():
        raise ValueError(
            f"duplicate rows: {duplicates.row(0, named=True)} is observed more than once"
        )
    scored = _velocities(_observed(_candidates(listings, seen), seen))
    is_known = pl.any_horizontal(pl.col(f"{name}_per_day").is_not_null() for name in COUNTERS)
    pull = sum(
        (
            weight * pl.col(f"{name}_per_day").log1p().fill_null(0.0)
            for name, weight in COUNTERS.items()
        ),
        pl.lit(0.0),
    )
    return (
        scored.with_columns(
            score=pl.when(is_known).then(pull / (pl.col("age_days") + 2.0).pow(GRAVITY)),
            basis=pl.when(is_known).then(pl.lit(OBSERVED)).otherwise(pl.lit(NOT_ENOUGH)),
        )
        .with_columns(
            rank=pl.col("score").rank("min", descending=True).over("population", "day_on")
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_SCHEMA.items())
        .sort("population", "day_on", "rank", "paper_id", nulls_last=True)
    )


def _candidates(listings: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """population, day_on, paper_id, listed_on, age_days, day_end: the days of each paper.

    Papers that were never observed, or only after their last day, are dropped early. These are most
    of arXiv's papers, and those of lists fetched long after their day.
    """
    listed = listings.select(
        pl.col("paper_id").cast(pl.String),
        pl.col("population").cast(pl.String),
        pl.col("listed_on").cast(pl.Date),
    )
    days = listed.select("population", day_on="listed_on").unique()
    first_seen = seen.group_by("paper_id").agg(pl.col("observed_at").min())
    observed = listed.join(first_seen, on="paper_id")
    first = observed.group_by("population", "paper_id").agg(
        pl.col("listed_on").min(), pl.col("observed_at").first()
    )
    over = pl.col("listed_on").cast(pl.Datetime("us")) + pl.duration(days=WINDOW_DAYS + 1)
    return (
        first.filter(pl.col("observed_at") < over)
        .drop("observed_at")
        .with_columns(age_days=pl.lit(list(range(WINDOW_DAYS + 1)), pl.List(pl.Int64)))
        .explode("age_days")
        .with_columns(day_on=pl.col("listed_on") + pl.duration(days="age_days"))
        .join(days, on=["population", "day_on"], how="semi")
        .with_columns(day_end=pl.col("day_on").cast(pl.Datetime("us")) + pl.duration(days=1))
    )


def _observed(candidates: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """The candidates observed by the end of the day, with their first and last observation."""
    numbered = seen.with_columns(position=pl.int_range(pl.len()).over("paper_id"))
    last = candidates.sort("day_end").join_asof(
        numbered.with_columns(last_observed_at="observed_at").sort("observed_at"),
        left_on="day_end",
        right_on="observed_at",
        by="paper_id",
        strategy="backward",
        check_sortedness=False,
        allow_exact_matches=False,
    )
    last = last.drop_nulls("last_observed_at").with_columns(
        since=pl.col("last_observed_at") - pl.duration(days=LOOK_BACK_DAYS)
    )
    return last.sort("since").join_asof(
        numbered.select(
            "paper_id",
            "observed_at",
            first_observed_at="observed_at",
            first_position="position",
            **{f"first_{name}": pl.col(name) for name in COUNTERS},
        ).sort("observed_at"),
        left_on="since",
        right_on="observed_at",
        by="paper_id",
        strategy="forward",
        check_sortedness=False,
    )


def _velocities(observed: pl.DataFrame) -> pl.DataFrame:
    """The rows with n_observations, observed_days and a velocity per counter (null if unknown)."""
    elapsed = (pl.col("last_observed_at") - pl.col("first_observed_at")).dt.total_microseconds()
    spaced = observed.with_columns(
        n_observations=pl.col("position") - pl.col("first_position") + 1,
        # Rounded to a tenth of a second. Otherwise the last bit depends on the length of the
        # column, and so on later listings.
        observed_days=(elapsed / 86_400e6).round(6),
    )
    is_spaced = pl.col("observed_days") >= MIN_HOURS / 24

    return spaced.with_columns(
        pl.when(is_spaced)
        .then(
            (pl.col(name) - pl.col(f"first_{name}")).clip(lower_bound=0) / pl.col("observed_days")
        )
        .alias(f"{name}_per_day")
        for name in COUNTERS
    )
