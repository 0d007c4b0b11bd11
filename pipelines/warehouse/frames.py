"""Converting between Polars frames and DuckDB relations, without pyarrow or pandas.

Belongs here: what Python models of the dbt project and readers of snapshots share. Does not:
opening databases (`connections`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import uuid4

import duckdb
import polars as pl


def as_relation(session: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    """A temporary table of the session with the frame's rows, for a Python model to return.

    The rows are copied through a Parquet file, because DuckDB reads a frame only with pyarrow.
    """
    name = f"frame_{uuid4().hex}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.parquet"
        frame.write_parquet(path)
        session.execute(f"create temp table {name} as from read_parquet(?)", [str(path)])
    return session.table(name)


class _ArrowStream:
    """A relation that exports Arrow batches and nothing else."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._relation.__arrow_c_stream__(requested_schema)


def as_frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """A frame with the relation's rows.

    Polars caches the classes of the objects it receives. DuckDB's binding prints warnings at exit
    if its own classes are still referenced, so Polars receives a wrapper.
    """
    return pl.DataFrame(_ArrowStream(relation))


def table_before(session: duckdb.DuckDBPyConnection, table: object) -> pl.DataFrame | None:
    """The table's rows from the last build, or None if the table doesn't exist."""
    try:
        return as_frame(session.sql(f"select * from {table}"))
    except duckdb.CatalogException:
        return None
