"""What Dagster records of a command's run: assets, checks, counts."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest

from pipelines.settings import PROJECT_ROOT

PAPERTIDE = str(Path(sys.executable).with_name("papertide"))

pytestmark = pytest.mark.warehouse


@pytest.fixture
def instance(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(demo_home / "dagster"))
    with dg.DagsterInstance.get() as found:
        yield found


def test_the_run_is_recorded_with_counts(instance: dg.DagsterInstance) -> None:
    run = instance.get_runs()[0]
    assert (run.job_name, run.status) == ("main", dg.DagsterRunStatus.SUCCESS)

    def metadata(*path: str) -> dict[str, object]:
        event = instance.get_latest_materialization_event(dg.AssetKey(path))
        assert event is not None
        assert event.asset_materialization is not None
        return {k: v.value for k, v in event.asset_materialization.metadata.items()}

    assert metadata("captures")["n_new"] == 416
    items = metadata("items")
    assert (items["n_seen"], items["n_accepted"], items["n_quarantined"]) == (7_559, 7_559, 0)
    assert metadata("raw", "items")["dagster/row_count"] == 7_559
    papers = metadata("marts", "dim_papers")
    assert papers["dagster/row_count"] == 7_555
    assert "arxiv:" in str(papers["preview"])
    assert metadata("snapshot")["n_papers"] == 7_555


def test_dbt_tests_are_asset_checks(instance: dg.DagsterInstance) -> None:
    (run,) = instance.get_runs()
    entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    checks = [entry.dagster_event.asset_check_evaluation_data for entry in entries]  # type: ignore[union-attr]
    failed = {check.check_name for check in checks if not check.passed}
    # Warnings: the sample grows old, and one of its Fridays follows a holiday.
    assert failed <= {"newest_day_is_recent", "day_volume_is_usual"}
    names = {(check.asset_key.path[-1], check.check_name) for check in checks}
    assert len(names) >= 80
    assert ("items", "every_capture_is_parsed") in names
    assert ("fct_listings", "listed_papers_are_recent") in names
    assert ("snapshot", "snapshot_holds_what_it_says") in names
    assert any(key == "rpt_capture_reconciliation" for key, _ in names)


def test_progress_moves_on_a_terminal(tmp_path: Path) -> None:
    """Steps replace each other on one line; Dagster must not capture the terminal."""
    page = PROJECT_ROOT / "sample" / "hf_api" / "2025-06-20.json.gz"
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(PAPERTIDE_HOME=str(tmp_path), TERM="xterm", COLUMNS="100")
        os.execv(PAPERTIDE, [PAPERTIDE, "ingest", str(page)])  # noqa: S606
    output = b""
    with suppress(OSError):  # raised when the process has ended
        while part := os.read(terminal, 65_536):
            output += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"parsing 1 capture(s)" in output
    assert b"1 new capture(s)" in output
