"""The asset graph as Dagster sees it, compared with the one that was agreed.

After a wanted change run this file with PAPERTIDE_UPDATE_SNAPSHOTS=1 and read the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.warehouse

AGREED = Path(__file__).resolve().parents[1] / "fixtures" / "asset_graph.json"


def describe() -> dict[str, Any]:
    """Assets with their edges, jobs with their assets, and which assets lack words or an owner."""
    from pipelines.definitions import defs  # needs PAPERTIDE_HOME; parses the dbt project

    graph = defs.resolve_asset_graph()
    nodes = {
        node.key.to_user_string(): node for node in graph.asset_nodes if node.is_materializable
    }
    checks: dict[str, list[str]] = {}
    for key in graph.asset_check_keys:
        checks.setdefault(key.asset_key.to_user_string(), []).append(key.name)
    return {
        "assets": {
            name: {
                "deps": sorted(key.to_user_string() for key in node.parent_keys),
                "group": node.group_name,
                "kinds": sorted(node.kinds),
                "owners": sorted(node.owners),
                "checks": sorted(checks.get(name, [])),
            }
            for name, node in sorted(nodes.items())
        },
        "jobs": {
            job.name: sorted(key.to_user_string() for key in job.asset_layer.selected_asset_keys)
            for job in sorted(defs.resolve_all_job_defs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "without_description": sorted(n for n, node in nodes.items() if not node.description),
        "without_owner": sorted(n for n, node in nodes.items() if not node.owners),
        "external": sorted(
            node.key.to_user_string() for node in graph.asset_nodes if not node.is_materializable
        ),
    }


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The graph of a fresh process in a home of its own: importing it sets the environment."""
    home = tmp_path_factory.mktemp("home")
    done = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PAPERTIDE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_asset_says_what_it_is_and_whose(graph: dict[str, Any]) -> None:
    assert not graph["without_description"]
    assert not graph["without_owner"]


def test_nothing_comes_from_outside_the_graph(graph: dict[str, Any]) -> None:
    """Except the tables of the last build, which a build compares with."""
    tables = ("captures", "items", "population_papers")
    assert graph["external"] == [f"last_build/{table}" for table in tables]


LIVE = {"live_listings", "live_arxiv"}
FETCHED = LIVE | {"daily_listings", "arxiv_announcements"}


def test_everything_follows_from_captures(graph: dict[str, Any]) -> None:
    """Only what is received and the written reference tables have nothing to their left."""
    roots = {name for name, asset in graph["assets"].items() if not asset["deps"]}
    reference = {name for name, asset in graph["assets"].items() if asset["group"] == "reference"}
    assert roots == {"captures"} | FETCHED | reference


def test_the_main_job_runs_everything(graph: dict[str, Any]) -> None:
    assert set(graph["jobs"]["main"]) == set(graph["assets"]) - FETCHED


def test_a_refresh_fetches_and_runs_everything_else(graph: dict[str, Any]) -> None:
    expected = set(graph["assets"]) - {"captures"} - (FETCHED - LIVE)
    assert set(graph["jobs"]["refresh"]) == expected


def test_the_graph_is_the_agreed_one(graph: dict[str, Any]) -> None:
    found = {"assets": graph["assets"], "jobs": graph["jobs"]}
    if os.environ.get("PAPERTIDE_UPDATE_SNAPSHOTS"):
        AGREED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    agreed = json.loads(AGREED.read_text())
    assert sorted(found["assets"]) == sorted(agreed["assets"])
    for name, asset in found["assets"].items():
        assert asset == agreed["assets"][name], name
    assert found["jobs"] == agreed["jobs"]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe()))
