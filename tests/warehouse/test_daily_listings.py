"""The partitions of `hf_daily_listings`: what a live run and a chosen range materialize."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipelines.defs.fetching import BY_HAND, MAX_RETRIES, retried_when_transient
from pipelines.defs.huggingface import hf_daily_listings
from pipelines.defs.resources import resources
from pipelines.defs.results import FetchedListings
from pipelines.sources.errors import TerminalSourceError, TransientSourceError
from tests.fixtures.listings import item
from tests.replay import InlineListings, JumpingClock, ReplayServer, Rule, settings_for

pytestmark = pytest.mark.warehouse

RANGE = {
    "dagster/asset_partition_range_start": "2025-06-02",
    "dagster/asset_partition_range_end": "2025-06-04",
}


class World:
    """A source with lists of three days, a home, and a Dagster instance."""

    def __init__(self, server: ReplayServer, clock: JumpingClock, home: Path) -> None:
        self.server, self.clock, self.home = server, clock, home
        self.instance = dg.DagsterInstance.ephemeral()

    def run(self, **options: Any) -> dg.ExecuteInProcessResult:
        settings = settings_for(self.server, home=self.home, max_attempts=1)
        return dg.materialize(
            [hf_daily_listings],
            resources=resources(settings, self.clock),
            instance=self.instance,
            **options,
        )

    def materialized(self) -> set[str]:
        return set(self.instance.get_materialized_partitions(hf_daily_listings.key))

    def fail(self, day: str | None = None) -> None:
        """Answer HTTP 503 for a day, or for all."""
        query = {"date": day} if day else {}
        self.server.add(Rule("status", query=query, times=None, options={"status": 503}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = JumpingClock(datetime(2025, 6, 6, 9, tzinfo=UTC))
    days = InlineListings({f"2025-06-0{n}": [item(f"2506.0000{n}")] for n in (2, 3, 4)})
    with ReplayServer(days, clock=clock) as server:
        yield World(server, clock, tmp_path / "home")


def test_a_live_run_materializes_the_days_that_were_fetched(world: World) -> None:
    world.fail("2025-06-03")
    config = {"ops": {"hf_daily_listings": {"config": {"since": "2025-06-02"}}}}
    result = FetchedListings.in_events(world.run(run_config=config).all_events)
    assert world.materialized() == {"2025-06-02", "2025-06-04", "2025-06-05", "2025-06-06"}
    assert result is not None
    assert (result.n_days, result.n_days_new, result.n_days_failed) == (5, 2, 1)
    assert result.failure is not None
    assert result.failure.startswith("1 day(s) could not be fetched. 2025-06-03: ")


def test_chosen_days_keep_their_counts(world: World) -> None:
    done = world.run(tags=RANGE)
    latest = {
        event.materialization.partition: event.materialization.metadata
        for event in done.get_asset_materialization_events()
    }
    assert set(latest) == world.materialized() == {"2025-06-02", "2025-06-03", "2025-06-04"}
    assert {day: counts["n_items"].value for day, counts in latest.items()} == dict.fromkeys(
        latest, 1
    )


def test_a_chosen_day_that_fails_is_not_materialized_and_fails_its_run(world: World) -> None:
    world.fail("2025-06-03")
    with pytest.raises(TransientSourceError, match=r"^1 of 3 day\(s\) could not be fetched"):
        world.run(tags=RANGE)
    assert world.materialized() == {"2025-06-02", "2025-06-04"}


def context(retry_number: int) -> Any:
    """As much of an asset's context as the retry policy reads."""
    return SimpleNamespace(run=SimpleNamespace(tags={}), retry_number=retry_number)


def test_transient_errors_are_retried_with_backoff_and_terminal_ones_are_not() -> None:
    waits = []
    for n in range(MAX_RETRIES):
        with pytest.raises(dg.RetryRequested) as retry, retried_when_transient(context(n)):
            raise TransientSourceError("down")
        waits.append(retry.value.seconds_to_wait)
    assert waits == [60, 120, 240]
    with pytest.raises(TransientSourceError), retried_when_transient(context(MAX_RETRIES)):
        raise TransientSourceError("down")
    with pytest.raises(TerminalSourceError), retried_when_transient(context(0)):
        raise TerminalSourceError("refused")


def test_a_run_that_a_person_started_is_not_retried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("the run waits"))
    world.fail()
    with pytest.raises(TransientSourceError, match="No day could be fetched"):
        world.run(tags={**RANGE, BY_HAND: "yes"})
