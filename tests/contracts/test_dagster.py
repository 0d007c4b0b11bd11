"""How the project uses Dagster: imports without side effects, public interfaces, `dg`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_ROOT
from tests.contracts.test_borders import imports, modules

pytestmark = pytest.mark.contracts

DG = Path(sys.executable).with_name("dg")
PRIVATE = ("dagster._", "dagster_shared", "dagster_dbt.", "dagster_graphql", "dbt.", "dbt_common")
# Modules that use what their library does not document, each with its reason.
ADAPTERS = {
    # dbt's documented entry is `dbt.cli.main`; its events and adapter have no public names.
    "pipelines/warehouse/dbt_runner.py": {"dbt.", "dbt_common"},
}
IMPORT = """
import json, os, sys
import dagster, dagster_dbt, polars  # these set a variable and start `file`; ours must not
starts = []
sys.addaudithook(
    lambda event, args: starts.append(event) if event in
    {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec"} else None
)
before = dict(os.environ)
import pipelines.definitions
import pipelines.defs.captures, pipelines.defs.lake, pipelines.defs.dbt_tables
import pipelines.defs.jobs, pipelines.defs.schedules, pipelines.defs.sensors
print(json.dumps({"environment": dict(os.environ) == before, "starts": starts}))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A new home, and this checkout on the path."""
    return {**os.environ, "PAPERTIDE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(PROJECT_ROOT)}


def run(environment: dict[str, str], *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )


def test_importing_definitions_changes_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    """No variable, no file in the home, no process: all of that is left to loading."""
    done = run(environment, sys.executable, "-c", IMPORT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"environment": True, "starts": []}
    assert list(tmp_path.iterdir()) == []


def private_imports(path: Path) -> Iterator[str]:
    name = path.relative_to(PROJECT_ROOT).as_posix()
    allowed = tuple(ADAPTERS.get(name, ()))
    for imported in imports(path):
        if imported.startswith(PRIVATE) and not (allowed and imported.startswith(allowed)):
            yield f"{name}: {imported}"


def test_only_public_interfaces_of_dagster_and_dbt_are_used() -> None:
    assert not [found for path in modules("pipelines") for found in private_imports(path)]


def test_dg_lists_the_definitions(environment: dict[str, str]) -> None:
    """`dg` finds the project and loads all of `defs/`; it is part of the dev dependencies."""
    done = run(environment, DG, "list", "defs", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert {"hf_daily_listings", "snapshot", "site"} <= {a["asset_key"] for a in listed["assets"]}
    assert {"build", "ingest", "main", "refresh"} <= {job["name"] for job in listed["jobs"]}


@pytest.mark.slow
def test_dg_checks_and_launches(environment: dict[str, str], tmp_path: Path) -> None:
    environment["DAGSTER_HOME"] = str(tmp_path)
    done = run(environment, DG, "check", "defs")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(environment, DG, "launch", "--assets", "captures")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RUN_SUCCESS" in done.stdout + done.stderr
