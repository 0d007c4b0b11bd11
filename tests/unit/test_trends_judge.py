"""`judge`: invalid input, invariants of the output, and the rule of verdicts."""

from __future__ import annotations

import datetime as dt
import math
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars import selectors
from polars.testing import assert_frame_equal

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.trends import judge
from pipelines.trends.grids import INPUT_SCHEMA, KEYS
from pipelines.trends.judging import JUDGED_COLUMNS, OUTPUT_SCHEMA
from pipelines.trends.verdicts import fcr_levels
from tests.unit.trend_frames import STARTS, frame, frames

pytestmark = pytest.mark.unit

SLOW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def test_the_dbt_macro_lists_the_judged_columns() -> None:
    text = "".join(path.read_text() for path in (DBT_PROJECT_DIR / "macros").glob("*.sql"))
    (macro,) = re.findall(r"{% macro trend_columns\(.*?{%- endmacro %}", text, re.DOTALL)
    listed = re.findall(r"^ *{{ series }}\.(\w+),?$", macro, re.MULTILINE)
    assert [name for name in listed if name in JUDGED_COLUMNS] == list(JUDGED_COLUMNS)


def last(judged: pl.DataFrame, series: str = "topic") -> dict[str, object]:
    return judged.filter(pl.col("series_id") == series).sort("period_start_on").row(-1, named=True)


@SLOW
@given(frames())
def test_output_is_finite_and_consistent(counts: pl.DataFrame) -> None:
    judged = judge(counts)
    assert judged.schema == pl.Schema(OUTPUT_SCHEMA)
    assert_frame_equal(judged.select(KEYS), counts.select(KEYS).sort(KEYS))
    assert judged.select((~selectors.float().is_finite()).any()).sum_horizontal().sum() == 0
    for low, middle, high in [
        ("shrunk_low", "share_shrunk", "shrunk_high"),
        ("growth_low", "growth", "growth_high"),
    ]:
        assert judged.filter(
            (pl.col(low) > pl.col(middle)) | (pl.col(middle) > pl.col(high))
        ).is_empty()
    for name in ("shrunk_low", "shrunk_high", "p_value", "q_value"):
        assert judged[name].drop_nulls().is_between(0, 1).all()
    assert judged.filter(pl.col("q_value") < pl.col("p_value") - 1e-12).is_empty()
    assert judged.filter(
        pl.col("verdict") != "insufficient", pl.col("q_value").is_null()
    ).is_empty()
    assert judged.select(pl.col("verdict", "verdict_reason", "is_emerging").null_count()).row(
        0
    ) == (0, 0, 0)


@SLOW
@given(frames())
def test_later_periods_change_no_bit_of_earlier_ones(counts: pl.DataFrame) -> None:
    judged = judge(counts)
    for until in counts["period_start_on"].unique().sort()[::5]:
        past = pl.col("period_start_on") <= until
        assert judge(counts.filter(past)).equals(judged.filter(past))


@SLOW
@given(frames())
def test_row_order_and_empty_series_change_nothing(counts: pl.DataFrame) -> None:
    judged = judge(counts)
    assert judge(counts.sample(fraction=1.0, shuffle=True, seed=1)).equals(judged)
    periods = counts.group_by("population", "grain", "period_start_on").agg(
        pl.col("n_total").max(), pl.col("is_partial").any()
    )
    empty = periods.with_columns(series_id=pl.lit("r"), n_papers=pl.lit(0, pl.Int64))
    more = judge(pl.concat([counts, empty.select(list(INPUT_SCHEMA))]))
    assert more.filter(pl.col("series_id") != "r").equals(judged)


@SLOW
@given(frames())
def test_verdicts_follow_the_written_rule(counts: pl.DataFrame) -> None:
    for row in judge(counts).iter_rows(named=True):
        if row["q_value"] is None:
            expected = "insufficient"
        elif row["q_value"] <= 0.10 and abs(row["growth"]) >= math.log(1.2):
            expected = "rising" if row["growth"] > 0 else "falling"
        elif row["growth_low"] > -math.log(1.5) and row["growth_high"] < math.log(1.5):
            expected = "flat"
        else:
            expected = "insufficient"
        assert row["verdict"] == expected
        if row["p_value"] is not None and row["growth_basis"] == "previous_window":
            excludes_zero = row["growth_low"] > 0 or row["growth_high"] < 0
            assert (row["p_value"] < 1 - row["growth_level"]) == excludes_zero


@SLOW
@given(frames())
def test_intervals_are_adjusted_for_selection(counts: pl.DataFrame) -> None:
    period = ["population", "grain", "period_start_on"]
    judged = judge(counts).with_columns(selected=pl.col("verdict").is_in(["rising", "falling"]))
    families = judged.filter(pl.col("q_value").is_not_null()).with_columns(
        expected=1 - 0.05 * pl.col("selected").sum().over(period) / pl.len().over(period)
    )
    columns = families.select("selected", "growth_level", "expected")
    for selected, level, expected in columns.rows():
        assert level == pytest.approx(expected if selected else 0.95)


def test_growth_has_the_counts_of_its_windows() -> None:
    counts = frame({"a": [1, 2, 3, 4, 5, 6], "b": [9] * 6}, 50)
    rows = judge(counts).filter(series_id="a").sort("period_start_on")
    windows = rows.select(pl.col("^n_.*_(current|before)$")).rows()
    assert windows[:3] == [(None,) * 4] * 3
    assert windows[3:] == [(7, 100, 3, 100), (9, 100, 5, 100), (11, 100, 7, 100)]


def test_selected_intervals_have_the_fcr_adjusted_level() -> None:
    called = np.array([[True, True, False, False, False], [False] * 5])
    tested = np.array([[True] * 4 + [False], [True] * 5])
    levels = fcr_levels(called, tested)
    assert levels.tolist() == [[0.975, 0.975, 0.95, 0.95, 0.95], [0.95] * 5]


def test_a_series_is_tested_once_it_has_enough_papers_to_date() -> None:
    counts = frame({"a": [3] * 12, "b": [9] * 12}, 50)
    free, limited = judge(counts), judge(counts, min_papers_to_date=20)
    a = pl.col("series_id") == "a"
    # 3 papers a month are 20 or more from the seventh month on.
    assert free.filter(a)["q_value"].is_null().to_list() == [True] * 3 + [False] * 9
    assert limited.filter(a)["q_value"].is_null().to_list() == [True] * 6 + [False] * 6
    assert limited.filter(a)["verdict_reason"][5] == "few_papers"


def test_empty() -> None:
    judged = judge(pl.DataFrame(schema=INPUT_SCHEMA))
    assert judged.is_empty()
    assert judged.schema == pl.Schema(OUTPUT_SCHEMA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"n_papers": pl.lit(-1)}, "a count is negative", id="negative"),
        pytest.param({"n_papers": pl.lit(101)}, "greater than n_total", id="more than all"),
        pytest.param({"grain": pl.lit("day")}, "grain must be one of", id="grain"),
        pytest.param({"is_partial": pl.lit(None)}, "a value is null", id="null"),
        pytest.param(
            {"period_start_on": pl.col("period_start_on") + pl.duration(days=1)},
            "is not the first day of its period",
            id="not the first day",
        ),
        pytest.param(
            {"period_start_on": pl.lit(dt.date(2020, 1, 1))}, "duplicate rows", id="twice"
        ),
    ],
)
def test_bad_input(change: dict[str, pl.Expr], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(frame({"topic": [1, 2, 3]}).with_columns(**change))


def test_missing_columns() -> None:
    with pytest.raises(ValueError, match="missing columns: n_total, is_partial"):
        judge(frame({"topic": [1]}).drop("n_total", "is_partial"))


def test_one_paper_and_one_period() -> None:
    row = last(judge(frame({"topic": [1]}, totals=1)))
    assert row["verdict"] == "insufficient"
    assert row["verdict_reason"] == "short_history"
    assert row["growth"] is None
    assert 0 < row["shrunk_low"] < row["share_shrunk"] < row["shrunk_high"] < 1  # type: ignore[operator]
    assert row["first_seen_on"] == STARTS["month"][0]


def test_a_topic_of_every_paper_is_flat() -> None:
    row = last(judge(frame({"topic": [100] * 8, "other": [3] * 8})))
    assert row["verdict"] == "flat"
    assert row["growth"] == pytest.approx(0, abs=1e-9)
    assert row["growth_high"] < 0.05  # type: ignore[operator]
    assert row["share_shrunk"] > 0.97  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"partial": [7]}, "partial", id="this period partial"),
        pytest.param({"partial": [4]}, "partial", id="an earlier one partial"),
        pytest.param({"gaps": [6]}, "gap", id="gap in the current window"),
        pytest.param({"gaps": [5]}, "gap", id="gap in the window before"),
        pytest.param({"gaps": [0, 1, 2, 3, 4]}, "short_history", id="short"),
        pytest.param({"totals": [900] * 4 + [0] * 2 + [900] * 2}, "no_total", id="no paper before"),
    ],
)
def test_no_verdict_over_incomplete_windows(options: dict[str, object], reason: str) -> None:
    counts = [10] * 4 + [0 if "totals" in options else 10] * 2 + [400] * 2
    row = last(judge(frame({"topic": counts}, **{"totals": 900, **options})))  # type: ignore[arg-type]
    assert (row["verdict"], row["verdict_reason"]) == ("insufficient", reason)
    assert row["growth"] is None
    assert row["p_value"] is None


def test_a_gap_outside_both_windows_has_no_effect() -> None:
    counts = {"topic": [10] * 6 + [60] * 2}
    assert last(judge(frame(counts, totals=900, gaps=[3])))["verdict"] == "rising"


def test_a_missing_row_is_a_gap_not_a_zero() -> None:
    counts = frame({"topic": [50] * 8, "other": [50] * 8}, totals=900)
    hole = (pl.col("series_id") == "topic") & (pl.col("period_start_on") == STARTS["month"][6])
    judged = judge(counts.filter(~hole))
    assert last(judged)["verdict_reason"] == "gap"
    assert last(judged, "other")["verdict"] == "flat"


@pytest.mark.parametrize(
    ("after", "verdict", "reason"),
    [
        pytest.param([60, 60], "rising", "significant", id="doubled"),
        pytest.param([6, 6], "falling", "significant", id="fallen"),
        pytest.param([20, 20], "insufficient", "wide_interval", id="too few to say flat"),
        pytest.param([300, 300], "rising", "significant", id="tenfold"),
    ],
)
def test_verdicts(after: list[int], verdict: str, reason: str) -> None:
    row = last(judge(frame({"topic": [20] * 6 + after}, totals=1000)))
    assert (row["verdict"], row["verdict_reason"]) == (verdict, reason)


def test_flat_and_small_change() -> None:
    counts = {"topic": [5000] * 8, "other": [5000] * 6 + [5700] * 2}
    judged = judge(frame(counts, totals=100_000))
    assert last(judged)["verdict_reason"] == "no_change"
    assert last(judged, "other")["verdict"] == "flat"


def test_too_few_papers_are_not_tested() -> None:
    row = last(judge(frame({"topic": [0, 0, 0, 0, 0, 0, 4, 5]})))
    assert row["verdict_reason"] == "few_papers"
    assert row["growth"] is not None
    assert row["p_value"] is None


def test_first_seen_and_emerging() -> None:
    new = [0] * 20 + [3, 8, 30, 60]
    judged = judge(frame({"new": new, "old": [9] * 24, "never": [0] * 24}, totals=500))
    ours = judged.filter(pl.col("series_id") == "new").sort("period_start_on")
    assert ours["first_seen_on"].to_list() == [None] * 20 + [STARTS["month"][20]] * 4
    assert ours["is_emerging"].to_list() == [False] * 21 + [True] * 3
    assert not judged.filter(pl.col("series_id") != "new")["is_emerging"].any()
    assert last(judged, "never")["first_seen_on"] is None


def test_nothing_emerges_in_a_short_history() -> None:
    assert not judge(frame({"new": [0] * 7 + [3, 4, 6, 9]}, totals=500))["is_emerging"].any()


def test_level_of_the_test_under_the_null_hypothesis() -> None:
    rng = np.random.default_rng(5)
    shares = rng.uniform(0.01, 0.2, 80)
    counts = {f"s{at}": rng.binomial(400, share, 60).tolist() for at, share in enumerate(shares)}
    judged = judge(frame(counts, totals=400)).drop_nulls("p_value")
    assert (judged["p_value"] <= 0.05).mean() < 0.05  # type: ignore[operator]
    found = judged.with_columns(selected=pl.col("verdict").is_in(["rising", "falling"]))
    by_period = found.group_by("period_start_on").agg(pl.col("selected").any())
    assert by_period["selected"].mean() <= 0.10  # type: ignore[operator]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [("complete_share", "coverage_differs"), ("text_share", "text_differs")],
)
def test_windows_with_different_data_collection_are_not_compared(
    condition: str, reason: str
) -> None:
    counts = frame({"topic": [10] * 4 + [40] * 4}, totals=200)
    whole = pl.Series(condition, [1.0] * 4 + [0.0] * 4)
    judged = judge(counts.with_columns(whole))
    assert judged["verdict_reason"][5] == reason
    assert judged["q_value"][5] is None
    assert judged["growth"][5] is not None
    assert judge(counts)["verdict"][5] == "rising"
    unknown = counts.with_columns(pl.lit(None, pl.Float64).alias(condition))
    assert judge(unknown).equals(judge(counts))
