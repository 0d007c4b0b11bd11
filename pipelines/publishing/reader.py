"""The one way to read what is published: the current snapshot, read-only and fenced.

The fence: no files, no extensions, no settings, no variables of ours, no spilling to disk, one
statement that only selects, limits of time and memory.
"""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl
from duckdb.sqltypes import DuckDBPyType

from pipelines.errors import NoSnapshotError, QueryError
from pipelines.publishing.query_limits import Clock, run_watched, too_much_memory
from pipelines.publishing.snapshot import Snapshot, current, damaged
from pipelines.runtime.faults import reports_damage
from pipelines.runtime.sql import quote_identifier, quote_string
from pipelines.runtime.text import printable, shortened
from pipelines.settings import Settings
from pipelines.warehouse.frames import as_frame

MAX_QUERY_BYTES = 1024**2
# The database's parser takes time with the third power of the depth, and can't be interrupted.
_MAX_DEPTH = 400
_NOT_CODE = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL
)
_SIGNS = re.compile(rf"(?:[-+~]\s*){{{_MAX_DEPTH}}}")
_NUMBERED = re.compile(r"_\d+$")
_MAX_MESSAGE = 1_000
_BATCH_ROWS = 2_048  # one vector of the database
T = TypeVar("T")


def open_snapshot(
    snapshot: Snapshot, settings: Settings, *, may_write: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can reach nothing but this file, and the one it may write."""
    # A process may open a snapshot several times, so what needs no more than this is configured at
    # once: statements can't set it again on a database that is open and locked.
    closed = {"enable_external_access": "false", "lock_configuration": "true"}
    connection = duckdb.connect(
        str(snapshot.database),
        read_only=True,
        config={
            **(closed if may_write is None else {}),
            "threads": str(settings.threads),
            "memory_limit": settings.reader_memory_limit,
            # Spill files would lie beside the snapshot, and grow until the disk is full.
            "temp_directory": "",
            "max_temp_directory_size": "0KB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_persistent_secrets": "false",
            # Else an unknown table is looked for among the variables of the calling functions.
            "python_enable_replacements": "false",
        },
    )
    if may_write is not None:
        connection.execute(f"set allowed_paths = [{quote_string(may_write)}]")
        for name, value in closed.items():
            connection.execute(f"set {name} = {value}")
    connection.execute("use marts")
    return connection


class Reader:
    """Runs queries on the current snapshot; moves to a new one between queries.

    Safe to share between threads: each query uses its own cursor.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: tuple[Snapshot, duckdb.DuckDBPyConnection] | None = None

    def snapshot(self) -> Snapshot:
        """The snapshot that the next query reads. Raises NoSnapshotError."""
        return self._connection()[0]

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of our own SQL (values bound by name) as a frame."""
        _, connection = self._connection()
        with closing(connection.cursor()) as cursor:
            cursor.execute("use marts")
            try:
                return as_frame(cursor.sql(sql, params=dict(parameters or {})))
            except (duckdb.BinderException, duckdb.CatalogException) as error:
                # Our own query: it is the snapshot that has other tables.
                raise NoSnapshotError(
                    f"The published snapshot {self.snapshot().snapshot_id} has not the tables that "
                    f"this version reads ({str(error).splitlines()[0]}). Run `papertide build`."
                ) from error

    def _connection(self) -> tuple[Snapshot, duckdb.DuckDBPyConnection]:
        wanted = current(self._settings)
        with self._lock:
            if self._open is None or self._open[0] != wanted:
                # The old connection is left to its last cursor: queries under way finish.
                self._open = (wanted, open_snapshot(wanted, self._settings))
            return self._open


@dataclass(frozen=True)
class Column:
    """A column of a user's result: its name, and the expression and type to build upon."""

    name: str
    expression: str
    type: DuckDBPyType


class Answer:
    """A user's query, checked and bound; nothing is computed before its rows are asked for."""

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
        """Names that several columns had, each with what the database calls such a column here."""
        names = [column.name for column in self.columns]
        if not any(_NUMBERED.search(name) for name in names):
            return []
        printed = self._connection.sql(self._sql).columns
        return [(a, b) for a, b in zip(printed, names, strict=True) if a != b]

    def rows(self, select: str) -> Iterator[list[tuple[Any, ...]]]:
        """Batches of rows of a select from `source`, as they are computed."""
        cursor = self._connection.execute(select)
        while batch := cursor.fetchmany(_BATCH_ROWS):
            yield batch

    def write_parquet(self, path: Path, expressions: Sequence[str]) -> int:
        """The number of rows of these expressions that were written to the file.

        Raises OSError when the file can't be written.
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
    use: Callable[[Answer], T],
    *,
    timeout_s: float = 60.0,
    may_write: Path | None = None,
) -> T:
    """What `use` makes of the answer to a user's query on the current snapshot.

    `use` runs in another thread, and the answer ends with it. Raises QueryError, in one sentence,
    for anything that is not a single select, that the database refuses, or that takes longer than
    `timeout_s` or more memory than a reader has; NoSnapshotError where the snapshot is damaged.
    """
    _check_text(sql)
    snapshot = current(settings)
    try:
        connection = open_snapshot(snapshot, settings, may_write=may_write)
        # Not closed here: what was stopped may not have ended. It closes with its last user.
        return run_watched(
            lambda clock: use(Answer(connection, sql, clock)),
            connection.interrupt,
            timeout_s=timeout_s,
            memory_limit=settings.reader_memory_limit,
        )
    except duckdb.OutOfMemoryException:
        raise too_much_memory(settings.reader_memory_limit) from None
    except duckdb.Error as error:
        if reports_damage(str(error)):
            raise damaged(snapshot) from None
        raise QueryError(_one_sentence(error)) from None


def _check_text(sql: str) -> None:
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise QueryError("The query is not UTF-8 text.") from None
    if size > MAX_QUERY_BYTES:
        raise QueryError(f"The query is longer than {MAX_QUERY_BYTES:,} bytes.")
    if "\0" in sql:
        raise QueryError("The query holds a NUL character; it is not text.")
    code = _NOT_CODE.sub(" ", sql)
    if _depth(code) > _MAX_DEPTH or _SIGNS.search(code):
        raise QueryError(f"The query is nested more than {_MAX_DEPTH} levels deep.")


def _depth(code: str) -> int:
    """How many brackets are open at once, at most."""
    steps = ({"(": 1, ")": -1}.get(character, 0) for character in code)
    return max(accumulate(steps, initial=0))


def _source(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The checked statement as something to select from."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"Give one statement; this has {len(statements) or 'none'}.")
    kind = statements[0].type
    if kind == duckdb.StatementType.SELECT:
        # As a value it can't break out of its place, and the database takes one select only.
        return f"query({quote_string(sql)})"
    if kind == duckdb.StatementType.EXPLAIN:
        return _as_values(connection.execute(statements[0]).fetchall())
    if kind == duckdb.StatementType.MULTI:
        raise QueryError(
            "A pivot must name its values here: pivot … on column in ('a', 'b') using …."
        )
    raise QueryError(
        f"Only queries that read are run here (select, with … select, describe, explain); this "
        f"is {kind.name}."
    )


def _as_values(plan: list[tuple[str, str]]) -> str:
    rows = ", ".join(f"({quote_string(key)}, {quote_string(value)})" for key, value in plan)
    return f"(select * from (values {rows}) as p(explain_key, explain_value))"


def _as_os_error(error: duckdb.IOException, path: Path) -> Exception:
    """The system's error where the database failed to write the path; else the error itself."""
    if path.name not in str(error):
        return error
    number = re.search(r'"errno":\s*"(\d+)"', str(error))
    if number is None:
        return OSError(errno.EIO, str(error).rpartition(": ")[2])
    return OSError(int(number[1]), os.strerror(int(number[1])))


_NEXT_STEPS = (  # by the error's class and a word of its message
    (duckdb.BinderException, "", "`describe NAME` shows a table's columns."),
    (duckdb.CatalogException, "", "`show tables` lists the tables."),
    (duckdb.ConversionException, " date ", "Dates are written '2025-12-31'."),
    (
        duckdb.ConversionException, "DECIMAL(38,0)",
        "Parquet holds no larger whole numbers: cast the column to varchar or double.",
    ),
)  # fmt: skip


def _one_sentence(error: duckdb.Error) -> str:
    """The database's message without its marker lines, and without what steers a terminal."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    message = shortened(printable(" ".join(kept)), _MAX_MESSAGE)
    fitting = (s for kind, word, s in _NEXT_STEPS if isinstance(error, kind) and word in message)
    step = next(fitting, "")
    return f"{message}{'' if message[-1:] in '.?!' else '.'} {step}" if step else message
