"""Finds the files below the paths that a user names.

Belongs here: walking folders, and which files in them are not captures. Does not: opening files
(`ingest.py`), or the content of a `captures.csv` (`sidecar.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

SIDECAR = "captures.csv"


def walk(paths: Iterable[Path], *, home: Path | None = None) -> Iterator[Path]:
    """Files below the paths, in a stable order. A path that is not a folder is yielded as it is.

    In folders, hidden files, `captures.csv` and Markdown files are skipped, and so is Papertide's
    own `home` unless a path is inside it.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        is_inside_home = home is not None and home in path.resolve().parents
        for found in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in found.relative_to(path).parts)
            if not found.is_file() or is_hidden or is_sidecar(found):
                continue
            if home is None or is_inside_home or home not in found.resolve().parents:
                yield found


def is_sidecar(path: Path) -> bool:
    """Whether a file describes captures and is not one: a `captures.csv` or a Markdown file."""
    return path.name == SIDECAR or path.suffix.lower() == ".md"


def exists(path: Path) -> bool:
    """Whether the path exists; False for text that is too long to be a path."""
    try:
        return path.exists()
    except OSError:
        return False
