"""Which windows of arXiv are due: missing days by month, each with the known day before it."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.archive.receipt import Given, Receipt
from pipelines.sources.arxiv.plan import (
    Window,
    days,
    due_windows,
    first_due,
    harvested_windows,
    known_days,
)

pytestmark = pytest.mark.unit


def day(text: str) -> date:
    return date.fromisoformat(f"2025-{text}")


def known(*spans: tuple[str, str]) -> set[date]:
    return {d for first, last in spans for d in days(day(first), day(last))}


@pytest.mark.parametrize(
    ("spans", "since", "until", "expected"),
    [
        pytest.param([], "05-01", "06-01", [("05-01", "05-31"), ("06-01", "06-01")], id="first"),
        pytest.param([("05-01", "06-01")], "05-01", "06-02", [("06-01", "06-02")], id="one day"),
        pytest.param([("05-01", "06-01")], "05-01", "06-04", [("06-01", "06-04")], id="some days"),
        pytest.param([("05-01", "06-01")], "05-01", "06-01", [], id="nothing"),
        pytest.param(
            [("05-01", "05-29")], "05-01", "06-02",
            [("05-29", "05-31"), ("06-01", "06-02")], id="over the end of a month",
        ),
        pytest.param([("05-01", "05-31")], "05-01", "06-01", [("05-31", "06-01")], id="new month"),
        pytest.param(
            [("05-03", "05-04"), ("05-06", "05-06")], "05-01", "05-07",
            [("05-01", "05-02"), ("05-04", "05-05"), ("05-06", "05-07")], id="gaps",
        ),
        pytest.param([], "06-02", "06-01", [], id="no span"),
    ],
)  # fmt: skip
def test_due_windows(
    spans: list[tuple[str, str]], since: str, until: str, expected: list[tuple[str, str]]
) -> None:
    windows = due_windows("cs", known(*spans), day(since), day(until))
    assert windows == [Window("cs", day(first), day(last)) for first, last in expected]


def test_harvesting_the_due_windows_leaves_nothing_due() -> None:
    since, until = day("01-15"), day("06-20")
    have = known(("02-03", "02-27"), ("04-01", "04-30"), ("06-19", "06-19"))
    found = have | known_days("cs", due_windows("cs", have, since, until))
    assert set(days(since, until)) <= found
    assert due_windows("cs", found, since, until) == []


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([], "05-01", id="the month before"),
        pytest.param([("01-01", "06-01")], "05-01", id="up to date"),
        pytest.param([("01-01", "02-10")], "02-10", id="a gap of months"),
    ],
)
def test_the_first_day_of_a_regular_harvest(spans: list[tuple[str, str]], expected: str) -> None:
    assert first_due(known(*spans), day("06-02")) == day(expected)


def receipt(**facts: str) -> Receipt:
    given = {name: Given(value, "fetch") for name, value in facts.items()}
    return Receipt("c", "s", 1, "arxiv", "arxiv_oai", "x", "2025-06-02T00:00:00+00:00", given=given)


def test_only_a_last_page_completes_a_window() -> None:
    window = {"set": "cs", "window_from": "2025-05-01", "window_until": "2025-05-31"}
    receipts = [
        receipt(**window, is_last_page="false"),
        receipt(**{**window, "set": "stat"}, is_last_page="true"),
        receipt(listed_on="2025-05-01", is_last_page="true"),
        receipt(),
    ]
    assert harvested_windows(receipts) == {Window("stat", day("05-01"), day("05-31"))}
    assert known_days("cs", harvested_windows(receipts)) == set()
