"""The event log that keeps its connections holds what Dagster's own would."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.defs.event_log import KEPT, EventLog

pytestmark = pytest.mark.warehouse


@dg.asset
def figure() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"n": 7})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = "event_log_storage: {module: pipelines.defs.event_log, class: EventLog}\n"
    (tmp_path / "dagster.yaml").write_text(text + "telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as found:
        yield found


def test_dagsters_own_class_reads_it(home: Path, instance: dg.DagsterInstance) -> None:
    runs = [dg.materialize([figure], instance=instance).run_id for _ in range(KEPT + 2)]
    assert isinstance(instance.event_log_storage, EventLog)
    own = SqliteEventLogStorage(str(home / "history" / "runs"))
    for run in runs:  # more than are held open
        kept = instance.event_log_storage.get_logs_for_run(run)
        assert [e.message for e in own.get_logs_for_run(run)] == [e.message for e in kept]
        assert any("figure" in e.message for e in kept)
    latest = instance.get_latest_materialization_event(figure.key)
    assert latest is not None
    assert latest.run_id == runs[-1]


def test_a_deleted_run_is_gone(instance: dg.DagsterInstance) -> None:
    run = dg.materialize([figure], instance=instance).run_id
    instance.delete_run(run)
    assert not instance.event_log_storage.get_logs_for_run(run)


def test_several_threads_write_at_once(instance: dg.DagsterInstance) -> None:
    def report(n: int) -> None:
        for _ in range(5):
            instance.report_runless_asset_event(dg.AssetMaterialization(f"asset_{n}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(report, range(4)))
    for n in range(4):
        found = instance.fetch_materializations(dg.AssetKey(f"asset_{n}"), limit=10)
        assert len(found.records) == 5
