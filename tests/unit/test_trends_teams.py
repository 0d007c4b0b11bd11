"""Team sizes: the verdicts are those of `judge`."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.trends import judge
from pipelines.trends.teams import TEAM_SCHEMA, judge_teams
from pipelines.trends.verdicts import GROWTH_COLUMNS
from tests.unit.trend_frames import STARTS

pytestmark = pytest.mark.unit


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
    found = judge_teams(counts).select(
        pl.col(f"ten_plus_{name}").alias(name) for name in GROWTH_COLUMNS
    )
    assert_frame_equal(found, direct.select(GROWTH_COLUMNS))


def test_a_topic_without_papers_is_not_a_gap() -> None:
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
