"""Opening DuckDB files with the threads and memory that the settings allow.

By default a DuckDB connection uses every core and most of the memory.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.settings import Settings


def connect(
    path: Path | None, settings: Settings, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """A connection to the file, or to an in-memory database if `path` is None."""
    connection = duckdb.connect(
        str(path) if path else ":memory:",
        read_only=read_only,
        config={"threads": settings.threads, "memory_limit": settings.memory_limit},
    )
    connection.execute("set enable_progress_bar = false")
    return connection
