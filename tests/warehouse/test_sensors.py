"""The sensors, evaluated by Dagster on a real instance, with real runs of the intake."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import sensors
from pipelines.defs.captures import captures
from pipelines.defs.fetching import BY_HAND
from pipelines.defs.jobs import WRITER
from pipelines.defs.lake import parsed_items
from pipelines.defs.resources import resources
from pipelines.defs.results import PublishedSnapshot
from pipelines.errors import CheckFailed
from pipelines.intake import inbox
from pipelines.settings import Settings
from pipelines.warehouse.candidate import writer_lock
from tests.fixtures.listings import api, item
from tests.fixtures.receivers import Hook, web_server

pytestmark = pytest.mark.warehouse

GOOD = api(item("2501.00001"), item("2501.00002", "Another"))
SENSORS = [sensors.inbox_sensor, sensors.failure_alert, sensors.watch]


@dg.asset(deps=[parsed_items])
def snapshot() -> dg.MaterializeResult[None]:
    """A stub for the build; the variable BUILD decides how it ends."""
    if os.environ.get("BUILD") == "refused":
        raise CheckFailed("Nothing was published: 2 checks failed")
    if os.environ.get("BUILD") == "broken":
        raise ValueError("not ours")
    if os.environ.get("BUILD") == "stopped":
        raise RuntimeError("Query interrupted")
    return dg.MaterializeResult(metadata=PublishedSnapshot("S1", "", 0, 0, 0, 0).to_metadata())


class World:
    """A home, a Dagster instance, and a code location with the intake, the stub and all sensors."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.settings, self.instance = settings, instance
        self.defs = dg.Definitions(
            assets=[captures, parsed_items, snapshot],
            jobs=[dg.define_asset_job("main", dg.AssetSelection.all(), tags=WRITER)],
            sensors=SENSORS,
            resources=resources(settings),
            executor=dg.in_process_executor,
        )
        self.job = self.defs.resolve_job_def("main")

    def tick(self, sensor: dg.SensorDefinition = sensors.inbox_sensor) -> dg.RunRequest | str:
        """One evaluation of a sensor: the run that it requests, or why there is none."""
        context = dg.build_sensor_context(
            instance=self.instance, resources={"settings": self.settings}, definitions=self.defs
        )
        data = sensor.evaluate_tick(context)
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    def request(self) -> dg.RunRequest:
        """The run that the inbox requests."""
        request = self.tick()
        assert isinstance(request, dg.RunRequest), request
        return request

    def run(self, request: dg.RunRequest | None = None) -> dg.ExecuteInProcessResult:
        """Run what the inbox requests, with the daemon's tags."""
        request = request or self.request()
        return self.job.execute_in_process(
            instance=self.instance,
            run_config=request.run_config,
            tags={**request.tags, "dagster/run_key": str(request.run_key)},
            raise_on_error=False,
        )

    def alert_of(self, result: dg.ExecuteInProcessResult) -> object:
        """What the failure sensor returns for a failed run; None when it sent an alert."""
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        failed = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        context = dg.build_run_status_sensor_context(
            sensor_name="failure_alert", dagster_instance=self.instance, dagster_run=run,
            dagster_event=failed[-1].dagster_event,  # type: ignore[arg-type]
            resources={"settings": self.settings},
        )  # fmt: skip
        return sensors.failure_alert(context.for_run_failure())

    def drop(self, name: str, body: bytes) -> Path:
        """Put a file into the inbox."""
        path = self.settings.inbox_dir / name
        path.write_bytes(body)
        return path

    def verdicts(self) -> dict[str, str]:
        """`done/name` or `refused/name` → its verdict."""
        box = self.settings.inbox_dir
        return {
            f"{path.relative_to(box).parts[0]}/{path.name.removesuffix('.verdict.txt')}":
            path.read_text()
            for path in box.rglob("*.verdict.txt")
        }  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr(inbox, "SETTLE_S", -1)
    settings = Settings(home=tmp_path / "home")
    settings.inbox_dir.mkdir(parents=True)
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        yield World(settings, instance)


@pytest.fixture
def hook(world: World) -> Iterator[Hook]:
    """A webhook receiver; alerts of the world are sent to it."""
    with web_server() as hook:
        world.settings = Settings(home=world.settings.home, alert_webhook=hook.url)
        yield hook


# The inbox


def test_an_empty_inbox_starts_nothing(world: World) -> None:
    assert "No files in" in str(world.tick())


def test_files_are_ingested_and_moved_with_their_verdicts(world: World) -> None:
    world.drop("2025-01-03.json", GOOD)
    world.drop("empty.txt", b"")
    world.drop("photo.jpg", b"\xff\xd8\xff\x00\x00")
    assert world.run().success
    assert "No files in" in str(world.tick())
    found = world.verdicts()
    assert set(found) == {"done/2025-01-03.json", "refused/empty.txt", "refused/photo.jpg"}
    assert "2 seen = 2 accepted + 0 quarantined" in found["done/2025-01-03.json"]
    assert "snapshot S1 includes it" in found["done/2025-01-03.json"]
    assert "day       2025-01-03" in found["done/2025-01-03.json"]
    assert "nothing to ingest" in found["refused/empty.txt"]
    assert "1 × binary" in found["refused/photo.jpg"]


def test_one_run_at_a_time(world: World) -> None:
    world.drop("a.json", GOOD)
    request = world.request()
    queued = world.instance.create_run_for_job(
        world.job, run_config=request.run_config, tags=request.tags,
        status=dg.DagsterRunStatus.NOT_STARTED,
    )  # fmt: skip
    world.drop("b.json", GOOD)
    assert f"Run {queued.run_id} is processing" in str(world.tick())


def test_the_same_files_request_the_same_run(world: World) -> None:
    world.drop("a.json", GOOD)
    assert world.request().run_key == world.request().run_key


@pytest.mark.parametrize(
    ("build", "message"),
    [("refused", "Nothing was published: 2 checks failed"), ("broken", "not ours")],
)
def test_a_failed_build_does_not_keep_files_in_the_inbox(
    world: World, monkeypatch: pytest.MonkeyPatch, build: str, message: str
) -> None:
    world.drop("a.json", GOOD)
    monkeypatch.setenv("BUILD", build)
    assert not world.run().success
    assert "No files in" in str(world.tick())
    assert f"published nothing ({message})" in world.verdicts()["done/a.json"]


def test_a_kill_between_ingesting_and_moving_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.json", "b.json"):
        world.drop(name, api(item("2501.00001", name)))
    world.run()
    move_aside = inbox.move_aside

    class Killed(BaseException): ...

    def kill(settings: Settings, path: Path, *rest: object) -> None:
        if path.name == "b.json":
            raise Killed
        move_aside(settings, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "move_aside", kill)
    with pytest.raises(Killed):
        world.tick()
    monkeypatch.setattr(inbox, "move_aside", move_aside)
    assert set(world.verdicts()) == {"done/a.json"}
    world.run()  # the other file is ingested again, which changes nothing
    world.tick()
    found = world.verdicts()
    assert set(found) == {"done/a.json", "done/b.json"}
    assert "outcome   known" in found["done/b.json"]


def test_a_file_that_cannot_be_moved_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.drop("a.json", GOOD)

    def read_only(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inbox, "move_aside", read_only)
    for _ in range(sensors.MAX_ATTEMPTS):
        world.run()
    assert "could not be ingested" in str(world.tick())


def test_a_file_that_changed_since_is_ingested_again(world: World) -> None:
    world.drop("a.json", GOOD[:40])
    world.run()
    world.drop("a.json", GOOD)
    world.run()
    world.tick()
    assert "2 seen = 2 accepted" in world.verdicts()["done/a.json"]


def test_runs_that_fail_before_ingesting_do_not_loop(world: World) -> None:
    world.drop("a.json", GOOD)
    world.drop("captures.csv", b"name\n1\n")
    keys = set()
    for _ in range(sensors.MAX_ATTEMPTS):
        request = world.request()
        keys.add(request.run_key)
        world.run(request)
    assert len(keys) == sensors.MAX_ATTEMPTS
    assert "could not be ingested" in str(world.tick())
    world.drop("captures.csv", b"file,listing_date\na.json,2025-01-06\n")
    world.run()
    world.tick()
    assert "2025-01-06: captures.csv" in world.verdicts()["done/a.json"]


def test_the_inbox_waits_for_another_build(world: World) -> None:
    world.drop("a.json", GOOD)
    world.instance.create_run_for_job(world.job, status=dg.DagsterRunStatus.STARTED)
    with writer_lock(world.settings):
        assert "Another build is running" in str(world.tick())
    assert isinstance(world.tick(), dg.RunRequest)  # without the lock that run does not build


def test_a_run_whose_process_was_killed_is_marked_and_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drop("a.json", GOOD)
    request = world.request()
    tags = {**WRITER, **request.tags}
    dead = world.instance.create_run_for_job(world.job, run_config=request.run_config, tags=tags)
    started = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.PIPELINE_START.value, job_name="main"
    )
    world.instance.report_dagster_event(started, dead.run_id)
    assert "is processing" in str(world.tick())
    late = time.time() + sensors.DEAD_AFTER_S + 60
    monkeypatch.setattr(time, "time", lambda: late)
    with writer_lock(world.settings):
        assert "is processing" in str(world.tick())
    assert world.request().run_key != request.run_key
    marked = world.instance.get_run_by_id(dead.run_id)
    assert marked is not None
    assert marked.status == dg.DagsterRunStatus.FAILURE


# Alerts


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [("refused", "publication_refused", "2 checks failed"), ("broken", "run_failed", "not ours")],
)
def test_a_failed_run_sends_an_alert(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch, build: str, kind: str, message: str
) -> None:
    world.drop("a.json", GOOD)
    monkeypatch.setenv("BUILD", build)
    assert world.alert_of(world.run()) is None
    (body,) = hook.bodies
    assert body["kind"] == kind
    assert message in body["body"]


def test_a_run_that_was_stopped_sends_none(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drop("a.json", GOOD)
    monkeypatch.setenv("BUILD", "stopped")
    assert isinstance(world.alert_of(world.run()), dg.SkipReason)
    assert not hook.bodies


def test_a_run_that_exceeds_its_runtime_sends_one(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.drop("a.json", GOOD)
    monkeypatch.setenv("BUILD", "stopped")
    result = world.run()
    ended = world.instance.get_run_by_id(result.run_id)
    assert ended is not None
    world.instance.report_run_canceling(ended, "Exceeded maximum runtime of 43200 seconds.")
    assert world.alert_of(result) is None
    assert len(hook.bodies) == 1


def test_a_run_of_the_command_line_sends_none(
    world: World, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD", "broken")
    result = world.job.execute_in_process(
        instance=world.instance, tags={BY_HAND: "yes"}, raise_on_error=False
    )
    assert isinstance(world.alert_of(result), dg.SkipReason)
    assert not hook.bodies


def test_a_stale_snapshot_sends_one_alert(world: World, hook: Hook) -> None:
    assert world.tick(sensors.watch) == "No problems."
    published = datetime.now(UTC) - timedelta(hours=50)
    folder = world.settings.snapshots_dir / "S0"
    folder.mkdir(parents=True)
    (folder / "papertide.duckdb").write_bytes(bytes(8) + b"DUCK")
    package = {"created": published.isoformat(), "resources": []}
    (folder / "datapackage.json").write_text(json.dumps(package))
    (world.settings.snapshots_dir / "CURRENT").write_text("S0")
    assert [world.tick(sensors.watch) for _ in range(2)] == ["The snapshot is stale."] * 2
    assert [body["kind"] for body in hook.bodies] == ["stale"]


def test_all_sensors_run_by_default() -> None:
    assert all(s.default_status == dg.DefaultSensorStatus.RUNNING for s in SENSORS)
