"""Removing old snapshots, and temporary files of killed builds.

Open readers are not affected: the system keeps a deleted file until it is closed.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from pipelines.errors import NoSnapshotError
from pipelines.publishing import build_status, history
from pipelines.publishing.snapshot import current
from pipelines.runtime.files import TEMPORARY_FILE, TEMPORARY_FOLDER
from pipelines.settings import Settings

_OLD_TEMPORARY_FILES = (".pointer-*", ".REFUSED.json-*", ".ROLLED_BACK.json-*")  # older versions
TEMPORARY = (f"{TEMPORARY_FOLDER}*", f"{TEMPORARY_FILE}*", *_OLD_TEMPORARY_FILES)
TEMPORARY_FOR_S = 24 * 3600


def expire(settings: Settings, *, now_s: float | None = None) -> list[str]:
    """Remove the oldest snapshots beyond `keep_snapshots`. Returns the removed ids.

    Keeps the current snapshot, the target of the last rollback, and folders not named like a
    snapshot. Removes no snapshot if the current one is missing or damaged. A snapshot that can't be
    removed is tried again at the next build.
    """
    _remove_temporary(settings.snapshots_dir, time.time() if now_s is None else now_s)
    try:
        kept = {current(settings).snapshot_id}
    except NoSnapshotError:
        return []
    if mark := build_status.rollback_mark(settings.snapshots_dir):
        kept.add(mark["to"])
    folders = history.folders(settings.snapshots_dir)
    excess = folders[: max(len(folders) - settings.keep_snapshots, 0)]
    return [folder.name for folder in excess if folder.name not in kept and _remove(folder)]


def _remove(folder: Path) -> bool:
    # Renamed first, so that a listing never shows a partly deleted snapshot.
    renamed = folder.with_name(f"{TEMPORARY_FOLDER}expired-{folder.name}")
    try:
        folder.rename(renamed)
    except OSError:
        return False
    shutil.rmtree(renamed, ignore_errors=True)
    return True


def _remove_temporary(snapshots_dir: Path, now_s: float) -> None:
    """Remove temporary files that are too old to belong to a running build."""
    for pattern in TEMPORARY:
        for path in snapshots_dir.glob(pattern):
            if now_s - path.lstat().st_mtime < TEMPORARY_FOR_S:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
