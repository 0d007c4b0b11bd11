"""The marts of a candidate → the files of a snapshot: Parquet and one compact database.

Belongs here: copying tables so that equal tables become equal Parquet files, byte for byte, and
taking over from the snapshot before what has not changed. Does not: naming, pointing, expiring.

Whether a mart has changed is told by its fingerprint: two sums over hashes of its rows, whatever
their order. Nothing is taken over on the fingerprint's word alone: a file is hashed again, a table
is summed again, and what does not agree is written anew.
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
from pipelines.runtime.sql import quote_string
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

DATABASE = "papertide.duckdb"
FORMAT = "2"  # of the files written here; raise it when their layout changes
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
    known = earlier.resources if earlier else {}
    with connect(None, settings) as connection:
        connection.execute(f"set temp_directory = {quote_string(work / '.spill')}")
        # Else a column is optional in Parquet when its table ever held a null, and required when it
        # did not: equal tables of different pasts would become different files.
        connection.execute("set disabled_optimizers = 'statistics_propagation'")
        connection.execute(
            f"attach {quote_string(settings.candidate_path)} as candidate (read_only)"
        )
        marts = _marts(connection)
        if not marts:
            raise CheckFailed("The warehouse holds no marts. Run `papertide build`.")
        kept = {mart.name for mart in marts if mart.same_as(known.get(mart.name))}
        # Neither half keeps both cores busy: the database is made while Parquet is written.
        with ThreadPoolExecutor(max_workers=1) as pool, connection.cursor() as cursor:
            database = pool.submit(_write_database, cursor, work, marts, kept, earlier)
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
    # To the hash of a row an empty list is as none, and lists side by side are as one.
    lengths = [f', len("{name}")' for name, kind, *_ in shape if str(kind).endswith("[]")]
    rows, total, mixed = connection.sql(
        "select count(*), sum(h::hugeint), bit_xor(hash(h)) "
        f"from (select hash(t{''.join(lengths)}) as h from {table} as t)"
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
        f"to {quote_string(path)} {_COPY}"
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
    kept: set[str],
    earlier: Earlier | None,
) -> None:
    """The database that readers open: a copy of the earlier one where it saves most of the work."""
    path = work / DATABASE
    if earlier and _mostly(kept, marts) and (earlier.folder / DATABASE).is_file():
        try:
            shutil.copyfile(earlier.folder / DATABASE, path)
            _fill(connection, path, marts, kept, earlier)
        except (duckdb.Error, _NotTheSame):
            for left in (path, path.with_name(f"{path.name}.wal")):
                left.unlink(missing_ok=True)  # it is damaged: nothing of it is taken over
        else:
            return
    _fill(connection, path, marts, set(), None)


def _mostly(kept: set[str], marts: Sequence[Mart]) -> bool:
    """True when the kept marts hold more rows than the changed ones.

    Otherwise a new file is as quick and holds no blocks that were given up.
    """
    return sum(m.rows if m.name in kept else -m.rows for m in marts) > 0


class _NotTheSame(Exception):
    """A table of the earlier database does not hold what its description says."""


def _require_same(connection: duckdb.DuckDBPyConnection, table: str, mart: Mart) -> None:
    if fingerprint(connection, table)[1] != mart.fingerprint:
        raise _NotTheSame


def _fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    marts: Sequence[Mart],
    kept: set[str],
    earlier: Earlier | None,
) -> None:
    connection.execute(f"attach {quote_string(path)} as target")
    try:
        connection.execute("create schema if not exists target.marts")
        _drop_others(connection, kept)
        connection.execute("begin")  # written out once, not table by table
        for mart in marts:
            table = _in("target", mart.name)
            before = earlier.resources[mart.name] if earlier and mart.name in kept else None
            if before is None:
                source = _in("candidate", mart.name)
                connection.execute(f"create table {table} as select * from {source} order by all")
            else:
                _require_same(connection, table, mart)
            if before is None or not mart.described_as(before):
                _describe(connection, table, mart)
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # where it was not even begun
            connection.execute("rollback")
        raise
    finally:
        connection.execute("detach target")  # writes what is still in its log into the file


def _drop_others(connection: duckdb.DuckDBPyConnection, kept: set[str]) -> None:
    names = connection.sql(
        "select table_name from duckdb_tables() "
        "where database_name = 'target' and schema_name = 'marts'"
    ).fetchall()
    dropped = [name for (name,) in names if name not in kept]
    for name in dropped:
        connection.execute(f"drop table {_in('target', name)}")
    if dropped:
        connection.execute("checkpoint target")  # their blocks are free for what comes


def _describe(connection: duckdb.DuckDBPyConnection, table: str, mart: Mart) -> None:
    connection.execute(f"comment on table {table} is {quote_string(mart.description)}")
    for name, _, description in mart.fields:
        connection.execute(f'comment on column {table}."{name}" is {quote_string(description)}')


def _in(database: str, mart: str) -> str:
    return f'{database}.marts."{mart}"'
