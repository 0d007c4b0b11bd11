"""Look-ups at arXiv: which papers, in what order, and not again for a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.archive.archive import Archive
from pipelines.lake import items
from pipelines.sources.arxiv import lookups
from pipelines.sources.arxiv.client import Arxiv
from pipelines.sources.arxiv.lookups import LookUp, LookUpOutcome
from tests.fixtures.listings import record
from tests.replay import ArxivPapers, JumpingClock, ReplayServer, Rule, settings_for

pytestmark = pytest.mark.unit

NOW = datetime(2025, 6, 3, 9, tzinfo=UTC)
ROWS = [record(f"2505.{n:05}", title=f"Paper {n} of ours") for n in range(230)]


class Snapshot:
    """A published snapshot with these ids and titles."""

    def __init__(self, ids: list[str], titles: list[str]) -> None:
        self._ids, self._titles = ids, titles

    def query(self, sql: str) -> pl.DataFrame:
        if "dim_papers" in sql:
            return pl.DataFrame({"arxiv_id": self._ids}, schema={"arxiv_id": pl.String})
        keys = [title.lower().replace(" ", "") for title in self._titles]
        return pl.DataFrame({"title_key": keys, "title": self._titles})


class World:
    """An archive and a source that share a clock."""

    def __init__(self, server: ReplayServer, home: Path, clock: JumpingClock) -> None:
        self.settings = settings_for(server, home=home, max_attempts=2)
        self.archive = Archive(self.settings)
        self.server, self.clock = server, clock

    def planned(self, snapshot: Snapshot) -> list[LookUp]:
        asked = lookups.recently_asked(self.archive.receipts(), self.clock.now())
        return lookups.plan_lookups(snapshot, asked)

    def look_up(self, snapshot: Snapshot, n_requests: int = 10) -> LookUpOutcome:
        with Arxiv(self.settings, self.clock) as source:
            return lookups.fetch_lookups(self.archive, source, self.planned(snapshot), n_requests)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(NOW)
    with ReplayServer(None, ArxivPapers(ROWS), clock=clock) as server:
        yield World(server, tmp_path / "home", clock)


IDS = [row["id"] for row in ROWS]
ODD = ["2505.1", "nonsense", "2513.00001", "2505.00001v2", "cs/x", "2505.00001,2505.00002"]


def test_ids_by_the_hundred_then_titles(world: World) -> None:
    asked = Snapshot([*ODD, *IDS], ["Paper 7 of ours", "Unheard of"])
    assert world.look_up(asked, 4) == LookUpOutcome(4, 230, 1, 231, n_left=1)
    assert [seen.query["max_results"] for seen in world.server.seen] == ["100", "100", "30", "5"]
    assert not any(odd in seen.query.get("id_list", "").split(",")
                   for odd in ODD for seen in world.server.seen)  # fmt: skip


def test_responses_are_captures_of_arxiv(world: World) -> None:
    world.look_up(Snapshot(IDS[:2], ["Paper 7 of ours"]))
    receipts = sorted(world.archive.receipts(), key=lambda r: r.received_at)
    assert [r.given["source"].value for r in receipts] == ["arxiv"] * 2
    assert receipts[0].given["looked_up_ids"].value == "2505.00000,2505.00001"
    assert receipts[1].given["looked_up_title_key"].value == "paper7ofours"
    facts = [items.load(world.archive, r, world.settings.items_dir) for r in receipts]
    assert [(f["listing_kind"], f["format"], f["n_accepted"]) for f in facts] == [
        ("search", "arxiv_atom", 2), ("search", "arxiv_atom", 1),
    ]  # fmt: skip


def test_a_look_up_is_not_repeated_for_a_month(world: World) -> None:
    snapshot = Snapshot([IDS[0], "2505.99999"], ["Paper 7 of ours", "Unheard of"])
    assert world.look_up(snapshot).n_requests == 3
    assert world.planned(snapshot) == []
    world.clock.set(NOW + timedelta(days=30))
    assert world.planned(snapshot) == []
    world.clock.set(NOW + timedelta(days=31))
    assert len(world.planned(snapshot)) == 3


def test_a_source_that_is_down_ends_the_look_ups(world: World) -> None:
    world.server.add(Rule("status", skip=1, times=2, options={"status": 503}))
    snapshot = Snapshot(IDS[:150], ["Paper 7 of ours"])
    outcome = world.look_up(snapshot)
    assert (outcome.n_requests, outcome.n_ids, outcome.n_left) == (1, 100, 51)
    assert "The next run continues" in outcome.failed
    assert world.look_up(snapshot) == LookUpOutcome(2, 50, 1, 51)


def test_a_refused_look_up_is_skipped(world: World) -> None:
    world.server.add(Rule("status", options={"status": 400}))
    outcome = world.look_up(Snapshot(IDS[:1], ["Paper 7 of ours"]))
    assert (outcome.n_ids, outcome.n_titles, outcome.failed) == (0, 1, "")
    assert "HTTP 400" in outcome.notes[0]


def test_the_run_fails_when_every_look_up_is_refused(world: World) -> None:
    world.server.add(Rule("status", times=None, options={"status": 400}))
    assert "HTTP 400" in world.look_up(Snapshot(IDS[:1], ["Paper 7 of ours"])).failed


def test_no_look_ups_send_no_requests(world: World) -> None:
    assert world.look_up(Snapshot([], [])) == LookUpOutcome()
    assert world.server.seen == []


NOTHING = (
    '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
    "<opensearch:totalResults>2</opensearch:totalResults></feed>"
)


def test_an_empty_page_that_counts_results_is_asked_for_again_at_once(world: World) -> None:
    world.server.add(Rule("body", times=2, options={"text": NOTHING}))
    assert world.look_up(Snapshot(IDS[1:3], [])) == LookUpOutcome(3 - 2, 2, 0, 2)
    assert len(world.server.seen) == 3


def test_ids_that_are_answered_with_nothing_are_asked_for_by_the_next_run(world: World) -> None:
    world.server.add(Rule("body", times=3, options={"text": NOTHING}))
    snapshot = Snapshot(IDS[1:3], ["Paper 7 of ours"])
    outcome = world.look_up(snapshot)
    assert (outcome.n_ids, outcome.n_titles, outcome.n_left) == (0, 1, 2)
    assert "counts 2 result(s) and returned none" in outcome.notes[0]
    assert world.look_up(snapshot) == LookUpOutcome(1, 2, 0, 2)
    assert world.planned(snapshot) == []


def test_nothing_found_is_an_answer(world: World) -> None:
    snapshot = Snapshot(["2505.99999"], [])
    assert world.look_up(snapshot) == LookUpOutcome(1, 1, 0, 0)
    assert world.planned(snapshot) == []
