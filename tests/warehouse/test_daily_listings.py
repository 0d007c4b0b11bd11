"""Listing days asked for by partition: a day that did not come is not told of as if it had."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.listings import daily_listings
from pipelines.defs.resources import Home
from tests.fixtures.listings import item
from tests.replay import InlineListings, JumpingClock, ReplayServer, Rule, settings_for

pytestmark = pytest.mark.warehouse


def test_only_days_that_came_are_materialized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = JumpingClock(datetime(2025, 6, 6, 9, tzinfo=UTC))
    monkeypatch.setattr("pipelines.defs.listings.SystemClock", lambda: clock)
    bad = Rule("status", query={"date": "2025-06-03"}, times=None, options={"status": 503})
    days = InlineListings({f"2025-06-0{n}": [item()] for n in (2, 3, 4)})
    span = {
        "dagster/asset_partition_range_start": "2025-06-02",
        "dagster/asset_partition_range_end": "2025-06-04",
    }
    with ReplayServer(days, clock=clock, rules=[bad]) as server, dg.instance_for_test() as storage:
        settings = settings_for(server, home=tmp_path / "home", max_attempts=1)
        monkeypatch.setattr("pipelines.defs.resources.get_settings", lambda: settings)
        done = dg.materialize(
            [daily_listings], resources={"home": Home()}, tags=span, instance=storage
        )
    told = [event.materialization.partition for event in done.get_asset_materialization_events()]
    assert told == ["2025-06-02", "2025-06-04"]
