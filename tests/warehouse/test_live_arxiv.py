"""arXiv in a run: off by default, partitioned by month, and its failures stop nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.archive.archive import Archive
from pipelines.defs.arxiv import HARVEST_OFF, LOOKUPS_OFF, arxiv_announcements, arxiv_lookups
from pipelines.defs.fetching import BY_HAND
from pipelines.defs.resources import resources
from pipelines.defs.results import HarvestedAnnouncements, LookedUpPapers
from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.sources.arxiv import fetch
from pipelines.sources.errors import TransientSourceError
from tests.conftest import run_papertide
from tests.fixtures.listings import item, record
from tests.replay import (
    ArxivPapers,
    InlineListings,
    JumpingClock,
    ReplayServer,
    Rule,
    ShiftedClock,
    settings_for,
)

pytestmark = pytest.mark.warehouse

NOW = datetime(2025, 6, 3, 9, tzinfo=UTC)
ROWS = [
    *(record(f"2504.{n:05}", update_date="2025-04-15") for n in range(15)),
    *(record(f"2505.{n:05}", update_date="2025-05-15") for n in range(25)),
]


class World:
    """A home, a clock and an arXiv that tests control, and a Dagster instance."""

    def __init__(self, server: ReplayServer, clock: JumpingClock, home: Path) -> None:
        self.server, self.clock, self.home = server, clock, home
        self.instance = dg.DagsterInstance.ephemeral()

    def settings(self, **more: Any) -> Settings:
        return settings_for(self.server, home=self.home, max_attempts=2, **more)

    def run(
        self, asset: dg.AssetsDefinition, tags: dict[str, str] | None = None, **more: Any
    ) -> dg.ExecuteInProcessResult:
        given = resources(self.settings(**more), self.clock)
        tags = {BY_HAND: "yes", **(tags or {})}
        return dg.materialize([asset], resources=given, tags=tags, instance=self.instance)

    def harvest(self, **more: Any) -> HarvestedAnnouncements:
        """The result of a run that chose no month."""
        result = HarvestedAnnouncements.in_events(self.run(arxiv_announcements, **more).all_events)
        assert result is not None
        return result

    def look_up(self, **more: Any) -> LookedUpPapers:
        result = LookedUpPapers.in_events(self.run(arxiv_lookups, **more).all_events)
        assert result is not None
        return result


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(NOW)
    with ReplayServer(None, ArxivPapers(ROWS), clock=clock, page_records=10) as server:
        yield World(server, clock, tmp_path / "home")


def months(first: str, last: str) -> dict[str, str]:
    """Tags of a run for chosen partitions."""
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def windows(result: dg.ExecuteInProcessResult) -> list[tuple[str | None, str, Any]]:
    """(month, set, number of records) of each window that was recorded."""
    return [
        (m.partition, m.metadata["set"].value, m.metadata["n_records"].value)  # type: ignore[misc]
        for event in result.get_asset_materialization_events()
        if "set" in (m := event.materialization).metadata
    ]


def test_off_it_asks_nobody(world: World) -> None:
    assert (world.harvest().status, world.harvest().message) == ("off", HARVEST_OFF)
    assert (world.look_up().status, world.look_up().message) == ("off", LOOKUPS_OFF)
    assert world.server.seen == []
    assert not (world.home / "harvest").exists()


def test_a_live_harvest_fetches_what_is_due(world: World) -> None:
    result = world.run(arxiv_announcements, arxiv_sets="cs,stat")
    found = HarvestedAnnouncements.in_events(result.all_events)
    assert found is not None
    assert (found.status, found.n_windows, found.n_records) == ("done", 4, 25)
    assert found.message == "arXiv: 4 window(s) harvested, 25 records in 6 page(s)."
    assert windows(result) == [
        ("2025-05-01", "cs", 25), ("2025-06-01", "cs", 0),
        ("2025-05-01", "stat", 0), ("2025-06-01", "stat", 0),
    ]  # fmt: skip
    partitions = world.instance.get_materialized_partitions(arxiv_announcements.key)
    assert set(partitions) == {"2025-05-01", "2025-06-01"}
    assert world.harvest(arxiv_sets="cs,stat").n_windows == 0


def test_without_a_snapshot_there_is_nothing_to_look_up(world: World) -> None:
    found = world.look_up(arxiv_lookups=5)
    assert (found.status, found.n_requests) == ("done", 0)
    assert found.notes == ["no published papers to look up yet"]


def test_a_failing_arxiv_does_not_fail_a_live_harvest(world: World) -> None:
    world.server.add(Rule("status", times=None, options={"status": 503}))
    found = world.harvest(arxiv_sets="cs")
    assert (found.status, found.n_windows_failed) == ("failed", 2)
    assert found.message.startswith("arXiv failed: cs 2025-05-01 to 2025-05-31: ")
    assert "HTTP 503" in found.message


def test_another_process_that_uses_arxiv_is_reported(world: World) -> None:
    with fetch.exclusive_access(world.settings()):
        found = world.harvest(arxiv_sets="cs")
    assert (found.status, "one connection" in found.message) == ("failed", True)


def test_chosen_months_are_harvested_again_in_one_run(world: World) -> None:
    world.run(arxiv_announcements, arxiv_sets="cs")
    world.server.seen.clear()
    chosen = months("2025-04-01", "2025-06-01")
    result = world.run(arxiv_announcements, chosen, arxiv_sets="cs")
    assert windows(result) == [
        ("2025-04-01", "cs", 15), ("2025-05-01", "cs", 25), ("2025-06-01", "cs", 0),
    ]  # fmt: skip
    assert {seen.query["until"] for seen in world.server.asked("/oai", set="cs")} == {
        "2025-04-30", "2025-05-31", "2025-06-02",
    }  # fmt: skip


def test_a_chosen_month_that_fails_fails_its_run(world: World) -> None:
    world.server.add(Rule("status", skip=1, times=None, options={"status": 503}))
    with pytest.raises(TransientSourceError, match="the pages received are kept"):
        world.run(arxiv_announcements, months("2025-05-01", "2025-05-01"), arxiv_sets="cs")
    assert len(Archive(world.settings()).receipts()) == 1
    assert not world.instance.get_materialized_partitions(arxiv_announcements.key)


def test_a_chosen_month_needs_a_set(world: World) -> None:
    with pytest.raises(SettingsError, match="PAPERTIDE_ARXIV_SETS"):
        world.run(arxiv_announcements, months("2025-05-01", "2025-05-01"))


@pytest.mark.slow
def test_refresh_with_and_without_arxiv(tmp_path: Path) -> None:
    """Look-ups complete what Hugging Face leaves out; a failure is reported."""
    home = tmp_path / "home"
    now = datetime(2025, 6, 3, 9, tzinfo=UTC)
    listed = [item("2505.00001", "Paper one"), item("2505.00002", "Paper two")]
    rows = [record("2505.00001", title="Paper one", update_date="2025-05-30",
                   versions=[{"version": "v1", "created": "Thu, 29 May 2025 03:04:05 GMT"}])]  # fmt: skip
    listings = InlineListings({"2025-06-02": listed})
    with ReplayServer(listings, ArxivPapers(rows), clock=ShiftedClock(now)) as server:
        environment = {
            "HF_ENDPOINT": server.url,
            "PAPERTIDE_ARXIV_OAI_URL": f"{server.url}/oai",
            "PAPERTIDE_ARXIV_API_URL": f"{server.url}/arxiv/api/query",
            "PAPERTIDE_ARXIV_INTERVAL_S": "0",
            "PAPERTIDE_MAX_ATTEMPTS": "1",
        }
        span = ("--since", "2025-06-02", "--until", "2025-06-02")
        off = run_papertide(home, "refresh", *span, **environment)
        assert off.returncode == 0, off.stderr
        assert HARVEST_OFF in off.stderr
        assert LOOKUPS_OFF in off.stderr
        on = {**environment, "PAPERTIDE_ARXIV_LOOKUPS": "3"}
        done = run_papertide(home, "refresh", *span, **on)
        assert done.returncode == 0, done.stderr
        assert "2 id(s) and 0 title(s) looked up, 1 paper(s) found" in done.stderr
        server.add(Rule("status", path="/oai", times=None, options={"status": 503}))
        failed = run_papertide(home, "refresh", *span, **on, PAPERTIDE_ARXIV_SETS="cs")
        assert failed.returncode == 1
        assert "arXiv failed: cs 2025-06-02 to 2025-06-02: " in failed.stderr
        assert "published " in failed.stderr
    sql = "select arxiv_id, published_on, primary_category, sources from dim_papers order by 1"
    answer = run_papertide(home, "sql", sql, "--format", "json")
    first, second = json.loads(answer.stdout)
    assert (first["published_on"][:10], first["primary_category"]) == ("2025-05-29", "cs.LG")
    assert "arxiv" in first["sources"]
    assert "arxiv" not in second["sources"]
