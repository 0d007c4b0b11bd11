"""Where the dbt project is and how it is run: environment, target folder, manifest, the build.

Belongs here: dbt's own interface. Does not: models, or Dagster assets.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb

from pipelines.errors import CheckFailed, PapertideError
from pipelines.runtime.faults import fault_behind, fault_in_message
from pipelines.runtime.text import shortened
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings
from pipelines.warehouse.connections import connect

_SOURCE_SUFFIXES = (".sql", ".py", ".yml", ".csv")
_CALLED = tuple(PROJECT_ROOT / "pipelines" / room for room in ("topics", "trends"))
_SHOWN_ROWS, _SHOWN_COLUMNS, _SHOWN_CHARS = 5, 4, 60
_RESULTS = frozenset({"LogModelResult", "LogSeedResult", "LogTestResult"})


def environment(settings: Settings) -> dict[str, str]:
    """Variables that `profiles.yml` and models read, and dbt's own folders, all absolute."""
    return {
        "PAPERTIDE_WAREHOUSE": str(settings.candidate_path),
        "PAPERTIDE_TOPIC_FITS": str(settings.topic_fits_dir),
        "PAPERTIDE_FITS_EMBEDDER": settings.topic_embedder or "",
        "PAPERTIDE_THREADS": str(settings.threads),
        "PAPERTIDE_MEMORY_LIMIT": settings.memory_limit,
        "DBT_TARGET_PATH": str(settings.dbt_target_dir / "target"),
        "DBT_LOG_PATH": str(settings.dbt_target_dir / "logs"),
        "DBT_PROFILES_DIR": str(DBT_PROJECT_DIR),
        "DO_NOT_TRACK": "1",
        # Child processes never import from the folder that they happen to run in.
        "PYTHONSAFEPATH": "1",
    }


def dbt_executable() -> str:
    """The `dbt` that stands beside this Python, else the one on the path."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else (shutil.which("dbt") or "dbt")


def manifest(settings: Settings) -> Path:
    """Path of a current manifest; parses the project only when its files changed."""
    folder = settings.dbt_target_dir / "manifest"
    path, seal = folder / "manifest.json", folder / "sources.sha256"
    wanted = sources_hash()
    if path.is_file() and seal.is_file() and seal.read_text() == wanted:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  our own executable and arguments
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(DBT_PROJECT_DIR)],
        env={**os.environ, **environment(settings), "DBT_TARGET_PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = (done.stdout + done.stderr).strip().splitlines()[-6:]
        raise PapertideError("The dbt project can't be parsed: " + " ".join(tail))
    seal.write_text(wanted)
    return path


def build(settings: Settings, target: Path) -> tuple[list[dict[str, Any]], PapertideError | None]:
    """Build and test the candidate: dbt's result events in order, and what failed, if anything.

    Raises what stopped it from outside: Ctrl-C, or Dagster's own interruption.

    dbt runs in this process: a command of its own would load Python, dbt and the project again,
    which takes longer than the tables do.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt_common.events.base_types import EventMsg
    from dbt_common.events.functions import msg_to_dict

    results: list[dict[str, Any]] = []

    def keep(event: EventMsg) -> None:
        if event.info.level == "debug" or told.closed:
            return
        said = msg_to_dict(event)
        told.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {said['info'].get('msg', '')}\n")
        if event.info.name in _RESULTS:
            results.append(said)

    wanted = {**environment(settings), "DBT_TARGET_PATH": str(target)}
    # dbt's own loggers put every statement into words before they drop it, which takes longer than
    # to run it: the log is written here.
    arguments = ["--log-level", "none", "--log-level-file", "none", "--no-use-colors", "build"]
    arguments += ["--exclude-resource-type", "unit_test", "--project-dir", str(DBT_PROJECT_DIR)]
    (target / "run_results.json").unlink(missing_ok=True)  # those of an earlier build tell nothing
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    log = Path(wanted["DBT_LOG_PATH"]) / "dbt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("w", encoding="utf-8") as told, _stops_noted() as stops:
            done = dbtRunner(callbacks=[keep]).invoke(arguments)
    finally:
        _restore(before)
        # Else the candidate stays open in this process, with dbt's own settings. There is nothing
        # to close when dbt ended before it opened it, which is told by a bare Exception.
        with suppress(Exception):
            DuckDBConnectionManager.env().close()  # type: ignore[no-untyped-call]
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if stops:
        raise KeyboardInterrupt
    stopped_by = done.exception
    if stopped_by is not None and not isinstance(stopped_by, Exception):
        raise stopped_by
    if done.success:
        return results, None
    if stopped_by is not None and (fault := fault_behind(stopped_by, settings.home)):
        return results, fault
    return results, failure(target, settings)


@contextmanager
def _stops_noted() -> Iterator[list[int]]:
    """Signals within the block that ask to stop: dbt swallows some, or ends without a word of it.

    They do what they did besides.
    """
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    heeded = [number for number, handler in before.items() if callable(handler)]
    for number in heeded:
        signal.signal(number, note)
    try:
        yield noted
    finally:
        for number in heeded:
            signal.signal(number, before[number])


def _restore(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def sources_hash() -> str:
    """Hash of every file that says what the tables are: models, macros, seeds, contracts.

    And of the rooms that models in Python call.
    """
    digest = hashlib.sha256()
    for folder in (DBT_PROJECT_DIR, *_CALLED):
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SOURCE_SUFFIXES and path.is_file():
                digest.update(str(path.relative_to(folder.parent)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def failure(target: Path, settings: Settings) -> PapertideError:
    """What failed in the last `dbt build`, from its results, for a person.

    A CheckFailed, or a MachineError where the disk failed and not the tables.
    """
    try:
        results: list[dict[str, Any]] = json.loads((target / "run_results.json").read_text())[
            "results"
        ]
    except (OSError, ValueError, KeyError):
        results = []
    bad = [r for r in results if r["status"] in ("error", "fail")]
    if not bad:
        return CheckFailed(
            "Nothing was published: dbt stopped before it ran anything. Its log is in "
            f"{target.parent / 'logs'}."
        )
    for result in bad:
        if fault := fault_in_message(result.get("message") or "", settings.home):
            return fault
    lines = [f"{r['unique_id'].split('.')[2]}: {_what_failed(r, settings)}" for r in bad[:5]]
    more = f" (and {len(bad) - 5} more)" if len(bad) > 5 else ""
    return CheckFailed(
        f"Nothing was published, readers keep the last snapshot: {len(bad)} of {len(results)} "
        f"models and checks failed{more}. " + "; ".join(lines)
    )


def _what_failed(result: Mapping[str, Any], settings: Settings) -> str:
    """The first line of dbt's message; of a check that found rows, what the first one holds.

    A check of rules names the rule: its rows have a column `broken`, with `n_rows` beside it.
    """
    told = (result.get("message") or result["status"]).strip().splitlines()[0]
    if result["status"] != "fail" or not result.get("compiled_code"):
        return str(told)
    with (
        suppress(duckdb.Error),
        connect(settings.candidate_path, settings, read_only=True) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")  # as dbt's own connection has it
        connection.execute(result["compiled_code"])
        names = [column[0] for column in connection.description or ()]
        rows = connection.fetchmany(_SHOWN_ROWS)
        more = result["failures"] - len(rows)
        if names == ["broken", "n_rows"] and rows:
            rules = "; ".join(f"not in {n:,} row(s): {rule}" for rule, n in rows)
            return rules + (f"; and {more} rule(s) more" if more > 0 else "")
        if rows:
            pairs = list(zip(names, rows[0], strict=True))[:_SHOWN_COLUMNS]
            first = ", ".join(f"{name} {_literal(value)}" for name, value in pairs)
            return f"{result['failures']:,} row(s), such as {first}"
    return str(told)


def _literal(value: object) -> str:
    """The value as a shortened Python literal, which escapes control characters."""
    return shortened(repr(value) if isinstance(value, str) else str(value), _SHOWN_CHARS)
