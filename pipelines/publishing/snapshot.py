"""Write a candidate as an immutable snapshot, then swap the pointer.

`snapshots/<id>/` holds `papertide.duckdb`, `parquet/<mart>.parquet` and `datapackage.json`;
`snapshots/CURRENT` names the one that people read. Both appear whole or not at all: everything is
on the disk before the pointer moves, so that a crash in between leaves the old one.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import NoSnapshotError
from pipelines.publishing import build_status, tables
from pipelines.publishing.build_status import POINTER
from pipelines.publishing.tables import DATABASE
from pipelines.runtime.files import sync, sync_tree, temporary_folder, write_atomic
from pipelines.settings import Settings

PACKAGE = "datapackage.json"
MAX_NAME = 100
_MAGIC = b"DUCK"  # at byte 8 of every DuckDB file


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
        """`datapackage.json`: tables, columns, rows, hashes, time of publication.

        Raises NoSnapshotError when it is missing or damaged.
        """
        try:
            package: dict[str, Any] = json.loads((self.folder / PACKAGE).read_text("utf-8"))
            _ = datetime.fromisoformat(package["created"]) - datetime.now(UTC)  # with a zone
            for r in package["resources"]:
                _ = r["name"], r["path"], int(r["rows"]), int(r["bytes"]), r["hash"]
        except (OSError, ValueError, KeyError, TypeError):
            raise NoSnapshotError(
                f"{self.folder / PACKAGE} is missing or damaged. {_WAY_OUT}"
            ) from None
        return package


_WAY_OUT = (
    "Run `papertide rollback` to go to the newest snapshot that is whole, or `papertide build` to "
    "publish anew."
)


def current(settings: Settings) -> Snapshot:
    """The snapshot that people read. Raises NoSnapshotError when none was published.

    Also when the pointer names one that is not whole: another one is never shown in its place
    unless someone says so (`papertide rollback`).
    """
    pointer = settings.snapshots_dir / POINTER
    try:
        name = pointer.read_text("utf-8").strip()
    except FileNotFoundError:
        raise NoSnapshotError(
            f"Nothing is published in {settings.home} yet. Run `papertide demo` for the bundled "
            "sample, or `papertide ingest PATH` and then `papertide build`."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise NoSnapshotError(f"The pointer {pointer} can't be read. {_WAY_OUT}") from None
    snapshot = Snapshot(name, settings.snapshots_dir / name)
    if not _is_name(name) or not snapshot.database.is_file():
        shown = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"
        raise NoSnapshotError(
            f"The pointer {pointer} names {shown!r}, which is not there. {_WAY_OUT}"
        )
    if not looks_like_a_database(snapshot.database):
        raise NoSnapshotError(f"{snapshot.database} is damaged. {_WAY_OUT}")
    return snapshot


def _is_name(name: str) -> bool:
    """Whether it can be the name of a snapshot's folder at all."""
    return 0 < len(name) <= MAX_NAME and name.isprintable() and Path(name).name == name


def damaged(snapshot: Snapshot) -> NoSnapshotError:
    """The error for a snapshot whose database breaks while it is read."""
    return NoSnapshotError(f"{snapshot.database} is damaged. {_WAY_OUT}")


def looks_like_a_database(path: Path) -> bool:
    """True when the file begins as DuckDB's do: a cut or foreign file is told apart cheaply."""
    try:
        with path.open("rb") as handle:
            return handle.read(12)[8:] == _MAGIC
    except OSError:
        return False


def publish(settings: Settings, *, now: datetime | None = None) -> Snapshot:
    """Copy the candidate's marts into a new snapshot and point readers at it.

    What has not changed since the current snapshot is taken over from it. The caller has run the
    checks. Raises CheckFailed when the candidate has no marts.
    """
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    published_at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    with temporary_folder(settings.snapshots_dir) as work:
        resources = tables.write(settings, work, _earlier(settings))
        content = hashlib.sha256("".join(r["hash"] for r in resources).encode()).hexdigest()
        folder = _free_name(settings.snapshots_dir / f"{published_at:%Y%m%dT%H%M%SZ}-{content[:8]}")
        package: dict[str, Any] = {
            "name": "papertide",
            "title": "Papertide: machine-learning paper listings",
            "id": folder.name,
            "created": published_at.isoformat(),
            "content_hash": content,
            "resources": resources,
        }
        tables.seal(settings, work, package)
        package["database"] = {"path": DATABASE, "bytes": (work / DATABASE).stat().st_size}
        (work / PACKAGE).write_text(json.dumps(package, indent=1, ensure_ascii=False), "utf-8")
        os.chmod(work, 0o755)  # noqa: S103  readers of the machine may read a snapshot
        sync_tree(work)
        work.rename(folder)
        sync(settings.snapshots_dir)
    point_to(settings, folder.name)
    build_status.clear_refusal(settings)
    return Snapshot(folder.name, folder)


def point_to(settings: Settings, snapshot_id: str) -> None:
    """Replace the pointer atomically."""
    write_atomic(settings.snapshots_dir / POINTER, snapshot_id + "\n")


def _earlier(settings: Settings) -> tables.Earlier | None:
    try:
        snapshot = current(settings)
        resources = {r["name"]: r for r in snapshot.package()["resources"]}
    except NoSnapshotError:
        return None
    return tables.Earlier(snapshot.folder, resources)


def _free_name(folder: Path) -> Path:
    """The same content published twice within a second gets a counter."""
    candidate, n = folder, 1
    while candidate.exists():
        n += 1
        candidate = folder.with_name(f"{folder.name}-{n}")
    return candidate
