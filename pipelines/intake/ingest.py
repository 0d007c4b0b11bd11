"""Ingests the files that a user names: paths → captures, with one outcome for each path.

Belongs here: opening each file, joining its facts, and reporting the outcome. Does not: storing
bytes (`pipelines.archive`) or parsing them (`pipelines.lake`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from pipelines.archive import zips
from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Given
from pipelines.errors import CaptureError
from pipelines.intake.paths import SIDECAR, exists, is_sidecar, walk
from pipelines.intake.sidecar import sidecar_facts
from pipelines.runtime.text import shortened

STDIN = "-"
MAX_NAME_CHARS = 200

Facts = Mapping[str, Given]


@dataclass(frozen=True)
class Outcome:
    """The outcome for one path: `new`, `known`, `amended`, `refused` or `skipped`."""

    origin: str
    status: str
    capture_id: str | None = None
    message: str = ""


def ingest_paths(archive: Archive, paths: Iterable[str], given: Facts) -> Iterator[Outcome]:
    """One outcome for each file found; a file that can't be ingested doesn't stop the others.

    `given` facts apply to every file and override those of a `captures.csv`.
    """
    sidecars = _Sidecars()
    for name in paths:
        path = Path(name)
        if name == STDIN:
            yield from _receive_all(archive, sys.stdin.buffer, "standard input", given)
        elif not name.strip() or not exists(path):  # Path("") would be the working folder
            shown = shortened(name, MAX_NAME_CHARS)
            message = f"{shown or '(empty name)'}: no such file or folder. Check the path."
            yield Outcome(shown, "refused", message=message)
        else:
            yield from _ingest_path(archive, path, given, sidecars)


def _ingest_path(
    archive: Archive, root: Path, given: Facts, sidecars: _Sidecars
) -> Iterator[Outcome]:
    """Outcomes of one file, or of all files in a folder."""
    n_found = 0
    for path in walk([root], home=archive.home):
        n_found += 1
        facts, error = sidecars.facts_of(path)
        if error:
            yield error
        if facts is not None:
            yield from _ingest_file(archive, path, {**facts, **given})
    if not root.is_dir():
        return
    for path in sorted(root.rglob("*")):
        if is_sidecar(path) and path.name != SIDECAR:
            yield Outcome(str(path), "skipped", message="sidecar file, not a capture")
    if not n_found:
        message = (
            f"{root}: this folder contains no captures. Hidden files, captures.csv and Markdown "
            "files are skipped."
        )
        yield Outcome(str(root), "refused", message=message)


class _Sidecars:
    """The `captures.csv` of each folder, read once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, Mapping[str, Facts] | None] = {}

    def facts_of(self, path: Path) -> tuple[Facts | None, Outcome | None]:
        """The facts of a file, None when its sidecar is unusable; and that error, once a folder."""
        folder = path.parent
        error = None
        if folder not in self._by_folder:
            try:
                self._by_folder[folder] = sidecar_facts(folder)
            except CaptureError as problem:
                self._by_folder[folder] = None
                message = f"{problem} No file in this folder was ingested."
                error = Outcome(str(folder / SIDECAR), "refused", message=message)
        by_name = self._by_folder[folder]
        return (None if by_name is None else by_name.get(path.name, {})), error


def _ingest_file(archive: Archive, path: Path, facts: Facts) -> Iterator[Outcome]:
    try:
        with path.open("rb") as stream:
            yield from _receive_all(archive, stream, str(path), facts)
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}. Fix it and ingest the file again."
        yield Outcome(str(path), "refused", message=message)


def _receive_all(
    archive: Archive, stream: BinaryIO, origin: str, facts: Facts
) -> Iterator[Outcome]:
    """The outcome of a file; of a zip, those of the files in it.

    The first outcome of a zip has the zip's own origin, so that each path has one.
    """
    buffered = stream if isinstance(stream, BufferedReader) else BufferedReader(stream)  # type: ignore[type-var]
    if not zips.is_zip(buffered.peek(4)[:4]):
        yield _receive(archive, buffered, origin, facts)
        return
    is_first = True
    try:
        with archive.seekable(buffered, origin) as whole:
            for found in zips.files(whole, origin, archive.max_dump_bytes):
                if isinstance(found, CaptureError):
                    outcome = Outcome(origin, "refused", message=str(found))
                else:
                    name = f"{origin}/{found.name}"
                    outcome = _receive(archive, found.content, name, facts)
                yield replace(outcome, origin=origin) if is_first else outcome
                is_first = False
    except CaptureError as error:
        yield Outcome(origin, "refused", message=str(error))


def _receive(archive: Archive, stream: BinaryIO, origin: str, facts: Facts) -> Outcome:
    try:
        received = archive.receive(stream, origin, facts)
    except CaptureError as error:
        return Outcome(origin, "refused", message=str(error))
    return Outcome(origin, received.outcome, received.receipt.capture_id)
