"""arXiv in a run: off unless asked for, by month in a backfill, never in the way of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.archive.archive import Archive
from pipelines.defs import arxiv
from pipelines.defs.resources import Home
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
    """A home whose clock and arXiv are ours."""

    def __init__(self, server: ReplayServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.home, self._monkeypatch = server, home, monkeypatch

    def settings(self, **more: Any) -> Settings:
        return settings_for(self.server, home=self.home, max_attempts=2, **more)

    def run(self, asset: dg.AssetsDefinition, **more: Any) -> dg.ExecuteInProcessResult:
        settings = self.settings(**more)
        self._monkeypatch.setattr("pipelines.defs.resources.get_settings", lambda: settings)
        tags = more.pop("tags", {})
        return dg.materialize([asset], resources={"home": Home()}, tags=tags, instance=self.storage)

    storage: dg.DagsterInstance


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = JumpingClock(NOW)
    monkeypatch.setattr("pipelines.defs.arxiv.SystemClock", lambda: clock)
    with (
        ReplayServer(None, ArxivPapers(ROWS), clock=clock, page_records=10) as server,
        dg.instance_for_test() as storage,
    ):
        world = World(server, tmp_path / "home", monkeypatch)
        world.storage = storage
        yield world


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node("live_arxiv")[-1:]
    return {name: value.value for name, value in event.metadata.items()}


def partitions(result: dg.ExecuteInProcessResult) -> list[tuple[str | None, str, Any]]:
    return [
        (m.partition, m.metadata["set"].value, m.metadata["n_records"].value)  # type: ignore[misc]
        for event in result.get_asset_materialization_events()
        if (m := event.materialization).asset_key == arxiv.arxiv_announcements.key
    ]


def test_off_it_says_so_and_asks_nobody(world: World) -> None:
    found = metadata(world.run(arxiv.live_arxiv))
    assert found == {"status": "off", "message": arxiv.OFF}
    assert world.server.seen == []
    assert not (world.home / "harvest").exists()


def test_a_refresh_harvests_what_is_due(world: World) -> None:
    result = world.run(arxiv.live_arxiv, arxiv_sets="cs,stat", arxiv_lookups=5)
    found = metadata(result)
    assert (found["status"], found["n_windows"], found["n_records"]) == ("done", 4, 25)
    assert found["message"].startswith("arXiv: 4 window(s) harvested, 25 records in 6 page(s)")
    assert found["notes"] == ["nothing is published yet that could be looked up"]
    assert partitions(result) == [
        ("2025-05-01", "cs", 25), ("2025-06-01", "cs", 0),
        ("2025-05-01", "stat", 0), ("2025-06-01", "stat", 0),
    ]  # fmt: skip
    assert metadata(world.run(arxiv.live_arxiv, arxiv_sets="cs,stat"))["n_windows"] == 0


def test_a_failing_arxiv_does_not_stop_the_run(world: World) -> None:
    world.server.add(Rule("status", times=None, options={"status": 503}))
    result = world.run(arxiv.live_arxiv, arxiv_sets="cs")
    assert result.success
    found = metadata(result)
    assert (found["status"], found["n_windows_failed"]) == ("failed", 2)
    assert found["message"].startswith("arXiv failed: cs 2025-05-01 to 2025-05-31: ")
    assert "HTTP 503" in found["message"]


def test_another_process_at_it_is_told_of(world: World) -> None:
    with fetch.exclusive_access(world.settings()):
        found = metadata(world.run(arxiv.live_arxiv, arxiv_sets="cs"))
    assert (found["status"], "one connection" in found["message"]) == ("failed", True)


def test_months_in_one_run_come_anew(world: World) -> None:
    world.run(arxiv.live_arxiv, arxiv_sets="cs")
    world.server.seen.clear()
    months = {
        "dagster/asset_partition_range_start": "2025-04-01",
        "dagster/asset_partition_range_end": "2025-06-01",
    }
    result = world.run(arxiv.arxiv_announcements, arxiv_sets="cs", tags=months)
    assert partitions(result) == [
        ("2025-04-01", "cs", 15), ("2025-05-01", "cs", 25), ("2025-06-01", "cs", 0),
    ]  # fmt: skip
    assert {seen.query["until"] for seen in world.server.asked("/oai", set="cs")} == {
        "2025-04-30", "2025-05-31", "2025-06-02",
    }  # fmt: skip


def test_a_month_that_failed_fails_its_run(world: World) -> None:
    world.server.add(Rule("status", skip=1, times=None, options={"status": 503}))
    month = {
        "dagster/asset_partition_range_start": "2025-05-01",
        "dagster/asset_partition_range_end": "2025-05-01",
    }
    with pytest.raises(TransientSourceError, match="what came is kept"):
        world.run(arxiv.arxiv_announcements, arxiv_sets="cs", tags=month)
    assert len(Archive(world.settings()).receipts()) == 1


def test_a_backfill_needs_a_set(world: World) -> None:
    month = {
        "dagster/asset_partition_range_start": "2025-05-01",
        "dagster/asset_partition_range_end": "2025-05-01",
    }
    with pytest.raises(SettingsError, match="PAPERTIDE_ARXIV_SETS"):
        world.run(arxiv.arxiv_announcements, tags=month)


@pytest.mark.slow
def test_refresh_with_and_without_arxiv(tmp_path: Path) -> None:
    """The command line: look-ups fill in what Hugging Face leaves open; a failure is told."""
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
        assert (off.returncode, arxiv.OFF in off.stderr) == (0, True), off.stderr
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
