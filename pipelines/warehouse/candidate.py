"""The candidate: the DuckDB file that one build writes and nothing else reads.

A build starts from a copy of the last published warehouse and recomputes only what changed. It
starts from an empty file if there is no warehouse, or if its signature differs. Once published, the
candidate replaces the warehouse, so a failed build leaves no partial state behind.

Belongs here: creating and adopting the file, and the writer lock. Does not: loading rows
(`loading`), detecting what changed (dbt), models (dbt), what readers open (`publishing/`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import duckdb

from pipelines.lake import items
from pipelines.lake.schemas import LAKE_TABLES, SQL_TYPES
from pipelines.runtime.locks import exclusive
from pipelines.runtime.sql import quote_identifier
from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.warehouse import dbt_project
from pipelines.warehouse.connections import connect

FORMAT = "2"  # increase when the tables created here change


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """Allow one build at a time in a home. Raises BusyError if another process is building."""
    taken = (
        f"Another process is building in {settings.home}. Wait until it has finished, then run the "
        "command again. Captures ingested in the meantime are kept."
    )
    with exclusive(settings.home / ".writer.lock", taken):
        yield


def begin(settings: Settings) -> bool:
    """Create the candidate. Returns True if it is empty, so that everything must be computed.

    An existing candidate means that the last build did not finish. The warehouse may then be
    damaged, so every block is read before the build uses it.
    """
    candidate, warehouse = settings.candidate_path, settings.warehouse_path
    last_build_failed = candidate.exists()
    for path in (candidate, candidate.with_name(f"{candidate.name}.wal")):
        path.unlink(missing_ok=True)
    signature = _current_signature(settings)
    if warehouse.is_file():
        shutil.copyfile(warehouse, candidate)
        with suppress(duckdb.Error), connect(candidate, settings) as connection:
            is_current = _stored_signature(connection) == signature
            if is_current and last_build_failed:
                _read_all_blocks(connection)
            if is_current:
                return False
        candidate.unlink()
    _create(settings, signature)
    return True


def adopt(settings: Settings) -> None:
    """Replace the warehouse with the published candidate."""
    os.replace(settings.candidate_path, settings.warehouse_path)


def is_up_to_date(settings: Settings) -> bool:
    """Whether the last published build has the lake's current content and signature."""
    if not settings.warehouse_path.is_file():
        return False
    with (
        suppress(duckdb.Error),
        connect(settings.warehouse_path, settings, read_only=True) as connection,
    ):
        return _stored_signature(connection) == _current_signature(settings) and (
            loaded_stamps(connection) == items.stamps(settings.items_dir)
        )
    return False


def loaded_stamps(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Capture id → stamp of every capture in `raw`."""
    return dict(connection.sql("select capture_id, stamp from raw.captures").fetchall())


def _create(settings: Settings, signature: str) -> None:
    """Create the schema `raw` with its tables; only the taxonomy has rows."""
    with connect(settings.candidate_path, settings) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.build_info as select $s as signature", {"s": signature}
        )
        for table, (_, columns) in LAKE_TABLES.items():
            body = ", ".join(f"{c.name} {SQL_TYPES[c.dtype]}" for c in columns)
            connection.execute(f"create table raw.{table} ({body})")
        connection.execute("create table raw.searched_captures (capture_id varchar, stamp varchar)")
        taxonomy = in_force.in_force(settings)
        _fill(connection, "topics", in_force.topic_rows(taxonomy))
        _fill(connection, "topic_rules", in_force.rule_rows(taxonomy))


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[in_force.Text, ...]]
) -> None:
    """Insert rows into an empty table as one statement; row by row takes seconds."""
    columns = LAKE_TABLES[table][1]
    values = {
        c.name: list(column) for c, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    names = ", ".join(f"unnest(${c.name}::{SQL_TYPES[c.dtype]}[])" for c in columns)
    connection.execute(f"insert into raw.{table} select {names}", values)


def _current_signature(settings: Settings) -> str:
    """Hash of everything that decides the tables, except the lake's content.

    If it changes, a build starts from an empty candidate.
    """
    columns = {name: [str(c) for c in cols] for name, (_, cols) in LAKE_TABLES.items()}
    taxonomy = in_force.in_force(settings).contents_hash
    parts = [
        FORMAT, duckdb.__version__, dbt_project.sources_hash(), columns, taxonomy,
        settings.topic_embedder,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _stored_signature(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = connection.sql("select signature from raw.build_info").fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def _read_all_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every block of every table. Raises duckdb.Error if a block's checksum is wrong."""
    tables = connection.sql("select schema_name, table_name from duckdb_tables()").fetchall()
    for schema, table in tables:
        name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
        connection.sql(f"select sum(hash(t)::hugeint) from {name} as t").fetchall()
