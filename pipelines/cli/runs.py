"""Running Dagster jobs in this process, so that every command's run is recorded.

Belongs here: Dagster's home, quiet logs, errors for people. Does not: what a run does.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from pipelines.cli import instance
from pipelines.delivery import alerts
from pipelines.errors import (
    BusyError,
    CheckFailed,
    PapertideError,
    UsageError,
)
from pipelines.publishing import build_status
from pipelines.runtime import faults, home
from pipelines.runtime.exceptions import papertide_error_behind
from pipelines.settings import Settings, get_settings
from pipelines.topics import in_force

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

BUILDS = ("build", "main", "refresh")  # jobs that mean to publish
PROGRESS_EVERY = 25  # where no bar can move, every so many steps are told


def prepare(settings: Settings) -> None:
    """Bring the home to today's format, make Dagster's, and point this process at both.

    Children inherit that. Raises PapertideError when a newer version wrote the home.
    """
    home.open_home(settings)
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    instance.write(settings)
    if settings.postgres_url:  # Dagster's processes read it from there
        os.environ["PAPERTIDE_POSTGRES_URL"] = settings.postgres_url.get_secret_value()
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["PAPERTIDE_HOME"] = str(settings.home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def run_job(name: str, **assets: Mapping[str, Any]) -> ExecuteInProcessResult:
    """Run a job of the code location here; raises the PapertideError that stopped it.

    Each keyword configures the asset of that name (`captures`: paths and overrides).
    """
    settings = get_settings()
    _require_writable(settings)
    if name in BUILDS:
        in_force.in_force(settings)  # a mistake in the user's own is told before anything is done
    with faults.reporting_faults(settings.home):
        prepare(settings)
    with (
        faults.reporting_faults(settings.home),
        _stopped_by_sigterm(),
        _narrated(),
        _quiet(settings),
    ):
        import dagster as dg

        from pipelines.definitions import defs
        from pipelines.defs.sensors import BY_HAND

        config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        config["ops"] = {asset: {"config": dict(given)} for asset, given in assets.items()}
        before = build_status.pointed_to(settings.snapshots_dir)
        with instance.opened(settings) as storage:
            try:
                result = defs.resolve_job_def(name).execute_in_process(
                    instance=storage, run_config=config, tags={BY_HAND: "yes"}
                )
            except dg.DagsterExecutionInterruptedError:
                raise KeyboardInterrupt from None
            except Exception as error:
                if faults.was_interrupted(error):
                    raise KeyboardInterrupt from None
                told = _mistake(error, settings)
                if name in BUILDS and build_status.pointed_to(settings.snapshots_dir) == before:
                    build_status.note_failed_build(settings, told or error)
                _tell(settings, name, told or error)
                if told:
                    raise told from None
                raise
        alerts.notify_recovered(settings)
        return result


def _mistake(error: Exception, settings: Settings) -> PapertideError | None:
    """The error for people: a mistake of ours, or a fault of the machine."""
    return papertide_error_behind(error) or faults.fault_behind(error, settings.home)


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM stops a run as Ctrl-C does, so that its end is recorded and what it holds let go."""

    def interrupt(*_: object) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as shells start background jobs
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(settings: Settings, job: str, error: Exception) -> None:
    """Alert people of a run that failed here; that another one was at work is no trouble."""
    mistake = papertide_error_behind(error)
    if not isinstance(mistake, BusyError | UsageError):
        refused = isinstance(mistake, CheckFailed)
        alerts.notify_failure(settings, job, str(mistake or error), "by hand", refused=refused)


def _require_writable(settings: Settings) -> None:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PapertideError(
            f"The home {settings.home} can't be written: {error.strerror}. Point PAPERTIDE_HOME at "
            "a folder that can."
        ) from None
    faults.require_free_space(settings.home)


class _Narrator(logging.Handler):
    """What the assets say of their work, on stderr; on a terminal as a line that moves on.

    A record may carry `progress`, a pair (done, of how many).
    """

    def __init__(self, console: Console, bar: Progress | None) -> None:
        super().__init__()
        self._console, self._bar = console, bar
        self._task = bar.add_task("starting", total=None) if bar else None

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        done, total = getattr(record, "progress", (None, None))
        if record.levelno >= logging.WARNING:
            self._console.print(text, markup=False, soft_wrap=True)
        elif self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, completed=done or 0, total=total)
        elif done is None or total is None or done == total or done % PROGRESS_EVERY == 0:
            of = f" ({done} of {total})" if total else ""
            self._console.print(f"… {text}{of}", markup=False, soft_wrap=True)


@contextlib.contextmanager
def _narrated() -> Iterator[None]:
    console = Console(stderr=True, highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
    logger = logging.getLogger("papertide")
    with bar or contextlib.nullcontext():
        handler = _Narrator(console, bar)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)


@contextlib.contextmanager
def _quiet(settings: Settings) -> Iterator[None]:
    """Tools' own chatter goes to a file: stdout is for data."""
    folder = settings.dbt_target_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    dagster = logging.getLogger("dagster")
    with (
        Path(folder / "last-run.log").open("w", encoding="utf-8") as chatter,
        contextlib.redirect_stdout(chatter),
        warnings.catch_warnings(),
    ):
        handler = logging.StreamHandler(chatter)
        dagster.addHandler(handler)
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        try:
            yield
        finally:
            dagster.removeHandler(handler)
