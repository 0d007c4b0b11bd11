"""Leakage: every judged column of topics is compared bit by bit."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pipelines.evaluation import leakage
from pipelines.evaluation.evidence import PUBLISHED, TEAM_COLUMNS, TEAMS, Evidence
from pipelines.trends import judge
from pipelines.trends.grids import KEYS
from pipelines.trends.series import judge_series
from tests.unit.evaluated import MONTHS, evidence

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made() -> Evidence:
    """Months only; a quarter of each topic's papers has one author, later three quarters."""
    whole = evidence()
    counts = whole.counts.filter(grain="month").sort(KEYS)
    is_late = pl.col("period_start_on") >= MONTHS[10]
    solo = counts.filter(pl.col("n_papers") > 0).with_columns(
        series_kind=pl.lit("solo"),
        n_papers=pl.col("n_papers") * pl.when(is_late).then(3).otherwise(1) // 4,
        n_total=pl.col("n_papers"),
        text_share=pl.lit(None, pl.Float64),
    )
    teams = judge_series(solo, min_term_papers=0).select(list(TEAMS)).cast(TEAMS)  # type: ignore[arg-type]
    return replace(whole, trends=counts.hstack(judge(counts).select(PUBLISHED)), teams=teams)


def met(evidence: Evidence) -> list[bool]:
    return [criterion.is_met for criterion in leakage.evaluate(evidence, n_days=2).criteria]


def test_unaltered_results_agree(made: Evidence) -> None:
    part = leakage.evaluate(made, n_days=2)
    assert [criterion.is_met for criterion in part.criteria] == [True, True]
    assert part.criteria[0].result == "4 of 4 altered histories agree"


@pytest.mark.parametrize("column", ["growth", "year_sign_error", "level"])
def test_a_look_ahead_is_detected(
    made: Evidence, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of earlier periods that depend on all papers."""

    def look_ahead(counts: pl.DataFrame, **given: int) -> pl.DataFrame:
        value = pl.lit(float(counts["n_papers"].sum()))
        return judge_series(counts, **given).with_columns(value.alias(column))

    monkeypatch.setattr(leakage, "judge_series", look_ahead)
    assert met(made)[0] is False


@pytest.fixture(scope="module")
def judged(made: Evidence) -> pl.DataFrame:
    return leakage._judge(leakage._counts(made))


def changed(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    other = rows.with_columns(pl.col(column).shift(1))
    if other[column].equals(rows[column]):  # the same throughout
        other = rows.with_columns(pl.lit(None, rows[column].dtype).alias(column))
    return other


@pytest.mark.parametrize("column", PUBLISHED)
def test_each_published_column_is_compared(
    made: Evidence, judged: pl.DataFrame, column: str
) -> None:
    assert leakage._differing(made, judged) == []
    other = replace(made, trends=changed(made.trends, column))
    assert leakage._differing(other, judged) == ["topic"]


@pytest.mark.parametrize("column", TEAM_COLUMNS)
def test_each_column_of_team_sizes_is_compared(
    made: Evidence, judged: pl.DataFrame, column: str
) -> None:
    other = replace(made, teams=changed(made.teams, column))
    assert leakage._differing(other, judged) == ["solo"]


def test_differences_from_the_published_results_are_reported(made: Evidence) -> None:
    other = replace(made, teams=changed(made.teams, "level"))
    criterion = leakage.evaluate(other, n_days=0).criteria[1]
    assert (criterion.is_met, criterion.result) == (False, "differences in solo")


def test_a_look_ahead_in_team_sizes_is_detected(
    made: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_ahead(counts: pl.DataFrame, **given: int) -> pl.DataFrame:
        value = float(counts["n_papers"].sum())
        is_solo = pl.col("series_kind") == "solo"
        return judge_series(counts, **given).with_columns(
            level=pl.when(is_solo).then(value).otherwise("level")
        )

    monkeypatch.setattr(leakage, "judge_series", look_ahead)
    assert met(made)[0] is False


def test_the_last_bit_of_a_small_number_counts() -> None:
    keys = {name: ["a", "b", "c"] for name in KEYS}
    frame = pl.DataFrame({**keys, "p": [1e-30, None, 0.5]})
    other = frame.with_columns(p=pl.Series([1.0000000000000002e-30, None, 0.5]))
    assert leakage._bits(frame, KEYS).equals(leakage._bits(frame.reverse(), KEYS))
    assert not leakage._bits(frame, KEYS).equals(leakage._bits(other, KEYS))
