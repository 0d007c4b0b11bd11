"""The marts of a candidate → the files of a snapshot: Parquet and one compact database.

Belongs here: copying tables so that equal tables become equal Parquet files, byte for byte, and
taking over from the snapshot before what has not changed. Does not: naming, pointing, expiring.

Whether a mart has changed is told by its fingerprint: two sums over hashes of its rows, whatever
their order. Nothing is taken over on its word alone: a file is hashed again, a table is summed
again, and what does not agree is written anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.engine import connect
from pipelines.errors import CheckFailed
from pipelines.settings import Settings

DATABASE = "papertide.duckdb"
FORMAT = "1"  # of the files written here; raise it when their layout changes
MAX_FRESH = 0.2  # share of a table's rows beyond which it is written whole
MAX_FREE = 0.25  # share of empty blocks beyond which the database is written whole
_COPY = "(format parquet, compression zstd, row_group_size 122880)"


@dataclass(frozen=True)
class Mart:
    """A table to publish: its columns with types and meanings, and what it holds."""

    name: str
    description: str
    fields: tuple[tuple[str, str, str], ...]
    rows: int
    fingerprint: str

    def resource(self, path: Path) -> dict[str, Any]:
        """Its entry in `datapackage.json`, with the hash of the file as it is on the disk."""
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
        """True when that entry describes the same rows in the same columns."""
        return resource is not None and resource.get("fingerprint") == self.fingerprint

    def same_columns(self, resource: Mapping[str, Any] | None) -> bool:
        """True when that entry describes the same columns, and hashes can be compared."""
        told = str((resource or {}).get("fingerprint", ""))
        return told.split(":")[:3] == self.fingerprint.split(":")[:3]

    def described_as(self, resource: Mapping[str, Any]) -> bool:
        """True when that entry gives table and columns the same meanings."""
        meanings = [field["description"] for field in resource["schema"]["fields"]]
        return meanings == [d for _, _, d in self.fields] and (
            resource["description"] == self.description
        )


@dataclass(frozen=True)
class Earlier:
    """The snapshot before: what may be taken over from it."""

    folder: Path
    resources: Mapping[str, Mapping[str, Any]]


def write(settings: Settings, work: Path, earlier: Earlier | None) -> list[dict[str, Any]]:
    """Write `parquet/` and the database into the folder; the entries of `datapackage.json`.

    Raises CheckFailed when the candidate has no marts.
    """
    (work / "parquet").mkdir()
    with connect(None, settings) as connection:
        connection.execute(f"set temp_directory = '{_quoted(work / '.spill')}'")
        connection.execute(f"attach '{_quoted(settings.candidate_path)}' as candidate (read_only)")
        marts = _marts(connection)
        if not marts:
            raise CheckFailed("The warehouse holds no marts. Run `papertide build`.")
        # Neither half keeps both cores busy: the database is made while Parquet is written.
        with ThreadPoolExecutor(max_workers=1) as pool, connection.cursor() as cursor:
            database = pool.submit(_write_database, cursor, work, marts, earlier)
            resources = [_write_parquet(connection, work, mart, earlier) for mart in marts]
            database.result()
    shutil.rmtree(work / ".spill", ignore_errors=True)
    return resources


def seal(settings: Settings, work: Path, package: Mapping[str, Any]) -> None:
    """Say in the database which snapshot it is."""
    with connect(work / DATABASE, settings) as connection:
        connection.execute(
            "create or replace table main.snapshot_info as select $id as snapshot_id, "
            "cast($at as timestamptz) at time zone 'UTC' as published_at, $hash as content_hash",
            {"id": package["id"], "at": package["created"], "hash": package["content_hash"]},
        )


def fingerprint(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[int, str]:
    """Number of rows, and a text that is the same for the same rows in the same columns.

    `table` is a qualified name of ours.
    """
    shape = connection.sql(f"describe {table}").fetchall()
    columns = hashlib.sha256(repr([row[:2] for row in shape]).encode()).hexdigest()[:16]
    rows, total, mixed = connection.sql(
        f"select count(*), sum(hash(t)::hugeint), bit_xor(hash(t, 'papertide')) from {table} as t"
    ).fetchall()[0]
    # Hashes of rows are DuckDB's own and differ between its versions.
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
    connection: duckdb.DuckDBPyConnection, work: Path, mart: Mart, earlier: Earlier | None
) -> dict[str, Any]:
    """The mart's file, in one fixed order of rows: the earlier one where it holds the same."""
    path = work / "parquet" / f"{mart.name}.parquet"
    if earlier and mart.same_as(before := earlier.resources.get(mart.name)) and before:
        _link(earlier.folder / before["path"], path)
        resource = mart.resource(path) if path.exists() else {}
        if resource.get("hash") == before["hash"]:
            return resource
        path.unlink(missing_ok=True)
    connection.execute(
        f"copy (select * from {_in('candidate', mart.name)} order by all) "
        f"to '{_quoted(path)}' {_COPY}"
    )
    return mart.resource(path)


def _link(source: Path, target: Path) -> None:
    """The same file under another name: no bytes are copied, and neither is ever changed."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        return
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _write_database(
    connection: duckdb.DuckDBPyConnection,
    work: Path,
    marts: Sequence[Mart],
    earlier: Earlier | None,
) -> None:
    """The database that readers open: a copy of the earlier one with the rows that changed."""
    path = work / DATABASE
    if earlier and (earlier.folder / DATABASE).is_file():
        try:
            shutil.copyfile(earlier.folder / DATABASE, path)
            _fill(connection, path, marts, earlier.resources)
        except (duckdb.Error, _StartAnew):
            for left in (path, path.with_name(f"{path.name}.wal")):
                left.unlink(missing_ok=True)
        else:
            return
    _fill(connection, path, marts, {})


class _StartAnew(Exception):
    """The earlier database does not hold what its description says, or is full of holes."""


def _fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    marts: Sequence[Mart],
    known: Mapping[str, Mapping[str, Any]],
) -> None:
    connection.execute(f"attach '{_quoted(path)}' as target")
    try:
        connection.execute("create schema if not exists target.marts")
        if known and _share_free(connection) > MAX_FREE:
            raise _StartAnew
        usable = {mart.name for mart in marts if mart.same_columns(known.get(mart.name))}
        _drop_others(connection, usable)
        for mart in marts:
            _write_table(connection, mart, known[mart.name] if mart.name in usable else None)
    finally:
        connection.execute("detach target")  # writes what is still in its log into the file


def _write_table(
    connection: duckdb.DuckDBPyConnection, mart: Mart, before: Mapping[str, Any] | None
) -> None:
    table, source = _in("target", mart.name), _in("candidate", mart.name)
    if before and not mart.same_as(before) and not _change_rows(connection, table, source):
        connection.execute(f"drop table {table}")
        before = None
    if before is None:
        connection.execute(f"create table {table} as select * from {source} order by all")
    elif fingerprint(connection, table)[1] != mart.fingerprint:
        raise _StartAnew
    if before is None or not mart.described_as(before):
        _describe(connection, table, mart)


def _change_rows(connection: duckdb.DuckDBPyConnection, table: str, source: str) -> bool:
    """Take out the rows that are no more and put in those that are new; False: too many are.

    Rows are told apart by one hash; the caller proves the result by the table's fingerprint.
    """
    for name, of in (("old_rows", table), ("new_rows", source)):
        connection.execute(
            f"create or replace temp table {name} as "
            f"select rowid as id, hash(t) as h from {of} as t"
        )
    gone = "select id from old_rows anti join new_rows using (h)"
    fresh = "select id from new_rows anti join old_rows using (h)"
    n_fresh, n_all = connection.execute(
        f"select (select count(*) from ({fresh})), (select count(*) from new_rows)"
    ).fetchall()[0]
    if n_fresh > MAX_FRESH * n_all:
        return False
    connection.execute("begin")
    connection.execute(f"delete from {table} where rowid in ({gone})")
    connection.execute(
        f"insert into {table} select * from {source} where rowid in ({fresh}) order by all"
    )
    connection.execute("commit")
    return True


def _share_free(connection: duckdb.DuckDBPyConnection) -> float:
    """The share of the file's blocks that earlier changes have left empty."""
    total, free = connection.execute(
        "select total_blocks, free_blocks from pragma_database_size() "
        "where database_name = 'target'"
    ).fetchall()[0]
    return float(free / total) if total else 0.0


def _drop_others(connection: duckdb.DuckDBPyConnection, kept: set[str]) -> None:
    names = connection.execute(
        "select table_name from duckdb_tables() "
        "where database_name = 'target' and schema_name = 'marts'"
    ).fetchall()
    for name in (name for (name,) in names if name not in kept):
        connection.execute(f"drop table {_in('target', name)}")


def _describe(connection: duckdb.DuckDBPyConnection, table: str, mart: Mart) -> None:
    connection.execute("begin")
    connection.execute(f"comment on table {table} is '{_quoted(mart.description)}'")
    for name, _, description in mart.fields:
        connection.execute(f"comment on column {table}.\"{name}\" is '{_quoted(description)}'")
    connection.execute("commit")


def _in(database: str, mart: str) -> str:
    return f'{database}.marts."{mart}"'


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")
