"""Breaks in a series: where data collection changes."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards.breaks import MAX_DIFFERENCE, find_breaks
from dashboards.choices import Period
from dashboards.view import View
from pipelines.trends.changes import MAX_TEXT_DIFFERENCE

pytestmark = pytest.mark.dashboards


def view_of(shares: list[float | None], name: str) -> View:
    """A view of months from January 2025 with these values of a share."""
    months = tuple(
        Period(
            date(2025, at + 1, 1), date(2025, at + 1, 28), 50,
            is_partial=False, is_sufficient=True, **{name: share},
        )
        for at, share in enumerate(shares)
    )  # fmt: skip
    return View(population="x", periods=months, first=months[0], last=months[-1])


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        (
            [0.0, 0.0, 0.8, 0.7, 0.97, 0.98],
            [(3, 0.0, 0.75)],
        ),  # one break, where the difference is largest
        ([0.9, 0.9, 0.2, 0.9, 0.9, 0.9], [(3, 0.9, 0.55)]),  # a single low month is a break
        ([0.9, 0.9, 0.6, 0.9, 0.9, 0.9], []),  # unless the difference is small
        ([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0], [(4, 1.0, 0.0), (6, 0.0, 1.0)]),
        ([None, None, None, 0.9, 0.9], []),
        ([0.9], []),
    ],
)
def test_a_break_is_where_data_collection_changes(
    shares: list[float | None], found: list[tuple[int, float, float]]
) -> None:
    view = view_of(shares, "text_share")
    breaks = [
        (one.at.start.month, one.before, one.after) for one in find_breaks(view, "text_share")
    ]
    assert breaks == [(month, pytest.approx(a), pytest.approx(b)) for month, a, b in found]


def test_text_breaks_use_the_threshold_of_the_verdicts() -> None:
    assert MAX_DIFFERENCE["text_share"] == MAX_TEXT_DIFFERENCE
