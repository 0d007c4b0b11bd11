"""Sentences of changes: exact wording, and numbers that equal the columns in every row."""

from __future__ import annotations

import datetime as dt
import math
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.trends.changes import HORIZONS
from pipelines.trends.judging import CHANGE_SCHEMA, OUTPUT_SCHEMA
from pipelines.trends.statements import PERIODS, REASONS, STATED_SCHEMA, state_changes

pytestmark = pytest.mark.unit

JANUARY = dt.date(2025, 1, 6)


def judged(**change: object) -> pl.DataFrame:
    """One row with the same change over every horizon."""
    values = {f"{horizon}_{name}": value for horizon in HORIZONS for name, value in change.items()}
    row = dict.fromkeys(OUTPUT_SCHEMA) | {
        "series_kind": "taxonomy", "population": "hf_daily", "grain": "quarter",
        "period_start_on": dt.date(2025, 4, 1), "series_id": "x", "level": change.get("now"),
    }  # fmt: skip
    known = {name: value for name, value in values.items() if name in OUTPUT_SCHEMA}
    return pl.DataFrame(
        [row | known], schema={"series_kind": pl.String()} | OUTPUT_SCHEMA, orient="row"
    )


def sentence(horizon: str = "year", **change: object) -> str:
    stated = state_changes(judged(**change)).filter(horizon=horizon)
    return str(stated["statement"].item())


CHANGE = {
    "now": 0.1258, "level_before": 0.0578, "growth": math.log(2.18), "growth_low": math.log(1.62),
    "growth_high": math.log(2.93), "sign_error": 0.001,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            CHANGE | {"verdict": "rising", "verdict_reason": "certain", "began_on": JANUARY,
                      "began_from_on": JANUARY, "began_to_on": JANUARY},
            "12.6 % of papers, 5.8 % a year ago: ×2.2 [1.6, 2.9]; rising since January 2025",
            id="rising",
        ),
        pytest.param(
            CHANGE | {"verdict": "likely_falling", "verdict_reason": "likely",
                      "began_on": JANUARY, "began_from_on": dt.date(2024, 11, 4),
                      "began_to_on": dt.date(2025, 2, 3), "now": 0.0034, "level_before": 0.0084,
                      "growth": math.log(0.4), "growth_low": math.log(0.09),
                      "growth_high": math.log(1.04)},
            "0.34 % of papers, 0.84 % a year ago: ×0.40 [0.090, 1.04]; probably falling since "
            "January 2025 (between November 2024 and February 2025)",
            id="likely falling",
        ),
        pytest.param(
            CHANGE | {"verdict": "flat", "verdict_reason": "small_change", "growth": 0.001,
                      "growth_low": -0.1, "growth_high": 0.1, "level_before": 0.1257},
            "12.6 % of papers, 12.6 % a year ago: ×1.001 [0.90, 1.11]; flat",
            id="flat",
        ),
        pytest.param(
            CHANGE | {"verdict": "rising", "verdict_reason": "certain", "began_on": JANUARY,
                      "began_from_on": JANUARY, "began_to_on": JANUARY,
                      "growth": math.log(1.41), "growth_low": math.log(1.003),
                      "growth_high": math.log(1.8)},
            "12.6 % of papers, 5.8 % a year ago: ×1.41 [1.003, 1.80]; rising since January 2025",
            id="same decimals",
        ),
        pytest.param(
            CHANGE | {"verdict": "unclear", "verdict_reason": "wide_interval"},
            "12.6 % of papers, 5.8 % a year ago: ×2.2 [1.6, 2.9]; unclear: the interval is too "
            "wide",
            id="unclear",
        ),
        pytest.param(
            {"verdict": "not_comparable", "verdict_reason": "short_history"},
            "Not comparable with a year ago: the history is too short",
            id="not comparable",
        ),
    ],
)  # fmt: skip
def test_sentence(change: dict[str, object], expected: str) -> None:
    assert sentence(**change) == expected


def test_every_horizon_has_a_row_in_words_of_its_own() -> None:
    stated = state_changes(judged(verdict="not_comparable", verdict_reason="partial"))
    assert stated.schema == STATED_SCHEMA
    assert stated["horizon"].to_list() == list(HORIZONS) == list(PERIODS)
    assert all(
        f"Not comparable with {period} ago: the period was captured in part" in sentences
        for period, sentences in zip(PERIODS.values(), stated["statement"], strict=True)
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(1e-5, 1), st.floats(1e-5, 1), st.floats(-4, 4), st.floats(0, 2), st.floats(0, 2))
def test_numbers_equal_the_columns(
    now: float, before: float, growth: float, below: float, above: float
) -> None:
    low, high = growth - below, growth + above
    text = sentence(
        now=now, level_before=before, growth=growth, growth_low=low, growth_high=high,
        verdict="flat", verdict_reason="small_change",
    )  # fmt: skip
    shown = re.findall(r"\d+(?:\.\d+)?", text)
    values = [now * 100, before * 100, *(math.exp(each) for each in (growth, low, high))]
    for number, value in zip(shown, values, strict=True):
        decimals = len(number.partition(".")[2])
        assert float(number) == pytest.approx(value, abs=0.5000001 * 10**-decimals)


def test_reasons_are_those_that_the_tables_allow() -> None:
    text = (DBT_PROJECT_DIR / "models" / "marts" / "rpt_topic_changes.yml").read_text()
    rules = re.findall(r"\(verdict = '(?:not_comparable|unclear)'\) = \(.* in \((.*?)\)\)", text)
    assert sorted(re.findall(r"'(\w+)'", " ".join(rules))) == sorted(REASONS)


def test_the_dbt_macros_list_the_columns_of_changes() -> None:
    text = (DBT_PROJECT_DIR / "macros" / "series.sql").read_text()
    macros = dict(re.findall(r"{% macro (\w+)\(.*?%}(.*?){%- endmacro %}", text, re.DOTALL))
    listed = {name: set(re.findall(r"}}\.(\w+)", macro)) for name, macro in macros.items()}
    assert set(CHANGE_SCHEMA) <= listed["trend_columns"] & listed["change_columns"]
    assert {"level", "level_low", "level_high", "horizon"} <= listed["trend_columns"]
