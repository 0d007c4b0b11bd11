"""Reading the current snapshot: read-only connections that can reach nothing else.

Belongs here: opening a snapshot with access restrictions, and running Papertide's own queries.
Does not: users' SQL (`user_sql`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.errors import NoSnapshotError
from pipelines.publishing.snapshot import Snapshot, current, in_use
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.frames import as_frame


def open_snapshot(
    snapshot: Snapshot, settings: Settings, *, may_write: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can access only this database, and write the given file.

    Other files, extensions, settings, Python variables and spilling to disk are blocked. Raises
    SnapshotInUseError if another program has the database open for writing.
    """
    # A process may open a snapshot several times, and statements can't repeat these settings on a
    # locked database. So they are part of the configuration unless a file must be allowed first.
    locked = {"enable_external_access": "false", "lock_configuration": "true"}
    config: dict[str, str | bool | int | float | list[str]] = {
        **(locked if may_write is None else {}),
        "threads": str(settings.threads),
        "memory_limit": settings.reader_memory_limit,
        # Spill files would be written next to the snapshot and could fill the disk.
        "temp_directory": "",
        "max_temp_directory_size": "0KB",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_persistent_secrets": "false",
        # By default DuckDB looks up unknown tables in the variables of the calling functions.
        "python_enable_replacements": "false",
    }
    try:
        connection = duckdb.connect(str(snapshot.database), read_only=True, config=config)
    except duckdb.IOException as error:
        raise in_use(snapshot.database, error) or error from None
    if may_write is not None:
        connection.execute(f"set allowed_paths = [{quote_string(may_write)}]")
        for name, value in locked.items():
            connection.execute(f"set {name} = {value}")
    connection.execute("use marts")
    return connection


class Reader:
    """Runs queries on the current snapshot, and moves to a new snapshot between queries.

    Thread-safe: each query uses its own cursor.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: tuple[Snapshot, duckdb.DuckDBPyConnection] | None = None

    def snapshot(self) -> Snapshot:
        """The snapshot that the next query reads. Raises NoSnapshotError."""
        return self._connection()[0]

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of one of Papertide's queries, with values bound by name.

        Raises NoSnapshotError if the snapshot lacks a table or column of the query.
        """
        snapshot, connection = self._connection()
        with closing(connection.cursor()) as cursor:
            cursor.execute("use marts")
            try:
                return as_frame(cursor.sql(sql, params=dict(parameters or {})))
            except (duckdb.BinderException, duckdb.CatalogException) as error:
                raise NoSnapshotError(
                    f"The published snapshot {snapshot.snapshot_id} lacks tables that this version "
                    f"needs ({str(error).splitlines()[0]}). Run `papertide build`."
                ) from error

    def _connection(self) -> tuple[Snapshot, duckdb.DuckDBPyConnection]:
        snapshot = current(self._settings)
        with self._lock:
            if self._open is None or self._open[0] != snapshot:
                # Running queries keep the old connection open until their cursors close.
                self._open = (snapshot, open_snapshot(snapshot, self._settings))
            return self._open
