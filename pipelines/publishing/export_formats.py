"""Encodes the result of a user's query as CSV, JSON or Parquet.

Belongs here: the formats, and the SQL that casts values to them. Does not: where the output goes
(`export`), or tables for a terminal (`pipelines.cli.output`).

A value that a format can't hold is exported as the text of DuckDB's own cast. Rows are streamed, so
a result may be larger than memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import polars.selectors as cs
from duckdb.sqltypes import DuckDBPyType

from pipelines.publishing.user_sql import Column, QueryResult
from pipelines.runtime.sql import quote_identifier
from pipelines.runtime.text import FORMULA_PATTERN, escape_formula

Send = Callable[[bytes], object]

NUMBERS = frozenset(
    ["tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger",
     "ubigint", "uhugeint", "bignum", "float", "double", "decimal"]
)  # fmt: skip
_TIMESTAMPS = frozenset(
    ["timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns",
     "timestamp with time zone", "timestamptz_ns"]
)  # fmt: skip
_NEVER_FORMULAS = NUMBERS | _TIMESTAMPS | {"boolean", "date", "time", "uuid", "null"}
LISTS = frozenset(["list", "array"])
# Types that Parquet stores without a change of type. 128-bit integers are cast.
_PARQUET = (NUMBERS | {"boolean", "varchar", "blob", "date", "time", "uuid", "enum", "null"}
            | _TIMESTAMPS) - {"hugeint", "uhugeint", "bignum", "timestamptz_ns"}  # fmt: skip
# Text that may hold a token that JSON lacks, or an integer beyond 64 bits.
_SUSPECT = re.compile(r"NaN|Infinity|\d{19}")
_TOKENS = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL
)


def write_csv(result: QueryResult, send: Send) -> int:
    """Send CSV with a header; returns the number of rows. DuckDB formats the lines."""
    fields = ", ".join(f"{_csv_value(c)} as v{n}" for n, c in enumerate(result.columns))
    alone = len(result.columns) == 1
    line = " || ',' || ".join(_csv_quoted(f"x.v{n}", alone) for n in range(len(result.columns)))
    header = ",".join(_quoted(escape_formula(column.name)) for column in result.columns)
    send(f"{header}\n".encode())
    n_rows = 0
    for batch in result.rows(f"select {line} from (select {fields} from {result.source}) as x"):
        send("".join(f"{row[0]}\n" for row in batch).encode())
        n_rows += len(batch)
    return n_rows


def _csv_value(column: Column) -> str:
    """SQL for the value as text: lists joined with semicolons, formulas escaped."""
    kind = column.type.id
    if kind in _TIMESTAMPS:
        return _iso(column)
    text = f"cast({column.expression} as varchar)"
    if kind in _NEVER_FORMULAS:
        return text
    if kind in LISTS:
        text = f"array_to_string(cast({column.expression} as varchar[]), '; ')"
    return f"regexp_replace({text}, '{FORMULA_PATTERN}', '''\\1')"


def _csv_quoted(value: str, alone: bool) -> str:  # noqa: FBT001
    # CSV readers skip empty lines.
    nothing = '""' if alone else ""
    return (
        f"case when {value} is null then '{nothing}' "
        f"when {value} = '' or regexp_matches({value}, '[\",\\r\\n]') "
        f"then '\"' || replace({value}, '\"', '\"\"') || '\"' else {value} end"
    )


def _quoted(name: str) -> str:
    return quote_identifier(name) if re.search('[",\r\n]', name) else name


def csv_text(rows: pl.DataFrame) -> str:
    """A small frame as CSV: lists joined with semicolons, formulas escaped."""
    return (
        rows.with_columns(cs.by_dtype(pl.List(pl.String)).list.join("; "))
        .with_columns(cs.string().str.replace(FORMULA_PATTERN, "'$1"))
        .write_csv()
    )


def write_json(result: QueryResult, send: Send) -> int:
    """Send a JSON array with one object per line; returns the number of rows."""
    pairs = ", ".join(
        f"'{c.name.replace(chr(39), chr(39) * 2)}', "
        f"{_iso(c) if c.type.id in _TIMESTAMPS else c.expression}"
        for c in result.columns
    )
    n_rows = 0
    select = f"select cast(json_object({pairs}) as varchar) from {result.source}"
    for batch in result.rows(select):
        lines = ",\n".join(_strict_json(row[0]) for row in batch)
        send((("," if n_rows else "[") + "\n" + lines).encode())
        n_rows += len(batch)
    send(b"\n]\n" if n_rows else b"[]\n")
    return n_rows


def _strict_json(text: str) -> str:
    """DuckDB's JSON as RFC 8259 JSON.

    NaN and infinities become null; integers beyond 64 bits become text.
    """
    return _TOKENS.sub(_strict_token, text) if _SUSPECT.search(text) else text


def _strict_token(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith('"'):
        return token
    if token.endswith(("NaN", "Infinity")):
        return "null"
    if token.lstrip("-").isdigit() and not -(2**63) <= int(token) < 2**64:
        return f'"{token}"'
    return token


def write_parquet(result: QueryResult, path: Path) -> int:
    """Write a Parquet file; returns the number of rows. Raises OSError."""
    return result.write_parquet(path, [_parquet_value(column) for column in result.columns])


def _parquet_value(column: Column) -> str:
    if column.type.id == "hugeint":  # the type of sum(); Parquet has no 128-bit integers
        return f"cast({column.expression} as decimal(38, 0))"
    if _fits_parquet(column.type):
        return column.expression
    return f"cast({column.expression} as varchar)"


def _fits_parquet(kind: DuckDBPyType) -> bool:
    if kind.id in LISTS | {"struct", "map"}:
        # The children of an array are the type of its values and its size.
        parts = [part for _, part in kind.children if isinstance(part, DuckDBPyType)]
        return bool(parts) and all(_fits_parquet(part) for part in parts)
    return kind.id in _PARQUET


def _iso(column: Column) -> str:
    """SQL for a timestamp as ISO 8601 text: a T between date and time, minutes in the offset."""
    text = f"cast({column.expression} as varchar)"
    with_t = f"regexp_replace({text}, '^([0-9]+-[0-9]+-[0-9]+) ([0-9])', '\\1T\\2')"
    return f"regexp_replace({with_t}, '([+-][0-9][0-9])$', '\\1:00')" if (
        column.type.id in ("timestamp with time zone", "timestamptz_ns")
    ) else with_t  # fmt: skip
