"""Opening DuckDB files with the threads and memory that the settings allow.

By default a DuckDB connection uses every core and most of the memory.
"""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.errors import PapertideError
from pipelines.settings import Settings

if TYPE_CHECKING:  # importing the package takes a second
    from pipelines.topics.embedding import Embedder


def connect(
    path: Path | None, settings: Settings, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """A connection to the file, or to an in-memory database if `path` is None."""
    return duckdb.connect(
        str(path) if path else ":memory:",
        read_only=read_only,
        config={"threads": settings.threads, "memory_limit": settings.memory_limit},
    )


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
