"""Reads `captures.csv`, which gives the files of its folder their days and times of capture.

Belongs here: its columns and its errors. Does not: checking a date (`facts.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelines.archive.receipt import Given
from pipelines.errors import CaptureError
from pipelines.intake.facts import captured_at, listed_on
from pipelines.intake.paths import SIDECAR

DAY_COLUMNS = ("listed_on", "listing_date")  # two names for one column; the first one wins
TIME_COLUMN = "captured_at"


def sidecar_facts(folder: Path) -> dict[str, dict[str, Given]]:
    """File name → its facts, from the `captures.csv` of a folder; empty if there is none.

    Columns are `file`, `listed_on` (or `listing_date`) and `captured_at`; others are ignored.
    Raises CaptureError naming the file and the line.
    """
    path = folder / SIDECAR
    if not path.is_file():
        return {}
    facts: dict[str, dict[str, Given]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            _require_columns(reader.fieldnames or ())
            for row in reader:
                try:
                    facts[row["file"]] = _row_facts(row)
                except ValueError as error:
                    raise ValueError(f"line {reader.line_num}: {error}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise CaptureError(
            f"{path} can't be used ({error}). Expected the columns file, listed_on (YYYY-MM-DD) "
            "and captured_at (ISO time with zone)."
        ) from None
    return facts


def _require_columns(columns: Iterable[str]) -> None:
    if "file" not in columns:
        raise ValueError("the column `file` is missing")
    if not {*DAY_COLUMNS, TIME_COLUMN} & set(columns):
        raise ValueError("it needs a column `listed_on` or `captured_at`")


def _row_facts(row: Mapping[str, str]) -> dict[str, Given]:
    values: dict[str, str] = {}
    if day := next(filter(None, map(row.get, DAY_COLUMNS)), None):
        values["listed_on"] = listed_on(day)
    if moment := row.get(TIME_COLUMN):
        values["captured_at"] = captured_at(moment)
    return {name: Given(value, SIDECAR) for name, value in values.items()}
