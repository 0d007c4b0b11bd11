"""The sentences that pages lead with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from dashboards import blocks as b
from dashboards.choices import Period
from dashboards.pages import findings
from dashboards.view import View

pytestmark = pytest.mark.dashboards

JULY = date(2025, 7, 1)


def change(horizon: str, verdict: str, **values: Any) -> dict[str, Any]:
    began = None if verdict in ("flat", "unclear", "not_comparable") else JULY
    return {
        "population": "hf_daily", "grain": "month", "topic_name": "Agents", "horizon": horizon,
        "verdict": verdict, "verdict_reason": "short_history", "growth": 0.7, "growth_low": 0.4,
        "growth_high": 1.0, "began_on": began,
        "began_from_on": began, "began_to_on": began,
        "statement": f"{horizon} sentence",
    } | values  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture
def view() -> View:
    """A year of months; the lists are captured in full up to June."""
    months = tuple(
        Period(date(2025, m, 1), date(2025, m, 28), n_total=400, is_partial=False,
               is_sufficient=True, complete_share=0.9 if m < 7 else 0.0)
        for m in range(1, 13)
    )  # fmt: skip
    return View("hf_daily", "month", months, months[-1], first=months[0], last=months[-1])


def texts(blocks: list[b.Block]) -> list[str]:
    return [block.text for block in blocks if isinstance(block, b.Text)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([change("month", "rising"), change("year", "likely_rising")], "month"),
        ([change("quarter", "rising"), change("year", "falling", growth=-0.7)], "year"),
        ([change("month", "flat"), change("year", "not_comparable")], "month"),
        ([change("month", "likely_falling"), change("year", "unclear")], "month"),
    ],
    ids=["called before likely", "longest called", "comparable", "likely before unclear"],
)
def test_a_series_leads_with_its_surest_verdict(
    rows: list[dict[str, Any]], expected: str, view: View
) -> None:
    lead = texts(findings.of_series(frame(*rows), "Agents", view, has_odds=False))[0]
    assert lead.startswith(f"Agents: {expected} sentence.")


def test_an_opposite_verdict_is_not_hidden(view: View) -> None:
    rows = frame(change("quarter", "falling"), change("year", "rising"))
    lead = texts(findings.of_series(rows, "Agents", view, has_odds=False))[0]
    assert lead == "Agents: year sentence. But falling over a quarter: quarter sentence."
    agreeing = frame(change("quarter", "rising"), change("year", "rising"))
    assert "But" not in texts(findings.of_series(agreeing, "Agents", view, has_odds=False))[0]


def test_a_change_that_begins_with_another_way_of_capturing_is_marked(view: View) -> None:
    (near,) = texts(findings.capture_warning(view, change("year", "rising")))
    assert "data collection changed: fewer lists were captured in full from Jul 2025." in near
    march = date(2025, 3, 1)
    within = change("year", "rising", began_on=march, began_from_on=march)
    assert texts(findings.capture_warning(view, within)) == [near]
    far = change("year", "rising", began_on=march, began_from_on=march, began_to_on=march)
    assert findings.capture_warning(view, far) == []
    assert findings.capture_warning(view, change("year", "unclear")) == []
    assert findings.capture_warning(replace(view, periods=()), change("year", "rising")) == []


def test_odds_are_shown_where_they_are_measured(view: View) -> None:
    rows = frame(change("year", "rising"))
    with_odds = texts(findings.of_series(rows, "Agents", view, has_odds=True))
    assert any(text.startswith("Measured odds") for text in with_odds)
    assert findings.of_series(rows.clear(), "Agents", view, has_odds=True) == []
    assert findings.odds_of_topics(frame(change("year", "flat"))) == []


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["rising", "flat"], ("1 of 2 topics is rising and 0 falling (Hugging Face daily list). "
                             "The strongest change is Agents: year sentence.")),
        (["flat", "likely_rising"], "no topic is rising or falling; 1 is likely to be."),
        (["flat"], "no topic is rising or falling."),
        (["not_comparable"], "no topic is comparable: the history is too short."),
    ],
    ids=["called", "likely", "none", "not comparable"],
)  # fmt: skip
def test_topics_are_summed_up(verdicts: list[str], expected: str, view: View) -> None:
    rows = frame(*(change("year", verdict) for verdict in verdicts))
    text = findings.of_topics(rows, view, "year").text
    assert text == f"Over a year up to Dec 2025, {expected}"
