"""Rows → a table for people, or CSV, JSON, Parquet for tools. Files are written whole."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, Literal

import orjson
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.errors import UsageError

MAX_TABLE_ROWS = 200
_FORMULA_STARTS = r"^[=+\-@\t\r]"


def write(rows: pl.DataFrame, style: str, path: Path | None) -> None:
    """Write the rows to the path, or to stdout."""
    if path is None:
        if style == "table":
            # Where no terminal sets a width (a pipe, a file), lines are as long as they need to be.
            console = Console()
            _print_table(rows, console if console.is_terminal else Console(width=1_000))
        else:
            _encode(rows, style, sys.stdout.buffer)
            sys.stdout.flush()
        return
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}.")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as t:
        if style == "table":
            text = io.StringIO()
            _print_table(rows, Console(file=text, width=1_000))
            t.write(text.getvalue().encode())
        else:
            _encode(rows, style, t)  # type: ignore[arg-type]
    Path(t.name).chmod(0o644)
    os.replace(t.name, path)
    sys.stderr.write(f"{rows.height} row(s) written to {path}\n")


def _encode(rows: pl.DataFrame, style: str, out: BinaryIO) -> None:
    if style == "parquet":
        rows.write_parquet(out)
    elif style == "json":
        for_json = orjson.dumps(rows.to_dicts(), default=str, option=orjson.OPT_INDENT_2)
        out.write(for_json + b"\n")
    else:
        safe_csv(rows).write_csv(out)


def safe_csv(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as CSV can hold them: lists joined, and text that a spreadsheet would run as a
    formula (it begins with = + - @, tab or carriage return) led by an apostrophe.
    """
    exprs = []
    for name, dtype in rows.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.List):
            column = column.cast(pl.List(pl.String)).list.join("; ")
        elif isinstance(dtype, pl.Struct | pl.Array | pl.Object):
            column = column.cast(pl.String, strict=False)
        elif dtype != pl.String:
            continue
        risky = column.str.contains(_FORMULA_STARTS)
        exprs.append(pl.when(risky).then(pl.concat_str(pl.lit("'"), column)).otherwise(column))
    return rows.with_columns(
        expr.alias(name)
        for expr, name in zip(
            exprs, [n for n, d in rows.schema.items() if _is_texty(d)], strict=True
        )
    )


def _is_texty(dtype: pl.DataType) -> bool:
    return dtype == pl.String or isinstance(dtype, pl.List | pl.Struct | pl.Array | pl.Object)


def _print_table(rows: pl.DataFrame, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, dtype in rows.schema.items():
        align: Literal["left", "right"] = "right" if dtype.is_numeric() else "left"
        table.add_column(Text(name), justify=align, overflow="fold")
    for row in rows.head(MAX_TABLE_ROWS).iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    if rows.height:
        console.print(table)
    if rows.height > MAX_TABLE_ROWS:
        sys.stderr.write(
            f"{MAX_TABLE_ROWS} of {rows.height} rows shown; --format csv, json or parquet gives "
            "all.\n"
        )
    elif rows.is_empty():
        sys.stderr.write("No rows.\n")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        text = ", ".join(_cell(part) for part in value[:8]) + (", …" if len(value) > 8 else "")
    else:
        text = str(value)
    # Control characters from outside must not steer the terminal.
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= 160 else text[:159] + "…"
