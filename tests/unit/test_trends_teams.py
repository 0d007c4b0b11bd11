"""Team sizes: exact ranks against the binomial law, means by simulation, verdicts by `judge`."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from pipelines.trends import judge
from pipelines.trends.teams import (
    CENTRE_SCHEMA,
    TEAM_SCHEMA,
    centre_authors,
    judge_teams,
    median_ranks,
)
from tests.unit.trend_frames import STARTS

pytestmark = pytest.mark.unit

CELL = {"population": "field", "grain": "month", "period_start_on": dt.date(2025, 1, 1)}


def test_median_ranks_are_exact() -> None:
    n = np.arange(0, 150)
    low, high, coverage = median_ranks(n)
    for count in n:
        misses = 2 * stats.binom.cdf(np.arange(count), count, 0.5)
        rank = int((misses <= 0.05).sum())
        assert low[count] == rank
        assert high[count] == (count - rank + 1 if rank else 0)
        if rank:
            assert coverage[count] == pytest.approx(1 - 2 * stats.binom.cdf(rank - 1, count, 0.5))
        else:
            assert math.isnan(coverage[count])
    assert low[6] == 1
    assert low[5] == 0


def test_median_ranks_of_many() -> None:
    low, high, coverage = median_ranks(np.array([10_000, 1_000_000]))
    assert (coverage >= 0.95).all()
    assert (coverage < 0.96).all()
    assert (low + high == np.array([10_001, 1_000_001])).all()


def histogram(topic: str, values: list[int]) -> pl.DataFrame:
    counts = pl.Series("n_authors", values).value_counts(name="n_papers")
    return counts.with_columns(topic_id=pl.lit(topic), **{k: pl.lit(v) for k, v in CELL.items()})


def test_centre_by_hand() -> None:
    rng = np.random.default_rng(1)
    groups = {
        "a": [1],
        "b": [2, 2, 2],
        "c": [1, 2, 3, 4, 5, 6],
        "d": rng.geometric(0.2, 41).tolist(),
        "e": [1, 9],
    }
    found = centre_authors(
        pl.concat([histogram(topic, values) for topic, values in groups.items()])
    )
    assert found.schema == pl.Schema(CENTRE_SCHEMA)
    for row in found.iter_rows(named=True):
        values = sorted(groups[row["topic_id"]])
        assert row["n_papers"] == len(values)
        assert row["mean_authors"] == pytest.approx(np.mean(values))
        assert row["median_authors"] == np.median(values)
        low, high, _ = median_ranks(np.array([len(values)]))
        expected = (values[low[0] - 1], values[high[0] - 1]) if low[0] else (None, None)
        assert (row["median_low"], row["median_high"]) == expected
        if len(set(values)) == 1:
            assert row["mean_low"] is None
        else:
            assert row["mean_low"] < row["mean_authors"] < row["mean_high"]
    assert centre_authors(histogram("a", [1]).clear()).is_empty()


def test_hall_bounds_solve_their_cubic() -> None:
    values = np.random.default_rng(2).lognormal(1, 0.8, 60).astype(int) + 1
    row = centre_authors(histogram("a", values.tolist())).row(0, named=True)
    spread, skewness, n = values.std(), stats.skew(values), values.size

    def transformed(bound: float) -> float:
        t = (values.mean() - bound) / spread
        return float(t + skewness * t**2 / 3 + skewness**2 * t**3 / 27 + skewness / (6 * n))

    assert transformed(row["mean_low"]) == pytest.approx(stats.norm.ppf(0.975) / math.sqrt(n))
    assert transformed(row["mean_high"]) == pytest.approx(-stats.norm.ppf(0.975) / math.sqrt(n))


def test_hall_misses_less_often_on_both_sides() -> None:
    rng = np.random.default_rng(3)
    draws = rng.lognormal(1.5, 0.7, (1000, 50)).round().astype(int).clip(1)
    true = rng.lognormal(1.5, 0.7, 1_000_000).round().clip(1).mean()
    cells = pl.concat([histogram(f"{at:04}", row.tolist()) for at, row in enumerate(draws)])
    found = centre_authors(cells)
    half = 1.96 * draws.std(axis=1, ddof=1) / math.sqrt(50)
    normal = np.abs(draws.mean(axis=1) - true) <= half
    hall = found.filter(pl.lit(true).is_between("mean_low", "mean_high")).height / 1000
    assert hall > normal.mean()
    assert hall == pytest.approx(0.95, abs=0.025)


def team_frame() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    rows = []
    for at in range(12):
        for topic, n in (("all", 2000), ("rag", 300), ("rare", 2)):
            share = 0.1 if at < 9 else 0.25
            rows.append(
                {
                    "population": "field",
                    "grain": "month",
                    "period_start_on": STARTS["month"][at],
                    "topic_id": topic,
                    "n_papers": n,
                    "n_solo": int(rng.binomial(n, 0.1)),
                    "n_ten_plus": int(rng.binomial(n, share)),
                    "is_partial": False,
                }
            )
    return pl.DataFrame(rows)


def test_team_verdicts() -> None:
    judged = judge_teams(team_frame())
    assert judged.schema == pl.Schema(TEAM_SCHEMA)
    last = judged.filter(pl.col("period_start_on") == STARTS["month"][10])
    assert dict(last.select("topic_id", "ten_plus_verdict").iter_rows())["all"] == "rising"
    assert set(last["solo_verdict"]) <= {"flat", "insufficient"}


def test_team_verdicts_are_those_of_judge() -> None:
    counts = team_frame()
    direct = judge(
        counts.select(
            "population", "grain", "period_start_on", "is_partial",
            series_id="topic_id", n_papers="n_ten_plus", n_total="n_papers",
        )
    )  # fmt: skip
    names = [
        "growth",
        "growth_low",
        "growth_high",
        "p_value",
        "q_value",
        "verdict",
        "verdict_reason",
    ]
    found = judge_teams(counts).select(pl.col(f"ten_plus_{name}").alias(name) for name in names)
    assert_frame_equal(found, direct.select(names))


def test_a_topic_without_papers_is_no_gap() -> None:
    counts = team_frame()
    hole = (pl.col("topic_id") == "rag") & (pl.col("period_start_on") == STARTS["month"][8])
    judged = judge_teams(counts.filter(~hole))
    assert judged.height == counts.height - 1
    rag = judged.filter(
        pl.col("topic_id") == "rag", pl.col("period_start_on") == STARTS["month"][10]
    )
    assert rag["ten_plus_verdict_reason"].item() != "gap"


def test_no_teams() -> None:
    assert judge_teams(team_frame().clear()).schema == pl.Schema(TEAM_SCHEMA)
