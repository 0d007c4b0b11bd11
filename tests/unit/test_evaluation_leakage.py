"""Leakage: every judged column of topics is compared bit by bit."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pipelines.evaluation import leakage
from pipelines.evaluation.evidence import PUBLISHED, Evidence
from pipelines.trends import judge
from pipelines.trends.grids import KEYS
from tests.unit.evaluated import evidence

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made() -> Evidence:
    """Months only."""
    whole = evidence()
    counts = whole.counts.filter(grain="month").sort(KEYS)
    return replace(whole, trends=counts.hstack(judge(counts).select(PUBLISHED)))


def met(evidence: Evidence) -> list[bool]:
    return [criterion.is_met for criterion in leakage.evaluate(evidence, n_days=2).criteria]


def test_unaltered_results_agree(made: Evidence) -> None:
    part = leakage.evaluate(made, n_days=2)
    assert [criterion.is_met for criterion in part.criteria] == [True, True]
    assert part.criteria[0].result == "8 of 8 altered histories agree"


@pytest.mark.parametrize("column", ["growth", "year_sign_error", "level"])
def test_a_look_ahead_is_detected(
    made: Evidence, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results of earlier periods that depend on all papers."""

    def look_ahead(counts: pl.DataFrame) -> pl.DataFrame:
        return judge(counts).with_columns(pl.lit(float(counts["n_papers"].sum())).alias(column))

    monkeypatch.setattr(leakage, "judge", look_ahead)
    assert met(made)[0] is False


@pytest.mark.parametrize("column", PUBLISHED)
def test_each_published_column_is_compared(made: Evidence, column: str) -> None:
    changed = made.trends.with_columns(pl.col(column).shift(1))
    if changed[column].equals(made.trends[column]):  # the same throughout
        changed = made.trends.with_columns(pl.lit(None, changed[column].dtype).alias(column))
    part = leakage.evaluate(replace(made, trends=changed), n_days=0)
    assert part.criteria[1].is_met is False


def test_the_last_bit_of_a_small_number_counts() -> None:
    keys = {name: ["a", "b", "c"] for name in KEYS}
    frame = pl.DataFrame({**keys, "p": [1e-30, None, 0.5]})
    other = frame.with_columns(p=pl.Series([1.0000000000000002e-30, None, 0.5]))
    assert leakage._bits(frame).equals(leakage._bits(frame.reverse()))
    assert not leakage._bits(frame).equals(leakage._bits(other))
