"""Writing a candidate's marts to a snapshot: one Parquet file each, and one compact database.

Belongs here: copying tables, so that equal tables give identical Parquet files, and reusing
unchanged ones of the previous snapshot. Does not: naming, pointing to or removing snapshots.

A mart's fingerprint (order-independent hashes of its rows) shows whether it changed. Before a file
or table is reused, its hash or fingerprint is computed again; if it differs, it is written again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import CheckFailed
from pipelines.publishing.snapshot import DATABASE
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

FORMAT = "2"  # increase when the layout of the files written here changes
_COPY = "(format parquet, compression zstd, row_group_size 122880)"


@dataclass(frozen=True)
class Mart:
    """A table to publish. `fields` are (name, type, description) of its columns."""

    name: str
    description: str
    fields: tuple[tuple[str, str, str], ...]
    rows: int
    fingerprint: str

    def resource(self, path: Path) -> dict[str, Any]:
        """Its entry in `datapackage.json`, with the size and hash of the file."""
        return {
            "name": self.name,
            "path": f"parquet/{path.name}",
            "format": "parquet",
            "description": self.description,
            "rows": self.rows,
            "bytes": path.stat().st_size,
            "hash": file_hash(path),
            "fingerprint": self.fingerprint,
            "schema": {
                "fields": [{"name": n, "type": t, "description": d} for n, t, d in self.fields]
            },
        }

    def same_as(self, resource: Mapping[str, Any] | None) -> bool:
        """Whether the entry has the same rows and columns."""
        return resource is not None and resource.get("fingerprint") == self.fingerprint

    def described_as(self, resource: Mapping[str, Any]) -> bool:
        """Whether the entry has the same descriptions of the table and its columns."""
        meanings = [field["description"] for field in resource["schema"]["fields"]]
        return meanings == [d for _, _, d in self.fields] and (
            resource["description"] == self.description
        )


@dataclass(frozen=True)
class Previous:
    """The previous snapshot: its folder, and its entries in `datapackage.json` by name."""

    folder: Path
    resources: Mapping[str, Mapping[str, Any]]


def write(settings: Settings, work: Path, previous: Previous | None) -> list[dict[str, Any]]:
    """Write `parquet/` and the database. Returns the entries of `datapackage.json`.

    Raises CheckFailed if the candidate has no marts.
    """
    (work / "parquet").mkdir()
    known = previous.resources if previous else {}
    with connect(None, settings) as connection:
        connection.execute(f"set temp_directory = {quote_string(work / '.spill')}")
        # Otherwise a Parquet column is optional if its table ever contained a null, and equal
        # tables with different histories would give different files.
        connection.execute("set disabled_optimizers = 'statistics_propagation'")
        connection.execute(
            f"attach {quote_string(settings.candidate_path)} as candidate (read_only)"
        )
        marts = _marts(connection)
        if not marts:
            raise CheckFailed("The warehouse contains no marts. Run `papertide build`.")
        kept = {mart.name for mart in marts if mart.same_as(known.get(mart.name))}
        # Neither task keeps two cores busy, so they run in parallel.
        with ThreadPoolExecutor(max_workers=1) as pool, connection.cursor() as cursor:
            database = pool.submit(_write_database, cursor, work, marts, kept, previous)
            resources = [_write_parquet(connection, work, mart, previous) for mart in marts]
            database.result()
    shutil.rmtree(work / ".spill", ignore_errors=True)
    return resources


def write_snapshot_info(settings: Settings, work: Path, package: Mapping[str, Any]) -> None:
    """Write id, time and content hash of the snapshot to its table `main.snapshot_info`."""
    with connect(work / DATABASE, settings) as connection:
        connection.execute(
            "create or replace table main.snapshot_info as select $id as snapshot_id, "
            "cast($at as timestamptz) at time zone 'UTC' as published_at, $hash as content_hash",
            {"id": package["id"], "at": package["created"], "hash": package["content_hash"]},
        )


def fingerprint(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, str]:
    """The number of rows of a qualified table, and a text that depends on rows and columns only."""
    shape = connection.sql(f"describe {table}").fetchall()
    columns = hashlib.sha256(repr([row[:2] for row in shape]).encode()).hexdigest()[:16]
    # The hash of a row doesn't distinguish an empty list from null, or adjacent lists from one.
    lengths = [f', len("{name}")' for name, kind, *_ in shape if str(kind).endswith("[]")]
    rows, total, mixed = connection.sql(
        "select count(*), sum(h::hugeint), bit_xor(hash(h)) "
        f"from (select hash(t{''.join(lengths)}) as h from {table} as t)"
    ).fetchall()[0]
    # DuckDB's row hashes differ between its versions.
    return int(rows), ":".join(map(str, (FORMAT, duckdb.__version__, columns, rows, total, mixed)))


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _marts(connection: duckdb.DuckDBPyConnection) -> list[Mart]:
    tables = connection.sql(
        "select table_name, coalesce(comment, '') from duckdb_tables() "
        "where database_name = 'candidate' and schema_name = 'marts' order by 1"
    ).fetchall()
    return [
        Mart(
            name, text, _fields(connection, name), *fingerprint(connection, _in("candidate", name))
        )
        for name, text in tables
    ]


def _fields(connection: duckdb.DuckDBPyConnection, mart: str) -> tuple[tuple[str, str, str], ...]:
    rows = connection.sql(
        "select column_name, lower(data_type), coalesce(comment, '') from duckdb_columns() "
        "where database_name = 'candidate' and schema_name = 'marts' and table_name = $mart "
        "order by column_index",
        params={"mart": mart},
    ).fetchall()
    return tuple((str(n), str(t), str(d)) for n, t, d in rows)


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, work: Path, mart: Mart, previous: Previous | None
) -> dict[str, Any]:
    """Write the mart's file in a fixed row order, or reuse an unchanged one. Returns its entry."""
    path = work / "parquet" / f"{mart.name}.parquet"
    if previous and mart.same_as(before := previous.resources.get(mart.name)) and before:
        _link(previous.folder / before["path"], path)
        resource = mart.resource(path) if path.exists() else {}
        if resource.get("hash") == before["hash"]:
            return resource
        path.unlink(missing_ok=True)
    connection.execute(
        f"copy (select * from {_in('candidate', mart.name)} order by all) "
        f"to {quote_string(path)} {_COPY}"
    )
    return mart.resource(path)


def _link(source: Path, target: Path) -> None:
    """Hard-link the file if possible; otherwise copy it. Snapshots are never modified."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return
    except OSError:  # the file system has no hard links
        shutil.copyfile(source, target)


def _write_database(
    connection: duckdb.DuckDBPyConnection,
    work: Path,
    marts: Sequence[Mart],
    kept: set[str],
    previous: Previous | None,
) -> None:
    """Write the database: update a copy of the previous one if most rows are unchanged."""
    path = work / DATABASE
    if previous and _mostly(kept, marts) and (previous.folder / DATABASE).is_file():
        try:
            shutil.copyfile(previous.folder / DATABASE, path)
            _fill(connection, path, marts, kept, previous)
        except (duckdb.Error, _FingerprintMismatch):
            for left in (path, path.with_name(f"{path.name}.wal")):
                left.unlink(missing_ok=True)  # damaged, so not reused
        else:
            return
    _fill(connection, path, marts, set(), None)


def _mostly(kept: set[str], marts: Sequence[Mart]) -> bool:
    """Whether the unchanged marts have more rows than the changed ones.

    Otherwise a new file is as fast to write, and has no free blocks.
    """
    return sum(m.rows if m.name in kept else -m.rows for m in marts) > 0


class _FingerprintMismatch(Exception):
    """A table of the previous database does not match its declared fingerprint."""


def _require_match(connection: duckdb.DuckDBPyConnection, table: str, mart: Mart) -> None:
    if fingerprint(connection, table)[1] != mart.fingerprint:
        raise _FingerprintMismatch


def _fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    marts: Sequence[Mart],
    kept: set[str],
    previous: Previous | None,
) -> None:
    connection.execute(f"attach {quote_string(path)} as target")
    try:
        connection.execute("create schema if not exists target.marts")
        _drop_others(connection, kept)
        connection.execute("begin")  # one write at commit instead of one per table
        for mart in marts:
            table = _in("target", mart.name)
            before = previous.resources[mart.name] if previous and mart.name in kept else None
            if before is None:
                source = _in("candidate", mart.name)
                connection.execute(f"create table {table} as select * from {source} order by all")
            else:
                _require_match(connection, table, mart)
            if before is None or not mart.described_as(before):
                _describe(connection, table, mart)
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # no transaction was started
            connection.execute("rollback")
        raise
    finally:
        connection.execute("detach target")  # also writes the log into the file


def _drop_others(connection: duckdb.DuckDBPyConnection, kept: set[str]) -> None:
    names = connection.sql(
        "select table_name from duckdb_tables() "
        "where database_name = 'target' and schema_name = 'marts'"
    ).fetchall()
    dropped = [name for (name,) in names if name not in kept]
    for name in dropped:
        connection.execute(f"drop table {_in('target', name)}")
    if dropped:
        connection.execute("checkpoint target")  # frees their blocks for the new tables


def _describe(connection: duckdb.DuckDBPyConnection, table: str, mart: Mart) -> None:
    connection.execute(f"comment on table {table} is {quote_string(mart.description)}")
    for name, _, description in mart.fields:
        connection.execute(f'comment on column {table}."{name}" is {quote_string(description)}')


def _in(database: str, mart: str) -> str:
    return f'{database}.marts."{mart}"'
