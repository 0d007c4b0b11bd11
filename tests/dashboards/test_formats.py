"""Text formats, and CSV cells that a spreadsheet does not evaluate."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from dashboards import formats

pytestmark = pytest.mark.dashboards


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_formulas_get_an_apostrophe(start: str) -> None:
    text = f"{start}cmd()"
    assert formats.cell(text) == "'" + text
    assert formats.cell([text, "b"]).startswith("'")


def test_numbers_stay_numbers() -> None:
    assert formats.cell(-1.5) == "-1.5"
    assert formats.cell(None) == ""
    assert formats.cell(date(2025, 1, 2)) == "2025-01-02"
    assert formats.cell(value=True) == "true"


def test_a_csv_reads_back() -> None:
    frame = pl.DataFrame({"title": ['=1+1, "x"\nline', "plain"], "n": [-3, None]})
    text = formats.to_csv(frame)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows == [["title", "n"], ['\'=1+1, "x"\nline', "-3"], ["plain", ""]]


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://example.org/a", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("http://[broken", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_urls_become_links(url: str | None, is_link: bool) -> None:
    assert (formats.web_url(url) is not None) == is_link


def test_periods_and_intervals() -> None:
    assert formats.period("week", date(2025, 12, 22)) == "week of 22 Dec 2025"
    assert formats.period("month", date(2025, 12, 1)) == "Dec 2025"
    assert formats.period("quarter", date(2025, 10, 1)) == "Q4 2025"
    assert formats.share_interval(0.101, 0.148) == "10.1–14.8\u00a0%"
    assert formats.points(-0.0004) == "0.0"
    assert formats.points_interval(-0.004, 0.012) == "−0.4 to +1.2"
    assert formats.integer(None) == "–"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=40), "40 days ago"),
    ],
)
def test_age(ago: timedelta, text: str) -> None:
    now = datetime(2025, 6, 1, tzinfo=UTC)
    assert formats.age((now - ago).replace(tzinfo=None), now) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0004, "<\u00a01\u00a0%"), (0.012, "1\u00a0%"), (0.174, "17\u00a0%"), (None, "–")],
)
def test_probabilities_are_whole_percentages(value: float | None, text: str) -> None:
    assert formats.probability(value) == text


def test_a_bound_never_reads_as_no_change() -> None:
    assert formats.factor_interval(math.log(1.35), math.log(2.414)) == "×1.35–2.41"
    assert formats.factor(0.0) == "×1.00"
    for growth in (0.004, 0.0007, -0.0007, -0.004, 0.3, -0.3):
        shown = float(formats.factor_interval(growth, growth).partition("–")[2])
        assert shown > 1 if growth > 0 else shown < 1, growth
