"""The format of a home: which version wrote it, and whether this one may go on with it.

Belongs here: `home.json`, the migrations between formats, the refusal of what can't be read. Does
not: what lies in the folders; each room keeps its own.

Format 1 is a home without `home.json` (0.1.0). Format 2 has it. What is derived (lake, warehouse,
snapshots) carries its own stamps and is made anew by itself, so a migration has to see to nothing
but what can't be made anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from pipelines.errors import PapertideError
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings

FORMAT = 2
MARKER = "home.json"
BEFORE_THE_MARKER = "0.1.0"


@dataclass(frozen=True)
class Marker:
    """What `home.json` says: the format, and the Papertide that wrote it."""

    format: int
    written_by: str


Migration = Callable[[Settings], None]


def _to_format_2(settings: Settings) -> None:
    """Format 2 only adds the marker, which is written after every migration."""


# From each older format, the step to the next one.
MIGRATIONS: Mapping[int, Migration] = {1: _to_format_2}


def require_known(settings: Settings) -> None:
    """Pass when this version can read the home, older and empty ones too; changes nothing.

    Raises PapertideError when a newer version wrote it, or when its marker can't be read.
    """
    _known(settings)


def open_home(settings: Settings) -> int | None:
    """Bring the home to today's format; the format that it had, None when it was new.

    Raises PapertideError as `require_known` does, and OSError when the folder can't be written.
    """
    found = _known(settings)
    if found is not None and found.format == FORMAT:
        return FORMAT
    if found is not None:
        for step in range(found.format, FORMAT):
            MIGRATIONS[step](settings)
    _write(settings, Marker(FORMAT, version("papertide")))
    return found.format if found else None


def _known(settings: Settings) -> Marker | None:
    """The home's marker, None for a home that holds nothing yet."""
    path = settings.home / MARKER
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Marker(1, BEFORE_THE_MARKER) if settings.captures_dir.is_dir() else None
    except OSError as error:
        raise PapertideError(
            f"{path} can't be read: {error.strerror}. Mend its rights, or run Papertide as the "
            "user that owns the home."
        ) from None
    marker = _parsed(text)
    if marker is None:
        raise PapertideError(
            f"{path} is damaged. Restore it from a backup, or remove it: then it is written anew, "
            f"and the home is taken for one of {BEFORE_THE_MARKER}."
        )
    if marker.format > FORMAT:
        raise PapertideError(
            f"The home {settings.home} was written by Papertide {marker.written_by} (format "
            f"{marker.format}); this is {version('papertide')}, which knows formats up to "
            f"{FORMAT}: install Papertide {marker.written_by} or newer."
        )
    return marker


def _parsed(text: bytes) -> Marker | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict):
        return None
    number, writer = data.get("format"), data.get("written_by")
    if type(number) is not int or number < 1 or not isinstance(writer, str):
        return None
    return Marker(number, "".join(c for c in writer if c.isprintable())[:40])


def _write(settings: Settings, marker: Marker) -> None:
    settings.home.mkdir(parents=True, exist_ok=True)
    write_atomic(settings.home / MARKER, json.dumps(asdict(marker), indent=1) + "\n")
