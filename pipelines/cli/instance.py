"""`dagster.yaml`: what Dagster is told of its storage, its queue and its housekeeping.

Belongs here: the default text, writing it once, and whether a home's own differs. Does not:
running anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from pipelines.errors import PapertideError, SettingsError
from pipelines.runtime.exceptions import exception_chain
from pipelines.runtime.faults import fault_behind
from pipelines.runtime.files import write_atomic
from pipelines.runtime.text import one_line, shortened
from pipelines.settings import Settings, variable

if TYPE_CHECKING:
    import dagster as dg

# Dagster would turn stdout and stderr aside into files, and have other processes copy them back: no
# line of progress could move, and Ctrl-C would reach those processes too.
_OF_THE_COMMAND_LINE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
_MAX_SAID = 300  # letters of Dagster's own words
SQLITE = """\
# Runs and events are kept in SQLite beside this file; with PAPERTIDE_POSTGRES_URL in Postgres.
event_log_storage:
  module: pipelines.defs.event_log
  class: EventLog
"""
POSTGRES = """\
# Runs and events are kept in Postgres. The address, with its password, stays in the environment.
storage:
  postgres:
    postgres_url:
      env: PAPERTIDE_POSTGRES_URL
"""
DEFAULT = """\
# Written by Papertide once; yours to change. `papertide up` says when the default has moved on.
{storage}
telemetry:
  enabled: false
nux:
  enabled: false
python_logs:
  managed_python_loggers: [papertide]
  python_log_level: INFO

# One run at a time may write to the home; sources are asked by one run at a time.
concurrency:
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - key: papertide/writer
        limit: 1
  pools:
    default_limit: 1
    granularity: run

# A run that does not start, stop or end in time has died.
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 180
  max_runtime_seconds: 43200
  poll_interval_seconds: 60

# Days that evaluations of sensors and schedules are kept. Runs and their events are kept for good.
retention:
  schedule:
    purge_after_days: {{skipped: 7, success: 90, failure: 90}}
  sensor:
    purge_after_days: {{skipped: 2, success: 90, failure: 90}}
"""


def default(settings: Settings) -> str:
    """Today's `dagster.yaml` for these settings. It holds no secret."""
    return DEFAULT.format(storage=POSTGRES if settings.postgres_url else SQLITE)


def path(settings: Settings) -> Path:
    """Where it stands."""
    return settings.dagster_home / "dagster.yaml"


def write(settings: Settings) -> None:
    """Write it where there is none, or where nobody changed it and another storage is wanted.

    Raises SettingsError when Postgres is wanted and can't be spoken to.
    """
    if settings.postgres_url and find_spec("dagster_postgres") is None:
        raise SettingsError(
            f"{variable('postgres_url')} is set, and the packages for Postgres are not installed: "
            "pip install --require-hashes -r docs/deploy/requirements-postgres.txt"
        )
    ours = {DEFAULT.format(storage=storage) for storage in (SQLITE, POSTGRES)}
    if (known := _stored(settings)) is None or (known in ours and known != default(settings)):
        write_atomic(path(settings), default(settings))


@contextmanager
def opened(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's records of runs and events, for a run in this process.

    Raises SettingsError when `dagster.yaml` is not one that Dagster takes, and PapertideError when
    Postgres does not answer.
    """
    import dagster as dg
    from dagster._core.instance.ref import InstanceRef

    try:
        instance = dg.DagsterInstance.from_ref(
            InstanceRef.from_dir(str(settings.dagster_home), overrides=_OF_THE_COMMAND_LINE)
        )
    except Exception as error:
        if told := _in_words(settings, error):
            raise told from None
        raise
    with instance:
        yield instance


def _in_words(settings: Settings, error: Exception) -> PapertideError | None:
    """Why Dagster's records can't be opened, for a person; None for what is a defect."""
    import dagster as dg
    from dagster_shared.check import CheckError
    from yaml import YAMLError

    if fault := fault_behind(error, settings.home):
        return fault
    *_, root = exception_chain(error)
    said = next((line for line in str(root).splitlines() if line.strip()), type(root).__name__)
    rooms = {type(link).__module__.partition(".")[0] for link in exception_chain(error)}
    if rooms & {"psycopg2", "dagster_postgres"}:
        return PapertideError(
            f"Postgres can't be used: {_short(said)}. See that it runs and takes what "
            f"{variable('postgres_url')} or {path(settings)} says."
        )
    if isinstance(error, dg.DagsterInvalidConfigError | CheckError | YAMLError):
        # Its own account begins with what it was given, its errors are numbered.
        said = str(error).partition("Error 1: ")[2] or str(error)
        return SettingsError(
            f"{path(settings)} can't be used: {_short(said)}. Mend it, or remove it to get the "
            "default."
        )
    return None


def _short(text: str) -> str:
    return shortened(one_line(text), _MAX_SAID).rstrip(".")


def create_storage(settings: Settings) -> None:
    """Make the tables of runs and events before several processes try to at once."""
    with FileLock(settings.dagster_home / ".storage.lock"), opened(settings):
        pass


def difference(settings: Settings) -> str:
    """A sentence when the home's file is not today's default, which it may well be; else empty."""
    known = _stored(settings)
    if known is None or known == default(settings):
        return ""
    name = variable("postgres_url")
    in_force = re.sub(r"#.*", "", known)
    if settings.postgres_url and not re.search(rf"env['\"]?:\s*['\"]?{name}\b", in_force):
        return (
            f"{path(settings)} is your own and does not name {name}: runs are kept where it says. "
            "docs/deploy/dagster.postgres.yaml shows what to add."
        )
    return (
        f"{path(settings)} differs from today's default and is left as it is. To take the default, "
        "remove it and start again."
    )


def _stored(settings: Settings) -> str | None:
    try:
        return path(settings).read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SettingsError(
            f"{path(settings)} can't be used: it is not UTF-8. Mend it, or remove it to get the "
            "default."
        ) from None
