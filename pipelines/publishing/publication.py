"""Publishing a candidate: write an immutable snapshot, then move the pointer to it.

The snapshot is synced to the disk before the pointer moves, so that a crash leaves the old one.

Belongs here: the order of these steps and `datapackage.json`. Does not: writing tables (`tables`).
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import NoSnapshotError
from pipelines.publishing import build_status, tables
from pipelines.publishing.snapshot import DATABASE, PACKAGE, Snapshot, current, point_to
from pipelines.runtime.files import sync, sync_tree, temporary_folder
from pipelines.settings import Settings

READ_ONLY = 0o444  # a snapshot is never changed; other programs open it read-only


def publish(settings: Settings, *, now: datetime | None = None) -> Snapshot:
    """Copy the candidate's marts into a new snapshot and point readers to it.

    Unchanged tables are reused from the current snapshot. The caller has run the checks. Raises
    CheckFailed if the candidate has no marts.
    """
    settings.snapshots_dir.mkdir(parents=True, exist_ok=True)
    published_at = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    with temporary_folder(settings.snapshots_dir) as work:
        resources = tables.write(settings, work, _previous(settings))
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
        tables.write_snapshot_info(settings, work, package)
        package["database"] = {"path": DATABASE, "bytes": (work / DATABASE).stat().st_size}
        (work / PACKAGE).write_text(json.dumps(package, indent=1, ensure_ascii=False), "utf-8")
        for path in work.rglob("*"):
            if path.is_file():
                os.chmod(path, READ_ONLY)
        os.chmod(work, 0o755)  # noqa: S103  other users of the machine may read a snapshot
        sync_tree(work)
        work.rename(folder)
        sync(settings.snapshots_dir)
    point_to(settings, folder.name)
    build_status.clear_refusal(settings)
    return Snapshot(folder.name, folder)


def _previous(settings: Settings) -> tables.Previous | None:
    """The current snapshot, if it is intact."""
    try:
        snapshot = current(settings)
        resources = {r["name"]: r for r in snapshot.package()["resources"]}
    except NoSnapshotError:
        return None
    return tables.Previous(snapshot.folder, resources)


def _free_name(folder: Path) -> Path:
    """The folder; with a counter if the same content was published in the same second."""
    free, n = folder, 1
    while free.exists():
        n += 1
        free = folder.with_name(f"{folder.name}-{n}")
    return free
