"""Opening DuckDB files, threads and memory always bounded by the settings; what models in Python
need besides: frames as relations, the last build's rows, a folder of the lake, a user's own model.

Without bounds each connection takes every core and most of the memory.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb
import polars as pl

from pipelines.errors import PapertideError
from pipelines.settings import Settings

if TYPE_CHECKING:  # the room of topics takes a second to load
    from pipelines.topics.embedding import Embedder


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


class _Stream:
    """A relation as nothing but a stream of Arrow batches."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._relation.__arrow_c_stream__(requested_schema)


def as_frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """The rows of a relation.

    Polars remembers the classes that it was given. DuckDB's then outlive their module, and its
    binding complains of that, at length, when the process ends: so Polars is given one of ours.
    """
    return pl.DataFrame(_Stream(relation))


def table_before(session: duckdb.DuckDBPyConnection, table: object) -> pl.DataFrame | None:
    """The rows that the last build left in a table; None where there is none."""
    try:
        return as_frame(session.sql(f"select * from {table}"))
    except duckdb.CatalogException:
        return None


def topic_fits_folder() -> Path:
    """Where fits of topics are kept, as `dbt_project.environment` says."""
    return Path(os.environ.get("PAPERTIDE_TOPIC_FITS", "topic_fits"))


def topic_embedder(named: str | None = None) -> Embedder | None:
    """The embedding model that a user chose for discovered topics; None where none is chosen.

    Raises PapertideError when it can't be had, or isn't one.
    """
    named = os.environ.get("PAPERTIDE_FITS_EMBEDDER") if named is None else named
    return _made_embedder(named) if named else None


@lru_cache(maxsize=1)
def _made_embedder(named: str) -> Embedder:
    """Made once in a process: a model may take long to load."""
    module, _, function = named.partition(":")
    try:
        made = importlib.import_module(module)
        for part in function.split("."):
            made = getattr(made, part)
        embedder = made()  # type: ignore[operator]
    except Exception as error:
        raise PapertideError(
            f"PAPERTIDE_TOPIC_EMBEDDER={named} can't be used: {type(error).__name__}: {error}. "
            "Name a function without arguments of a module that is installed beside Papertide, or "
            "leave the setting out."
        ) from error
    if not isinstance(getattr(embedder, "name", None), str) or not callable(
        getattr(embedder, "embed", None)
    ):
        raise PapertideError(
            f"PAPERTIDE_TOPIC_EMBEDDER={named} gives a {type(embedder).__name__}, which has no "
            "`name` and `embed`: see pipelines/topics/embedding.py."
        )
    return embedder  # type: ignore[no-any-return]
