"""dbt's unit tests, run on the demo's warehouse, which supplies the column types."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.warehouse import dbt_project

pytestmark = pytest.mark.warehouse


def test_the_models_unit_tests_pass(demo_home: Path, tmp_path: Path) -> None:
    settings = Settings(home=demo_home)
    environment = dbt_project.environment(settings)
    environment["PAPERTIDE_WAREHOUSE"] = str(settings.warehouse_path)  # supplies the column types
    done = subprocess.run(
        [dbt_project.dbt_executable(), "--quiet", "test", "--select", "test_type:unit",
         "--project-dir", str(DBT_PROJECT_DIR)],
        env={**os.environ, **environment, "DBT_TARGET_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    results = json.loads((tmp_path / "run_results.json").read_text())["results"]
    assert len(results) >= 8
    assert {r["status"] for r in results} == {"pass"}
