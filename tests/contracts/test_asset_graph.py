"""The asset graph as Dagster loads it, compared with the agreed one.

After an intended change run this file with PAPERTIDE_UPDATE_SNAPSHOTS=1 and read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines import definitions
from pipelines.settings import Settings

pytestmark = pytest.mark.warehouse

AGREED = Path(__file__).resolve().parents[1] / "fixtures" / "asset_graph.json"
SOURCES = {"captures", "hf_daily_listings", "arxiv_announcements", "arxiv_lookups"}


def describe(defs: dg.Definitions) -> dict[str, Any]:
    """Assets with their attributes, jobs with their assets, schedules and sensors."""
    graph = defs.resolve_asset_graph()
    nodes = sorted(
        (node for node in graph.asset_nodes if node.is_materializable),
        key=lambda node: node.key.to_user_string(),
    )
    checks: dict[dg.AssetKey, list[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key, []).append(key.name)
    repository = defs.get_repository_def()
    return {
        "assets": {
            node.key.to_user_string(): {
                "deps": sorted(key.to_user_string() for key in node.parent_keys),
                "group": node.group_name,
                "kinds": sorted(node.kinds),
                "partitions": str(node.partitions_def) if node.partitions_def else None,
                "checks": sorted(checks.get(node.key, [])),
            }
            for node in nodes
        },
        "jobs": {
            job.name: sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys)
            for job in sorted(defs.resolve_all_job_defs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The code location of a new home."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERTIDE_HOME", str(home))
        patch.setenv("PAPERTIDE_ARXIV_SETS", "cs")
        return definitions.load(Settings(home=home, arxiv_sets="cs"))


@pytest.fixture(scope="module")
def graph(defs: dg.Definitions) -> dict[str, Any]:
    return describe(defs)


def test_every_asset_has_a_description(defs: dg.Definitions) -> None:
    nodes = defs.resolve_asset_graph().asset_nodes
    assert not [n.key for n in nodes if n.is_materializable and not n.description]


def test_nothing_is_outside_the_graph(defs: dg.Definitions) -> None:
    """Except the tables of the last build, which a build compares with."""
    nodes = defs.resolve_asset_graph().asset_nodes
    external = sorted(n.key.to_user_string() for n in nodes if not n.is_materializable)
    assert external == [f"last_build/{name}" for name in ("captures", "items", "population_papers")]


def test_everything_follows_from_the_sources(graph: dict[str, Any]) -> None:
    """Only sources and reference tables have no parents."""
    roots = {name for name, asset in graph["assets"].items() if not asset["deps"]}
    reference = {name for name, asset in graph["assets"].items() if asset["group"] == "reference"}
    assert roots == SOURCES | reference


def test_the_snapshot_waits_for_every_mart(graph: dict[str, Any]) -> None:
    marts = {name for name, asset in graph["assets"].items() if asset["group"] == "marts"}
    assert set(graph["assets"]["snapshot"]["deps"]) == marts


def test_jobs_differ_in_their_sources_only(graph: dict[str, Any]) -> None:
    jobs = {name: set(assets) for name, assets in graph["jobs"].items()}
    warehouse = set(graph["assets"]) - SOURCES
    assert jobs["build"] == warehouse
    assert jobs["main"] == warehouse | {"captures"}
    assert jobs["refresh"] == warehouse | {"hf_daily_listings", "arxiv_lookups"}
    assert jobs["harvest"] == {"arxiv_announcements"}
    assert jobs["ingest"] == {"captures", "items"}


def test_the_ingest_job_is_the_same_without_the_warehouse(graph: dict[str, Any]) -> None:
    """`papertide ingest` loads only what this job needs."""
    small = describe(definitions.load_ingest(Settings()))
    assert small["jobs"]["ingest"] == graph["jobs"]["ingest"]
    for name, asset in small["assets"].items():
        assert asset == graph["assets"][name]


def test_freshness_is_watched_where_a_refresh_always_materializes(defs: dg.Definitions) -> None:
    watched = [n.key for n in defs.resolve_asset_graph().asset_nodes if n.freshness_policy]
    assert set(watched) == definitions.WATCHED


def test_the_graph_is_the_agreed_one(graph: dict[str, Any]) -> None:
    if os.environ.get("PAPERTIDE_UPDATE_SNAPSHOTS"):
        AGREED.write_text(json.dumps(graph, indent=1, ensure_ascii=False) + "\n")
    agreed = json.loads(AGREED.read_text())
    assert sorted(graph["assets"]) == sorted(agreed["assets"])
    for name, asset in graph["assets"].items():
        assert asset == agreed["assets"][name], name
    assert {k: v for k, v in graph.items() if k != "assets"} == {
        k: v for k, v in agreed.items() if k != "assets"
    }
