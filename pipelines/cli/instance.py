"""`dagster.yaml` and the Dagster instance of a home.

Belongs here: the default configuration, writing and migrating it, opening the instance. Does not:
running anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from filelock import FileLock

from pipelines.errors import PapertideError, SettingsError
from pipelines.runtime.exceptions import exception_chain
from pipelines.runtime.faults import fault_behind
from pipelines.runtime.files import write_atomic
from pipelines.runtime.text import one_line, shortened
from pipelines.settings import Settings, variable

if TYPE_CHECKING:
    import dagster as dg

MAX_DETAIL_CHARS = 300
SQLITE = """\
# Runs and events are kept in SQLite next to this file. With PAPERTIDE_POSTGRES_URL: in Postgres.
"""
POSTGRES = """\
# Runs and events are kept in Postgres. The address, with its password, stays in the environment.
storage:
  postgres:
    postgres_url:
      env: PAPERTIDE_POSTGRES_URL
"""
COMPUTE_LOGS = """\
# Output of runs is not captured: progress stays on the terminal, and Ctrl-C reaches only the run.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
DEFAULT = """\
# Written once by Papertide; edit as you like. `papertide up` reports when the default has changed.
{storage}
{compute_logs}
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  managed_python_loggers: [papertide]
  python_log_level: INFO

# One run at a time writes to the home; one run at a time uses a source.
concurrency:
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - key: papertide/writer
        limit: 1
  pools:
    default_limit: 1
    granularity: run

# A run that does not start, stop or end in time is marked as failed.
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 180
  max_runtime_seconds: 43200
  poll_interval_seconds: 60

# Days to keep evaluations of sensors and schedules. Runs and their events are never deleted.
retention:
  schedule:
    purge_after_days: {{skipped: 7, success: 90, failure: 90}}
  sensor:
    purge_after_days: {{skipped: 2, success: 90, failure: 90}}
"""
# SHA-256 of the defaults of 0.1.0, for SQLite and Postgres: a file that is one was never edited.
FORMER_DEFAULTS = frozenset({
    "72460adcc135be77555ae3569e05eddb26583a341d06413e9ae77deaaacf4fca",
    "204389f5a81f5ddb97872f1893d1e0b489be0b69b3d230821fa0801cd688ac08",
})  # fmt: skip
# The event log class of 0.1.0; Dagster's own reads what it wrote.
FORMER_EVENT_LOG = "pipelines.defs.event_log"
_EVENT_LOG_BLOCK = re.compile(r"^event_log_storage:.*\n(?:[ \t]+.*\n?)*", re.MULTILINE)


def default(settings: Settings) -> str:
    """The current default of `dagster.yaml` for these settings. It holds no secret."""
    storage = POSTGRES if settings.postgres_url else SQLITE
    return DEFAULT.format(storage=storage, compute_logs=COMPUTE_LOGS)


def path(settings: Settings) -> Path:
    """Path of the file."""
    return settings.dagster_home / "dagster.yaml"


def write(settings: Settings) -> None:
    """Write the file where it is missing, and update it where it was never edited.

    In an edited file only the event log class of 0.1.0 is replaced. Raises SettingsError when
    Postgres is configured and its packages are missing.
    """
    if settings.postgres_url and find_spec("dagster_postgres") is None:
        raise SettingsError(
            f"{variable('postgres_url')} is set, but the packages for Postgres are not installed: "
            "pip install --require-hashes -r docs/deploy/requirements-postgres.txt"
        )
    stored = _stored(settings)
    if stored is None or _is_unedited(stored):
        wanted = default(settings)
    else:
        wanted = _without_former_event_log(stored)
    if wanted != stored:
        write_atomic(path(settings), wanted)


def _is_unedited(text: str) -> bool:
    defaults = {
        DEFAULT.format(storage=storage, compute_logs=COMPUTE_LOGS) for storage in (SQLITE, POSTGRES)
    }
    return text in defaults or hashlib.sha256(text.encode()).hexdigest() in FORMER_DEFAULTS


def _without_former_event_log(text: str) -> str:
    """The text without the event log class of 0.1.0, which no longer exists."""
    if FORMER_EVENT_LOG not in text:
        return text
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError:
        return text  # reported when the instance is opened
    storage = config.get("event_log_storage") if isinstance(config, dict) else None
    if not isinstance(storage, dict) or storage.get("module") != FORMER_EVENT_LOG:
        return text
    replacement = "" if "compute_logs" in config else COMPUTE_LOGS
    return _EVENT_LOG_BLOCK.sub(lambda _: replacement, text, count=1)


@contextmanager
def opened(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of the home, for a run in this process.

    `DAGSTER_HOME` must be set (`runs.prepare`). Raises SettingsError when Dagster can't use
    `dagster.yaml`, and PapertideError when Postgres does not answer.
    """
    import dagster as dg

    _require_mapping(settings)
    try:
        instance = dg.DagsterInstance.get()
    except Exception as error:
        if known := _known_error(settings, error):
            raise known from None
        raise
    with instance:
        yield instance


def _require_mapping(settings: Settings) -> None:
    """Raise SettingsError when `dagster.yaml` is not a YAML mapping."""
    try:
        config: Any = yaml.safe_load(_stored(settings) or "")
    except yaml.YAMLError as error:
        raise _unusable(settings, str(error)) from None
    if config is not None and not isinstance(config, dict):
        raise _unusable(settings, "it is not a mapping of names to values")


def _known_error(settings: Settings, error: Exception) -> PapertideError | None:
    """The message for the user when the instance can't be opened; None for a bug."""
    import dagster as dg

    if fault := fault_behind(error, settings.home):
        return fault
    *_, root = exception_chain(error)
    modules = {type(link).__module__.partition(".")[0] for link in exception_chain(error)}
    if modules & {"psycopg2", "dagster_postgres"}:
        lines = [line for line in str(root).splitlines() if line.strip()]
        return PapertideError(
            f"Postgres can't be used: {_short(lines[0] if lines else type(root).__name__)}. Check "
            f"that it is running and accepts the address in {variable('postgres_url')} or "
            f"{path(settings)}."
        )
    if isinstance(error, dg.DagsterInvalidConfigError):
        # Dagster repeats the whole configuration first and numbers its errors.
        return _unusable(settings, str(error).partition("Error 1: ")[2] or str(error))
    return None


def _unusable(settings: Settings, detail: str) -> SettingsError:
    return SettingsError(
        f"{path(settings)} can't be used: {_short(detail)}. Fix it, or delete it to restore "
        "the default."
    )


def _short(text: str) -> str:
    return shortened(one_line(text), MAX_DETAIL_CHARS).rstrip(".")


def create_storage(settings: Settings) -> None:
    """Create the run and event tables before several processes try to at the same time."""
    with FileLock(settings.dagster_home / ".storage.lock"), opened(settings):
        pass


def difference(settings: Settings) -> str:
    """A sentence when the home's file is not the current default; else empty."""
    stored = _stored(settings)
    if stored is None or stored == default(settings):
        return ""
    name = variable("postgres_url")
    without_comments = re.sub(r"#.*", "", stored)
    if settings.postgres_url and not re.search(rf"env['\"]?:\s*['\"]?{name}\b", without_comments):
        return (
            f"{path(settings)} was edited and does not name {name}, so runs are stored where the "
            "file says. docs/deploy/dagster.postgres.yaml shows what to add."
        )
    return (
        f"{path(settings)} differs from the current default and was not changed. To use the "
        "default, delete the file and start again."
    )


def _stored(settings: Settings) -> str | None:
    try:
        return path(settings).read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _unusable(settings, "it is not UTF-8") from None
