"""Running `dbt build` in this process, through dbt's programmatic interface `dbtRunner`.

Belongs here: arguments, environment, log, result events and interruption of a build. Does not:
explaining a failed build (`dbt_failure`), or Dagster events (`defs/`).

A subprocess would load Python, dbt and the project again, which takes longer than building the
tables.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from pipelines.errors import PapertideError
from pipelines.runtime.faults import fault_behind
from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.warehouse.dbt_failure import build_failure
from pipelines.warehouse.dbt_project import environment

if TYPE_CHECKING:  # importing dbt takes more than a second
    from dbt_common.events.base_types import EventMsg

_RESULT_EVENTS = frozenset({"LogModelResult", "LogSeedResult", "LogTestResult"})
# dbt's own loggers format every statement before they discard it, which takes longer than running
# it. They are turned off; this module writes the log.
_ARGUMENTS = (
    "--log-level", "none", "--log-level-file", "none", "--no-use-colors",
    "build", "--exclude-resource-type", "unit_test", "--project-dir", str(DBT_PROJECT_DIR),
)  # fmt: skip


def build(settings: Settings, target: Path) -> tuple[list[dict[str, Any]], PapertideError | None]:
    """Build and test the candidate. Returns dbt's result events in order, and the failure, if any.

    Raises KeyboardInterrupt or Dagster's interruption if the build was stopped.
    """
    from dbt.cli.main import dbtRunner
    from google.protobuf.json_format import MessageToDict

    results: list[dict[str, Any]] = []
    variables = {**environment(settings), "DBT_TARGET_PATH": str(target)}
    (target / "run_results.json").unlink(missing_ok=True)  # of the last build
    log_path = Path(variables["DBT_LOG_PATH"]) / "dbt.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)

    with (
        log_path.open("w", encoding="utf-8") as log,
        _environment_set(variables),
        _stop_signals_recorded() as stop_signals,
    ):

        def on_event(event: EventMsg) -> None:
            if event.info.level == "debug" or log.closed:
                return
            fields: dict[str, Any] = MessageToDict(
                event,
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {fields['info'].get('msg', '')}\n")
            if event.info.name in _RESULT_EVENTS:
                results.append(fields)

        outcome = dbtRunner(callbacks=[on_event]).invoke(list(_ARGUMENTS))
    if stop_signals:
        raise KeyboardInterrupt
    error = outcome.exception
    if error is not None and not isinstance(error, Exception):
        raise error
    if outcome.success:
        return results, None
    if error is not None and (fault := fault_behind(error, settings.home)):
        return results, fault
    return results, build_failure(target, settings)


@contextmanager
def _environment_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _stop_signals_recorded() -> Iterator[list[int]]:
    """Yields a list that collects SIGINT and SIGTERM within the block, besides handling them.

    dbt sometimes swallows the resulting exception, or ends without reporting it.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    replaced = [number for number, handler in handlers.items() if callable(handler)]

    def record(number: int, frame: FrameType | None) -> None:
        received.append(number)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in replaced:
        signal.signal(number, record)
    try:
        yield received
    finally:
        for number in replaced:
            signal.signal(number, handlers[number])
