"""Runs a user's query and exports its rows to a stream or a file.

Belongs here: complete files, pipes and devices, and errors of writing. Does not: the formats
(`export_formats`), or tables for a terminal (`pipelines.cli.output`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipelines.errors import PapertideError, UsageError
from pipelines.publishing.export_formats import Send, write_csv, write_json, write_parquet
from pipelines.publishing.user_sql import QueryResult, run_user_sql
from pipelines.runtime.files import replacing
from pipelines.settings import Settings

Encoder = Callable[[QueryResult, Send], int]
STREAMED: dict[str, Encoder] = {"csv": write_csv, "json": write_json}


@dataclass(frozen=True)
class Query:
    """A user's query, its time limit, and its output format: an encoder, or None for Parquet."""

    sql: str
    encode: Encoder | None
    timeout_s: float


@dataclass(frozen=True)
class Exported:
    """Number of rows written, and pairs (old, new) of columns that were renamed."""

    n_rows: int
    renamed: list[tuple[str, str]]


def to_stream(settings: Settings, query: Query, out: BinaryIO) -> Exported:
    """Write the rows to an open stream. Raises QueryError, and OSError of the stream.

    Parquet needs a seekable file: it is written to a temporary file first.
    """
    if query.encode is None:
        with _completed(settings, query) as (exported, rows):
            shutil.copyfileobj(rows, out)
        return exported
    encode = query.encode

    def use(result: QueryResult) -> Exported:
        def send(data: bytes) -> None:
            with result.clock.stopped():  # waiting for the reader of a pipe is not query time
                out.write(data)

        return Exported(encode(result, send), result.renamed())

    return run_user_sql(settings, query.sql, use, timeout_s=query.timeout_s)


def to_file(settings: Settings, query: Query, path: Path) -> Exported:
    """Write the rows to a file, which is replaced when it is complete. Pipes and devices are kept.

    Raises QueryError; UsageError if the path can't be written; PapertideError if the disk is full.
    """
    if path.exists() and not path.is_file():
        with _completed(settings, query) as (exported, rows), _opened(path) as out:
            shutil.copyfileobj(rows, out)
        return exported
    with _replacing(path.resolve()) as temporary:
        return _to_path(settings, query, temporary)


def _to_path(settings: Settings, query: Query, path: Path) -> Exported:
    def use(result: QueryResult) -> Exported:
        if query.encode is None:
            return Exported(write_parquet(result, path), result.renamed())
        with path.open("wb") as out:
            return Exported(query.encode(result, out.write), result.renamed())

    may_write = path if query.encode is None else None
    return run_user_sql(settings, query.sql, use, timeout_s=query.timeout_s, may_write=may_write)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A pipe or a device, open for writing."""
    try:
        with path.open("wb") as out:
            yield out
    except OSError as error:
        raise PapertideError(f"Can't write to {path}: {error.strerror}.") from None


@contextmanager
def _completed(settings: Settings, query: Query) -> Iterator[tuple[Exported, BinaryIO]]:
    """The query's output in a temporary file, open for reading."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="papertide-"))
            path = Path(folder) / "rows"
            exported = _to_path(settings, query, path)
            rows = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise PapertideError(
                f"Can't write to {tempfile.gettempdir()}: {error.strerror}. Name a file with -o, "
                "or set TMPDIR to another folder."
            ) from None
        yield exported, rows


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary file that replaces the path when the block succeeds, and is removed otherwise."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: the folder {path.parent} does not exist. Create it first.")
    try:
        with ExitStack() as stack:
            try:
                temporary = stack.enter_context(replacing(path))
            except OSError as error:
                raise UsageError(f"Can't write to {path}: {error.strerror}.") from None
            yield temporary
    except OSError as error:
        raise PapertideError(f"Can't write to {path}: {error.strerror}.") from None
