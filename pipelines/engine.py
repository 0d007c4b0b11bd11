"""Opening DuckDB files, threads and memory always bounded by the settings; what models in Python
need besides: frames as relations, the last build's rows, a folder of the lake.

Without bounds each connection takes every core and most of the memory.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from uuid import uuid4

import duckdb
import polars as pl

from pipelines.settings import Settings


def connect(
    path: Path | None, settings: Settings, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """A connection to the file, or to memory, for building; close it, or use it in a `with`."""
    return duckdb.connect(
        str(path) if path else ":memory:",
        read_only=read_only,
        config={"threads": settings.threads, "memory_limit": settings.memory_limit},
    )


def as_relation(session: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    """The rows of a frame as a temporary table of the session, for a model in Python to return.

    By way of a Parquet file: without pyarrow DuckDB does not read a frame itself.
    """
    name = f"frame_{uuid4().hex}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.parquet"
        frame.write_parquet(path)
        session.execute(f"create temp table {name} as from read_parquet(?)", [str(path)])
    return session.table(name)


def table_before(session: duckdb.DuckDBPyConnection, table: object) -> pl.DataFrame | None:
    """The rows that the last build left in a table; None where there is none."""
    try:
        return pl.DataFrame(session.sql(f"select * from {table}"))
    except duckdb.CatalogException:
        return None


def topic_fits_folder() -> Path:
    """Where fits of topics are kept, as `dbt_project.environment` says."""
    return Path(os.environ.get("PAPERTIDE_TOPIC_FITS", "topic_fits"))
