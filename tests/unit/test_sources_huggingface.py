"""Daily lists against the replay server: pages, the last page, and days without a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.sources.errors import TerminalSourceError, TransientSourceError
from pipelines.sources.huggingface.client import MAX_PAGES, DayListing, HuggingFace
from tests.replay import (
    CorpusListings,
    InlineListings,
    JumpingClock,
    ReplayServer,
    Rule,
    SyntheticListings,
    settings_for,
    synthetic,
)

pytestmark = pytest.mark.unit
pytest_plugins = ["tests.replay.fixtures"]

MONDAY, SUNDAY, TOMORROW = date(2025, 6, 2), date(2025, 6, 1), date(2025, 6, 3)


class Many(InlineListings):
    """Every day has the number of papers that the test sets."""

    def __init__(self, n_papers: int) -> None:
        super().__init__({"2025-06-02": synthetic.items(MONDAY, n_papers)})


@pytest.fixture
def server(clock: JumpingClock) -> Iterator[ReplayServer]:
    with ReplayServer(Many(250), clock=clock) as running:
        yield running


def listing(server: ReplayServer, day: date = MONDAY, **settings: Any) -> DayListing:
    with HuggingFace(settings_for(server, **settings), server.clock) as source:  # type: ignore[arg-type]
        return source.daily_papers(day)


def numbers(found: DayListing) -> list[int | None]:
    return [page.n_items for page in found.pages]


def test_a_day_of_several_pages(server: ReplayServer, clock: JumpingClock) -> None:
    found = listing(server)
    assert (found.day, found.outcome, found.is_complete) == (MONDAY, "listed", True)
    assert numbers(found) == [100, 100, 50]
    assert [page.page for page in found.pages] == [0, 1, 2]
    assert [page.is_last for page in found.pages] == [False, False, True]
    assert {page.content_type for page in found.pages} == {"application/json"}
    assert {page.fetched_at for page in found.pages} == {clock.now()}
    assert {page.note for page in found.pages} == {None}
    items = [item for page in found.pages for item in json.loads(page.body)]
    assert items == synthetic.items(MONDAY, 250)
    assert found.pages[1].url == (f"{server.url}/api/daily_papers?date=2025-06-02&limit=100&p=1")
    asked = [seen.query for seen in server.seen]
    assert asked[:3] == [
        {"date": "2025-06-02", "limit": "100", "p": str(number)} for number in range(3)
    ]


@pytest.mark.parametrize(
    ("n_papers", "kept", "n_requests"),
    [
        (1, [1], 1),
        (49, [49], 1),
        (50, [50], 2),
        (51, [51], 1),
        (99, [99], 1),
        (100, [100], 2),
        (101, [100, 1], 2),
        (200, [100, 100], 3),
    ],
)
def test_the_end_of_a_day(
    clock: JumpingClock, n_papers: int, kept: list[int], n_requests: int
) -> None:
    with ReplayServer(Many(n_papers), clock=clock) as server:
        found = listing(server)
    assert numbers(found) == kept
    assert [page.is_last for page in found.pages] == [False] * (len(kept) - 1) + [True]
    assert found.is_complete
    assert len(server.seen) == n_requests


def test_a_server_that_ignores_the_limit(server: ReplayServer) -> None:
    server.add(Rule("drop_parameter", times=None, options={"name": "limit"}))
    found = listing(server)
    assert numbers(found) == [50] * 5
    assert found.is_complete


def test_a_server_that_does_not_page(server: ReplayServer) -> None:
    server.add(Rule("drop_parameter", times=None, options={"name": "p"}))
    found = listing(server)
    assert numbers(found) == [100]
    assert len(server.seen) == 2
    assert not found.is_complete
    assert not found.pages[0].is_last


def test_the_same_page_with_other_counters_is_the_same_page(server: ReplayServer) -> None:
    server.add(
        Rule("drop_parameter", times=None, options={"name": "p"}),
        Rule("schema", skip=1, times=1, options={"add": {"upvotes": 99}}),
    )
    assert numbers(listing(server)) == [100]


def test_an_endless_list_is_abandoned(clock: JumpingClock) -> None:
    with ReplayServer(Many(3_000), clock=clock) as server:
        server.add(Rule("drop_parameter", times=None, options={"name": "limit"}))
        found = listing(server)
    assert len(found.pages) == MAX_PAGES
    assert not found.is_complete
    assert not found.pages[-1].is_last


def test_a_sunday_is_empty_and_its_page_is_kept(server: ReplayServer) -> None:
    found = listing(server, SUNDAY)
    assert (found.outcome, found.is_complete) == ("empty", True)
    (page,) = found.pages
    assert (page.body, page.n_items, page.is_last) == (b"[]", 0, True)


def test_a_future_day_is_not_open(server: ReplayServer) -> None:
    found = listing(server, TOMORROW)
    assert (found.outcome, found.pages) == ("not_open", ())
    assert "2025-06-03 is in the future" in found.detail
    assert len(server.seen) == 1


def test_a_refused_second_page_leaves_the_first(server: ReplayServer) -> None:
    server.add(Rule("status", query={"p": "1"}, options={"status": 400}))
    found = listing(server)
    assert (found.outcome, numbers(found), found.is_complete) == ("listed", [100], False)


def test_a_list_grows_during_the_day(clock: JumpingClock) -> None:
    one, two = synthetic.items(MONDAY, 2)
    days = InlineListings({"2025-06-02": {"08:00": [one], "20:00": [one, two]}})
    with ReplayServer(days, clock=clock) as server:
        assert numbers(listing(server)) == [1]
        clock.set(datetime(2025, 6, 2, 21, 0, tzinfo=UTC))
        assert numbers(listing(server)) == [2]
        clock.set(datetime(2025, 6, 2, 7, 0, tzinfo=UTC))
        assert listing(server).outcome == "empty"


# Bodies that are not lists are kept: the parser reports them


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        (Rule("html"), "The page is of type text/html, not application/json and not a JSON array."),
        (Rule("truncate"), "The page is not a JSON array."),
        (Rule("body", options={"text": '{"error":"no"}'}), "The page is not a JSON array."),
        (Rule("body", options={"text": "17"}), "The page is not a JSON array."),
        (Rule("body", options={"text": "[NaN]"}), "The page is not a JSON array."),
        (Rule("body", options={"text": "[" * 100_000}), "The page is not a JSON array."),
    ],
    ids=["html", "truncated", "object", "number", "nan", "deep"],
)
def test_a_body_that_is_not_a_list_is_kept(server: ReplayServer, rule: Rule, note: str) -> None:
    server.add(replace(rule, times=None))
    found = listing(server)
    (page,) = found.pages
    assert (found.outcome, found.is_complete) == ("listed", False)
    assert (page.n_items, page.is_last, page.note) == (None, False, note)
    assert page.body
    assert len(server.seen) == 3


def test_a_body_that_is_not_a_list_is_requested_again(server: ReplayServer) -> None:
    server.add(Rule("html"), Rule("truncate", skip=1))
    found = listing(server)
    assert numbers(found) == [100, 100, 50]
    assert found.is_complete


def test_a_second_page_that_is_not_a_list_is_kept(server: ReplayServer) -> None:
    server.add(Rule("html", query={"p": "1"}, times=None))
    found = listing(server)
    assert numbers(found) == [100, None]
    assert not found.is_complete


def test_a_list_of_another_content_type_is_a_list(server: ReplayServer) -> None:
    server.add(Rule("content_type", times=None, options={"value": "text/plain"}))
    found = listing(server)
    assert numbers(found) == [100, 100, 50]
    assert found.pages[0].note == "The page is of type text/plain, not application/json."


def test_pages_of_unexpected_items_are_kept(server: ReplayServer) -> None:
    server.add(
        Rule(
            "schema",
            times=None,
            options={"rename": {"paper": "work", "id": "key"}, "add": {"x": 1}},
        )
    )
    assert numbers(listing(server))[0] == 100


@pytest.mark.parametrize("items", [[1, 2], ["a", None], [{}], [[]], [{"paper": None}]])
def test_items_may_be_anything(clock: JumpingClock, items: list[Any]) -> None:
    with ReplayServer(InlineListings({"2025-06-02": items}), clock=clock) as server:
        assert numbers(listing(server)) == [len(items)]


# Failures


def test_a_page_that_fails_once_is_requested_again(
    server: ReplayServer, clock: JumpingClock
) -> None:
    server.add(
        Rule("status", query={"p": "1"}, options={"status": 429, "retry_after": "55"}),
        Rule("cut", query={"p": "2"}),
    )
    found = listing(server)
    assert numbers(found) == [100, 100, 50]
    assert [len(server.asked(p=str(n))) for n in range(3)] == [1, 2, 2]
    assert 55 <= clock.slept[0] <= 56


def test_a_day_that_keeps_failing(server: ReplayServer) -> None:
    server.add(Rule("status", query={"p": "1"}, times=None))
    with pytest.raises(TransientSourceError, match="p=1 could not be fetched: 5 attempts"):
        listing(server)


def test_another_path_of_the_api(server: ReplayServer) -> None:
    with pytest.raises(TerminalSourceError, match="HTTP 404"):
        listing(server, hf_endpoint=f"{server.url}/elsewhere/")
    assert server.seen[0].path == "/elsewhere/api/daily_papers"


def test_the_token_is_sent(server: ReplayServer) -> None:
    listing(server, hf_token="hf_x")  # noqa: S106
    assert {seen.headers["authorization"] for seen in server.seen} == {"Bearer hf_x"}


# Volume, and the corpus


def test_fifty_thousand_papers_are_spread_over_all_days() -> None:
    days = SyntheticListings(50_000, until=date(2025, 12, 31))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    first, last = days.days[0], days.days[-1]
    n = len(days.days)
    assert (first, last) == (date(2023, 5, 4), date(2025, 12, 31))
    assert 50_000 // n == len(days.items(last, moment) or [])
    assert days.items(date(2025, 12, 28), moment) is None
    assert days.items(first, moment) == days.items(first, moment)
    ids = {item["paper"]["id"] for day in days.days[:40] for item in days.items(day, moment) or []}
    assert len(ids) == sum(len(days.items(day, moment) or []) for day in days.days[:40])
    assert synthetic.listing(first, 3) == json.dumps(synthetic.items(first, 9)[:3]).encode()


def test_the_corpus_over_http(corpus: Path, corpus_server: ReplayServer) -> None:
    found = listing(corpus_server, date(2025, 6, 3))
    assert found.outcome == "listed"
    assert found.is_complete
    listings = CorpusListings(corpus, latest=True)
    now = datetime.now(UTC)
    items = [item for page in found.pages for item in json.loads(page.body)]
    assert items == listings.items(date(2025, 6, 3), now)


def test_days_of_the_corpus_only_grow(corpus: Path) -> None:
    listings = CorpusListings(corpus)
    day = date(2025, 1, 8)
    sizes = [
        len(listings.items(day, datetime.fromisoformat(moment)) or [])
        for moment in (
            "2025-01-08T01:00+00:00", "2025-01-08T18:00+00:00", "2025-01-09T05:00+00:00",
            "2026-01-01T00:00+00:00",
        )
    ]  # fmt: skip
    assert sizes == sorted(sizes)
    assert sizes[0] == 0
    assert sizes[1] > 0
