"""The format of a home: which version wrote it, and migrations to the current format.

Belongs here: `home.json`, the migrations, and refusing a home that this version can't read. Does
not: the content of the folders, which their packages own.

Format 1 has no `home.json` (0.1.0). Format 2 has it. In format 3 receipts name the day of a list
`listed_on`; older receipts are read as they are (`pipelines.archive.receipt`). Derived data (lake,
warehouse, snapshots) has its own version stamps and is rebuilt, so a migration only changes what
can't be rebuilt: receipts, `dagster.yaml`, Dagster's records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from pipelines.errors import PapertideError
from pipelines.runtime.files import write_atomic
from pipelines.runtime.text import printable
from pipelines.settings import Settings

FORMAT = 3
MARKER = "home.json"
FIRST_VERSION = "0.1.0"  # wrote homes without a marker
MAX_VERSION_CHARS = 40


@dataclass(frozen=True)
class Marker:
    """The content of `home.json`: the format, and the version of Papertide that wrote it."""

    format: int
    written_by: str


Migration = Callable[[Settings], None]


def _to_format_2(settings: Settings) -> None:
    """Format 2 only adds the marker, which `open_home` writes."""


def _to_format_3(settings: Settings) -> None:
    """Receipts of format 2 stay valid."""


# From each older format, the step to the next one. A step must be safe to repeat.
MIGRATIONS: Mapping[int, Migration] = {1: _to_format_2, 2: _to_format_3}


def require_readable(settings: Settings) -> None:
    """Check that this version can read the home. Changes nothing; an empty home passes.

    Raises PapertideError when a newer version wrote the home, or its marker can't be read.
    """
    _read_marker(settings)


def open_home(settings: Settings) -> int | None:
    """Migrate the home to the current format. Returns its former format, None for a new home.

    Raises PapertideError as `require_readable` does, and OSError when the home can't be written.
    """
    marker = _read_marker(settings)
    if marker is not None and marker.format == FORMAT:
        return FORMAT
    if marker is not None:
        for step in range(marker.format, FORMAT):
            MIGRATIONS[step](settings)
    _write_marker(settings, Marker(FORMAT, version("papertide")))
    return marker.format if marker else None


def _read_marker(settings: Settings) -> Marker | None:
    """The home's marker, None for a new home."""
    path = settings.home / MARKER
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Marker(1, FIRST_VERSION) if settings.captures_dir.is_dir() else None
    except OSError as error:
        raise PapertideError(
            f"{path} can't be read: {error.strerror}. Fix its permissions, or run Papertide as the "
            "user that owns the home."
        ) from None
    marker = _parse_marker(text)
    if marker is None:
        raise PapertideError(
            f"{path} is damaged. Restore it from a backup, or delete it; Papertide then treats the "
            f"home as one written by version {FIRST_VERSION}."
        )
    if marker.format > FORMAT:
        raise PapertideError(
            f"The home {settings.home} was written by Papertide {marker.written_by} (format "
            f"{marker.format}). This is version {version('papertide')}, which reads formats up to "
            f"{FORMAT}: install Papertide {marker.written_by} or newer."
        )
    return marker


def _parse_marker(text: bytes) -> Marker | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    number, writer = data.get("format"), data.get("written_by")
    if type(number) is not int or number < 1 or not isinstance(writer, str):
        return None
    return Marker(number, printable(writer, replacement="")[:MAX_VERSION_CHARS])


def _write_marker(settings: Settings, marker: Marker) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    write_atomic(settings.home / MARKER, json.dumps(asdict(marker), indent=1) + "\n")
