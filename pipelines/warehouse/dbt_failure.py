"""The error message for a failed `dbt build`, from its `run_results.json`.

Belongs here: what failed, with example rows of a failed test. Does not: running dbt (`dbt_runner`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import NOTHING_PUBLISHED, CheckFailed, PapertideError
from pipelines.runtime.faults import fault_in_message
from pipelines.runtime.text import shortened
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

_MAX_NODES, _MAX_ROWS, _MAX_COLUMNS, _MAX_CHARS = 5, 5, 4, 60


def build_failure(target: Path, settings: Settings) -> PapertideError:
    """The error to raise for the last `dbt build`.

    A MachineError if a result reports a machine fault, otherwise a CheckFailed that names the
    failed models and tests.
    """
    results = _results(target)
    failed = [r for r in results if r["status"] in ("error", "fail")]
    if not failed:
        return CheckFailed(
            f"{NOTHING_PUBLISHED}dbt stopped before it ran a model or a test. See its log in "
            f"{target.parent / 'logs'}."
        )
    for result in failed:
        if fault := fault_in_message(result.get("message") or "", settings.home):
            return fault
    lines = [f"{r['unique_id'].split('.')[2]}: {_reason(r, settings)}" for r in failed[:_MAX_NODES]]
    n_more = len(failed) - len(lines)
    more = f" (and {n_more} more)" if n_more else ""
    return CheckFailed(
        f"{NOTHING_PUBLISHED}{len(failed)} of {len(results)} models and tests failed{more}. "
        + "; ".join(lines)
    )


def _results(target: Path) -> list[dict[str, Any]]:
    """The `results` of `run_results.json`; empty if dbt wrote none."""
    try:
        return list(json.loads((target / "run_results.json").read_text())["results"])
    except (OSError, ValueError, KeyError):
        return []


def _reason(result: Mapping[str, Any], settings: Settings) -> str:
    """For a failed test the rows it returns; otherwise the first line of dbt's message."""
    message = str((result.get("message") or result["status"]).strip().splitlines()[0])
    if result["status"] != "fail" or not result.get("compiled_code"):
        return message
    with (
        suppress(duckdb.Error),
        connect(settings.candidate_path, settings, read_only=True) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")  # as in dbt's profile
        connection.execute(result["compiled_code"])
        names = [column[0] for column in connection.description or ()]
        rows = connection.fetchmany(_MAX_ROWS)
        if rows:
            return _failed_rows(names, rows, result["failures"])
    return message


def _failed_rows(names: list[str], rows: list[tuple[Any, ...]], n_rows: int) -> str:
    """The broken rules of a test that returns `broken` and `n_rows`; else the first row."""
    if names == ["broken", "n_rows"]:
        rules = "; ".join(f"{n:,} row(s) break the rule {rule}" for rule, n in rows)
        n_more = n_rows - len(rows)
        return rules + (f"; and {n_more} more rule(s)" if n_more > 0 else "")
    pairs = list(zip(names, rows[0], strict=True))[:_MAX_COLUMNS]
    example = ", ".join(f"{name} {_literal(value)}" for name, value in pairs)
    return f"{n_rows:,} row(s), for example {example}"


def _literal(value: object) -> str:
    """The value as a shortened Python literal, which escapes control characters."""
    return shortened(repr(value) if isinstance(value, str) else str(value), _MAX_CHARS)
