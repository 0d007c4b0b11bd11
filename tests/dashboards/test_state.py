"""The URL: what it may say, what happens when it says something else, and that links keep it."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards import state
from dashboards.queries import Queries
from pipelines.trends.growth import MOST_CHANGE

pytestmark = pytest.mark.dashboards


@pytest.fixture
def choices(queries: Queries) -> state.Choices:
    return queries.choices()


def test_an_empty_address_shows_the_last_complete_and_sufficient_period(
    choices: state.Choices,
) -> None:
    view = state.read("", choices)
    assert (view.population, view.grain, view.notes) == ("hf_daily", "month", ())
    assert view.period
    assert view.period.start == date(2025, 3, 1)
    assert view.previous
    assert view.previous.start == date(2025, 1, 1)  # February is insufficient


@pytest.mark.parametrize(
    ("search", "note"),
    [
        ("?population=mars", "no population “mars”"),
        ("?grain=decade", "no period length “decade”"),
        ("?period=2025-13-99", "no period that starts on “2025-13-99”"),
        ("?topic=<script>", "no topic “<script>”"),
        ("?topics=agents,nope", "no topic “nope”"),
        ("?area=Nowhere", "no area “Nowhere”"),
        ("?kind=imagined", "no kind of topics “imagined”"),
        ("?kind=taxonomy&topics=d-00000001", "no topic “d-00000001”"),
        ("?sort=random", "no order “random”"),
        ("?page=-1", "no page “-1”"),
        ("?page=999999999999", "no page"),
        ("?page=²", "no page"),
        ("?code=yes", "no code filter “yes”"),
        ("?colour=red", "“colour”"),
        ("?from=2025-04-01&to=2025-01-01", "swapped"),
        ("?population=" + "x" * 5000, "no population"),
    ],
)
def test_what_is_unknown_falls_back_with_a_note(
    search: str, note: str, choices: state.Choices
) -> None:
    view = state.read(search, choices)
    assert any(note in said for said in view.notes), view.notes
    assert all(len(said) < 200 for said in view.notes)
    assert view.population == "hf_daily"
    assert view.period


def test_a_link_shows_the_same_view_again(choices: state.Choices) -> None:
    search = (
        "?population=arxiv&grain=month&period=2025-01-01&from=2025-01-01&to=2025-03-01"
        "&area=Images&topic=diffusion&topics=agents,diffusion&q=a%26b+%2525&code=1&sort=upvotes"
        "&page=2"
    )
    view = state.read(search, choices)
    assert view.notes == ()
    assert view.q == "a&b %25"
    assert state.read(state.write(state.as_params(view)), choices) == view


@pytest.mark.parametrize(
    ("search", "kind"),
    [
        ("", "taxonomy"),
        ("?kind=discovered", "discovered"),
        ("?topic=d-00000001", "discovered"),
        ("?topics=d-00000001", "discovered"),
        ("?kind=discovered&topic=agents", "taxonomy"),
    ],
)
def test_a_topic_brings_its_kind(search: str, kind: str, choices: state.Choices) -> None:
    view = state.read(search, choices)
    assert (view.kind, view.notes) == (kind, ())
    assert state.read(state.write(state.as_params(view)), choices) == view


def test_an_empty_snapshot_has_no_periods_and_no_notes() -> None:
    view = state.read("?grain=", state.Choices())
    assert view.period is None
    assert view.notes == ()


def test_only_populations_that_are_there_are_offered(choices: state.Choices) -> None:
    assert choices.populations == ("hf_daily", "arxiv")
    assert choices.grains("hf_daily") == ("month",)


def test_too_many_parameters_fall_back(choices: state.Choices) -> None:
    view = state.read("?" + "&".join(f"a{i}=1" for i in range(500)), choices)
    assert view.population == "hf_daily"
    assert view.notes


def periods(shares: list[float | None], name: str) -> state.View:
    """Months from January 2025 with these values of a share."""
    months = tuple(
        state.Period(
            date(2025, at + 1, 1), date(2025, at + 1, 28), 50,
            is_partial=False, is_sufficient=True, **{name: share},
        )
        for at, share in enumerate(shares)
    )  # fmt: skip
    return state.View(population="x", periods=months, start=months[0], end=months[-1])


@pytest.mark.parametrize(
    ("shares", "found"),
    [
        ([0.0, 0.0, 0.8, 0.7, 0.97, 0.98], [(3, 0.0, 0.75)]),  # named once, where it is widest
        ([0.9, 0.9, 0.2, 0.9, 0.9, 0.9], [(3, 0.9, 0.55)]),  # and so is one odd month
        ([0.9, 0.9, 0.6, 0.9, 0.9, 0.9], []),  # but not if it is hardly one
        ([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0], [(4, 1.0, 0.0), (6, 0.0, 1.0)]),
        ([None, None, None, 0.9, 0.9], []),
        ([0.9], []),
    ],
)
def test_a_break_is_where_observation_changes(
    shares: list[float | None], found: list[tuple[int, float, float]]
) -> None:
    view = periods(shares, "text_share")
    told = [(one.at.start.month, one.before, one.now) for one in state.breaks(view, "text_share")]
    assert told == [(month, pytest.approx(a), pytest.approx(b)) for month, a, b in found]


def test_what_does_not_compare_is_what_verdicts_do_not_compare() -> None:
    assert state.MOST_CHANGE == MOST_CHANGE


def test_verdicts_are_of_the_last_period_that_has_some(choices: state.Choices) -> None:
    view = state.read("?to=2025-04-01", choices)  # April is partial
    assert view.judged
    assert view.judged.start == date(2025, 3, 1)
