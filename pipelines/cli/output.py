"""Prints rows on stdout: tables for a terminal, and the streams of `papertide sql`.

Belongs here: stdout, table layout, JSON of a command. Does not: CSV, JSON and Parquet of a query
(`pipelines.publishing.export`).
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.errors import PapertideError
from pipelines.publishing import export
from pipelines.publishing.export_formats import LISTS, NUMBERS, Send
from pipelines.publishing.user_sql import Column, QueryResult
from pipelines.runtime.text import printable, shortened
from pipelines.settings import Settings

MAX_TABLE_ROWS = 200


def write_answer(
    settings: Settings, sql: str, style: str, path: Path | None, *, timeout_s: float
) -> None:
    """Write the rows of a user's query to the path or to stdout, and messages to stderr.

    Raises QueryError; UsageError if the path can't be written; PapertideError if the disk is full.
    """
    encode = _table if style == "table" else export.STREAMED.get(style)
    query = export.Query(sql, encode, timeout_s)
    if path is None:
        with _stdout() as out:
            _print_renamed(export.to_stream(settings, query, out))
        return
    exported = export.to_file(settings, query, path)
    _print_renamed(exported)
    if path.is_file():
        click.echo(f"{exported.n_rows} row(s) written to {path}", err=True)


def _print_renamed(exported: export.Exported) -> None:
    if exported.renamed:
        pairs = ", ".join(f"{printable(a)} is now {printable(b)}" for a, b in exported.renamed)
        click.echo(f"Renamed duplicate columns: {pairs}.", err=True)


def print_table(rows: pl.DataFrame) -> None:
    """Print a frame as a table."""
    numeric = [dtype.is_numeric() for dtype in rows.dtypes]
    with _stdout() as out:
        _show(list(zip(rows.columns, numeric, strict=True)), rows.rows(), out.write)


def print_json(content: object) -> None:
    """Print JSON; dates and times as text."""
    click.echo(json.dumps(content, indent=1, default=str, ensure_ascii=False))


def _table(result: QueryResult, send: Send) -> int:
    """Send a table of at most MAX_TABLE_ROWS rows; returns the number of rows shown."""
    values = ", ".join(_table_value(column) for column in result.columns)
    select = f"select {values} from {result.source} limit {MAX_TABLE_ROWS + 1}"
    rows = [row for batch in result.rows(select) for row in batch]
    return _show([(c.name, c.type.id in NUMBERS) for c in result.columns], rows, send)


def _show(
    columns: Sequence[tuple[str, bool]],
    rows: Sequence[tuple[object, ...]],
    send: Send,
) -> int:
    """Send a table; returns the number of rows shown.

    `columns` holds the name of each column and whether it is numeric.
    """
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
            f"Showing the first {MAX_TABLE_ROWS} rows. Use --format csv, json or parquet for all.",
            err=True,
        )
    elif not rows:
        click.echo("No rows.", err=True)
    return min(len(rows), MAX_TABLE_ROWS)


def _rendered(table: Table) -> str:
    # A pipe or a file has no width: lines are not wrapped.
    terminal = Console()
    width = terminal.width if terminal.is_terminal else 1_000
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=terminal.is_terminal).print(table)
    return text.getvalue()


def _table_value(column: Column) -> str:
    """SQL for the value: text, except fractions and lists, which `_cell` shortens."""
    kind = column.type.id
    if kind in ("boolean", "float", "double", "varchar"):
        return column.expression
    if kind in LISTS:
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
    """Stdout as bytes. If the reader of a pipe has closed it, the rest is dropped silently."""
    out = sys.stdout.buffer
    try:
        yield out
        out.flush()
    except OSError as error:
        # Python flushes stdout at exit: send what is left to /dev/null.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise PapertideError(f"Can't write to standard output: {error.strerror}.") from None
