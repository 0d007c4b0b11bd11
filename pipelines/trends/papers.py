"""Trending papers: upvotes relative to what papers of the same age and day have.

Belongs here: the score, its inputs and its rank. Does not belong here: the observations (SQL),
topics.

A paper has k upvotes where e are expected. Its ratio r to the expectation has a posterior:

    k ~ Poisson(e r),   r ~ Gamma(a, a), of mean 1   =>   r | k, e ~ Gamma(a + k, a + e)

The score is the value that r exceeds with 90 % probability. It ranks a paper with 3 upvotes of 1
expected below one with 60 of 20: the second is certain to be unusual. Source: W. DuMouchel,
*Bayesian data mining in large frequency tables, with an application to the FDA spontaneous
reporting system*, The American Statistician 53 (1999), 177-190, where the bound is that of 95 %.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from scipy.special import gammaincinv

WINDOW_DAYS: Final = 14
"""A paper has rows for the day it is listed and this many days after."""

REFERENCE_DAYS: Final = 28
"""A paper is compared with the papers listed on the day or this many days before."""

FRESH_DAYS: Final = 4
"""A paper last observed longer before the end of the day has no score. Covers a weekend."""

LOOK_BACK_DAYS: Final = 7
"""A gain is measured from the first observation within this many days before the last one."""

MIN_HOURS: Final = 6
"""Least time between the two observations of a gain."""

AGE_HOURS: Final = (6, 12, 18, 24, 36, 48, 96, 168)
"""Bounds of the classes of age, from the start of the listing day (UTC)."""

MIN_COMPARED: Final = 20
"""Least number of papers from which upvotes are expected."""

DAY_PAPERS: Final = 10
"""The expectation weighs as much as this many papers of the day in the level of the day."""

MIN_RANKED: Final = 10
"""Fewer scored papers are not ranked."""

LOWER: Final = 0.1
"""Probability below the score."""

PRIOR_BOUNDS: Final = (0.1, 10.0)
"""Bounds of a: standard deviations of the ratio from 3.2 to 0.3."""

COUNTERS: Final = ("upvotes", "comments", "github_stars")

GAIN: Final = "gain"
UPVOTES: Final = "upvotes"
NOT_LATELY: Final = "not observed lately"
NO_COMPARISON: Final = "too few papers to compare with"
BASES: Final = (GAIN, UPVOTES, NOT_LATELY, NO_COMPARISON)

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
    "basis": pl.String(),
    "n_counted": pl.Int64(),
    "n_compared": pl.Int64(),
    "day_level": pl.Float64(),
    "expected": pl.Float64(),
    "prior": pl.Float64(),
    "ratio": pl.Float64(),
    "score": pl.Float64(),
    "rank": pl.Int64(),
}
"""Output of `score_papers`."""

_DAY = ["population", "day_on"]
_CELL = ["basis", "first_class", "last_class"]


def score_papers(observations: pl.DataFrame, listings: pl.DataFrame) -> pl.DataFrame:
    """Return score, inputs and rank per population, day and paper, with `SCORE_SCHEMA`.

    `observations` has paper_id, observed_at (UTC, without zone), upvotes, comments and github_stars
    (nullable), one row per paper and time. `listings` has paper_id, population and listed_on. The
    days of a population are those with a listing. A day has the papers that were first listed at
    most `WINDOW_DAYS` before and observed by the end of the day.

    `n_counted` (k) is the gain of upvotes since the first observation within `LOOK_BACK_DAYS`, at
    least 0, where `basis` is `gain`; the upvotes at the last observation where it is `upvotes`.
    `expected` (e) is the mean of k over the `n_compared` papers of the last `REFERENCE_DAYS` in the
    same classes of age, times `day_level`: the ratio of k to that mean over the papers of the
    same listing day, shrunk towards 1. `prior` (a) is estimated by moments over all classes.
    `ratio` is the posterior mean of r. Without enough papers for a gain, the upvotes decide;
    without enough for these, basis is `too few papers to compare with` and score and rank are null.

    Rank 1 is the highest score of at least `MIN_RANKED`; equal scores share a rank. Rows are sorted
    by population, day, rank (nulls last) and paper. Raises ValueError if a paper has two
    observations at the same time.
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
    listed = listings.select(
        pl.col("paper_id").cast(pl.String),
        pl.col("population").cast(pl.String),
        pl.col("listed_on").cast(pl.Date),
    )
    first = listed.group_by("population", "paper_id").agg(pl.col("listed_on").min())
    days = listed.select("population", day_on="listed_on").unique()
    facts = _facts(first.join(_gains(seen), on="paper_id"))
    levels = _levels(facts, days)
    now = _as_of(facts, days, WINDOW_DAYS).sort("observed_at")
    now = now.unique([*_DAY, "paper_id"], keep="last", maintain_order=True)
    scored = _scored(now, levels)
    n_scored = pl.col("score").count().over(_DAY)
    rank = pl.col("score").rank("min", descending=True).over(_DAY)
    return (
        scored.with_columns(rank=pl.when(n_scored >= MIN_RANKED).then(rank))
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_SCHEMA.items())
        .sort(*_DAY, "rank", "paper_id", nulls_last=True)
    )


def _gains(seen: pl.DataFrame) -> pl.DataFrame:
    """The observations, each with the first one within `LOOK_BACK_DAYS` before it and its gains."""
    numbered = seen.with_columns(position=pl.int_range(pl.len()).over("paper_id"))
    first = numbered.select(
        "paper_id",
        "observed_at",
        first_observed_at="observed_at",
        first_position="position",
        **{f"first_{name}": pl.col(name) for name in COUNTERS},
    )
    joined = (
        numbered.with_columns(since=pl.col("observed_at") - pl.duration(days=LOOK_BACK_DAYS))
        .sort("since")
        .join_asof(
            first.sort("observed_at"),
            left_on="since",
            right_on="observed_at",
            by="paper_id",
            strategy="forward",
            check_sortedness=False,
        )
    )
    elapsed = (pl.col("observed_at") - pl.col("first_observed_at")).dt.total_microseconds()
    spaced = joined.with_columns(
        n_observations=pl.col("position") - pl.col("first_position") + 1,
        # Rounded to a tenth of a second. Otherwise the last bit depends on the length of the
        # column, and so on later listings.
        observed_days=(elapsed / 86_400e6).round(6),
    )
    is_spaced = pl.col("observed_days") >= MIN_HOURS / 24
    return spaced.with_columns(
        pl.when(is_spaced)
        .then((pl.col(name) - pl.col(f"first_{name}")).clip(lower_bound=0))
        .alias(f"gained_{name}")
        for name in COUNTERS
    )


def _facts(observed: pl.DataFrame) -> pl.DataFrame:
    """The observations of each population's papers, with the classes of age of both times."""

    def age_class(time: str) -> pl.Expr:
        start = pl.col("listed_on").cast(pl.Datetime("us"))
        hours = (pl.col(time) - start).dt.total_microseconds() / 3_600e6
        return pl.sum_horizontal((hours >= bound).cast(pl.Int64) for bound in AGE_HOURS)

    return observed.with_columns(
        last_class=age_class("observed_at"), first_class=age_class("first_observed_at")
    )


def _as_of(facts: pl.DataFrame, days: pl.DataFrame, within: int) -> pl.DataFrame:
    """The facts known at the end of each day, of papers listed at most `within` days before."""
    since = pl.col("listed_on").cast(pl.Datetime("us")) + pl.duration(days=within + 1)
    return (
        facts.filter(pl.col("observed_at") < since)
        .with_columns(age_days=pl.lit(list(range(within + 1)), pl.List(pl.Int64)))
        .explode("age_days")
        .with_columns(day_on=pl.col("listed_on") + pl.duration(days="age_days"))
        .with_columns(day_end=pl.col("day_on").cast(pl.Datetime("us")) + pl.duration(days=1))
        .filter(pl.col("observed_at") < pl.col("day_end"))
        .join(days, on=_DAY, how="semi")
    )


def _counted(facts: pl.DataFrame) -> pl.DataFrame:
    """The facts once per basis, with the class of comparison and the upvotes that count (k)."""
    gain = facts.with_columns(basis=pl.lit(GAIN), n_counted=pl.col("gained_upvotes"))
    upvotes = facts.with_columns(
        basis=pl.lit(UPVOTES), n_counted=pl.col("upvotes"), first_class=pl.lit(0, pl.Int64)
    )
    return pl.concat([gain, upvotes.select(gain.columns)]).drop_nulls("n_counted")


def _levels(facts: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Per day, class and listing day: mean of k, papers compared, level of the day, and prior.

    Sums are of integers, so that they do not depend on the order of the rows.
    """
    known = (
        _counted(_as_of(facts, days, REFERENCE_DAYS))
        .sort("observed_at")
        .unique([*_DAY, *_CELL, "paper_id"], keep="last", maintain_order=True)
    )
    k = pl.col("n_counted")
    cells = (
        known.group_by(*_DAY, *_CELL)
        .agg(n_compared=pl.len(), total=k.sum(), squares=(k * k).sum())
        .with_columns(mean=pl.col("total") / pl.col("n_compared"))
        .filter(pl.col("n_compared") >= MIN_COMPARED, pl.col("mean") > 0)
        .sort(*_DAY, *_CELL)
    )
    # Of a negative binomial count: variance = e + e² / a.
    excess = pl.col("squares") - pl.col("total") * (pl.col("mean") + 1)
    priors = (
        cells.with_columns(excess=excess / pl.col("mean") ** 2)
        .group_by(*_DAY, "basis", maintain_order=True)
        .agg(pl.col("n_compared").sum(), pl.col("excess").sum())
        .select(
            *_DAY,
            "basis",
            prior=pl.when(pl.col("excess") > 0)
            .then((pl.col("n_compared") / pl.col("excess")).round(6))
            .otherwise(PRIOR_BOUNDS[1])
            .clip(*PRIOR_BOUNDS),
        )
    )
    by_day = known.group_by(*_DAY, *_CELL, "listed_on").agg(day_total=k.sum(), day_papers=pl.len())
    return (
        by_day.join(cells, on=[*_DAY, *_CELL])
        .join(priors, on=[*_DAY, "basis"])
        .with_columns(
            day_level=(DAY_PAPERS + pl.col("day_total") / pl.col("mean"))
            / (DAY_PAPERS + pl.col("day_papers"))
        )
        .with_columns(expected=pl.col("mean") * pl.col("day_level"))
        .select(*_DAY, *_CELL, "listed_on", "n_compared", "day_level", "expected", "prior")
    )


def _scored(now: pl.DataFrame, levels: pl.DataFrame) -> pl.DataFrame:
    """The newest facts with their score, from the gain where it can be compared."""
    keys = [*_DAY, "paper_id"]
    fresh = pl.col("observed_at") > pl.col("day_end") - pl.duration(days=FRESH_DAYS)
    compared = (
        _counted(now.filter(fresh))
        .join(levels, on=[*_DAY, *_CELL, "listed_on"])
        .sort("basis")  # `gain` before `upvotes`
        .unique(keys, keep="first", maintain_order=True)
    )
    a, k, e = (
        compared[name].cast(pl.Float64).to_numpy() for name in ("prior", "n_counted", "expected")
    )
    scores = compared.select(
        *keys, "basis", "n_counted", "n_compared", "day_level", "expected", "prior"
    ).with_columns(
        ratio=pl.Series((a + k) / (a + e), dtype=pl.Float64),
        score=pl.Series(np.round(gammaincinv(a + k, LOWER) / (a + e), 6), dtype=pl.Float64),
    )
    unscored = pl.when(fresh).then(pl.lit(NO_COMPARISON)).otherwise(pl.lit(NOT_LATELY))
    return now.join(scores, on=keys, how="left").with_columns(
        *(
            (pl.col(f"gained_{name}") / pl.col("observed_days")).alias(f"{name}_per_day")
            for name in COUNTERS
        ),
        last_observed_at="observed_at",
        basis=pl.coalesce("basis", unscored),
    )
