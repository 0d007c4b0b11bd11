"""What kind of list a capture is: a search page must never pass for a day."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.parsing.listing_kind import infer_kind

pytestmark = pytest.mark.unit

MONDAY = date(2025, 3, 3)


def items(published: list[date | None], submitted: list[date | None] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"published_on": published, "submitted_on": submitted or [None] * len(published)},
        schema={"published_on": pl.Date, "submitted_on": pl.Date},
    )


def days(*back: int) -> list[date | None]:
    return [MONDAY - timedelta(days=n) for n in back]


@pytest.mark.parametrize(
    ("listing", "stated", "day", "kind"),
    [
        pytest.param(items(days(1, 2, 3)), None, MONDAY, "daily", id="recent papers of a day"),
        pytest.param(items(days(1, 2, 3)), None, None, "unknown", id="nothing says it"),
        pytest.param(items([]), None, MONDAY, "daily", id="an empty day"),
        pytest.param(items([]), None, None, "unknown", id="an empty list of no day"),
        pytest.param(items(days(1, 400, 900)), "daily", MONDAY, "search", id="years apart"),
        pytest.param(items(days(1, 2, 3, 900)), "daily", MONDAY, "daily", id="one old paper"),
        pytest.param(items(days(1, 400, 900)), "trending", MONDAY, "trending", id="trending"),
        pytest.param(items(days(1, 2)), "search", MONDAY, "search", id="search"),
        pytest.param(items(days(1, 2)), "weekly", MONDAY, "weekly", id="says weekly"),
        pytest.param(
            items(days(1) * 5, days(0, 0, 0, 0, 3)), "weekly", None, "daily", id="4 of 5 on a day"
        ),
        pytest.param(
            items(days(9) * 4, [MONDAY + timedelta(days=n) for n in range(4)]),
            "daily",
            MONDAY,
            "weekly",
            id="submitted over a week",
        ),
        pytest.param(
            items(days(9) * 3, [MONDAY, MONDAY + timedelta(days=9), MONDAY + timedelta(days=20)]),
            "daily",
            MONDAY,
            "monthly",
            id="submitted over a month",
        ),
        pytest.param(items([None, None]), None, MONDAY, "daily", id="no dates at all"),
        pytest.param(items(days(5000)), None, MONDAY, "daily", id="one paper has no span"),
    ],
)
def test_infer_kind(listing: pl.DataFrame, stated: str | None, day: date | None, kind: str) -> None:
    found, rule = infer_kind(listing, stated, day)
    assert found == kind
    assert rule
