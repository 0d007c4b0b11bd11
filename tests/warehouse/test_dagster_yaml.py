"""`dagster.yaml`: written once, then the user's, and read by Dagster as intended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType

from pipelines.cli import instance
from pipelines.errors import PapertideError, SettingsError
from pipelines.settings import PROJECT_ROOT, Settings

pytestmark = pytest.mark.warehouse

URL = "postgresql://papertide:pa55@127.0.0.1:5432/papertide"
DEPLOY = PROJECT_ROOT / "docs" / "deploy"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    settings.dagster_home.mkdir()
    return settings


def with_postgres(settings: Settings, url: str = URL) -> Settings:
    return Settings(home=settings.home, postgres_url=url)


def stored(settings: Settings) -> str:
    return instance.path(settings).read_text()


def test_dagster_understands_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    instance.write(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    with dg.DagsterInstance.get() as found:
        assert type(found.event_log_storage).__name__ == "SqliteEventLogStorage"
        assert type(found.compute_log_manager).__name__ == "NoOpComputeLogManager"
        queue = found.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.tag_concurrency_limits == [{"key": "papertide/writer", "limit": 1}]
        assert found.get_concurrency_config().pool_config.default_pool_limit == 1
        assert found.run_monitoring_enabled
        assert found.run_monitoring_max_runtime_seconds == 12 * 3600
        assert not found.telemetry_enabled
        kept = found.get_tick_retention_settings(InstigatorType.SENSOR)
        assert {status.value: days for status, days in kept.items()} == {
            "STARTED": -1, "SKIPPED": 2, "SUCCESS": 90, "FAILURE": 90,
        }  # fmt: skip


def test_it_is_written_once_and_then_the_users(settings: Settings) -> None:
    instance.write(settings)
    assert instance.difference(settings) == ""
    instance.path(settings).write_text("telemetry: {enabled: false}\n")
    instance.write(settings)
    assert stored(settings) == "telemetry: {enabled: false}\n"
    assert "differs from the current default" in instance.difference(settings)


FORMER = (PROJECT_ROOT / "tests" / "fixtures" / "dagster_0.1.0.yaml").read_text()


def test_an_unedited_file_of_0_1_0_becomes_the_current_default(settings: Settings) -> None:
    instance.path(settings).write_text(FORMER)
    instance.write(settings)
    assert stored(settings) == instance.default(settings)


@pytest.mark.parametrize(
    "former",
    [
        FORMER.replace("max_concurrent_runs: 4", "max_concurrent_runs: 2"),
        "event_log_storage: {module: pipelines.defs.event_log, class: EventLog}\nnux: {enabled: false}\n",
    ],
    ids=["edited", "rewritten"],
)
def test_an_edited_file_of_0_1_0_loses_only_its_event_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, former: str
) -> None:
    """The class that it names is gone, and its tables are Dagster's own."""
    instance.path(settings).write_text(former)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    instance.write(settings)
    found, before = yaml.safe_load(stored(settings)), yaml.safe_load(former)
    assert found.pop("compute_logs")["class"] == "NoOpComputeLogManager"
    del before["event_log_storage"]
    assert found == before
    with instance.opened(settings) as opened:
        assert type(opened.event_log_storage).__module__.startswith("dagster.")


def test_other_storage_of_the_user_is_kept(settings: Settings) -> None:
    own = "event_log_storage: {module: my.event_log, class: EventLog}\n# pipelines.defs.event_log\n"
    instance.path(settings).write_text(own)
    instance.write(settings)
    assert stored(settings) == own


def test_postgres_is_taken_where_nobody_changed_the_file(settings: Settings) -> None:
    instance.write(settings)
    wanted = with_postgres(settings)
    instance.write(wanted)
    assert yaml.safe_load(stored(settings))["storage"] == {
        "postgres": {"postgres_url": {"env": "PAPERTIDE_POSTGRES_URL"}}
    }
    assert "pa55" not in stored(settings)
    assert instance.difference(wanted) == ""
    instance.write(settings)
    assert "storage" not in yaml.safe_load(stored(settings))


def test_a_file_of_the_users_is_not_given_postgres(settings: Settings) -> None:
    instance.path(settings).write_text("telemetry: {enabled: false}\n")
    wanted = with_postgres(settings)
    instance.write(wanted)
    assert "does not name PAPERTIDE_POSTGRES_URL" in instance.difference(wanted)


def test_postgres_needs_its_packages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"requirements-postgres\.txt") as wrong:
        instance.write(with_postgres(settings))
    assert "pa55" not in str(wrong.value)


def test_the_example_is_what_is_written() -> None:
    shown = yaml.safe_load((DEPLOY / "dagster.postgres.yaml").read_text())
    assert shown == yaml.safe_load(instance.POSTGRES)


# A real server


def binary(name: str) -> str:
    """A Postgres program, also where the distribution keeps it off the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(versions[-1]) if versions else "")
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a Postgres on loopback with data of its own; it refuses to run as root."""
    initdb, pg_ctl = binary("initdb"), binary("pg_ctl")
    # Not below pytest's own folder, which another user may not enter.
    with tempfile.TemporaryDirectory(prefix="papertide-postgres-") as folder:
        yield from _serve(initdb, pg_ctl, Path(folder))


def _serve(initdb: str, pg_ctl: str, folder: Path) -> Iterator[str]:
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = [binary("runuser"), "-u", "nobody", "--"]
        shutil.chown(folder, "nobody")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = folder / "data"

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            [*as_user, *command], capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(initdb, "-D", data, "-U", "papertide", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run(pg_ctl, "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
    try:
        yield f"postgresql://papertide:pa55@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")


@dg.job
def nothing() -> None:
    """A run to be recorded."""


def test_runs_are_kept_in_postgres(
    settings: Settings, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_postgres")
    wanted = with_postgres(settings, server)
    assert wanted.postgres_url
    monkeypatch.setenv("PAPERTIDE_POSTGRES_URL", wanted.postgres_url.get_secret_value())
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    instance.write(wanted)
    instance.create_storage(wanted)
    for _ in range(2):
        with dg.DagsterInstance.get() as found:
            assert type(found.run_storage).__module__.startswith("dagster_postgres")
            nothing.execute_in_process(instance=found, tags={"papertide/inbox": "x" * 16})
    with dg.DagsterInstance.get() as found:
        assert found.get_runs_count(dg.RunsFilter(tags={"papertide/inbox": "x" * 16})) == 2
    assert not list(settings.dagster_home.rglob("*.db"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "not a mapping"),
        ("a: [\n", "while parsing"),
        ("foo: 1\n", 'unexpected config entry "foo"'),
        (
            instance.DEFAULT.format(storage=instance.POSTGRES, compute_logs=""),
            "PAPERTIDE_POSTGRES_URL",
        ),
    ],
    ids=["a list", "no YAML", "an unknown key", "a variable that is not set"],
)
def test_a_file_that_dagster_rejects_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    settings = Settings(home=tmp_path)
    settings.dagster_home.mkdir()
    instance.path(settings).write_text(text)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    monkeypatch.delenv("PAPERTIDE_POSTGRES_URL", raising=False)
    unusable = pytest.raises(SettingsError, match=r"dagster\.yaml can't be used")
    with unusable as wrong, instance.opened(settings):
        pass
    assert said in str(wrong.value)
    assert "object at 0x" not in str(wrong.value)


def test_a_file_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.dagster_home.mkdir()
    instance.path(settings).write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        instance.write(settings)


def test_unreachable_postgres_is_reported_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_postgres")
    url = "postgresql://papertide:s3cret@127.0.0.1:1/papertide"
    settings = Settings(home=tmp_path, postgres_url=url)
    settings.dagster_home.mkdir()
    instance.write(settings)
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    monkeypatch.setenv("PAPERTIDE_POSTGRES_URL", settings.postgres_url.get_secret_value())  # type: ignore[union-attr]
    monkeypatch.setattr("dagster_postgres.utils.time.sleep", lambda _: None)
    refused = pytest.raises(PapertideError, match=r"Postgres can't be used: .*refused")
    with refused as wrong, instance.opened(settings):
        pass
    assert "s3cret" not in str(wrong.value)
