"""Leakage: every judged column of topics and team sizes is compared bit by bit."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pipelines.evaluation import leakage
from pipelines.evaluation.evidence import AUTHORS, Evidence
from pipelines.trends import judge
from pipelines.trends.judging import JUDGED_COLUMNS
from pipelines.trends.teams import TEAM_SCHEMA, judge_teams
from tests.unit.evaluated import evidence

pytestmark = pytest.mark.unit

KEYS = ["population", "grain", "period_start_on"]


@pytest.fixture(scope="module")
def made() -> Evidence:
    """Months only; a third of each topic's papers have one author, a fifth ten or more."""
    whole = evidence()
    trends = whole.trends.filter(grain="month")
    counts = trends.select(
        *KEYS, "n_papers", "is_partial", "complete_share",
        topic_id="series_id",
        n_solo=pl.col("n_papers") // 3,
        n_ten_plus=pl.col("n_papers") // 5,
    )  # fmt: skip
    authors = counts.join(judge_teams(counts), on=[*KEYS, "topic_id"]).select(list(AUTHORS))
    return replace(whole, trends=trends, authors=authors)


def met(evidence: Evidence) -> list[bool]:
    return [criterion.is_met for criterion in leakage.evaluate(evidence, n_days=2).criteria]


def test_unaltered_results_agree(made: Evidence) -> None:
    part = leakage.evaluate(made, n_days=2)
    assert [criterion.is_met for criterion in part.criteria] == [True, True]
    assert part.criteria[0].result == "16 of 16 altered histories agree"
    assert part.tables[0].rows["mart"].to_list() == ["topics", "team sizes"]


@pytest.mark.parametrize("what", ["judge", "judge_teams"])
def test_a_look_ahead_is_detected(
    made: Evidence, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of earlier periods that depend on all papers."""
    real, column = {"judge": (judge, "growth"), "judge_teams": (judge_teams, "solo_growth")}[what]

    def look_ahead(counts: pl.DataFrame) -> pl.DataFrame:
        return real(counts).with_columns(pl.lit(float(counts["n_papers"].sum())).alias(column))

    monkeypatch.setattr(leakage, what, look_ahead)
    assert met(made) == [False, False]


@pytest.mark.parametrize("column", JUDGED_COLUMNS)
def test_each_published_column_of_topics_is_compared(made: Evidence, column: str) -> None:
    changed = made.trends.with_columns(pl.col(column).shift(1))
    if changed[column].equals(made.trends[column]):  # the same throughout
        changed = made.trends.with_columns(pl.lit(None, changed[column].dtype).alias(column))
    assert met(replace(made, trends=changed)) == [True, False]


@pytest.mark.parametrize("column", [name for name in TEAM_SCHEMA if "_" in name and name[:3] in
                                    ("sol", "ten")])  # fmt: skip
def test_each_published_column_of_team_sizes_is_compared(made: Evidence, column: str) -> None:
    changed = made.authors.with_columns(pl.lit(None, made.authors[column].dtype).alias(column))
    assert met(replace(made, authors=changed)) == [True, False]


def test_the_last_bit_of_a_small_number_counts() -> None:
    frame = pl.DataFrame({"key": ["a", "b", "c"], "p": [1e-30, None, 0.5]})
    other = frame.with_columns(p=pl.Series([1.0000000000000002e-30, None, 0.5]))
    assert leakage._bits(frame, ["key"]).equals(leakage._bits(frame.reverse(), ["key"]))
    assert not leakage._bits(frame, ["key"]).equals(leakage._bits(other, ["key"]))
