"""Running a Dagster job in this process, so that the run of every command is recorded.

Belongs here: Dagster's home, interruption, and the error that the user sees. Does not: what a run
does (`defs/`) or its progress on the terminal (`progress`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.cli import instance, progress
from pipelines.delivery import alerts
from pipelines.errors import BusyError, CheckFailed, PapertideError, UsageError
from pipelines.publishing import build_status
from pipelines.runtime import faults, home
from pipelines.runtime.exceptions import papertide_error_behind
from pipelines.settings import Settings
from pipelines.topics import in_force

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult, JobDefinition

PUBLISHING_JOBS = ("build", "main", "refresh")


def prepare(settings: Settings) -> None:
    """Migrate the home to the current format and point this process and its children at it.

    Writes `dagster.yaml` where it is missing. Raises PapertideError when a newer version wrote the
    home.
    """
    home.open_home(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    instance.write(settings)
    if settings.postgres_url:  # Dagster's processes read it from the environment
        os.environ["PAPERTIDE_POSTGRES_URL"] = settings.postgres_url.get_secret_value()
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["PAPERTIDE_HOME"] = str(settings.home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def run_job(settings: Settings, name: str, **assets: Mapping[str, Any]) -> ExecuteInProcessResult:
    """Run a job of the code location in this process.

    Each keyword configures the asset of that name (`captures`: paths and overrides). Raises the
    PapertideError that ended the run, and KeyboardInterrupt when it was interrupted.
    """
    _require_writable(settings)
    if name in PUBLISHING_JOBS:
        in_force.in_force(settings)  # an error in the user's topics ends the command at once
    with faults.reporting_faults(settings.home):
        prepare(settings)
    snapshot_id = build_status.pointed_to(settings.snapshots_dir)
    with (
        faults.reporting_faults(settings.home),
        _interrupted_by_sigterm(),
        progress.shown(),
        _quiet(settings),
    ):
        try:
            result = _execute(settings, name, assets)
        except Exception as error:
            if faults.was_interrupted(error):
                raise KeyboardInterrupt from None
            known = papertide_error_behind(error) or faults.fault_behind(error, settings.home)
            is_unchanged = build_status.pointed_to(settings.snapshots_dir) == snapshot_id
            if name in PUBLISHING_JOBS and is_unchanged:
                build_status.note_failed_build(settings, known or error)
            _alert(settings, name, known or error)
            if known:
                raise known from None
            raise
        alerts.notify_recovered(settings)
        return result


def _execute(
    settings: Settings, name: str, assets: Mapping[str, Mapping[str, Any]]
) -> ExecuteInProcessResult:
    import dagster as dg

    from pipelines.defs.fetching import BY_HAND

    config = {
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        "ops": {asset: {"config": dict(given)} for asset, given in assets.items()},
    }
    with instance.opened(settings) as opened:
        try:
            return _job(settings, name).execute_in_process(
                instance=opened, run_config=config, tags={BY_HAND: "yes"}
            )
        except dg.DagsterExecutionInterruptedError:
            raise KeyboardInterrupt from None


def _job(settings: Settings, name: str) -> JobDefinition:
    """The job. For `ingest` only what it needs is loaded, to avoid parsing the dbt project."""
    from pipelines import definitions

    load = definitions.load_ingest if name == "ingest" else definitions.load
    return load(settings).resolve_job_def(name)


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does: its end is recorded and its locks are released."""

    def interrupt(*_: object) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start background jobs
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _alert(settings: Settings, job: str, error: Exception) -> None:
    """Send an alert for a failed run, unless the home was busy or the usage was wrong."""
    known = papertide_error_behind(error)
    if not isinstance(known, BusyError | UsageError):
        refused = isinstance(known, CheckFailed)
        alerts.notify_failure(settings, job, str(known or error), "by hand", refused=refused)


def _require_writable(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PapertideError(
            f"Can't write to the home {settings.home}: {error.strerror}. Set PAPERTIDE_HOME to a "
            "writable folder."
        ) from None
    faults.require_free_space(settings.home)


@contextlib.contextmanager
def _quiet(settings: Settings) -> Iterator[None]:
    """Send stdout and Dagster's log of the block to a file: the command's stdout is for data."""
    folder = settings.dbt_target_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    dagster = logging.getLogger("dagster")
    with (
        (folder / "last-run.log").open("w", encoding="utf-8") as log_file,
        contextlib.redirect_stdout(log_file),
        warnings.catch_warnings(),
    ):
        handler = logging.StreamHandler(log_file)
        dagster.addHandler(handler)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        try:
            yield
        finally:
            dagster.removeHandler(handler)
