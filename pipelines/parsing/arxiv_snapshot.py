"""arXiv metadata as JSON lines, in the layout of the public arXiv snapshot.

The file is streamed in chunks of whole lines, so memory does not grow with the file. Polars parses
a chunk in one call. Only a chunk with a damaged or blank line is parsed line by line.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any, BinaryIO

import orjson
import polars as pl

from pipelines.parsing.arxiv_records import RAW, to_items, versions
from pipelines.parsing.head import Head
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt

CHUNK_BYTES = 16 * 1024**2
WORKERS = 2  # chunks parsed at the same time; Polars releases the interpreter's lock
MAX_LINE_BYTES = 8 * 1024**2
# A file with more damage is not an arXiv file or is a broken download: reading stops.
MAX_DAMAGED_LINES = 10_000
# A list or object costs Polars a hundred times its bytes. Real chunks contain a fifth of the first
# limit. In real lines, each name and version takes more bytes than `_NESTED_BYTES`.
MAX_NESTED_IN_CHUNK = 1_000_000
MAX_NESTED_IN_LINE = 1_000
_NESTED_BYTES = 12
_TO_LINE_END = re.compile(rb"\S[^\n]*")
_TEXTS = tuple(name for name, dtype in RAW.items() if dtype == pl.String())


def matches(head: Head) -> bool:
    """Whether one of the first 50 lines is a record, so that one damaged line hides nothing."""
    return not head.is_json_value and any(map(_is_record, head.lines))


def _is_record(line: bytes) -> bool:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and {"id", "title", "categories"} <= record.keys()


def parse(stream: BinaryIO, hints: Hints) -> Iterator[Parsed]:
    """One `Parsed` per chunk of lines; the place of a row is its line number.

    After `MAX_DAMAGED_LINES` rejects, one more (`too_many_damaged_lines`) represents the rest of
    the file, which is not read.
    """
    n_left = MAX_DAMAGED_LINES
    with closing(_parts(stream, hints)) as parts:
        for part in parts:
            if len(part.rejects) > n_left:
                yield _stopped(part, n_left)
                return
            n_left -= len(part.rejects)
            yield part


def _stopped(part: Parsed, n_left: int) -> Parsed:
    """The part up to its first `n_left` rejects, and one reject for everything after them."""
    rejects = sorted(part.rejects, key=_line_of)
    line = _line_of(rejects[n_left])
    detail = (
        f"{MAX_DAMAGED_LINES:,} earlier lines were rejected. "
        f"The rest of the file, from line {line} on, was not read."
    )
    last = Reject(f"line {line}", "too_many_damaged_lines", detail, rejects[n_left].excerpt)
    items = part.items.filter(pl.col("position") < line)
    return replace(part, items=items, rejects=(*rejects[:n_left], last))


def _line_of(reject: Reject) -> int:
    return int(reject.place.removeprefix("line "))


def _parts(stream: BinaryIO, hints: Hints) -> Generator[Parsed]:
    """All chunks in order, parsed a few ahead of the reader."""
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Future[Parsed]] = deque()
        for chunk, first_line in _numbered(_whole_lines(stream)):
            ahead.append(pool.submit(_parse_chunk, chunk, first_line, hints))
            if len(ahead) > WORKERS:  # bounds memory
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _numbered(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Each chunk with the number of its first line."""
    first_line = 1
    for chunk in chunks:
        yield chunk, first_line
        first_line += _count_lines(chunk)


def _count_lines(chunk: bytes) -> int:
    return chunk.count(b"\n") + (not chunk.endswith(b"\n"))


def _whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Chunks of whole lines, without a byte order mark.

    A line over the limit is cut and ends with a NUL byte. JSON can't contain one, so the cut line
    is never mistaken for a record.
    """
    rest, is_first = b"", True
    while block := stream.read(CHUNK_BYTES):
        data = rest + (block.removeprefix(b"\xef\xbb\xbf") if is_first else block)
        is_first = False
        end = data.rfind(b"\n") + 1
        if end:
            yield data[:end]
        rest = data[end:]
        if len(rest) > MAX_LINE_BYTES:
            rest = rest[:MAX_LINE_BYTES] + b"\0"
    if rest:
        yield rest


def _parse_chunk(chunk: bytes, first_line: int, hints: Hints) -> Parsed:
    # Polars skips blank lines, so a chunk with one is parsed line by line to number them right.
    raw = _read_ndjson(chunk, _count_lines(chunk))
    if raw is not None:
        return _finish(raw.with_row_index("line", offset=first_line), [], hints)
    return _finish(*_parse_lines(chunk, first_line), hints)


def _read_ndjson(text: bytes, n_lines: int) -> pl.DataFrame | None:
    """The lines as Polars reads them; None if it fails or the rows are not the lines."""
    # Anything else at the start is damage, or bytes that Polars would decompress.
    if not text.startswith(b"{") or _count_nested(text) > MAX_NESTED_IN_CHUNK:
        return None
    with suppress(pl.exceptions.PolarsError):
        raw = pl.read_ndjson(io.BytesIO(text), schema=RAW)
        # Polars writes NUL for an escape that it can't read.
        if raw.height == n_lines and not _has_nul(raw):
            return raw
    return None


def _has_nul(raw: pl.DataFrame) -> bool:
    texts = pl.col("id", "title", "abstract", "authors")
    return bool(raw.select(pl.any_horizontal(texts.str.contains("\0", literal=True).any())).item())


def _parse_lines(chunk: bytes, first_line: int) -> tuple[pl.DataFrame, list[Reject]]:
    """The records line by line, with their `line` numbers; damaged lines as rejects.

    Stops one damaged line after the limit of a whole file.
    """
    numbers: list[int] = []
    lines: list[bytes] = []
    rejects: list[Reject] = []
    for number, line in _numbered_lines(chunk, first_line):
        if len(rejects) > MAX_DAMAGED_LINES:
            break
        if reject := _check(line, f"line {number}"):
            rejects.append(reject)
        else:
            numbers.append(number)
            lines.append(line)
    raw = _read_ndjson(b"\n".join(lines), len(lines))
    if raw is None:
        typed = b"\n".join(orjson.dumps(_typed(orjson.loads(line))) for line in lines)
        raw = pl.read_ndjson(io.BytesIO(typed), schema=RAW) if lines else pl.DataFrame(schema=RAW)
    return raw.insert_column(0, pl.Series("line", numbers, dtype=pl.UInt32)), rejects


def _numbered_lines(chunk: bytes, first_line: int) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line that is not blank."""
    number, at = first_line, 0
    for found in _TO_LINE_END.finditer(chunk):
        number += chunk.count(b"\n", at, found.start())
        at = found.end()
        yield number, found.group()


def _check(line: bytes, place: str) -> Reject | None:
    """The reject of a line that is not a record; None for a record."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Reject(place, "broken_json", f"The line is not JSON: {error}.", _excerpt(line))
    n_nested = _count_nested(line)
    if n_nested > MAX_NESTED_IN_LINE and n_nested * _NESTED_BYTES > len(line):
        detail = (
            f"The line has {n_nested:,} lists and objects; the limit is {MAX_NESTED_IN_LINE:,}."
        )
        return Reject(place, "too_large", detail, _excerpt(line))
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        detail = "The line is JSON but not an arXiv record."
        return Reject(place, "not_a_record", detail, _excerpt(line))
    return None


def _excerpt(line: bytes) -> str:
    return excerpt(line[:800].decode("utf-8", errors="replace"))


def _count_nested(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _typed(record: dict[str, Any]) -> dict[str, Any]:
    """The fields of `RAW` in types that Polars can read; values of other types are dropped."""
    row: dict[str, Any] = {name: _text(record[name]) for name in _TEXTS if name in record}
    listed, parsed = record.get("versions"), record.get("authors_parsed")
    if isinstance(listed, list):
        row["versions"] = [
            {k: _text(v.get(k)) for k in ("version", "created")}
            for v in listed
            if isinstance(v, dict)
        ]
    if isinstance(parsed, list):
        row["authors_parsed"] = [
            [_text(part) for part in name] for name in parsed if isinstance(name, list)
        ]
    return row


def _text(value: Any) -> str | None:
    """Text unchanged, null as None, and any other value as JSON."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _finish(raw: pl.DataFrame, rejects: list[Reject], hints: Hints) -> Parsed:
    rows = raw.with_columns(
        pl.col("line").cast(pl.Int64).alias("position"),
        pl.format("line {}", pl.col("line")).alias("place"),
        *versions(),
    )
    return to_items(rows, rejects, hints, max_rejects=MAX_DAMAGED_LINES + 1)
