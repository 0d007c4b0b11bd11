"""Tables of papers as text: CSV, TSV, and other separators, with one paper a row.

The header decides which column is which field; a user can name columns (`--map title=Name`). The
rule `columns` shows the choice. A table without a column for titles is rejected as a whole.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pipelines.parsing.head import Head
from pipelines.parsing.limits import TABLE_LIMITS, too_large
from pipelines.parsing.paper_fields import (
    columns_of,
    mapping_rule,
    normalised,
    paper_row,
    parsed,
)
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

SEPARATORS = ",\t;|"
_MAX_COLUMNS = 500
_MAX_HEADER_CHARS = 20_000
_MAX_NAME_CHARS = 100
_NAME = re.compile(r"[\w ()/:#-]{1,40}")
# Besides a title, one of these shows that the rows are papers.
_PAPER_FIELDS = ("authors", "abstract", "arxiv_id", "url")


def matches(head: Head) -> bool:
    """Whether the first line is a header with a title and another field of a paper."""
    if head.is_markup or head.is_json_object or head.is_json_value:
        return False
    columns = columns_of(header_of(head.start), {})
    return "title" in columns and any(field in columns for field in _PAPER_FIELDS)


def is_table(start: bytes) -> bool:
    """Whether the first lines look like a header and rows with the same number of cells."""
    header = header_of(start)
    names = {normalised(name) for name in header}
    is_header = len(names) == len(header) >= 2 and all(map(_NAME.fullmatch, header))
    if not is_header:
        return False
    text = start.decode("utf-8", "replace").removeprefix("\ufeff").lstrip("\r\n")
    rows = _numbered(text, _separator(text.split("\n", 1)[0]))
    return all(len(cells) == len(header) for _, cells in islice(rows, 2))


def parse(body: bytes, hints: Hints) -> Parsed:
    """One item per row; places are line numbers of the rows' ends."""
    if rejected := too_large(body, TABLE_LIMITS):
        return rejected
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    header = header_of(body)
    columns = columns_of(header, hints.columns)
    if "title" not in columns:
        return without_title(header, body)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    separator = _separator(text.lstrip("\r\n").split("\n", 1)[0])
    for position, (place, cells) in enumerate(_numbered(text, separator), start=1):
        outcome = _row(cells, header, columns, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    return parsed(rows, rejects, hints, (mapping_rule(columns, header),))


def without_title(header: Sequence[str], body: bytes) -> Parsed:
    """The rejected body of a table in which no column is known to hold titles."""
    shown = ", ".join(f"`{excerpt(name)[:40]}`" for name in header[:12])
    detail = (
        f"No column of the table is known to hold titles; it has {shown}. Name the columns, for "
        "example `papertide ingest FILE --map title=COLUMN`."
    )
    return reject_body("no_title_column", detail, body)


def header_of(body: bytes) -> list[str]:
    """Names of the columns in the first line; empty if it can't be the header of a table."""
    line = body[: _MAX_HEADER_CHARS * 4].decode("utf-8", "replace").removeprefix("\ufeff")
    line = line.lstrip("\r\n").split("\n", 1)[0].strip("\r")
    if len(line) > _MAX_HEADER_CHARS:
        return []
    cells = next(_cells(line, _separator(line)), [])
    if not isinstance(cells, list) or not 2 <= len(cells) <= _MAX_COLUMNS:
        return []
    return [] if any(len(name) > _MAX_NAME_CHARS for name in cells) else cells


def _separator(line: str) -> str:
    return max(SEPARATORS, key=line.count)


def _cells(text: str, separator: str) -> Iterator[list[str] | str]:
    """Rows of cells, or the message of an error in place of a row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield str(error)


def _numbered(text: str, separator: str) -> Iterator[tuple[str, list[str] | str]]:
    """Rows after the header that are not blank, with the line on which each ends."""
    reader = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator)
    is_header = True
    while True:
        try:
            cells: list[str] | str = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = str(error)
        if not is_header and cells and (isinstance(cells, str) or any(map(str.strip, cells))):
            yield f"line {reader.line_num}", cells
        is_header = False


def _row(
    cells: list[str] | str, header: Sequence[str], columns: dict[str, list[str]], place: str
) -> dict[str, Any] | Reject:
    if isinstance(cells, str):
        return Reject(place, "not_a_record", f"The row can't be read: {cells}.")
    if len(cells) != len(header):
        detail = f"The row has {len(cells)} cells and the header {len(header)}."
        return Reject(place, "not_a_record", detail, excerpt(" | ".join(cells)))
    return paper_row(dict(zip(header, cells, strict=True)), columns, place)
