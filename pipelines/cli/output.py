"""A user's rows → a table for people, or CSV, JSON, Parquet for tools. Files are written whole.

What a format can't hold becomes text, by the database's own cast, so that a value reads the same
whichever query it came from. Rows stream: a result may be larger than memory.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

import click
import polars as pl
from duckdb.sqltypes import DuckDBPyType
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.errors import PapertideError, UsageError
from pipelines.publishing.reader import Answer, Column, run_user_sql
from pipelines.runtime.files import replacing
from pipelines.runtime.sql import quote_identifier
from pipelines.runtime.text import FORMULA_PATTERN, escape_formula, printable, shortened
from pipelines.settings import Settings

MAX_TABLE_ROWS = 200
_NUMBERS = frozenset(
    ["tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger",
     "ubigint", "uhugeint", "bignum", "float", "double", "decimal"]
)  # fmt: skip
_TIMESTAMPS = frozenset(
    ["timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns",
     "timestamp with time zone", "timestamptz_ns"]
)  # fmt: skip
_NEVER_FORMULAS = _NUMBERS | _TIMESTAMPS | {"boolean", "date", "time", "uuid", "null"}
_LISTS = frozenset(["list", "array"])
# What Parquet holds and its readers give back as it was. Whole numbers of 128 bits are apart.
_PARQUET = (_NUMBERS | {"boolean", "varchar", "blob", "date", "time", "uuid", "enum", "null"}
            | _TIMESTAMPS) - {"hugeint", "uhugeint", "bignum", "timestamptz_ns"}  # fmt: skip
# A string, or what JSON has no word for, or a number that may be too long for 64 bits.
_SUSPECT = re.compile(r"NaN|Infinity|\d{19}")
_TOKENS = re.compile(
    r'"(?:[^"\\]|\\.)*"|-?NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL
)


def write_answer(
    settings: Settings, sql: str, style: str, path: Path | None, *, timeout_s: float
) -> None:
    """Write the answer to a user's query to the path, or to stdout; words go to stderr.

    Raises QueryError; UsageError for a path that can't be written; PapertideError for a full disk.
    """
    if path is None and style != "parquet":
        with _stdout() as out:
            _run(settings, sql, style, out, timeout_s=timeout_s)
    elif path is None or (path.exists() and not path.is_file()):  # a pipe, a device
        with _spool() as file:
            _run(settings, sql, style, file, timeout_s=timeout_s)
            with _stdout() if path is None else _opened(path) as out, file.open("rb") as whole:
                shutil.copyfileobj(whole, out)
    else:
        with _whole_file(path.resolve()) as file:
            n_rows = _run(settings, sql, style, file, timeout_s=timeout_s)
        click.echo(f"{n_rows} row(s) written to {path}", err=True)


def _run(
    settings: Settings, sql: str, style: str, out: Path | BinaryIO, *, timeout_s: float
) -> int:
    """The number of rows written."""
    encode = {"table": _table, "csv": _csv, "json": _json}.get(style)

    def use(answer: Answer) -> tuple[int, list[tuple[str, str]]]:
        if encode is None:
            assert isinstance(out, Path)  # noqa: S101  Parquet is never written to a stream
            types = [_parquet_value(column) for column in answer.columns]
            return answer.write_parquet(out, types), answer.renamed()
        if isinstance(out, Path):
            with out.open("wb") as handle:
                return encode(answer, handle.write), answer.renamed()

        def send(data: bytes) -> None:
            with answer.clock.stopped():
                out.write(data)

        return encode(answer, send), answer.renamed()

    may_write = out if isinstance(out, Path) and encode is None else None
    n_rows, renamed = run_user_sql(settings, sql, use, timeout_s=timeout_s, may_write=may_write)
    if renamed:
        pairs = ", ".join(f"{printable(a)} is now {printable(b)}" for a, b in renamed)
        click.echo(f"Columns had the same name: {pairs}.", err=True)
    return n_rows


def _csv(answer: Answer, send: Callable[[bytes], object]) -> int:
    """Lines made by the database: nothing is a value of Python on the way."""
    fields = ", ".join(f"{_csv_value(c)} as v{n}" for n, c in enumerate(answer.columns))
    alone = len(answer.columns) == 1
    line = " || ',' || ".join(_csv_quoted(f"x.v{n}", alone) for n in range(len(answer.columns)))
    header = ",".join(_quoted(escape_formula(column.name)) for column in answer.columns)
    send(f"{header}\n".encode())
    n_rows = 0
    for batch in answer.rows(f"select {line} from (select {fields} from {answer.source}) as x"):
        send("".join(f"{row[0]}\n" for row in batch).encode())
        n_rows += len(batch)
    return n_rows


def _csv_value(column: Column) -> str:
    """The value as text: lists joined, and what a spreadsheet would run as a formula (it begins
    with = + - @, tab or carriage return) led by an apostrophe.
    """
    kind = column.type.id
    if kind in _TIMESTAMPS:
        return _iso(column)
    text = f"cast({column.expression} as varchar)"
    if kind in _NEVER_FORMULAS:
        return text
    if kind in _LISTS:
        text = f"array_to_string(cast({column.expression} as varchar[]), '; ')"
    return f"regexp_replace({text}, '{FORMULA_PATTERN}', '''\\1')"


def _csv_quoted(value: str, alone: bool) -> str:  # noqa: FBT001
    # A line that is empty would be skipped by whoever reads it.
    nothing = '""' if alone else ""
    return (
        f"case when {value} is null then '{nothing}' "
        f"when {value} = '' or regexp_matches({value}, '[\",\\r\\n]') "
        f"then '\"' || replace({value}, '\"', '\"\"') || '\"' else {value} end"
    )


def _quoted(name: str) -> str:
    return quote_identifier(name) if re.search('[",\r\n]', name) else name


def _json(answer: Answer, send: Callable[[bytes], object]) -> int:
    """An array of objects, one a line."""
    pairs = ", ".join(
        f"'{c.name.replace(chr(39), chr(39) * 2)}', "
        f"{_iso(c) if c.type.id in _TIMESTAMPS else c.expression}"
        for c in answer.columns
    )
    n_rows = 0
    select = f"select cast(json_object({pairs}) as varchar) from {answer.source}"
    for batch in answer.rows(select):
        lines = ",\n".join(strict_json(row[0]) for row in batch)
        send((("," if n_rows else "[") + "\n" + lines).encode())
        n_rows += len(batch)
    send(b"\n]\n" if n_rows else b"[]\n")
    return n_rows


def strict_json(text: str) -> str:
    """The database's JSON as every reader takes it: NaN and infinities are null, and a whole
    number that 64 bits don't hold is text.
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


def _parquet_value(column: Column) -> str:
    if column.type.id == "hugeint":  # what sum() gives; Parquet itself has no 128 bits
        return f"cast({column.expression} as decimal(38, 0))"
    if _fits_parquet(column.type):
        return column.expression
    return f"cast({column.expression} as varchar)"


def _fits_parquet(kind: DuckDBPyType) -> bool:
    if kind.id in _LISTS | {"struct", "map"}:
        # The children of an array are its values' type and its size.
        parts = [part for _, part in kind.children if isinstance(part, DuckDBPyType)]
        return bool(parts) and all(_fits_parquet(part) for part in parts)
    return kind.id in _PARQUET


def _iso(column: Column) -> str:
    """A timestamp as ISO 8601: a T between day and time, minutes in the offset."""
    text = f"cast({column.expression} as varchar)"
    with_t = f"regexp_replace({text}, '^([0-9]+-[0-9]+-[0-9]+) ([0-9])', '\\1T\\2')"
    return f"regexp_replace({with_t}, '([+-][0-9][0-9])$', '\\1:00')" if (
        column.type.id in ("timestamp with time zone", "timestamptz_ns")
    ) else with_t  # fmt: skip


def write(rows: pl.DataFrame, style: Literal["table"] = "table", path: None = None) -> None:  # noqa: ARG001
    """Print rows of our own as a table."""
    numeric = [dtype.is_numeric() for dtype in rows.dtypes]
    _show(list(zip(rows.columns, numeric, strict=True)), rows.rows(), _to_stdout)


def _to_stdout(data: bytes) -> None:
    with _stdout() as out:
        out.write(data)


def _table(answer: Answer, send: Callable[[bytes], object]) -> int:
    """At most MAX_TABLE_ROWS rows, for people."""
    values = ", ".join(_table_value(column) for column in answer.columns)
    select = f"select {values} from {answer.source} limit {MAX_TABLE_ROWS + 1}"
    rows = [row for batch in answer.rows(select) for row in batch]
    return _show([(c.name, c.type.id in _NUMBERS) for c in answer.columns], rows, send)


def _show(
    columns: Sequence[tuple[str, bool]],
    rows: Sequence[tuple[object, ...]],
    send: Callable[[bytes], object],
) -> int:
    """The number of rows shown; of each column its name and whether it holds numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, is_numeric in columns:
        table.add_column(
            Text(printable(name)), justify="right" if is_numeric else "left", overflow="fold"
        )
    for row in rows[:MAX_TABLE_ROWS]:
        table.add_row(*(Text(_cell(value)) for value in row))
    if rows:
        send(_rendered(table).encode())
    if len(rows) > MAX_TABLE_ROWS:
        click.echo(
            f"The first {MAX_TABLE_ROWS} rows are shown; --format csv, json or parquet gives all.",
            err=True,
        )
    elif not rows:
        click.echo("No rows.", err=True)
    return min(len(rows), MAX_TABLE_ROWS)


def _rendered(table: Table) -> str:
    # Where no terminal sets a width (a pipe, a file), lines are as long as they need to be.
    terminal = Console()
    width = terminal.width if terminal.is_terminal else 1_000
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=terminal.is_terminal).print(table)
    return text.getvalue()


def _table_value(column: Column) -> str:
    """Text, but for what `_cell` shortens: fractions, and lists of text."""
    kind = column.type.id
    if kind in ("boolean", "float", "double", "varchar"):
        return column.expression
    if kind in _LISTS:
        return f"cast({column.expression} as varchar[])"
    return f"cast({column.expression} as varchar)"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = ", ".join(_cell(part) for part in value[:8]) + (", …" if len(value) > 8 else "")
    else:
        text = str(value)
    return shortened(printable(text[:1_000]), 160)


@contextmanager
def _stdout() -> Iterator[BinaryIO]:
    """Stdout for bytes. When its reader has gone the rest is dropped without a word."""
    out = sys.stdout.buffer
    try:
        yield out
        out.flush()
    except OSError as error:
        # Python writes what is left once more when it ends: to nowhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise PapertideError(f"Standard output can't be written: {error.strerror}.") from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A pipe or a device, which is written as it is and not replaced."""
    try:
        with path.open("wb") as handle:
            yield handle
    except OSError as error:
        raise PapertideError(f"{path}: can't be written: {error.strerror}.") from None


@contextmanager
def _spool() -> Iterator[Path]:
    """A file that is gone afterwards, for what can't be written as a stream."""
    try:
        with tempfile.TemporaryDirectory(prefix="papertide-") as folder:
            yield Path(folder) / "answer"
    except OSError as error:
        raise PapertideError(
            f"{tempfile.gettempdir()}: can't be written: {error.strerror}. Name a file with -o, or "
            "another folder with TMPDIR."
        ) from None


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """A temporary file that replaces the path when the block succeeds."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}.")
    try:
        with ExitStack() as stack:
            try:
                temporary = stack.enter_context(replacing(path))
            except OSError as error:
                raise UsageError(f"{path}: can't be written: {error.strerror}.") from None
            yield temporary
    except OSError as error:
        raise PapertideError(f"{path}: can't be written: {error.strerror}.") from None
