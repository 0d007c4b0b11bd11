"""Harvesting arXiv into the archive over HTTP: each window once, resumed after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Receipt
from pipelines.errors import BusyError
from pipelines.lake import items
from pipelines.sources.arxiv import fetch
from pipelines.sources.arxiv.client import Arxiv
from pipelines.sources.arxiv.fetch import WindowOutcome
from pipelines.sources.arxiv.plan import plan_windows
from pipelines.sources.arxiv.progress import HarvestProgress
from tests.fixtures.listings import record
from tests.replay import ArxivPapers, JumpingClock, ReplayServer, Rule, settings_for

pytestmark = pytest.mark.unit

NOW = datetime(2025, 6, 3, 9, tzinfo=UTC)
ROWS = [
    *(record(f"2505.{n:05}", update_date=f"2025-05-{1 + n % 31:02}") for n in range(25)),
    record("2506.00001", update_date="2025-06-01"),
    record("2506.00002", update_date="2025-06-02", categories="stat.ML"),
    record("2506.00003", update_date="2025-06-03"),  # the day is not over
]


class World:
    """An archive and a source that share a clock."""

    def __init__(self, server: ReplayServer, home: Path, clock: JumpingClock) -> None:
        self.settings = settings_for(server, home=home, max_attempts=2, arxiv_sets="cs,stat")
        self.archive = Archive(self.settings)
        self.server, self.clock = server, clock

    def harvest(self, *sets: str, **span: Any) -> list[WindowOutcome]:
        return list(self.outcomes(*sets, **span))

    def outcomes(self, *sets: str, **span: Any) -> Iterator[WindowOutcome]:
        windows = plan_windows(self.archive.receipts(), sets, self.clock.now(), **span)
        with Arxiv(self.settings, self.clock) as source:
            folder = self.settings.harvest_dir
            yield from fetch.fetch_windows(self.archive, source, folder, windows)

    def pages(self) -> list[Receipt]:
        return sorted(self.archive.receipts(), key=lambda receipt: receipt.received_at)

    def ids(self) -> set[str]:
        """The papers in the lake after parsing everything."""
        found: set[str] = set()
        for receipt in self.archive.receipts():
            items.load(self.archive, receipt, self.settings.items_dir)
            for path in (self.settings.items_dir / receipt.capture_id).glob("items-*.parquet"):
                found.update(pl.read_parquet(path)["arxiv_id"])
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(NOW)
    with ReplayServer(None, ArxivPapers(ROWS), clock=clock, page_records=10) as server:
        yield World(server, tmp_path / "home", clock)


def shown(outcomes: list[WindowOutcome]) -> list[tuple[str, str, int, int]]:
    return [(str(o.window), o.status, o.n_pages, o.n_records) for o in outcomes]


MAY, JUNE = "cs 2025-05-01 to 2025-05-31", "cs 2025-06-01 to 2025-06-02"


def test_the_previous_month_and_the_past_days_of_this_one(world: World) -> None:
    assert shown(world.harvest("cs", "stat")) == [
        (MAY, "harvested", 3, 25),
        (JUNE, "harvested", 1, 1),
        ("stat 2025-05-01 to 2025-05-31", "empty", 1, 0),
        ("stat 2025-06-01 to 2025-06-02", "harvested", 1, 1),
    ]
    assert world.ids() == {row["id"] for row in ROWS} - {"2506.00003"}
    first = world.pages()[0]
    assert first.origin.startswith(world.server.url)
    assert (first.source, first.format) == ("arxiv", "arxiv_oai")
    assert {name: fact.value for name, fact in first.given.items()} == {
        "source": "arxiv", "captured_at": "2025-06-03T09:00:00+00:00", "set": "cs",
        "window_from": "2025-05-01", "window_until": "2025-05-31", "page": "0",
        "is_last_page": "false", "n_items": "10",
    }  # fmt: skip
    last = world.pages()[2].given
    assert (last["page"].value, last["is_last_page"].value) == ("2", "true")


def test_harvested_windows_are_not_requested_again(world: World) -> None:
    world.harvest("cs")
    world.server.seen.clear()
    assert world.harvest("cs") == []
    assert world.server.seen == []
    assert len(world.harvest("cs", again=True)) == 2


def test_the_next_day_includes_the_last_one(world: World) -> None:
    world.harvest("cs")
    world.clock.set(NOW + timedelta(days=1))
    (outcome,) = world.harvest("cs")
    assert shown([outcome]) == [("cs 2025-06-02 to 2025-06-03", "harvested", 1, 1)]
    assert "2506.00003" in world.ids()


def test_history_on_request(world: World) -> None:
    outcomes = world.harvest("cs", since=date(2025, 3, 1), until=date(2025, 5, 10))
    assert [str(o.window) for o in outcomes] == [
        "cs 2025-03-01 to 2025-03-31", "cs 2025-04-01 to 2025-04-30", "cs 2025-05-01 to 2025-05-10",
    ]  # fmt: skip
    assert [o.status for o in outcomes] == ["empty", "empty", "harvested"]
    # Known days of the month are not requested again.
    assert str(world.harvest("cs")[0].window) == "cs 2025-05-10 to 2025-05-31"


def test_facts_in_the_lake(world: World) -> None:
    world.harvest("cs")
    facts = [items.load(world.archive, r, world.settings.items_dir) for r in world.pages()]
    assert [f["listing_kind"] for f in facts] == ["announcement"] * 4
    assert [(f["page"], f["is_last_page"], f["n_seen"]) for f in facts] == [
        (0, False, 10), (1, False, 10), (2, True, 5), (0, True, 1),
    ]  # fmt: skip
    assert all(f["n_seen"] == f["n_accepted"] + f["n_quarantined"] for f in facts)


def test_an_interrupted_window_resumes_with_the_token(world: World) -> None:
    """Interrupted after two of three pages: the next run only requests the third."""
    world.server.add(Rule("status", skip=2, times=2, options={"status": 503}))
    first, second = world.harvest("cs")
    assert (first.status, first.n_pages) == ("failed", 2)
    assert "The next run continues from here" in first.note
    assert (second.status, second.note[:9]) == ("failed", "not tried")
    resume_file = world.settings.harvest_dir / "cs.json"
    assert '"page": 2' in resume_file.read_text()
    world.server.seen.clear()
    assert shown(world.harvest("cs")) == [(MAY, "harvested", 1, 5), (JUNE, "harvested", 1, 1)]
    assert "resumptionToken" in world.server.seen[0].query
    assert len(world.server.seen) == 2
    assert not resume_file.exists()
    assert [r.given["page"].value for r in world.pages()] == ["0", "1", "2", "0"]
    assert len(world.ids()) == 26


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("n_pages", [1, 2, 3])
def test_a_kill_after_any_page_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, n_pages: int
) -> None:
    """Killed after a page is archived and before its token is saved: it is fetched again."""

    def killed(*_: Any) -> None:
        if len(world.archive.receipts()) == n_pages:
            raise _KilledError
        save(*_)

    save = HarvestProgress.save
    with monkeypatch.context() as patched:
        patched.setattr(HarvestProgress, "save", killed)
        patched.setattr(HarvestProgress, "clear", killed)
        with pytest.raises(_KilledError):
            world.harvest("cs", since=date(2025, 5, 1), until=date(2025, 5, 31))
    world.clock.sleep(60)
    world.harvest("cs")
    assert len(world.ids()) == 26
    assert world.harvest("cs") == []


def test_an_invalid_token_restarts_the_window(world: World) -> None:
    world.server.add(Rule("status", skip=1, times=2, options={"status": 503}))
    world.harvest("cs")
    resume_file = world.settings.harvest_dir / "cs.json"
    resume_file.write_text(resume_file.read_text().replace("%", "!"))
    assert shown(world.harvest("cs"))[0] == (MAY, "harvested", 3, 25)
    assert len(world.ids()) == 26


ELSEWHERE = (
    '{"set_spec": "cs", "first": "2020-01-01", "last": "2020-01-31", "page": 3, "token": "x"}'
)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"page": "x"}', ELSEWHERE],
    ids=["empty", "list", "no fields", "half", "another window"],
)
def test_an_invalid_resume_point_is_ignored(world: World, text: str) -> None:
    world.settings.harvest_dir.mkdir(parents=True)
    (world.settings.harvest_dir / "cs.json").write_text(text)
    assert shown(world.harvest("cs"))[0] == (MAY, "harvested", 3, 25)


def test_a_token_that_stays_invalid_fails_its_set_only(world: World) -> None:
    page = {"text": "<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'>"
                    "<error code='badResumptionToken'>no</error></OAI-PMH>"}  # fmt: skip
    world.server.add(Rule("body", query={"set": "cs"}, times=None, options=page))
    world.server.add(Rule("content_type", query={"set": "cs"}, times=None,
                          options={"value": "text/xml"}))  # fmt: skip
    outcomes = world.harvest("cs", "stat")
    assert [o.status for o in outcomes] == ["failed", "failed", "empty", "harvested"]
    assert "Harvest this window from the start" in outcomes[0].note


def test_a_busy_source_is_waited_for(world: World) -> None:
    world.server.add(Rule("status", options={"status": 503, "retry_after": "90"}))
    assert shown(world.harvest("cs")) == [(MAY, "harvested", 3, 25), (JUNE, "harvested", 1, 1)]
    assert max(world.clock.slept) >= 90


def test_a_truncated_transfer_is_repeated(world: World) -> None:
    world.server.add(Rule("cut", skip=1))
    assert shown(world.harvest("cs"))[0] == (MAY, "harvested", 3, 25)
    assert len(world.server.asked("/oai")) == 5
    assert len(world.ids()) == 26


@pytest.mark.parametrize("rule", [Rule("truncate"), Rule("html")], ids=["half", "html"])
def test_a_notice_instead_of_a_page_fails_and_is_not_archived(world: World, rule: Rule) -> None:
    world.server.add(rule)
    assert [o.status for o in world.harvest("cs")] == ["failed", "failed"]
    assert world.pages() == []
    assert [o.status for o in world.harvest("cs")] == ["harvested", "harvested"]


def test_a_source_that_is_down_is_not_asked_further(world: World) -> None:
    world.server.add(Rule("status", times=None, options={"status": 503}))
    outcomes = world.harvest("cs", "stat")
    assert [o.status for o in outcomes] == ["failed"] * 4
    assert len(world.server.seen) == 2  # the attempts of one request


def test_the_same_bytes_change_nothing(world: World) -> None:
    world.server.clock = JumpingClock(NOW)  # its responses always have the same time
    world.harvest("cs", until=date(2025, 5, 31))
    before = {r.capture_id for r in world.pages()}
    world.harvest("cs", until=date(2025, 5, 31), again=True)
    assert {r.capture_id for r in world.pages()} == before
    assert all(len(r.observed_at) == 1 for r in world.pages())


def test_one_process_at_a_time(world: World) -> None:
    with (
        fetch.exclusive_access(world.settings),
        pytest.raises(BusyError, match="one connection"),
        fetch.exclusive_access(world.settings),
    ):
        pass
    with fetch.exclusive_access(world.settings):
        pass


def test_each_set_has_its_own_file(world: World) -> None:
    world.server.add(Rule("status", skip=1, times=2, options={"status": 503}))
    world.harvest("cs:cs:LG")
    assert [p.name for p in world.settings.harvest_dir.glob("*.json")] == ["cs+cs+LG.json"]


@pytest.mark.parametrize("character", ["\x0b", "\x00", "\ufffe", "\x1b"])
def test_a_character_that_xml_forbids_costs_no_record(tmp_path: Path, character: str) -> None:
    rows = [record(f"2505.{n:05}", update_date="2025-05-02") for n in range(1, 16)]
    rows[3]["title"] = f"Paper with{character} a mark"
    clock = JumpingClock(NOW)
    with ReplayServer(None, ArxivPapers(rows), clock=clock, page_records=10) as server:
        world = World(server, tmp_path / "home", clock)
        (may, _) = world.harvest("cs")
        assert (may.status, may.n_pages, may.n_records) == ("harvested", 2, 15)
        assert world.ids() == {row["id"] for row in rows}
        first = world.pages()[0]
        assert character.encode() in world.archive.open(first).read()
        facts = items.load(world.archive, first, world.settings.items_dir)
    assert any("forbidden_characters_removed: 1" in rule for rule in facts["rules"])


def test_a_damaged_record_does_not_stop_a_harvest(world: World) -> None:
    with Arxiv(world.settings, world.clock) as source:
        page = next(source.harvest("cs", date(2025, 5, 1), date(2025, 5, 31)))
    damaged = page.body.decode().replace("<title>Title of 2505.00005</title>", "<title>A & B")
    world.server.add(Rule("body", options={"text": damaged}))
    may, june = world.harvest("cs")
    assert (may.status, may.n_pages) == ("harvested", 3)
    assert june.status == "harvested"
    facts = [items.load(world.archive, r, world.settings.items_dir) for r in world.pages()]
    assert [f["n_quarantined"] for f in facts] == [1, 0, 0, 0]
    assert len(world.ids()) >= 16
