"""Fetching daily lists into the archive: nothing twice, resumed after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Given
from pipelines.intake import ingest
from pipelines.lake import items
from pipelines.sources.huggingface import fetch
from pipelines.sources.huggingface.client import HuggingFace
from pipelines.sources.huggingface.fetch import DayOutcome
from pipelines.sources.huggingface.plan import plan_days
from tests.replay import InlineListings, JumpingClock, ReplayServer, Rule, settings_for, synthetic

pytestmark = pytest.mark.unit

MONDAY = date(2025, 6, 2)
SUNDAY = MONDAY - timedelta(days=1)
AGES = (1, 3)
ONE, TWO, MANY = (synthetic.items(MONDAY, n) for n in (1, 2, 230))
GROWS = {"00:00": ONE, "20:00": TWO}


class World:
    """An archive and a source that share a clock."""

    def __init__(self, server: ReplayServer, home: Path, clock: JumpingClock) -> None:
        self.settings = settings_for(server, home=home, max_attempts=2)
        self.archive = Archive(self.settings)
        self.server, self.clock = server, clock

    def fetch(self, since: date, until: date, *, again: bool = False) -> list[DayOutcome]:
        now, receipts = self.clock.now(), self.archive.receipts()
        decisions = plan_days(receipts, since, until, now, AGES, again=again)
        with HuggingFace(self.settings, self.clock) as source:
            return list(fetch.fetch_days(self.archive, source, decisions))

    def statuses(self, since: date = SUNDAY, until: date = MONDAY) -> dict[str, str]:
        return {str(o.day): o.status for o in self.fetch(since, until)}

    def asked(self, day: date) -> int:
        return len(self.server.asked("/api/daily_papers", date=day.isoformat()))

    def facts(self) -> list[dict[str, Any]]:
        """The lake's facts about each capture of Monday."""
        found = [
            items.load(self.archive, receipt, self.settings.items_dir)
            for receipt in self.archive.receipts()
        ]
        return sorted(
            (f for f in found if str(f["listed_on"]) == str(MONDAY)),
            key=lambda facts: (facts["captured_at"], facts["page"]),
        )


def at(hour: int, days: int = 0) -> datetime:
    return datetime(2025, 6, 2, hour, tzinfo=UTC) + timedelta(days=days)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(at(9))
    with ReplayServer(InlineListings({str(MONDAY): GROWS}), clock=clock) as server:
        yield World(server, tmp_path / "home", clock)


@pytest.fixture
def paged(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(at(9, days=1))
    with ReplayServer(InlineListings({str(MONDAY): MANY}), clock=clock) as server:
        yield World(server, tmp_path / "home", clock)


def test_a_list_is_fetched_while_it_grows_and_once_after(world: World) -> None:
    assert world.statuses() == {str(SUNDAY): "empty", str(MONDAY): "new"}
    world.clock.set(at(9) + timedelta(minutes=30))
    assert world.statuses() == {str(SUNDAY): "skipped", str(MONDAY): "skipped"}
    world.clock.set(at(21))
    assert world.statuses()[str(MONDAY)] == "changed"
    world.clock.set(at(1, days=1))
    assert world.statuses()[str(MONDAY)] == "unchanged"
    assert world.statuses() == {str(SUNDAY): "skipped", str(MONDAY): "skipped"}
    assert (world.asked(SUNDAY), world.asked(MONDAY)) == (1, 3)


def test_an_empty_weekday_is_asked_for_again_until_it_is_confirmed(world: World) -> None:
    tuesday = MONDAY + timedelta(days=1)  # the source lists nothing
    world.server.add(Rule("body", query={"date": str(MONDAY)}, options={"text": "[]"}))
    world.clock.set(at(2, days=2))
    assert world.statuses(MONDAY, tuesday) == {str(MONDAY): "empty", str(tuesday): "empty"}
    assert world.statuses(MONDAY, tuesday) == {str(MONDAY): "changed", str(tuesday): "empty"}
    assert world.statuses(MONDAY, tuesday) == {str(MONDAY): "skipped", str(tuesday): "empty"}
    world.clock.set(at(15, days=2))
    assert world.statuses(MONDAY, tuesday)[str(tuesday)] == "empty"
    assert world.statuses(MONDAY, tuesday)[str(tuesday)] == "skipped"


def test_an_unchanged_response_is_an_observation_of_the_same_capture(world: World) -> None:
    for moment in (at(21), at(1, days=1), at(2, days=2), at(2, days=4), at(2, days=30)):
        world.clock.set(moment)
        world.fetch(MONDAY, MONDAY)
    (facts,) = world.facts()
    assert len(facts["observations"]) == 4  # no age is larger than 3 days
    assert facts["captured_at"] == facts["observations"][-1] == "2025-06-06T02:00:00"
    assert facts["listing_kind"] == "daily"


def test_each_page_is_a_capture_and_the_last_is_marked(paged: World) -> None:
    (outcome,) = paged.fetch(MONDAY, MONDAY)
    assert (outcome.status, outcome.n_items, outcome.n_pages) == ("new", 230, 3)
    assert [(f["page"], f["n_seen"], f["is_last_page"]) for f in paged.facts()] == [
        (0, 100, False), (1, 100, False), (2, 30, True),
    ]  # fmt: skip
    assert paged.statuses(MONDAY) == {str(MONDAY): "skipped"}


def test_a_day_that_lost_its_last_page_is_due_again(paged: World) -> None:
    paged.fetch(MONDAY, MONDAY)
    (last,) = (r for r in paged.archive.receipts() if r.given["is_last_page"].value == "true")
    (paged.settings.captures_dir / last.capture_id[:2] / f"{last.capture_id}.json").unlink()
    assert paged.statuses(MONDAY) == {str(MONDAY): "changed"}
    assert paged.statuses(MONDAY) == {str(MONDAY): "skipped"}


def test_a_list_ingested_by_hand_is_fetched_once(world: World, tmp_path: Path) -> None:
    world.clock.set(at(2, days=1))
    with HuggingFace(world.settings, world.clock) as source:
        body = source.daily_papers(MONDAY).pages[0].body
    (tmp_path / "2025-06-02.json").write_bytes(body)
    given = {"captured_at": Given("2025-06-02T08:00:00+00:00", "override")}
    (outcome,) = ingest.ingest_paths(world.archive, [str(tmp_path / "2025-06-02.json")], given)
    assert outcome.status == "new"
    assert world.statuses(MONDAY)[str(MONDAY)] == "unchanged"
    assert world.statuses(MONDAY)[str(MONDAY)] == "skipped"
    (facts,) = world.facts()
    assert facts["observations"] == ["2025-06-02T08:00:00", "2025-06-03T02:00:00"]


def test_a_day_that_fails_does_not_stop_the_others(world: World) -> None:
    world.server.add(Rule("status", query={"date": str(SUNDAY)}, times=None))
    world.clock.set(at(2, days=1))
    outcomes = world.fetch(SUNDAY, MONDAY)
    assert [o.status for o in outcomes] == ["failed", "new"]
    assert "500" in outcomes[0].note


def test_a_source_that_is_down_is_not_asked_further(world: World) -> None:
    world.server.add(Rule("status", times=6, options={"status": 503}))  # three days, twice each
    world.clock.set(at(2, days=1))
    outcomes = world.fetch(MONDAY - timedelta(days=9), MONDAY)
    assert {o.status for o in outcomes} == {"failed"}
    tried = [o for o in outcomes if not o.is_postponed]
    assert len(tried) == fetch.MAX_FAILED_IN_A_ROW
    assert world.statuses(MONDAY) == {str(MONDAY): "new"}


def test_future_days_are_not_failures(world: World) -> None:
    tomorrow = MONDAY + timedelta(days=1)
    assert world.statuses(tomorrow, tomorrow) == {str(tomorrow): "skipped"}
    world.clock.set(at(0, days=1) - timedelta(seconds=1))
    # The server's clock is behind ours.
    decisions = plan_days(world.archive.receipts(), tomorrow, tomorrow, at(0, days=1), AGES)
    with HuggingFace(world.settings, world.clock) as source:
        (outcome,) = fetch.fetch_days(world.archive, source, decisions)
    assert outcome.status == "not_open"


def test_again_fetches_every_day_that_has_begun(world: World) -> None:
    world.clock.set(at(2, days=1))
    world.fetch(SUNDAY, MONDAY)
    outcomes = world.fetch(SUNDAY, MONDAY + timedelta(days=3), again=True)
    assert [o.status for o in outcomes] == ["empty", "unchanged", "empty", "skipped", "skipped"]


def test_a_response_that_is_not_a_list_is_archived_and_reported(world: World) -> None:
    world.server.add(Rule("html", query={"date": str(MONDAY)}, times=3))
    world.clock.set(at(2, days=1))
    (outcome,) = world.fetch(MONDAY, MONDAY)
    assert (outcome.status, outcome.n_items) == ("failed", None)
    assert "not a JSON array" in outcome.note
    assert len(world.archive.receipts()) == 1
    (outcome,) = world.fetch(MONDAY, MONDAY)  # due until there is a list
    assert outcome.status == "changed"
    assert [o.status for o in world.fetch(MONDAY, MONDAY)] == ["skipped"]
