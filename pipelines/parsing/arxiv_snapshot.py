"""arXiv metadata as JSON lines: the layout of the public arXiv snapshot, and others like it.

The file is streamed in chunks of whole lines, so memory does not grow with the file. Polars parses
a chunk in one call. Only a chunk with a damaged or blank line, or with a field of another form than
the snapshot's, is parsed line by line (`arxiv_shapes`).
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

import orjson
import polars as pl

from pipelines.parsing.arxiv_ids import ID_PATTERN
from pipelines.parsing.arxiv_records import RAW, RAW_WITH_NAMES, to_items, versions
from pipelines.parsing.arxiv_shapes import CREATED_FIELDS, Note, looks_like_record, raw_row
from pipelines.parsing.head import Head
from pipelines.parsing.records import Hints, Parsed, Reject, empty_items, excerpt

CHUNK_BYTES = 16 * 1024**2
WORKERS = 2  # chunks parsed at the same time; Polars releases the interpreter's lock
MAX_LINE_BYTES = 8 * 1024**2
# Lines of a file that have an entry in quarantine; more are counted.
MAX_DAMAGED_LINES = 10_000
# A list or object costs Polars a hundred times its bytes. Real chunks contain a fifth of the first
# limit. In real lines, each name and version takes more bytes than `_NESTED_BYTES`.
MAX_NESTED_IN_CHUNK = 1_000_000
MAX_NESTED_IN_LINE = 1_000
_NESTED_BYTES = 12
_TO_LINE_END = re.compile(rb"\S[^\n]*")
# A list, object, number or truth value that Polars read as text.
_NOT_TEXT = r"^(?:[\[{]\s*[\"'\[{\]}0-9ntf-]|[-+.0-9eE]+$|true$|false$)"


def matches(head: Head) -> bool:
    """Whether one of the first 50 lines is a record, so that one damaged line hides nothing."""
    return not head.is_json_value and any(map(_record, head.lines))


def matches_lists(head: Head) -> bool:
    """Whether the first record among those lines has lists where the snapshot has text."""
    if head.is_json_value:
        return False
    record = next(filter(None, map(_record, head.lines)), {})
    return any(isinstance(record.get(name), list) for name in ("authors", "categories"))


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return record if looks_like_record(record) else None


class _Chunk(NamedTuple):
    """A parsed chunk, and the number of its rejected lines that have no entry in `rejects`."""

    parsed: Parsed
    n_unlisted: int


def parse(stream: BinaryIO, hints: Hints) -> Iterator[Parsed]:
    """One `Parsed` per chunk of lines; the place of a row is its line number.

    The whole file is read. The first `MAX_DAMAGED_LINES` rejects have an entry each; one more at
    the end (`too_many_damaged_lines`) counts the others.
    """
    n_left, n_unlisted = MAX_DAMAGED_LINES, 0
    known: set[str] = set()
    with closing(_parts(stream, hints)) as chunks:
        for part, n_more in chunks:
            n_unlisted += n_more + max(len(part.rejects) - n_left, 0)
            rejects = part.rejects
            if len(rejects) > n_left:
                rejects = tuple(sorted(rejects, key=_line_of)[:n_left])
            n_left -= len(rejects)
            yield replace(part, rejects=rejects, rules=_new_rules(part.rules, known))
    if n_unlisted:
        yield Parsed(empty_items(), (_unlisted(n_unlisted),))


def _unlisted(n: int) -> Reject:
    detail = (
        f"{n:,} more line(s) could not be accepted. The first {MAX_DAMAGED_LINES:,} of the file "
        "have an entry each; the other lines were read."
    )
    return Reject("end of the file", "too_many_damaged_lines", detail)


def _new_rules(rules: Iterable[str], known: set[str]) -> tuple[str, ...]:
    """The rules whose codes no earlier part of the file has; adds them to `known`."""
    new = [rule for rule in rules if rule.partition(":")[0] not in known]
    known.update(rule.partition(":")[0] for rule in new)
    return tuple(new)


def _line_of(reject: Reject) -> int:
    return int(reject.place.removeprefix("line "))


def _parts(stream: BinaryIO, hints: Hints) -> Generator[_Chunk]:
    """All chunks in order, parsed a few ahead of the reader."""
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Future[_Chunk]] = deque()
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


def _parse_chunk(chunk: bytes, first_line: int, hints: Hints) -> _Chunk:
    # Polars skips blank lines, so a chunk with one is parsed line by line to number them right.
    raw = _read_ndjson(chunk, _count_lines(chunk))
    if raw is not None:
        return _finish(raw.with_row_index("line", offset=first_line), [], 0, hints)
    notes: dict[str, str] = {}
    raw, rejects, n_damaged = _parse_lines(chunk, first_line, notes.setdefault)
    rules = tuple(f"{code}: {detail}" for code, detail in notes.items())
    return _finish(raw, rejects, n_damaged - len(rejects), hints, rules)


def _read_ndjson(text: bytes, n_lines: int) -> pl.DataFrame | None:
    """The lines as Polars reads them; None if it fails, the rows are not the lines, or fields have
    another form than in the snapshot.
    """
    # Anything else at the start is damage, or bytes that Polars would decompress.
    if not text.startswith(b"{") or _count_nested(text) > MAX_NESTED_IN_CHUNK:
        return None
    # Polars also reads a number as text. A quote within text is escaped, so these are keys.
    if text.count(b'"id":"') + text.count(b'"id": "') != n_lines:
        return None
    if any(f'"{name}"'.encode() in text for name in CREATED_FIELDS):
        return None
    with suppress(pl.exceptions.PolarsError):
        raw = pl.read_ndjson(io.BytesIO(text), schema=RAW)
        if raw.height == n_lines and not _is_odd(raw):
            return raw
    return None


def _is_odd(raw: pl.DataFrame) -> bool:
    """Whether a field was lost or read in another form than the snapshot's."""
    texts = pl.col("id", "title", "abstract", "authors")
    listed = pl.col("versions").list.eval(pl.element().struct.field("version").is_null())
    v1 = versions()[1]
    odd = (
        # Polars writes NUL for an escape that it can't read.
        pl.any_horizontal(texts.str.contains("\0", literal=True)),
        pl.any_horizontal(
            pl.col("title", "abstract", "authors", "categories").str.contains(_NOT_TEXT)
        ),
        pl.any_horizontal(pl.col("title", "abstract", "categories", "versions").is_null()),
        ~pl.col("id").str.contains(ID_PATTERN),
        pl.col("categories").str.contains("(", literal=True),
        pl.col("authors").is_null() & (pl.col("authors_parsed").list.len().fill_null(0) == 0),
        pl.col("authors_parsed").list.eval(pl.element().is_null()).list.any(),
        ~pl.col("update_date").str.contains(r"^\d{4}-\d{2}-\d{2}$").fill_null(value=True),
        listed.list.any(),
        v1.is_null() & (pl.col("versions").list.len() > 0) & _names_v1(),
    )
    return bool(raw.select(pl.any_horizontal(*odd).any()).item())


def _names_v1() -> pl.Expr:
    version = pl.element().struct.field("version")
    return pl.col("versions").list.eval(version == "v1").list.any()


def _parse_lines(
    chunk: bytes, first_line: int, note: Note
) -> tuple[pl.DataFrame, list[Reject], int]:
    """The records line by line, with their `line` numbers; rejects; and how many lines failed.

    There are no more rejects than a whole file may have.
    """
    n_damaged = 0
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for number, line in _numbered_lines(chunk, first_line):
        place = f"line {number}"
        outcome = _check(line, place) or raw_row(orjson.loads(line), place, note)
        if not isinstance(outcome, Reject):
            rows.append({"line": number, **outcome})
            continue
        n_damaged += 1
        if n_damaged <= MAX_DAMAGED_LINES:
            rejects.append(outcome)
    schema = {"line": pl.UInt32(), **RAW_WITH_NAMES}
    return pl.DataFrame(rows, schema=schema, orient="row"), rejects, n_damaged


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
    if not isinstance(record, dict):
        detail = "The line is JSON but not an arXiv record."
        return Reject(place, "not_a_record", detail, _excerpt(line))
    return None


def _excerpt(line: bytes) -> str:
    return excerpt(line[:800].decode("utf-8", errors="replace"))


def _count_nested(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _finish(
    raw: pl.DataFrame,
    rejects: list[Reject],
    n_unlisted: int,
    hints: Hints,
    rules: tuple[str, ...] = (),
) -> _Chunk:
    rows = raw.with_columns(
        pl.col("line").cast(pl.Int64).alias("position"),
        pl.format("line {}", pl.col("line")).alias("place"),
        *versions(),
    )
    parsed = to_items(rows, rejects, hints, max_rejects=MAX_DAMAGED_LINES, rules=rules)
    n_listed = len(parsed.rejects) - len(rejects)
    return _Chunk(parsed, n_unlisted + raw.height - parsed.items.height - n_listed)
