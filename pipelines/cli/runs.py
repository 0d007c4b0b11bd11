"""Running Dagster jobs in this process, so that every command's run is recorded.

Belongs here: Dagster's home, quiet logs, errors for people. Does not: what a run does.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from pipelines.errors import PapertideError
from pipelines.settings import Settings, get_settings

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

DAGSTER_YAML = """\
# Written once; yours to change. SQLite beside this file keeps runs and events.
telemetry:
  enabled: false
python_logs:
  managed_python_loggers: [papertide]
  python_log_level: INFO
"""


def prepare(settings: Settings) -> None:
    """Make Dagster's home and point this process and its children at it."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    config = settings.dagster_home / "dagster.yaml"
    if not config.exists():
        config.write_text(DAGSTER_YAML)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["PAPERTIDE_HOME"] = str(settings.home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def run_job(name: str, captures: Mapping[str, Any] | None = None) -> ExecuteInProcessResult:
    """Run a job of the code location here; raises the PapertideError that stopped it.

    `captures` configures the asset of that name (paths and overrides).
    """
    settings = get_settings()
    _require_writable(settings)
    prepare(settings)
    with _narrated(), _quiet(settings):
        import dagster as dg

        from pipelines.definitions import defs

        config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        if captures is not None:
            config["ops"] = {"captures": {"config": dict(captures)}}
        with dg.DagsterInstance.get() as instance:
            try:
                return defs.resolve_job_def(name).execute_in_process(
                    instance=instance, run_config=config
                )
            except dg.DagsterExecutionInterruptedError:
                raise KeyboardInterrupt from None
            except Exception as error:
                if mistake := _papertide_error(error):
                    raise mistake from None
                raise


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


def _papertide_error(error: BaseException | None) -> PapertideError | None:
    """The mistake at the root of an exception, if it is one of ours."""
    seen: set[int] = set()  # chains of causes may bite their own tail
    while error is not None and id(error) not in seen:
        if isinstance(error, PapertideError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


@contextlib.contextmanager
def _narrated() -> Iterator[None]:
    """What the assets say of their work, on stderr; on a terminal with a spinner."""
    console = Console(stderr=True, highlight=False)
    logger = logging.getLogger("papertide")
    with console.status("starting") if console.is_terminal else contextlib.nullcontext() as status:

        class Narrator(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                text = record.getMessage()
                if record.levelno >= logging.WARNING:
                    console.print(text, markup=False, soft_wrap=True)
                elif status is not None:
                    status.update(text)
                else:
                    console.print(f"… {text}", markup=False, soft_wrap=True)

        handler = Narrator()
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
    with (
        Path(folder / "last-run.log").open("w", encoding="utf-8") as chatter,
        contextlib.redirect_stdout(chatter),
        warnings.catch_warnings(),
    ):
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        yield
