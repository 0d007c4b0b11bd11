"""A published snapshot, and the pointer to the current one.

`snapshots/<id>/` holds `papertide.duckdb`, `parquet/<mart>.parquet` and `datapackage.json`.
`snapshots/CURRENT` contains the id of the snapshot that readers use.

Belongs here: finding and describing a snapshot. Does not: writing one (`publication`), or listing
and rolling back (`history`).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import NoSnapshotError, SnapshotInUseError
from pipelines.publishing.build_status import POINTER
from pipelines.runtime.files import write_atomic
from pipelines.runtime.text import shortened
from pipelines.settings import Settings

DATABASE = "papertide.duckdb"
PACKAGE = "datapackage.json"
MAX_NAME_CHARS = 100
_MAGIC = b"DUCK"  # at byte 8 of every DuckDB file
_LOCKED = "Could not set lock on file"
_HOLDER = re.compile(r"\(PID (\d+)\)")
_NEXT_STEP = (
    "Run `papertide rollback` to return to the newest intact snapshot, or `papertide build` to "
    "publish a new one."
)


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot."""

    snapshot_id: str
    folder: Path

    @property
    def database(self) -> Path:
        """Path of the read-only database."""
        return self.folder / DATABASE

    def package(self) -> dict[str, Any]:
        """`datapackage.json`: tables, columns, rows, hashes, time of publication.

        Raises NoSnapshotError if it is missing or damaged.
        """
        try:
            package: dict[str, Any] = json.loads((self.folder / PACKAGE).read_text("utf-8"))
            # Subtracting raises TypeError for a time without a zone.
            _ = datetime.fromisoformat(package["created"]) - datetime.now(UTC)
            for r in package["resources"]:
                _ = r["name"], r["path"], int(r["rows"]), int(r["bytes"]), r["hash"]
        except (OSError, ValueError, KeyError, TypeError):
            raise NoSnapshotError(
                f"{self.folder / PACKAGE} is missing or damaged. {_NEXT_STEP}"
            ) from None
        return package


def current(settings: Settings) -> Snapshot:
    """The snapshot that readers use.

    Raises NoSnapshotError if nothing is published, or if the pointer names a missing or damaged
    snapshot. Another snapshot is never used instead without `papertide rollback`.
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
        raise NoSnapshotError(f"The pointer {pointer} can't be read. {_NEXT_STEP}") from None
    snapshot = Snapshot(name, settings.snapshots_dir / name)
    if not _is_folder_name(name) or not snapshot.database.is_file():
        shown = shortened(name, MAX_NAME_CHARS)
        raise NoSnapshotError(
            f"The pointer {pointer} names {shown!r}, which does not exist. {_NEXT_STEP}"
        )
    if not is_duckdb_file(snapshot.database):
        raise damaged(snapshot)
    return snapshot


def damaged(snapshot: Snapshot) -> NoSnapshotError:
    """The error for a snapshot with a damaged database."""
    return NoSnapshotError(f"{snapshot.database} is damaged. {_NEXT_STEP}")


def in_use(database: Path, error: Exception) -> SnapshotInUseError | None:
    """The error for a database that another program has locked; None if that is not the problem."""
    if _LOCKED not in str(error):
        return None
    holder = _HOLDER.search(str(error))
    who = f"the process {holder.group(1)}" if holder else "another program"
    return SnapshotInUseError(
        f"{database} is in use by {who}, which opened it for writing. Close that program, or open "
        "the file read-only there (`duckdb -readonly`, `read_only=True`). The snapshot is intact."
    )


def is_duckdb_file(path: Path) -> bool:
    """Whether the file starts like a DuckDB file: a cheap test for truncated and other files."""
    try:
        with path.open("rb") as handle:
            return handle.read(12)[8:] == _MAGIC
    except OSError:
        return False


def point_to(settings: Settings, snapshot_id: str) -> None:
    """Replace the pointer atomically."""
    write_atomic(settings.snapshots_dir / POINTER, snapshot_id + "\n")


def _is_folder_name(name: str) -> bool:
    """Whether the text can be the name of a snapshot's folder."""
    return 0 < len(name) <= MAX_NAME_CHARS and name.isprintable() and Path(name).name == name
