"""Stores the bytes of captures and returns them: append-only and content-addressed.

Belongs here: storing a body with its receipt, and opening it again. Does not: the meaning of the
bytes (`pipelines.parsing`), or their rows (`pipelines.lake`).

A capture has two files below `captures/<first two hex digits>/`: `<sha256>.zst`, the body without
transport compression, and `<capture_id>.json`, the receipt.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, BinaryIO

import zstandard
from filelock import FileLock

from pipelines.archive.decompression import BLOCK_BYTES, DamagedCompression, decompressed
from pipelines.archive.receipt import (
    Given,
    Receipt,
    amended,
    day_in_name,
    read_receipt,
    receipt_paths,
)
from pipelines.errors import CaptureError
from pipelines.parsing.encoding import as_utf8
from pipelines.parsing.formats import Format, detect
from pipelines.parsing.head import HEAD_BYTES
from pipelines.runtime.files import sync, temporary_file
from pipelines.settings import Settings

EMPTY_LIST_BYTES = 64  # `[]` with any white space around it is shorter


@dataclass(frozen=True)
class Received:
    """The outcome of storing a body: `new`, `known`, or `amended` (known, with new facts)."""

    receipt: Receipt
    outcome: str


class Archive:
    """The captures below one folder. Several processes may use it at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.home = settings.home.resolve()
        self.root = settings.captures_dir

    def receive(
        self,
        stream: BinaryIO,
        origin: str,
        given: Mapping[str, Given],
        *,
        now: datetime | None = None,
    ) -> Received:
        """Store the stream's bytes and a receipt. The same bytes again only amend the receipt.

        Raises CaptureError when the body is empty or larger than the limit for its format.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        origin = origin.encode("utf-8", "replace").decode()  # file names need not be UTF-8
        with temporary_file(self.root) as temporary:
            with temporary.open("wb") as out:
                body = _store(stream, out, origin, self._settings)
            sync(temporary)
            receipt = Receipt(
                capture_id=_capture_id(body, origin, given),
                sha256=body.sha256,
                n_bytes=body.n_bytes,
                source=given["source"].value if "source" in given else body.format.source,
                format=body.format.name,
                origin=origin,
                received_at=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
                damage=body.damage,
                given=dict(given),
            )
            path = self._body_path(receipt)
            path.parent.mkdir(exist_ok=True)
            os.replace(temporary, path)  # also repairs a damaged copy of the same bytes
        return self._keep_receipt(receipt)

    def _keep_receipt(self, receipt: Receipt) -> Received:
        if self._add_receipt(receipt):
            return Received(receipt, "new")
        with FileLock(self.root / ".receipts.lock"):
            known = self.receipt(receipt.capture_id)
            changed = amended(known, receipt)
            if changed == known:
                return Received(known, "known")
            with temporary_file(self.root) as temporary:
                _write_synced(temporary, changed)
                os.replace(temporary, self._receipt_path(receipt.capture_id))
        return Received(changed, "amended")

    def _add_receipt(self, receipt: Receipt) -> bool:
        """Write a receipt that does not exist yet; False when there is one already."""
        path = self._receipt_path(receipt.capture_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(self.root) as temporary:
            _write_synced(temporary, receipt)
            try:
                os.link(temporary, path)  # atomic, and never replaces
            except FileExistsError:
                return False
        return True

    @property
    def max_dump_bytes(self) -> int:
        """Bytes to which one file may expand at most."""
        return self._settings.max_dump_bytes

    @contextmanager
    def seekable(self, stream: BinaryIO, origin: str) -> Iterator[BinaryIO]:
        """The stream, or a copy on disk if it is a pipe.

        Raises CaptureError when a pipe has more bytes than one file may have.
        """
        if stream.seekable():
            yield stream
            return
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root) as copy:
            n_left = self.max_dump_bytes
            while block := stream.read(BLOCK_BYTES):
                n_left -= len(block)
                if n_left < 0:
                    raise CaptureError(
                        f"{origin} has more than {self.max_dump_bytes / 1024**2:g} MiB. It was not "
                        "ingested. To allow it, raise PAPERTIDE_MAX_DUMP_BYTES."
                    )
                copy.write(block)
            copy.seek(0)
            yield copy

    def receipt(self, capture_id: str) -> Receipt:
        """The receipt of one capture. Raises CaptureError when it can't be read."""
        return read_receipt(self._receipt_path(capture_id))

    def is_empty(self) -> bool:
        """Whether the archive has no captures."""
        return next(receipt_paths(self.root), None) is None

    def receipts(self) -> list[Receipt]:
        """All receipts, ordered by id. Raises CaptureError when one can't be read."""
        return [read_receipt(path) for path in sorted(receipt_paths(self.root))]

    def open(self, receipt: Receipt) -> BinaryIO:
        """The body as a binary stream.

        Raises CaptureError when it is missing; reading raises CaptureError when it is damaged.
        """
        path = self._body_path(receipt)
        try:
            raw = path.open("rb")
        except FileNotFoundError:
            raise _unusable(receipt, path, "is missing") from None
        return io.BufferedReader(_StoredBody(raw, path, receipt), BLOCK_BYTES)

    def _body_path(self, receipt: Receipt) -> Path:
        return self.root / receipt.sha256[:2] / f"{receipt.sha256}.zst"

    def _receipt_path(self, capture_id: str) -> Path:
        return self.root / capture_id[:2] / f"{capture_id}.json"


class _StoredBody(io.RawIOBase):
    """A stored body. Reading fails when bytes are damaged or missing at its end."""

    def __init__(self, raw: BinaryIO, path: Path, receipt: Receipt) -> None:
        self._raw = raw
        self._bytes = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        self._n_left = receipt.n_bytes
        self._damaged = _unusable(receipt, path, "is damaged")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            n = self._bytes.readinto(buffer)
        except zstandard.ZstdError:
            raise self._damaged from None
        self._n_left -= n
        if n == 0 and self._n_left:
            raise self._damaged
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


def _unusable(receipt: Receipt, path: Path, problem: str) -> CaptureError:
    return CaptureError(
        f"The archived body of capture {receipt.capture_id} ({receipt.origin}) {problem}: {path}. "
        "Restore it from a backup, or ingest the original again."
    )


def _write_synced(path: Path, receipt: Receipt) -> None:
    path.write_text(receipt.as_json())
    sync(path)


@dataclass(frozen=True)
class _Body:
    sha256: str
    n_bytes: int
    format: Format
    damage: str | None
    is_empty_list: bool


def _store(stream: BinaryIO, out: IO[bytes], origin: str, settings: Settings) -> _Body:
    """Hash, compress and write the stream's bytes, up to the size limit of their format."""
    digest, n_bytes, head, damage = hashlib.sha256(), 0, b"", None
    found: Format | None = None
    with zstandard.ZstdCompressor(level=3, threads=2).stream_writer(out, closefd=False) as writer:
        try:
            for block in decompressed(stream):
                n_bytes += len(block)
                digest.update(block)
                writer.write(block)
                if found is None:
                    head += block
                    found = detect(head) if len(head) >= HEAD_BYTES else None
                if found is not None:
                    _check_size(n_bytes, found, origin, settings)
        except DamagedCompression as error:
            damage = str(error)
    if n_bytes == 0:
        detail = f" ({damage})" if damage else ""
        raise CaptureError(f"{origin} is empty{detail}, so there is nothing to ingest.")
    found = found or detect(head)
    _check_size(n_bytes, found, origin, settings)
    is_empty_list = n_bytes < EMPTY_LIST_BYTES and as_utf8(head).strip() == b"[]"
    return _Body(digest.hexdigest(), n_bytes, found, damage, is_empty_list)


def _check_size(n_bytes: int, found: Format, origin: str, settings: Settings) -> None:
    limit = settings.max_dump_bytes if found.streamed else settings.max_listing_bytes
    if n_bytes > limit:
        kind, variable = ("arXiv file", "DUMP") if found.streamed else ("listing", "LISTING")
        raise CaptureError(
            f"{origin} is larger than {limit / 1024**2:g} MiB, the limit for one {kind}. It was "
            f"not ingested. To allow it, raise PAPERTIDE_MAX_{variable}_BYTES."
        )


def _capture_id(body: _Body, origin: str, given: Mapping[str, Given]) -> str:
    """Derived from the content; for an empty list also from the day that it was requested for."""
    if body.is_empty_list:
        named = day_in_name(origin)
        day = given["listed_on"].value if "listed_on" in given else named and named.isoformat()
        if day:
            return hashlib.sha256(f"{body.sha256} {day}".encode()).hexdigest()[:16]
    return body.sha256[:16]
