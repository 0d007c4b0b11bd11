"""Old snapshots go, unfinished work of killed builds too.

A file that is deleted under an open reader stays readable until it is closed (the system keeps it
while a handle is open), so that no query is broken; the reader's next one goes to the current
snapshot anyway.
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

_OLD_TEMPORARY_FILES = (
    ".pointer-*",
    ".REFUSED.json-*",
    ".ROLLED_BACK.json-*",
)  # of earlier versions
UNFINISHED = (f"{TEMPORARY_FOLDER}*", f"{TEMPORARY_FILE}*", *_OLD_TEMPORARY_FILES)
UNFINISHED_AFTER_S = 24 * 3600


def expire(settings: Settings, *, now_s: float | None = None) -> list[str]:
    """Remove the oldest snapshots beyond the setting's number; the ids of those that are gone.

    Never the current one, and never the one that readers were last taken back to. Nothing is
    removed while the pointer names no snapshot that is whole. Whatever is not shaped like a
    snapshot is left alone. What can't be removed is left for the next time.
    """
    _remove_unfinished(settings.snapshots_dir, time.time() if now_s is None else now_s)
    try:
        kept = {current(settings).snapshot_id}
    except NoSnapshotError:
        return []
    if mark := build_status.rollback_mark(settings.snapshots_dir):
        kept.add(mark["to"])
    folders = history.folders(settings.snapshots_dir)
    beyond = folders[: max(len(folders) - settings.keep_snapshots, 0)]
    return [folder.name for folder in beyond if folder.name not in kept and _remove(folder)]


def _remove(folder: Path) -> bool:
    # Renamed first: whoever lists snapshots sees it whole or not at all.
    doomed = folder.with_name(f".writing-expired-{folder.name}")
    try:
        folder.rename(doomed)
    except OSError:
        return False
    shutil.rmtree(doomed, ignore_errors=True)
    return True


def _remove_unfinished(snapshots_dir: Path, now_s: float) -> None:
    """Work of builds that were killed; the work of one that may still run is younger."""
    for pattern in UNFINISHED:
        for path in snapshots_dir.glob(pattern):
            if now_s - path.lstat().st_mtime < UNFINISHED_AFTER_S:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
