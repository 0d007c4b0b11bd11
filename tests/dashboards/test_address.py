"""The URL query of a page: defaults, invalid values, and round trips."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards import address
from dashboards.choices import Choices
from dashboards.queries import Queries

pytestmark = pytest.mark.dashboards


@pytest.fixture
def choices(queries: Queries) -> Choices:
    return queries.choices()


def test_an_empty_address_shows_the_last_complete_and_sufficient_period(
    choices: Choices,
) -> None:
    view = address.read("", choices)
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
        ("?topics=agents,nope", "unknown topics: “nope”"),
        ("?area=Nowhere", "no area “Nowhere”"),
        ("?kind=imagined", "no kind of topics “imagined”"),
        ("?kind=taxonomy&topics=d-00000001", "unknown topics: “d-00000001”"),
        ("?sort=random", "no order “random”"),
        ("?horizon=decade", "no horizon “decade”"),
        ("?page=-1", "no page “-1”"),
        ("?page=999999999999", "no page"),
        ("?page=²", "no page"),
        ("?code=yes", "no code filter “yes”"),
        ("?colour=red", "“colour”"),
        ("?from=2025-04-01&to=2025-01-01", "swapped"),
        ("?population=" + "x" * 5000, "no population"),
    ],
)
def test_an_invalid_value_falls_back_with_a_note(search: str, note: str, choices: Choices) -> None:
    view = address.read(search, choices)
    assert any(note in one for one in view.notes), view.notes
    assert all(len(one) < 200 for one in view.notes)
    assert view.population == "hf_daily"
    assert view.period


def test_a_written_view_reads_back(choices: Choices) -> None:
    search = (
        "?population=arxiv&grain=month&period=2025-01-01&from=2025-01-01&to=2025-03-01"
        "&area=Images&topic=diffusion&topics=agents,diffusion&q=a%26b+%2525&code=1&sort=upvotes"
        "&page=2&horizon=year"
    )
    view = address.read(search, choices)
    assert view.notes == ()
    assert view.q == "a&b %25"
    assert address.read(address.write(address.all_params(view)), choices) == view


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
def test_a_topic_determines_its_kind(search: str, kind: str, choices: Choices) -> None:
    view = address.read(search, choices)
    assert (view.kind, view.notes) == (kind, ())
    assert address.read(address.write(address.all_params(view)), choices) == view


def test_an_empty_snapshot_has_no_periods_and_no_notes() -> None:
    view = address.read("?grain=", Choices())
    assert view.period is None
    assert view.notes == ()


def test_only_available_populations_are_offered(choices: Choices) -> None:
    assert choices.populations == ("hf_daily", "arxiv")
    assert choices.grains("hf_daily") == ("month",)


def test_too_many_parameters_are_ignored_with_a_note(choices: Choices) -> None:
    view = address.read("?" + "&".join(f"a{i}=1" for i in range(500)), choices)
    assert view.population == "hf_daily"
    assert view.notes


def test_the_verdict_period_is_the_last_comparable_one(choices: Choices) -> None:
    view = address.read("?to=2025-04-01", choices)  # April is partial
    assert view.verdict_period
    assert view.verdict_period.start == date(2025, 3, 1)


def test_the_default_horizon_follows_the_period_length(choices: Choices) -> None:
    view = address.read("?horizon=quarter", choices)
    assert (view.horizon, view.primary_horizon) == ("quarter", "half_year")
    assert "horizon" not in address.all_params(address.read("", choices))
