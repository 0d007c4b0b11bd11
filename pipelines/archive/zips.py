"""The files in a zip file, streamed one by one, such as Kaggle's `archive.zip`.

Belongs here: which files of a zip are captures, and limits on what they expand to. Does not:
storing them (`archive`), or compression of a single file (`decompression`).
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from pipelines.archive.decompression import DamagedCompression
from pipelines.errors import CaptureError

MAX_FILES = 10_000
_STEP_BYTES = 64 * 1024
MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
# Documents that are zip files inside: a file that only they have, what they are, the next step.
_DOCUMENTS = (
    ("xl/workbook.xml", "an Excel workbook", "save the sheet as CSV"),
    ("word/document.xml", "a Word document", "save it as plain text"),
    ("ppt/presentation.xml", "a PowerPoint file", "save its text as plain text"),
    ("META-INF/container.xml", "an e-book", "ingest the list that it was made from"),
    ("content.xml", "an OpenDocument file", "save it as CSV or plain text"),
)


def is_zip(start: bytes) -> bool:
    """Whether the bytes open as a zip file."""
    return start.startswith(MAGIC)


@dataclass(frozen=True)
class ZippedFile:
    """A file in a zip: its name there, and its content, which expands within a shared budget."""

    name: str
    content: BinaryIO


class Budget:
    """Bytes that all files of one zip may expand to together."""

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.n_left = n_bytes

    def spend(self, n: int, origin: str) -> None:
        """Count expanded bytes. Raises CaptureError when the zip expands to too many."""
        self.n_left -= n
        if self.n_left < 0:
            raise CaptureError(
                f"{origin} expands to more than {self.n_bytes / 1024**2:g} MiB. The rest of it was "
                "not ingested. To allow it, raise PAPERTIDE_MAX_DUMP_BYTES."
            )


def files(stream: BinaryIO, origin: str, max_bytes: int) -> Iterator[ZippedFile | CaptureError]:
    """The captures in a zip, one after the other; an error for a file that can't be opened.

    Hidden files and those that a system adds are left out. Raises CaptureError when the zip as a
    whole can't be read, is a document, or holds nothing or too much.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            found = _captures(archive, origin)
            budget = Budget(max_bytes)
            for info in found:
                yield from _opened(archive, info, origin, budget)
    except _DAMAGE as error:
        raise CaptureError(
            f"{origin} can't be read as a zip file ({error}). Download it again, or unpack it and "
            "ingest what it holds."
        ) from None


def _captures(archive: zipfile.ZipFile, origin: str) -> list[zipfile.ZipInfo]:
    names = set(archive.namelist())
    for inside, kind, step in _DOCUMENTS:
        if inside in names:
            raise CaptureError(f"{origin} is {kind}, which is not supported: {step}.")
    found = [info for info in archive.infolist() if not info.is_dir() and _is_capture(info)]
    if not found:
        raise CaptureError(f"{origin} is a zip file without captures: there is nothing to ingest.")
    if len(found) > MAX_FILES:
        raise CaptureError(
            f"{origin} holds {len(found):,} files; the limit is {MAX_FILES:,}. Unpack it, and "
            "ingest the folder in parts."
        )
    return found


def _is_capture(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not is_hidden and path.name != "captures.csv" and path.suffix.lower() != ".md"


def _opened(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, origin: str, budget: Budget
) -> Iterator[ZippedFile | CaptureError]:
    place = f"{origin}/{info.filename}"
    if info.flag_bits & 1:
        yield CaptureError(f"{place} is encrypted. Unpack it with its password, then ingest it.")
        return
    try:
        raw = archive.open(info)
    except NotImplementedError:
        yield CaptureError(
            f"{place} is compressed by a method that is not supported. Unpack it, then ingest it."
        )
        return
    with raw:
        content = _Content(raw, place, budget)
        if content.is_zip():
            yield CaptureError(f"{place} is a zip file in a zip file. Unpack it, then ingest it.")
        else:
            yield ZippedFile(info.filename, cast("BinaryIO", content))


class _Content(io.RawIOBase):
    """The expanded bytes of a file. Reading raises DamagedCompression where they are damaged.

    A read returns what one step expands, so that damage costs little of the content before it.
    """

    def __init__(self, raw: Any, place: str, budget: Budget) -> None:
        self._raw = raw
        self._place = place
        self._budget = budget
        self._ahead = b""

    def readable(self) -> bool:
        return True

    def is_zip(self) -> bool:
        """Whether the content opens as a zip; damage is reported when it is read."""
        with suppress(DamagedCompression):
            self._ahead = self._next()
        return is_zip(self._ahead)

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, fewer even before the end; none at the end."""
        data, self._ahead = self._ahead or self._next(), b""
        if 0 <= size < len(data):
            data, self._ahead = data[:size], data[size:]
        return data

    def _next(self) -> bytes:
        try:
            data: bytes = self._raw.read1(_STEP_BYTES)
        except _DAMAGE:
            raise DamagedCompression("the zip data is damaged") from None
        self._budget.spend(len(data), self._place)
        return data
