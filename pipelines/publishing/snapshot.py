"""Write a candidate as an immutable snapshot, then swap the pointer.

`snapshots/<id>/` holds `papertide.duckdb`, `parquet/<mart>.parquet` and `datapackage.json`;
`snapshots/CURRENT` names the one that people read. Both appear whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.engine import connect
from pipelines.errors import CheckFailed, NoSnapshotError
from pipelines.settings import Settings

DATABASE = "papertide.duckdb"
POINTER = "CURRENT"


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot."""

    snapshot_id: str
    folder: Path

    @property
    def database(self) -> Path:
        """The read-only database."""
        return self.folder / DATABASE

    def package(self) -> dict[str, Any]:
        """`datapackage.json`: tables, columns, rows, hashes, time of publication."""
        package: dict[str, Any] = json.loads((self.folder / "datapackage.json").read_text())
        return package


def current(settings: Settings) -> Snapshot:
    """The snapshot that people read. Raises NoSnapshotError when none was published."""
    try:
        name = (settings.snapshots_dir / POINTER).read_text().strip()
    except FileNotFoundError:
        raise NoSnapshotError(
            f"Nothing is published in {settings.home} yet. Run `papertide demo` for the bundled "
            "sample, or `papertide ingest PATH` and then `papertide build`."
        ) from None
    snapshot = Snapshot(name, settings.snapshots_dir / name)
    if not snapshot.database.is_file():
        raise NoSnapshotError(
            f"The pointer {settings.snapshots_dir / POINTER} names {name!r}, which is not there. "
            "Run `papertide build` to publish anew."
        )
    return snapshot


def publish(settings: Settings, *, now: datetime | None = None) -> Snapshot:
    """Copy the warehouse's marts into a new snapshot and point readers at it.

    The caller has run the checks. Raises CheckFailed when the warehouse has no marts.
    """
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    published_at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    work = Path(tempfile.mkdtemp(prefix=".writing-", dir=settings.snapshots_dir))
    try:
        resources = _write_parquet(settings, work)
        content = hashlib.sha256("".join(r["hash"] for r in resources).encode()).hexdigest()
        snapshot_id = f"{published_at:%Y%m%dT%H%M%SZ}-{content[:8]}"
        package = {
            "name": "papertide",
            "title": "Papertide: machine-learning paper listings",
            "id": snapshot_id,
            "created": published_at.isoformat(),
            "content_hash": content,
            "resources": resources,
        }
        (work / "datapackage.json").write_text(json.dumps(package, indent=1, ensure_ascii=False))
        _write_database(settings, work, package)
        _sync_tree(work)
        folder = _free_name(settings.snapshots_dir / snapshot_id)
        os.chmod(work, 0o755)  # noqa: S103  readers of the machine may read a snapshot
        work.rename(folder)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    point_to(settings, folder.name)
    return Snapshot(folder.name, folder)


def point_to(settings: Settings, snapshot_id: str) -> None:
    """Replace the pointer atomically."""
    with tempfile.NamedTemporaryFile(
        "w", dir=settings.snapshots_dir, prefix=".pointer-", delete=False
    ) as pointer:
        pointer.write(snapshot_id + "\n")
        pointer.flush()
        os.fsync(pointer.fileno())
    os.chmod(pointer.name, 0o644)
    os.replace(pointer.name, settings.snapshots_dir / POINTER)
    _sync_folder(settings.snapshots_dir)


def _free_name(folder: Path) -> Path:
    """The same content published twice within a second gets a counter."""
    candidate, n = folder, 1
    while candidate.exists():
        n += 1
        candidate = folder.with_name(f"{folder.name}-{n}")
    return candidate


def _write_parquet(settings: Settings, work: Path) -> list[dict[str, Any]]:
    """Each mart as Parquet, in one fixed order of rows, so that equal tables are equal files."""
    (work / "parquet").mkdir()
    resources = []
    with connect(settings.warehouse_path, settings, read_only=True) as connection:
        marts = connection.sql(
            "select table_name, comment from duckdb_tables() where schema_name = 'marts' order by 1"
        ).fetchall()
        if not marts:
            raise CheckFailed("The warehouse holds no marts. Run `papertide build`.")
        for name, comment in marts:
            path = work / "parquet" / f"{name}.parquet"
            connection.execute(
                f"copy (select * from marts.\"{name}\" order by all) to '{_quoted(path)}' "
                "(format parquet, compression zstd, row_group_size 122880)"
            )
            resources.append(
                {
                    "name": name,
                    "path": f"parquet/{path.name}",
                    "format": "parquet",
                    "description": comment or "",
                    "rows": _count(connection, name),
                    "bytes": path.stat().st_size,
                    "hash": hashlib.sha256(path.read_bytes()).hexdigest(),
                    "schema": {"fields": _fields(connection, name)},
                }
            )
    return resources


def _count(connection: duckdb.DuckDBPyConnection, mart: str) -> int:
    return int(connection.sql(f'select count(*) from marts."{mart}"').fetchall()[0][0])


def _fields(connection: duckdb.DuckDBPyConnection, mart: str) -> list[dict[str, str]]:
    rows = connection.sql(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where schema_name = 'marts' and table_name = $mart order by column_index",
        params={"mart": mart},
    ).fetchall()
    return [{"name": n, "type": t.lower(), "description": d} for n, t, d in rows]


def _write_database(settings: Settings, work: Path, package: dict[str, Any]) -> None:
    """The compact database that readers open: the same tables, described."""
    with connect(work / DATABASE, settings) as connection:
        connection.execute("create schema marts")
        for resource in package["resources"]:
            name = resource["name"]
            path = _quoted(work / resource["path"])
            connection.execute(
                f"create table marts.\"{name}\" as select * from read_parquet('{path}')"
            )
            connection.execute(
                f"comment on table marts.\"{name}\" is '{_quoted(resource['description'])}'"
            )
            for column in resource["schema"]["fields"]:
                connection.execute(
                    f'comment on column marts."{name}"."{column["name"]}" '
                    f"is '{_quoted(column['description'])}'"
                )
        connection.execute(
            "create table main.snapshot_info as select $id as snapshot_id, "
            "cast($at as timestamptz) at time zone 'UTC' as published_at, $hash as content_hash",
            {"id": package["id"], "at": package["created"], "hash": package["content_hash"]},
        )


def _quoted(value: object) -> str:
    return str(value).replace("'", "''")


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
