"""The one way to read what is published: the current snapshot, read-only and fenced.

The fence: no files, no extensions, no settings, one statement that only selects, a time limit.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import duckdb
import polars as pl

from pipelines.errors import QueryError
from pipelines.publishing.snapshot import Snapshot, current
from pipelines.settings import Settings

_SELECTS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def open_snapshot(snapshot: Snapshot, settings: Settings) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can reach nothing but this file."""
    connection = duckdb.connect(
        str(snapshot.database),
        read_only=True,
        config={
            "threads": str(settings.threads),
            "memory_limit": settings.reader_memory_limit,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "enable_external_access": "false",
            "lock_configuration": "true",
        },
    )
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
            return pl.DataFrame(cursor.sql(sql, params=dict(parameters or {})))

    def _connection(self) -> tuple[Snapshot, duckdb.DuckDBPyConnection]:
        wanted = current(self._settings)
        with self._lock:
            if self._open is None or self._open[0] != wanted:
                # The old connection is left to its last cursor: queries under way finish.
                self._open = (wanted, open_snapshot(wanted, self._settings))
            return self._open


def run_user_sql(settings: Settings, sql: str, *, timeout_s: float = 60.0) -> pl.DataFrame:
    """The rows of a user's query on the current snapshot.

    Raises QueryError, in one sentence, for anything that is not a single select, that the database
    refuses, or that takes longer than `timeout_s`.
    """
    with closing(open_snapshot(current(settings), settings)) as connection:
        _check_statement(connection, sql)
        stop = threading.Timer(timeout_s, connection.interrupt)
        stop.daemon = True
        stop.start()
        try:
            return _to_frame(connection.sql(sql))
        except duckdb.InterruptException:
            raise QueryError(
                f"The query was stopped after {timeout_s:g} s. Narrow it down, or give it more "
                "time with --timeout."
            ) from None
        except duckdb.Error as error:
            raise QueryError(_one_sentence(error)) from None
        finally:
            stop.cancel()


def _to_frame(relation: duckdb.DuckDBPyRelation | None) -> pl.DataFrame:
    return pl.DataFrame() if relation is None else pl.DataFrame(relation)


def _check_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements: Sequence[duckdb.Statement] = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(_one_sentence(error)) from None
    if len(statements) != 1:
        raise QueryError(f"Give one statement; this has {len(statements)}.")
    if statements[0].type not in _SELECTS:
        raise QueryError(
            f"Only queries that read are run here (select, with … select, describe, explain); this "
            f"is {statements[0].type.name}."
        )


def _one_sentence(error: duckdb.Error) -> str:
    """The database's message without its marker lines."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    return " ".join(kept)
