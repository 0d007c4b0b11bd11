"""The sensors, evaluated by Dagster over a real instance, with real runs of the intake."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import sensors
from pipelines.defs.intake import captures, parsed_items
from pipelines.defs.resources import Home, Writer
from pipelines.errors import CheckFailed
from pipelines.intake import inbox
from pipelines.settings import Settings, get_settings
from pipelines.warehouse.candidate import writer_lock
from tests.fixtures.listings import api, item
from tests.fixtures.receivers import Hook, web_server

pytestmark = pytest.mark.warehouse

Tick = Callable[[], dg.RunRequest | str]


@dg.asset(deps=[parsed_items])
def snapshot() -> dg.MaterializeResult[None]:
    """Stands for the build; the environment says how it ends."""
    if os.environ.get("BUILD") == "refused":
        raise CheckFailed("Nothing was published: 2 checks failed")
    if os.environ.get("BUILD") == "broken":
        raise ValueError("not ours")
    if os.environ.get("BUILD") == "stopped":
        raise RuntimeError("Query interrupted")
    return dg.MaterializeResult(metadata={"snapshot_id": "S1"})


defs = dg.Definitions(
    assets=[captures, parsed_items, snapshot],
    jobs=[dg.define_asset_job("main", dg.AssetSelection.all(), tags=sensors.WRITES)],
    sensors=sensors.ALL,
    resources={"home": Home(), "writer": Writer()},
    executor=dg.in_process_executor,
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("PAPERTIDE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr(inbox, "SETTLE_S", -1)
    get_settings.cache_clear()
    get_settings().inbox_dir.mkdir(parents=True)
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Tick:
    """One evaluation of the inbox: the run that it asks for, or why there is none."""

    def evaluate() -> dg.RunRequest | str:
        context = dg.build_sensor_context(
            instance=instance, resources={"home": Home()}, definitions=defs
        )
        data = sensors.inbox_sensor.evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    return evaluate


def run(request: dg.RunRequest | str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    """Run what was asked for, as the daemon tags it."""
    assert isinstance(request, dg.RunRequest), request
    return defs.resolve_job_def("main").execute_in_process(
        instance=instance,
        run_config=request.run_config,
        tags={**request.tags, "dagster/run_key": str(request.run_key)},
        raise_on_error=False,
    )


def drop(settings: Settings, name: str, body: bytes) -> Path:
    path = settings.inbox_dir / name
    path.write_bytes(body)
    return path


def aside(settings: Settings) -> dict[str, str]:
    """`done/name` or `refused/name` → its verdict."""
    return {
        f"{path.relative_to(settings.inbox_dir).parts[0]}/{path.name.removesuffix('.verdict.txt')}":
        path.read_text()
        for path in settings.inbox_dir.rglob("*.verdict.txt")
    }  # fmt: skip


GOOD = api(item("2501.00001"), item("2501.00002", "Another"))


# The inbox


def test_an_empty_inbox_starts_nothing(tick: Tick) -> None:
    assert "Nothing waits" in str(tick())


def test_files_are_taken_in_and_moved_with_their_verdicts(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    drop(settings, "2025-01-03.json", GOOD)
    drop(settings, "empty.txt", b"")
    drop(settings, "photo.jpg", b"\xff\xd8\xff\x00\x00")
    assert run(tick(), instance).success
    assert "Nothing waits" in str(tick())
    found = aside(settings)
    assert set(found) == {"done/2025-01-03.json", "refused/empty.txt", "refused/photo.jpg"}
    assert "2 seen = 2 accepted + 0 quarantined" in found["done/2025-01-03.json"]
    assert "snapshot S1 includes it" in found["done/2025-01-03.json"]
    assert "day       2025-01-03" in found["done/2025-01-03.json"]
    assert "nothing to ingest" in found["refused/empty.txt"]
    assert "1 × binary" in found["refused/photo.jpg"]


def test_one_run_at_a_time(settings: Settings, instance: dg.DagsterInstance, tick: Tick) -> None:
    drop(settings, "a.json", GOOD)
    request = tick()
    assert isinstance(request, dg.RunRequest)
    queued = instance.create_run_for_job(
        defs.resolve_job_def("main"), run_config=request.run_config, tags=request.tags,
        status=dg.DagsterRunStatus.NOT_STARTED,
    )  # fmt: skip
    drop(settings, "b.json", GOOD)
    assert f"Run {queued.run_id} is at work" in str(tick())


def test_the_same_files_ask_for_the_same_run(settings: Settings, tick: Tick) -> None:
    drop(settings, "a.json", GOOD)
    first, second = tick(), tick()
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.run_key == second.run_key


@pytest.mark.parametrize(("how", "said"), [("refused", "2 checks failed"), ("broken", "not ours")])
def test_a_build_that_fails_does_not_keep_files_in_the_inbox(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch,
    how: str, said: str,
) -> None:  # fmt: skip
    drop(settings, "a.json", GOOD)
    monkeypatch.setenv("BUILD", how)
    assert not run(tick(), instance).success
    assert "Nothing waits" in str(tick())
    assert (
        f"published nothing ({'Nothing was published: ' if how == 'refused' else ''}{said})"
        in (aside(settings)["done/a.json"])
    )


def test_a_kill_between_taking_in_and_moving_costs_nothing(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.json", "b.json"):
        drop(settings, name, api(item("2501.00001", name)))
    run(tick(), instance)
    whole = inbox.move_aside

    class Killed(BaseException): ...

    def kill(settings: Settings, path: Path, *rest: object) -> None:
        if path.name == "b.json":
            raise Killed
        whole(settings, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "move_aside", kill)
    with pytest.raises(Killed):
        tick()
    monkeypatch.setattr(inbox, "move_aside", whole)
    assert set(aside(settings)) == {"done/a.json"}
    run(tick(), instance)  # the rest is taken in again, which changes nothing
    tick()
    found = aside(settings)
    assert set(found) == {"done/a.json", "done/b.json"}
    assert "outcome   known" in found["done/b.json"]


def test_a_file_that_cannot_be_moved_stays(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(settings, "a.json", GOOD)

    def read_only(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inbox, "move_aside", read_only)
    for _ in range(sensors.MAX_ATTEMPTS):
        run(tick(), instance)
    assert "could not be taken in" in str(tick())


def test_a_file_that_changed_since_is_taken_in_again(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    drop(settings, "a.json", GOOD[:40])
    run(tick(), instance)
    drop(settings, "a.json", GOOD)
    run(tick(), instance)
    tick()
    assert "2 seen = 2 accepted" in aside(settings)["done/a.json"]


def test_runs_that_fail_before_taking_in_do_not_loop(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    drop(settings, "a.json", GOOD)
    drop(settings, "captures.csv", b"name\n1\n")
    keys = set()
    for _ in range(sensors.MAX_ATTEMPTS):
        request = tick()
        assert isinstance(request, dg.RunRequest)
        keys.add(request.run_key)
        run(request, instance)
    assert len(keys) == sensors.MAX_ATTEMPTS
    assert "could not be taken in" in str(tick())
    (settings.inbox_dir / "captures.csv").write_text("file,listing_date\na.json,2025-01-06\n")
    run(tick(), instance)
    tick()
    assert "2025-01-06: captures.csv" in aside(settings)["done/a.json"]


def test_it_waits_for_a_build_of_somebody_else(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick
) -> None:
    drop(settings, "a.json", GOOD)
    job = defs.resolve_job_def("main")
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    with writer_lock(settings):
        assert "A build is at work" in str(tick())
    assert isinstance(tick(), dg.RunRequest)  # what holds no lock is not at work


def test_a_run_whose_process_was_killed_is_marked_and_done_again(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(settings, "a.json", GOOD)
    request = tick()
    assert isinstance(request, dg.RunRequest)
    job = defs.resolve_job_def("main")
    tags = {**sensors.WRITES, **request.tags}
    dead = instance.create_run_for_job(job, run_config=request.run_config, tags=tags)
    started = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.PIPELINE_START.value, job_name="main"
    )
    instance.report_dagster_event(started, dead.run_id)
    assert "is at work" in str(tick())
    late = time.time() + sensors.DEAD_AFTER_S + 60
    monkeypatch.setattr(time, "time", lambda: late)
    with writer_lock(settings):
        assert "is at work" in str(tick())
    again = tick()
    assert isinstance(again, dg.RunRequest)
    assert again.run_key != request.run_key
    assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]


# Alerts


@pytest.fixture
def hook(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with web_server() as hook:
        monkeypatch.setenv("PAPERTIDE_ALERT_WEBHOOK", hook.url)
        get_settings.cache_clear()
        yield hook


def alert_of(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> object:
    """What the failure sensor makes of a failed run."""
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    failed = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name="failure_alert", dagster_instance=instance, dagster_run=run,
        dagster_event=failed[-1].dagster_event, resources={"home": Home()},  # type: ignore[arg-type]
    )  # fmt: skip
    return sensors.failure_alert(context.for_run_failure())


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [("refused", "publication_refused", "2 checks failed"), ("broken", "run_failed", "not ours")],
)
def test_a_failed_run_is_told(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, hook: Hook,
    monkeypatch: pytest.MonkeyPatch, how: str, kind: str, said: str,
) -> None:  # fmt: skip
    drop(settings, "a.json", GOOD)
    monkeypatch.setenv("BUILD", how)
    assert alert_of(run(tick(), instance), instance) is None
    (body,) = hook.bodies
    assert body["kind"] == kind
    assert said in body["body"]


def test_a_run_that_was_stopped_is_no_trouble(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    drop(settings, "a.json", GOOD)
    monkeypatch.setenv("BUILD", "stopped")
    assert isinstance(alert_of(run(tick(), instance), instance), dg.SkipReason)
    assert not hook.bodies


def test_a_run_that_dagster_ended_for_its_length_is_trouble(
    settings: Settings, instance: dg.DagsterInstance, tick: Tick, hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    drop(settings, "a.json", GOOD)
    monkeypatch.setenv("BUILD", "stopped")
    result = run(tick(), instance)
    ended = instance.get_run_by_id(result.run_id)
    assert ended is not None
    instance.report_run_canceling(ended, "Exceeded maximum runtime of 43200 seconds.")
    assert alert_of(result, instance) is None
    assert len(hook.bodies) == 1


def test_the_command_line_tells_of_its_own_runs(
    instance: dg.DagsterInstance, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD", "broken")
    result = defs.resolve_job_def("main").execute_in_process(
        instance=instance, tags={sensors.BY_HAND: "yes"}, raise_on_error=False
    )
    assert isinstance(alert_of(result, instance), dg.SkipReason)
    assert not hook.bodies


def test_the_watch_tells_of_a_stale_snapshot(
    settings: Settings, instance: dg.DagsterInstance, hook: Hook
) -> None:
    def watch() -> str:
        context = dg.build_sensor_context(
            instance=instance, resources={"home": Home()}, definitions=defs
        )
        return str(sensors.watch.evaluate_tick(context).skip_message)

    assert watch() == "All is well."
    published = datetime.now(UTC) - timedelta(hours=50)
    folder = settings.snapshots_dir / "S0"
    folder.mkdir(parents=True)
    (folder / "papertide.duckdb").write_bytes(bytes(8) + b"DUCK")
    package = {"created": published.isoformat(), "resources": []}
    (folder / "datapackage.json").write_text(json.dumps(package))
    (settings.snapshots_dir / "CURRENT").write_text("S0")
    assert [watch(), watch()] == ["The snapshot is stale."] * 2
    assert [body["kind"] for body in hook.bodies] == ["stale"]


def test_all_are_on_by_default() -> None:
    assert {sensor.name for sensor in sensors.ALL} == {"inbox", "failure_alert", "watch"}
    assert all(s.default_status == dg.DefaultSensorStatus.RUNNING for s in sensors.ALL)
