"""The archive of what was received: bytes as they came, named by content, never changed.

Belongs here: taking bytes in, keeping them, giving them back. Does not: what they mean
(`parsing/`), or rows (`items.py`).

A capture is two files below `captures/<first two hex digits>/`: `<sha256>.zst`, the body, and
`<capture_id>.json`, the receipt: hash, size, origin, time of receipt, format, and what was given
from outside (overrides, `captures.csv`). Transport compression (.gz, .zst) is undone first, so
the same listing is the same capture however it was packed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from filelock import FileLock

from pipelines.errors import CaptureError
from pipelines.parsing.detect import HEAD_BYTES, Format, detect
from pipelines.parsing.moments import EARLIEST, credible, utc
from pipelines.settings import Settings

BLOCK_BYTES = 1024**2
# Compressed bytes undone at once. Few, so that damage costs little of what stands before it and
# a small file that unpacks to gigabytes meets the size limit before it meets the memory's.
PIECE_BYTES = 1024
MAGIC_BYTES = 4
SIDECAR = "captures.csv"
_SIDECAR_FACTS = {"listing_date", "captured_at"}
FETCH = "fetch"  # who gave the facts of a capture that Papertide fetched itself
PAGING = ("page", "is_last_page", "n_items")
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True)
class Given:
    """A fact that came from outside the bytes, and who gave it (`override`, `captures.csv`)."""

    value: str
    by: str


@dataclass(frozen=True)
class Receipt:
    """What the archive knows of a capture."""

    capture_id: str
    sha256: str
    n_bytes: int
    source: str
    format: str
    origin: str
    received_at: str
    damage: str | None = None
    given: Mapping[str, Given] = field(default_factory=dict)
    # Later moments at which a source answered with these same bytes, in order.
    observed_at: tuple[str, ...] = ()

    @property
    def day_in_name(self) -> date | None:
        """A calendar date in the name under which it was received, or received again."""
        again = self.given.get("dated_name")
        return _day_in_name(self.origin) or (_day_in_name(again.value) if again else None)

    @property
    def fetched_at(self) -> datetime | None:
        """The last time that we fetched these bytes ourselves; None when we never did."""
        return max(self._fetches(), default=None)

    def fetched_until(self, now: datetime) -> datetime | None:
        """The last of these times that is not later than now."""
        return max((moment for moment in self._fetches() if moment <= now), default=None)

    def _fetches(self) -> list[datetime]:
        first = self.given.get("captured_at")
        # The same bytes may have been taken in by hand before they were fetched.
        fetched = [first.value] if first and first.by == FETCH else []
        return [utc(moment) for moment in (*fetched, *self.observed_at)]


@dataclass(frozen=True)
class Received:
    """The outcome of taking something in: `new`, `known`, or `amended` (new facts)."""

    receipt: Receipt
    outcome: str


class Archive:
    """The captures below one folder. Safe for several processes at once."""

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
        """Store the stream's bytes and their receipt; the same bytes again change nothing.

        What is newly given with known bytes amends the receipt. Raises CaptureError for an empty
        or far too large body.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.root, prefix=".incoming-", delete=False) as tmp:
            kept = Path(tmp.name)
            try:
                body = _store(stream, tmp, origin, self._settings)
                os.fsync(tmp.fileno())
            except BaseException:
                kept.unlink(missing_ok=True)
                raise
        origin = origin.encode("utf-8", "replace").decode()  # names of files need not be UTF-8
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
        return self._keep(kept, receipt)

    def _keep(self, body: Path, receipt: Receipt) -> Received:
        final = self._body_path(receipt)
        final.parent.mkdir(exist_ok=True)
        os.replace(body, final)  # same content under the same name: replacing changes nothing
        if self._write_receipt(receipt, new=True):
            return Received(receipt, "new")
        with FileLock(self.root / ".receipts.lock"):
            known = self.receipt(receipt.capture_id)
            amended = _amend(known, receipt)
            if amended == known:
                return Received(known, "known")
            self._write_receipt(amended, new=False)
        return Received(amended, "amended")

    def _write_receipt(self, receipt: Receipt, *, new: bool) -> bool:
        """Write it whole or not at all; False when `new` and another stands there already."""
        path = self._receipt_path(receipt.capture_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        t = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed below, before it is moved
            "w", dir=self.root, prefix=".receipt-", delete=False
        )
        temporary = Path(t.name)
        try:
            with t:
                json.dump(asdict(receipt), t, indent=1, sort_keys=True)
                t.flush()
                os.fsync(t.fileno())
            if not new:
                os.replace(temporary, path)
                return True
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def receipt(self, capture_id: str) -> Receipt:
        """The receipt of one capture. Raises CaptureError when it can't be read."""
        return _read_receipt(self._receipt_path(capture_id))

    def is_empty(self) -> bool:
        """Whether nothing was ever taken in."""
        return next(self.root.glob("[0-9a-f][0-9a-f]/*.json"), None) is None

    def receipts(self) -> list[Receipt]:
        """All receipts, by id."""
        return [_read_receipt(path) for path in sorted(self.root.glob("[0-9a-f][0-9a-f]/*.json"))]

    def open(self, receipt: Receipt) -> BinaryIO:
        """The body as a stream of its bytes. Raises CaptureError when it is missing or damaged."""
        path = self._body_path(receipt)
        try:
            raw = path.open("rb")
        except FileNotFoundError:
            raise CaptureError(
                f"The archived body of capture {receipt.capture_id} ({receipt.origin}) is missing: "
                f"{path}. Restore it from a backup, or ingest the original again."
            ) from None
        return io.BufferedReader(_ArchivedBody(raw, path, receipt), BLOCK_BYTES)

    def _body_path(self, receipt: Receipt) -> Path:
        return self.root / receipt.sha256[:2] / f"{receipt.sha256}.zst"

    def _receipt_path(self, capture_id: str) -> Path:
        return self.root / capture_id[:2] / f"{capture_id}.json"


class _ArchivedBody(io.RawIOBase):
    """A body of the archive, checked while it is read: no byte may be missing."""

    def __init__(self, raw: BinaryIO, path: Path, receipt: Receipt) -> None:
        self._raw = raw
        self._bytes = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        self._n_left = receipt.n_bytes
        self._damaged = (
            f"The archived body of capture {receipt.capture_id} ({receipt.origin}) is damaged: "
            f"{path}. Restore it from a backup, or ingest the original again."
        )

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            n = self._bytes.readinto(buffer)
        except zstandard.ZstdError:
            raise CaptureError(self._damaged) from None
        self._n_left -= n
        if n == 0 and self._n_left:
            raise CaptureError(self._damaged)
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


def _day_in_name(name: str) -> date | None:
    for text in _DAY_IN_NAME.findall(Path(name).name):
        with suppress(ValueError):
            return date.fromisoformat(text)
    return None


def _amend(known: Receipt, again: Receipt) -> Receipt:
    """What is known of the bytes, and what came with them this time.

    An override replaces what was given before; `captures.csv` and a dated name only fill gaps, so
    that two copies can't contradict each other in turns. Bytes that once came whole are whole.
    """
    overrides = {k: g for k, g in again.given.items() if g.by == "override"}
    # Whether a page is the last is a matter of the newest fetch: the one behind it may be gone.
    paging = {k: g for k, g in again.given.items() if g.by == FETCH and k in PAGING}
    given = {**again.given, **known.given, **paging, **overrides}
    if known.day_in_name is None and _day_in_name(again.origin):
        given["dated_name"] = Given(Path(again.origin).name, "file_name")
    source = given["source"].value if "source" in given else known.source
    return replace(
        known,
        given=given,
        source=source,
        damage=known.damage and again.damage,
        observed_at=_observations(known, again),
    )


def _observations(known: Receipt, again: Receipt) -> tuple[str, ...]:
    """An unchanged answer is an observation too: the moments of all fetches but the first."""
    fetched = again.given.get("captured_at")
    if fetched is None or fetched.by != FETCH:
        return known.observed_at
    first = known.given.get("captured_at", fetched).value
    return tuple(sorted({*known.observed_at, fetched.value} - {first}))


def _read_receipt(path: Path) -> Receipt:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        given = {name: Given(**fact) for name, fact in data.pop("given").items()}
        observed_at = tuple(data.pop("observed_at", ()))
        receipt = Receipt(given=given, observed_at=observed_at, **data)
        utc(receipt.received_at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaptureError(
            f"The receipt {path} can't be read ({type(error).__name__}). Restore it from a backup, "
            "or remove it and ingest the original again."
        ) from None
    return receipt


@dataclass(frozen=True)
class _Body:
    sha256: str
    n_bytes: int
    format: Format
    damage: str | None
    is_empty_list: bool


def _store(stream: BinaryIO, out: Any, origin: str, settings: Settings) -> _Body:
    """Hash, recompress and write the stream's bytes; stop at the size limit of its format."""
    digest, n_bytes, head, damage = hashlib.sha256(), 0, b"", None
    found: Format | None = None
    with zstandard.ZstdCompressor(level=3, threads=2).stream_writer(out, closefd=False) as writer:
        for block in _undo_compression(stream):
            if isinstance(block, str):
                damage = block
                break
            n_bytes += len(block)
            digest.update(block)
            writer.write(block)
            if found is None:
                head += block
                found = detect(head) if len(head) >= HEAD_BYTES else None
            if found is not None:
                _check_size(n_bytes, found, origin, settings)
    if n_bytes == 0:
        why = f" ({damage})" if damage else ""
        raise CaptureError(f"{origin} is empty{why}: there is nothing to take in.")
    found = found or detect(head)
    _check_size(n_bytes, found, origin, settings)
    is_empty_list = n_bytes < 64 and head.strip() == b"[]"
    return _Body(digest.hexdigest(), n_bytes, found, damage, is_empty_list)


def _check_size(n_bytes: int, found: Format, origin: str, settings: Settings) -> None:
    limit = settings.max_dump_bytes if found.streamed else settings.max_listing_bytes
    if n_bytes > limit:
        raise CaptureError(
            f"{origin} is larger than {limit / 1024**2:g} MiB, more than any "
            f"{'arXiv file' if found.streamed else 'listing'} needs: it was not taken in. "
            f"If it is one, raise PAPERTIDE_MAX_{'DUMP' if found.streamed else 'LISTING'}_BYTES."
        )


def _undo_compression(stream: BinaryIO) -> Iterator[bytes | str]:
    """The bytes with gzip or zstd undone; a last string names damage that ended the stream."""
    first = stream.read(BLOCK_BYTES)
    make = _decompressor(first)
    if make is None:
        yield from _blocks(stream, first)
        return
    name, new = make
    pieces = (
        block[at : at + PIECE_BYTES]
        for block in _blocks(stream, first)
        for at in range(0, len(block), PIECE_BYTES)
    )
    decoder = new()
    try:
        for piece in pieces:
            if data := decoder.decompress(piece):
                yield data
            while decoder.eof:
                rest = decoder.unused_data
                while len(rest) < MAGIC_BYTES and (more := next(pieces, b"")):
                    rest += more
                if not rest:
                    return
                if _decompressor(rest) is None:
                    yield f"bytes after the end of the {name} data were left out"
                    return
                decoder = new()  # another member follows
                if data := decoder.decompress(rest):
                    yield data
    except (zlib.error, zstandard.ZstdError):
        yield f"the {name} data is damaged"
        return
    yield f"the {name} data is cut off"


def _blocks(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    while first:
        yield first
        first = stream.read(BLOCK_BYTES)


def _decompressor(block: bytes) -> tuple[str, Any] | None:
    if block[:2] == b"\x1f\x8b":
        return "gzip", lambda: zlib.decompressobj(31)
    if block[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd", lambda: zstandard.ZstdDecompressor().decompressobj()
    return None


def _capture_id(body: _Body, origin: str, given: Mapping[str, Given]) -> str:
    """From the content alone; an empty list says something only with the day it was asked for."""
    if body.is_empty_list:
        named = _DAY_IN_NAME.search(Path(origin).name)
        day = given["listing_day"].value if "listing_day" in given else named and named.group(1)
        if day:
            return hashlib.sha256(f"{body.sha256} {day}".encode()).hexdigest()[:16]
    return body.sha256[:16]


def walk(paths: Iterable[Path], *, own: Path | None = None) -> Iterator[Path]:
    """Files below the paths in a stable order.

    In folders, hidden files, `captures.csv` and Markdown are not captures and are passed over, as
    is what lies in Papertide's `own` home further down; a path named outright always counts.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = own is not None and own in path.resolve().parents
        for found in sorted(path.rglob("*")):
            relative = found.relative_to(path)
            hidden = any(part.startswith(".") for part in relative.parts)
            if not found.is_file() or hidden or is_companion(found):
                continue
            if own is None or inside or own not in found.resolve().parents:
                yield found


def is_companion(path: Path) -> bool:
    """Files that lie beside captures and are none."""
    return path.name == SIDECAR or path.suffix.lower() == ".md"


def sidecar_facts(folder: Path) -> dict[str, dict[str, Given]]:
    """File name → given facts, from a `captures.csv` in the folder (none: empty).

    Columns `file`, `listing_date`, `captured_at`; others are ignored. Raises CaptureError naming
    what can't be used.
    """
    path = folder / SIDECAR
    if not path.is_file():
        return {}
    facts: dict[str, dict[str, Given]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle)
            _require_facts(reader.fieldnames or ())
            for row in reader:
                try:
                    facts[row["file"]] = _sidecar_row(row)
                except ValueError as error:
                    raise ValueError(f"line {reader.line_num}: {error}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise CaptureError(
            f"{path} can't be used ({error}). Expected the columns file, "
            "listing_date (YYYY-MM-DD) and captured_at (ISO time with zone)."
        ) from None
    return facts


def _require_facts(columns: Iterable[str]) -> None:
    """A file that tells nothing of its files is one whose columns are called something else."""
    if "file" not in columns:
        raise ValueError("there is no column `file`")
    if not _SIDECAR_FACTS & set(columns):
        raise ValueError("it has neither a column `listing_date` nor one `captured_at`")


def _sidecar_row(row: Mapping[str, str]) -> dict[str, Given]:
    given = {}
    if day := row.get("listing_date"):
        given["listing_day"] = Given(stated(date.fromisoformat(day)).isoformat(), SIDECAR)
    if moment := row.get("captured_at"):
        captured_at = utc(moment)
        stated(captured_at.date())
        given["captured_at"] = Given(captured_at.isoformat(), SIDECAR)
    return given


def stated(day: date) -> date:
    """The day that a person states, where a list can be of it. Raises ValueError."""
    if not credible(day, datetime.now(UTC).date()):
        raise ValueError(f"{day} lies in the future or before {EARLIEST}")
    return day
