"""The snapshots of a home: listing them, checking them for damage, and rolling back.

Belongs here: reading snapshots and moving the pointer back. Does not: writing (`publication`) or
removing (`retention`) snapshots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.errors import NoSnapshotError, PapertideError
from pipelines.publishing import build_status
from pipelines.publishing.snapshot import (
    Snapshot,
    current,
    in_use,
    is_duckdb_file,
    point_to,
)
from pipelines.publishing.tables import file_hash
from pipelines.runtime.sql import quote_identifier
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

SNAPSHOT_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?")
_LIST_HINT = "`papertide snapshots` lists the snapshots."


@dataclass(frozen=True)
class Entry:
    """A snapshot in a listing. `damage` describes what is wrong with it, or is empty."""

    snapshot: Snapshot
    published_at: datetime | None
    rows: dict[str, int]
    n_bytes: int
    content_hash: str
    is_current: bool
    damage: str


@dataclass(frozen=True)
class Move:
    """A rollback: the snapshot id that the pointer had (None if unreadable), and the new entry."""

    left: str | None
    to: Entry


def folders(snapshots_dir: Path) -> list[Path]:
    """Folders named like snapshots, oldest first."""
    if not snapshots_dir.is_dir():
        return []
    found = (path for path in snapshots_dir.iterdir() if SNAPSHOT_ID.fullmatch(path.name))
    return sorted((path for path in found if path.is_dir()), key=_age)


def _age(folder: Path) -> tuple[str, int]:
    """Sort key: the time in the name, then the counter within a second."""
    moment, _, rest = folder.name.partition("-")
    counter = rest.partition("-")[2]
    return moment, int(counter or 1)


def entries(settings: Settings) -> list[Entry]:
    """Every snapshot, newest first, including damaged ones."""
    pointed = build_status.pointed_to(settings.snapshots_dir)
    return [
        _entry(folder, is_current=folder.name == pointed)
        for folder in reversed(folders(settings.snapshots_dir))
    ]


def _entry(folder: Path, *, is_current: bool) -> Entry:
    snapshot = Snapshot(folder.name, folder)
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        package = snapshot.package()
    except NoSnapshotError:
        damage = "datapackage.json is missing or damaged"
        return Entry(snapshot, None, {}, n_bytes, "", is_current, damage)
    return Entry(
        snapshot,
        datetime.fromisoformat(package["created"]).astimezone(UTC),
        {r["name"]: int(r["rows"]) for r in package["resources"]},
        n_bytes,
        str(package.get("content_hash", "")),
        is_current,
        next(_visible_damage(snapshot, package), ""),
    )


def _visible_damage(snapshot: Snapshot, package: dict[str, Any]) -> Iterator[str]:
    """Damage that shows without reading the files' content."""
    for resource in package["resources"]:
        path = snapshot.folder / resource["path"]
        if not path.is_file():
            yield f"{resource['path']} is missing"
        elif path.stat().st_size != resource["bytes"]:
            yield f"{resource['path']} has the wrong size"
    if not snapshot.database.is_file():
        yield f"{snapshot.database.name} is missing"
    elif not is_duckdb_file(snapshot.database):
        yield f"{snapshot.database.name} is damaged"
    elif snapshot.database.stat().st_size != _declared_bytes(snapshot, package):
        yield f"{snapshot.database.name} has the wrong size"


def _declared_bytes(snapshot: Snapshot, package: dict[str, Any]) -> int:
    """Declared size of the database; its current size if an older version declared none."""
    declared = package.get("database", {}).get("bytes")
    return int(snapshot.database.stat().st_size if declared is None else declared)


def content_damage(settings: Settings, snapshot: Snapshot) -> str:
    """The damage found by reading every file, or an empty text."""
    package = snapshot.package()
    for resource in package["resources"]:
        if file_hash(snapshot.folder / resource["path"]) != resource["hash"]:
            return f"{resource['path']} has the wrong content"
    try:
        with closing(connect(snapshot.database, settings, read_only=True)) as connection:
            for resource in package["resources"]:
                # Hashing all columns reads every block, and each block has a checksum.
                table = f"marts.{quote_identifier(resource['name'])}"
                n_rows, _ = connection.sql(
                    f"select count(*), sum(hash(t)::hugeint) from {table} as t"
                ).fetchall()[0]
                if n_rows != resource["rows"]:
                    return f"{snapshot.database.name} has a different number of rows than declared"
    except duckdb.Error as error:
        if locked := in_use(snapshot.database, error):
            raise locked from None
        return f"{snapshot.database.name} is damaged"
    return ""


def rollback(
    settings: Settings, snapshot_id: str | None = None, *, now: datetime | None = None
) -> Move:
    """Point readers to that snapshot, or to the newest intact one before the current.

    The caller holds the writer lock. Raises PapertideError if there is no such snapshot, if it is
    damaged, or if it is the current one.
    """
    listed = entries(settings)
    pointed = build_status.pointed_to(settings.snapshots_dir)
    target = _named(listed, snapshot_id) if snapshot_id else _before(settings, listed, pointed)
    if target.is_current and snapshot_id and not target.damage:
        raise PapertideError(f"{target.snapshot.snapshot_id} is already the current snapshot.")
    if damage := target.damage or content_damage(settings, target.snapshot):
        raise PapertideError(
            f"Can't roll back to {target.snapshot.snapshot_id}: {damage}. {_LIST_HINT}"
        )
    # The mark is written first: it protects the target from expiry.
    build_status.note_rollback(settings, pointed, target.snapshot.snapshot_id, now=now)
    point_to(settings, target.snapshot.snapshot_id)
    return Move(pointed, target)


def named(settings: Settings, snapshot_id: str) -> Entry:
    """The snapshot with that id, or the only one whose id starts with it. Raises PapertideError."""
    return _named(entries(settings), snapshot_id)


def _named(listed: list[Entry], snapshot_id: str) -> Entry:
    exact = [e for e in listed if e.snapshot.snapshot_id == snapshot_id]
    found = exact or [e for e in listed if e.snapshot.snapshot_id.startswith(snapshot_id)]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} snapshots start with" if found else "There is no snapshot"
    raise PapertideError(f"{problem} {snapshot_id!r}. {_LIST_HINT}")


def _before(settings: Settings, listed: list[Entry], pointed: str | None) -> Entry:
    """The newest intact snapshot before the current one; of all if there is no current one."""
    intact = [e for e in listed if not e.damage and not e.is_current]
    try:
        current(settings)
    except NoSnapshotError:
        older = intact
    else:
        here = next((n for n, e in enumerate(listed) if e.snapshot.snapshot_id == pointed), 0)
        older = [e for e in listed[here + 1 :] if e in intact]
    if not older:
        raise PapertideError(
            f"There is no intact snapshot to roll back to. {_LIST_HINT} "
            "`papertide build` publishes a new one."
        )
    return older[0]
