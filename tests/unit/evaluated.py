"""A generated warehouse: 20 months of papers, eight topics, one of which rises."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import PUBLISHED, Evidence
from pipelines.trends import judge

TOPICS = [f"topic-{n}" for n in range(8)]
MONTHS = [dt.date(2024 + at // 12, 1 + at % 12, 1) for at in range(20)]
A_MONTH = 120


def evidence(seed: int = 0, rises_from: int = 10) -> Evidence:
    """Papers of `hf_daily` on working days; `topic-0` goes from 10 % to 40 % in a month."""
    chance = np.random.default_rng(seed)
    rows, links = [], []
    for at, month in enumerate(MONTHS):
        for n in range(A_MONTH):
            number = at * A_MONTH + n
            paper = f"{month:%y%m}.{number:05d}"
            day = month + dt.timedelta(days=int(chance.integers(0, 26)))
            rows.append((paper, day + dt.timedelta(days=(7 - day.weekday()) % 7 % 3)))
            shares = [0.4 if at >= rises_from else 0.1, *[0.15] * 7]
            has = chance.random(8) < shares
            links += [(paper, topic) for topic, is_in in zip(TOPICS, has, strict=True) if is_in]
            links += [] if has.any() else [(paper, "no-topic")]
    members = pl.DataFrame(rows, schema=["paper_id", "counted_on"], orient="row").select(
        population=pl.lit("hf_daily"),
        paper_id="paper_id",
        counted_on="counted_on",
        date_precision=pl.lit("day"),
    )
    topics = pl.DataFrame(links, schema=["paper_id", "topic_id"], orient="row")
    periods = pl.concat([_periods(members, grain) for grain in ("week", "month", "quarter")])
    counts = pl.concat([_counts(members, topics, periods, g) for g in ("week", "month", "quarter")])
    judged = judge(counts)
    return Evidence(
        members=members.sort("paper_id"),
        topics=topics.sort("paper_id", "topic_id"),
        periods=periods,
        trends=pl.concat(
            [counts.sort(KEYS), judged.sort(KEYS).select(PUBLISHED)], how="horizontal"
        ),
        papers=members.select(
            "paper_id",
            arxiv_id="paper_id",
            title=pl.format("Paper {}", "paper_id"),
            abstract=pl.lit("words"),
            keywords=pl.lit(None, pl.List(pl.String)),
            primary_category=pl.lit("cs.LG"),
            published_on="counted_on",
        ),
        input_hash="0" * 16,
    )


KEYS = ["population", "grain", "period_start_on", "series_id"]
_EVERY = {"week": "1w", "month": "1mo", "quarter": "1q"}


def _periods(members: pl.DataFrame, grain: str) -> pl.DataFrame:
    return (
        members.group_by(
            "population",
            pl.lit(grain).alias("grain"),
            pl.col("counted_on").dt.truncate(_EVERY[grain]).alias("period_start_on"),
        )
        .agg(n_total=pl.len().cast(pl.Int64))
        .with_columns(is_partial=pl.lit(value=False), complete_share=1.0, text_share=1.0)
        .sort("period_start_on")
    )


def _counts(
    members: pl.DataFrame, topics: pl.DataFrame, periods: pl.DataFrame, grain: str
) -> pl.DataFrame:
    placed = members.with_columns(
        period_start_on=pl.col("counted_on").dt.truncate(_EVERY[grain])
    ).join(topics, on="paper_id")
    counts = placed.group_by("period_start_on", series_id="topic_id").agg(
        n_papers=pl.len().cast(pl.Int64)
    )
    series = topics.select(series_id="topic_id").unique()
    return (
        periods.filter(grain=grain)
        .join(series, how="cross")
        .join(counts, on=["period_start_on", "series_id"], how="left")
        .with_columns(pl.col("n_papers").fill_null(0))
    )
