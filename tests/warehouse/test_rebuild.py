"""Rebuilds give equal tables; a candidate that breaks a rule is refused; one build at a time."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from pipelines.archive.archive import Archive
from pipelines.publishing.snapshot import current
from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.warehouse.candidate import writer_lock
from tests.conftest import run_in_process, run_papertide
from tests.fixtures.listings import api, item

pytestmark = pytest.mark.warehouse


def hashes(home: Path) -> dict[str, str]:
    """Mart → hash of its Parquet file in the current snapshot."""
    package = current(Settings(home=home)).package()
    return {resource["name"]: resource["hash"] for resource in package["resources"]}


@pytest.mark.slow
def test_everything_right_of_the_archive_can_be_rebuilt(demo_home: Path) -> None:
    before = hashes(demo_home)
    for folder in ("lake", "dbt", "site", "dagster"):
        shutil.rmtree(demo_home / folder)
    (demo_home / "warehouse.duckdb").unlink()
    again = run_papertide(demo_home, "ingest", DBT_PROJECT_DIR.parent / "sample" / "hf_page")
    assert again.returncode == 0, again.stderr
    assert "1 already in the archive, unchanged" in again.stderr
    done = run_papertide(demo_home, "build")
    assert done.returncode == 0, done.stderr
    assert hashes(demo_home) == before


@pytest.mark.slow
def test_a_candidate_that_breaks_a_rule_is_refused(demo_home: Path) -> None:
    pointer = (demo_home / "snapshots" / "CURRENT").read_text()
    facts = next((demo_home / "lake" / "items").glob("*/capture.json"))
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {"n_seen": 999}))
    (demo_home / "warehouse.duckdb").unlink()  # else what is known of the capture stays
    done = run_papertide(demo_home, "build")
    assert done.returncode == 1
    assert "Nothing was published; readers still see the last snapshot" in done.stderr
    assert "rpt_capture_reconciliation" in done.stderr
    assert "Traceback" not in done.stderr
    assert (demo_home / "snapshots" / "CURRENT").read_text() == pointer
    assert run_papertide(demo_home, "sql", "select 1").returncode == 0


def test_an_empty_home_has_nothing_to_build(tmp_path: Path) -> None:
    done = run_in_process(tmp_path / "new", "build")
    assert done.returncode == 2
    assert "contains no captures. Run `papertide demo`" in done.stderr


def test_the_demo_is_not_mixed_with_other_captures(tmp_path: Path) -> None:
    archive = Archive(Settings(home=tmp_path))
    archive.receive(
        io.BytesIO(api(item())), "2025-06-20.json.gz", {}
    )  # named as a file of the sample
    done = run_in_process(tmp_path, "demo")
    assert done.returncode == 2
    assert "already contains your own captures" in done.stderr
    assert len(archive.receipts()) == 1


def test_a_damaged_receipt_fails_the_build(demo_home: Path) -> None:
    next((demo_home / "captures").glob("??/*.json")).write_text('{"x"')
    done = run_in_process(demo_home, "build")
    assert done.returncode == 1
    assert "can't be read" in done.stderr
    status = run_in_process(demo_home, "status")
    assert status.returncode == 1
    assert "state     failed" in status.stdout


def test_an_invalid_dagster_yaml_has_a_message(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("- a\n")
    done = run_in_process(tmp_path, "up")
    assert done.returncode == 2
    assert "dagster.yaml can't be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_build_at_the_same_time_is_refused(demo_home: Path) -> None:
    with writer_lock(Settings(home=demo_home)):
        done = run_in_process(demo_home, "build")
    assert done.returncode == 1
    assert "Another process is building" in done.stderr
    assert "Traceback" not in done.stderr
