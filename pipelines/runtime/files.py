"""Atomic files and folders: readers see the old content or the new, also after a crash.

Belongs here: temporary files and folders, and moving them into place. Does not: their content.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_FILE = ".tmp-"
TEMPORARY_FOLDER = ".writing-"


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """An empty file in the folder, readable by its owner only. Removed unless the block moved it.

    Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=folder, prefix=TEMPORARY_FILE)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """An empty folder in the parent. Removed at the end unless the block moved it.

    Raises OSError.
    """
    path = Path(tempfile.mkdtemp(dir=parent, prefix=TEMPORARY_FOLDER))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file that replaces the path when the block succeeds. Raises OSError."""
    with temporary_file(path.parent) as temporary:
        yield temporary
        os.chmod(temporary, 0o644)
        sync(temporary)
        os.replace(temporary, path)
    sync(path.parent)


def write_atomic(path: Path, text: str) -> None:
    """Replace a small file atomically. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Flush a folder and everything below it to disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
