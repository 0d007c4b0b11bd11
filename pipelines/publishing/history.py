"""The snapshots that exist: which are whole, which one is read, and going back to another.

Belongs here: listing and moving the pointer. Does not: writing snapshots or removing them.
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
    looks_like_a_database,
    point_to,
)
from pipelines.publishing.tables import file_hash
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

SNAPSHOT_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?")


@dataclass(frozen=True)
class Entry:
    """A snapshot as a line of the list. `damage` says what is wrong with it, or is empty."""

    snapshot: Snapshot
    published_at: datetime | None
    rows: dict[str, int]
    n_bytes: int
    content_hash: str
    is_current: bool
    damage: str


@dataclass(frozen=True)
class Move:
    """What a roll back did: from where (None: the pointer led nowhere) to which snapshot."""

    left: str | None
    to: Entry


def folders(snapshots_dir: Path) -> list[Path]:
    """Folders named as snapshots are, oldest first; others are not ours."""
    if not snapshots_dir.is_dir():
        return []
    found = (path for path in snapshots_dir.iterdir() if SNAPSHOT_ID.fullmatch(path.name))
    return sorted((path for path in found if path.is_dir()), key=_age)


def _age(folder: Path) -> tuple[str, int]:
    """Names begin with the time; of one second the counter decides."""
    moment, _, rest = folder.name.partition("-")
    counter = rest.partition("-")[2]
    return moment, int(counter or 1)


def entries(settings: Settings) -> list[Entry]:
    """Every snapshot, newest first, damaged ones too."""
    pointed = build_status.pointed_to(settings.snapshots_dir)
    return [
        _entry(folder, folder.name == pointed)
        for folder in reversed(folders(settings.snapshots_dir))
    ]


def _entry(folder: Path, is_current: bool) -> Entry:  # noqa: FBT001  a column of the list
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
        next(_damages(snapshot, package), ""),
    )


def _damages(snapshot: Snapshot, package: dict[str, Any]) -> Iterator[str]:
    """What can be seen without reading the files through."""
    for resource in package["resources"]:
        path = snapshot.folder / resource["path"]
        if not path.is_file():
            yield f"{resource['path']} is missing"
        elif path.stat().st_size != resource["bytes"]:
            yield f"{resource['path']} has not the size that it had"
    if not snapshot.database.is_file():
        yield f"{snapshot.database.name} is missing"
    elif not looks_like_a_database(snapshot.database):
        yield f"{snapshot.database.name} is damaged"
    elif snapshot.database.stat().st_size != _declared_bytes(snapshot, package):
        yield f"{snapshot.database.name} has not the size that it had"


def _declared_bytes(snapshot: Snapshot, package: dict[str, Any]) -> int:
    """Of the database; snapshots of earlier versions do not say it."""
    declared = package.get("database", {}).get("bytes")
    return int(snapshot.database.stat().st_size if declared is None else declared)


def damage_inside(settings: Settings, snapshot: Snapshot) -> str:
    """What is wrong after reading every file through, or an empty text."""
    package = snapshot.package()
    for resource in package["resources"]:
        if file_hash(snapshot.folder / resource["path"]) != resource["hash"]:
            return f"{resource['path']} is not what it was"
    try:
        with closing(connect(snapshot.database, settings, read_only=True)) as connection:
            for resource in package["resources"]:
                # A sum over all columns reads every block; each has a checksum.
                found = connection.sql(
                    f'select count(*), sum(hash(t)::hugeint) from marts."{resource["name"]}" as t'
                ).fetchall()[0]
                if found[0] != resource["rows"]:
                    return f"{snapshot.database.name} has other rows than it says"
    except duckdb.Error:
        return f"{snapshot.database.name} is damaged"
    return ""


def rollback(
    settings: Settings, snapshot_id: str | None = None, *, now: datetime | None = None
) -> Move:
    """Point readers at that snapshot, or at the newest whole one before the current.

    The caller holds the writer's lock. Raises PapertideError when there is no such snapshot, when
    it is damaged, or when it is the current one already.
    """
    listed = entries(settings)
    pointed = build_status.pointed_to(settings.snapshots_dir)
    wanted = _named(listed, snapshot_id) if snapshot_id else _before(settings, listed, pointed)
    if wanted.is_current and snapshot_id and not wanted.damage:
        raise PapertideError(f"{wanted.snapshot.snapshot_id} is the current snapshot already.")
    if damage := wanted.damage or damage_inside(settings, wanted.snapshot):
        raise PapertideError(
            f"{wanted.snapshot.snapshot_id} can't be gone back to: {damage}. `papertide snapshots` "
            "lists the others."
        )
    # The mark first: what it names is safe from expiry at any moment.
    build_status.note_rollback(settings, pointed, wanted.snapshot.snapshot_id, now=now)
    point_to(settings, wanted.snapshot.snapshot_id)
    return Move(pointed, wanted)


def named(settings: Settings, snapshot_id: str) -> Entry:
    """The snapshot of that id, or of the only id that begins so. Raises PapertideError."""
    return _named(entries(settings), snapshot_id)


def _named(listed: list[Entry], snapshot_id: str) -> Entry:
    exact = [e for e in listed if e.snapshot.snapshot_id == snapshot_id]
    found = exact or [e for e in listed if e.snapshot.snapshot_id.startswith(snapshot_id)]
    if len(found) == 1:
        return found[0]
    why = "There is no snapshot" if not found else f"{len(found)} snapshots begin with"
    raise PapertideError(f"{why} {snapshot_id!r}. `papertide snapshots` lists them.")


def _before(settings: Settings, listed: list[Entry], pointed: str | None) -> Entry:
    """The newest whole one before the current; before none, when the pointer leads nowhere."""
    whole = [e for e in listed if not e.damage and not e.is_current]
    try:
        current(settings)
    except NoSnapshotError:
        older = whole
    else:
        here = next((n for n, e in enumerate(listed) if e.snapshot.snapshot_id == pointed), 0)
        older = [e for e in listed[here + 1 :] if e in whole]
    if not older:
        raise PapertideError(
            "There is no whole snapshot to go back to. `papertide snapshots` lists what there is; "
            "`papertide build` publishes anew."
        )
    return older[0]
