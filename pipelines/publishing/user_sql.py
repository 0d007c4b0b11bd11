"""Running a user's SQL on the current snapshot, within limits.

Belongs here: checking that the text is one statement that only reads, streaming its rows, and the
error message. Does not: access restrictions (`reader`), or limits of time and memory
(`query_limits`).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import duckdb
from duckdb.sqltypes import DuckDBPyType

from pipelines.errors import QueryError
from pipelines.publishing.query_limits import Clock, memory_exceeded, run_limited
from pipelines.publishing.reader import open_snapshot
from pipelines.publishing.snapshot import current, damaged
from pipelines.runtime.faults import reports_damage
from pipelines.runtime.sql import quote_identifier, quote_string
from pipelines.runtime.text import printable, shortened
from pipelines.settings import Settings

MAX_QUERY_BYTES = 1024**2
# DuckDB's parse time grows with the cube of the nesting depth, and parsing can't be interrupted.
_MAX_DEPTH = 400
_NOT_CODE = re.compile(  # strings, quoted identifiers, comments, dollar-quoted strings
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
_PREFIX_OPERATORS = re.compile(rf"(?:[-+~]\s*){{{_MAX_DEPTH}}}")
_NUMBERED = re.compile(r"_\d+$")
_MAX_MESSAGE_CHARS = 1_000
_BATCH_ROWS = 2_048  # size of a DuckDB vector
# Error class, part of its message, and the hint to add.
_HINTS = (
    (duckdb.BinderException, "", "`describe NAME` shows a table's columns."),
    (duckdb.CatalogException, "", "`show tables` lists the tables."),
    (duckdb.ConversionException, " date ", "Write dates as '2025-12-31'."),
    (
        duckdb.ConversionException, "DECIMAL(38,0)",
        "The number is too large for Parquet: cast the column to varchar or double.",
    ),
)  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A column of a query's result: its name, the expression that selects it, and its type."""

    name: str
    expression: str
    type: DuckDBPyType


class QueryResult:
    """A checked and bound query of a user. Rows are computed when they are requested."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sql: str, clock: Clock) -> None:
        source = _source(connection, sql)
        self.clock = clock
        self._connection = connection
        self._sql = sql
        bound = connection.sql(f"select * from {source}")
        self.columns = [
            Column(name, f"c{n}", kind)
            for n, (name, kind) in enumerate(zip(bound.columns, bound.types, strict=True))
        ]
        self.source = f"{source} as t({', '.join(c.expression for c in self.columns)})"

    def renamed(self) -> list[tuple[str, str]]:
        """Duplicate column names as (name in the query, name in the result)."""
        names = [column.name for column in self.columns]
        if not any(_NUMBERED.search(name) for name in names):
            return []
        originals = self._connection.sql(self._sql).columns
        return [(a, b) for a, b in zip(originals, names, strict=True) if a != b]

    def rows(self, select: str) -> Iterator[list[tuple[Any, ...]]]:
        """Batches of rows of a select from `source`, as they are computed."""
        cursor = self._connection.execute(select)
        while batch := cursor.fetchmany(_BATCH_ROWS):
            yield batch

    def write_parquet(self, path: Path, expressions: Sequence[str]) -> int:
        """Write one expression per column to a Parquet file. Returns the number of rows.

        Raises OSError if the file can't be written.
        """
        named = ", ".join(
            f"{expression} as {quote_identifier(column.name)}"
            for expression, column in zip(expressions, self.columns, strict=True)
        )
        try:
            written = self._connection.execute(
                f"copy (select {named} from {self.source}) to {quote_string(path)} "
                "(format parquet, compression zstd, use_tmp_file false)"
            ).fetchall()
        except duckdb.IOException as error:
            raise _as_os_error(error, path) from None
        return int(written[0][0])


def run_user_sql(
    settings: Settings,
    sql: str,
    use: Callable[[QueryResult], T],
    *,
    timeout_s: float = 60.0,
    may_write: Path | None = None,
) -> T:
    """Run a user's query on the current snapshot. Returns what `use` returns for its result.

    `use` runs in another thread, and the result is only valid within it. Raises QueryError, as one
    sentence, if the text is not a single select, if DuckDB rejects it, or if it exceeds
    `timeout_s` or a reader's memory limit; NoSnapshotError if the snapshot is damaged.
    """
    _check_text(sql)
    snapshot = current(settings)
    try:
        connection = open_snapshot(snapshot, settings, may_write=may_write)
        # Not closed here: an interrupted query may still be running. The last user closes it.
        return run_limited(
            lambda clock: use(QueryResult(connection, sql, clock)),
            connection.interrupt,
            timeout_s=timeout_s,
            memory_limit=settings.reader_memory_limit,
        )
    except duckdb.OutOfMemoryException:
        raise memory_exceeded(settings.reader_memory_limit) from None
    except duckdb.Error as error:
        if reports_damage(str(error)):
            raise damaged(snapshot) from None
        raise QueryError(_one_sentence(error)) from None


def _check_text(sql: str) -> None:
    """Raise QueryError for text that must not reach DuckDB's parser."""
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise QueryError("The query is not UTF-8 text. Save it as UTF-8.") from None
    if size > MAX_QUERY_BYTES:
        raise QueryError(f"The query is longer than {MAX_QUERY_BYTES:,} bytes.")
    if "\0" in sql:
        raise QueryError("The query contains a NUL character, so it is not text.")
    code = _NOT_CODE.sub(" ", sql)
    if _depth(code) > _MAX_DEPTH or _PREFIX_OPERATORS.search(code):
        raise QueryError(f"The query is nested more than {_MAX_DEPTH} levels deep.")


def _depth(code: str) -> int:
    """The largest number of parentheses that are open at once."""
    steps = ({"(": 1, ")": -1}.get(character, 0) for character in code)
    return max(accumulate(steps, initial=0))


def _source(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement as a table expression. Raises QueryError if it does not only read."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"Give exactly one statement; found {len(statements) or 'none'}.")
    kind = statements[0].type
    if kind == duckdb.StatementType.SELECT:
        # As a string argument the text can't escape, and DuckDB accepts only one select.
        return f"query({quote_string(sql)})"
    if kind == duckdb.StatementType.EXPLAIN:
        return _as_values(connection.execute(statements[0]).fetchall())
    if kind == duckdb.StatementType.MULTI:
        raise QueryError(
            "A pivot must list its values here: pivot … on column in ('a', 'b') using …."
        )
    raise QueryError(
        "Only queries that read are allowed (select, with … select, describe, explain); this is "
        f"{kind.name}."
    )


def _as_values(plan: list[tuple[str, str]]) -> str:
    rows = ", ".join(f"({quote_string(key)}, {quote_string(value)})" for key, value in plan)
    return f"(select * from (values {rows}) as p(explain_key, explain_value))"


def _as_os_error(error: duckdb.IOException, path: Path) -> Exception:
    """The OSError behind DuckDB's error if it concerns the path; otherwise the error itself."""
    if path.name not in str(error):
        return error
    number = re.search(r'"errno":\s*"(\d+)"', str(error))
    if number is None:
        return OSError(errno.EIO, str(error).rpartition(": ")[2])
    return OSError(int(number[1]), os.strerror(int(number[1])))


def _one_sentence(error: duckdb.Error) -> str:
    """DuckDB's message without its marker lines and control characters, with a hint."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    message = shortened(printable(" ".join(kept)), _MAX_MESSAGE_CHARS)
    hints = (hint for kind, part, hint in _HINTS if isinstance(error, kind) and part in message)
    hint = next(hints, "")
    return f"{message}{'' if message[-1:] in '.?!' else '.'} {hint}" if hint else message
