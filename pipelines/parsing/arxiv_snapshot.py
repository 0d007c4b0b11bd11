"""arXiv metadata as JSON lines, in the layout of the public arXiv snapshot.

Streamed: a chunk of whole lines at a time, so memory does not grow with the file. A chunk is
parsed by Polars at once; only a chunk with a damaged line is gone through line by line.
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

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.arxiv_ids import ID_PATTERN, id_month
from pipelines.parsing.clean import BLANKS
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish

CHUNK_BYTES = 16 * 1024**2
WORKERS = 2  # chunks parsed at the same time: Polars works outside the interpreter's lock
MAX_LINE_BYTES = 8 * 1024**2
# A file with more damage than this is no arXiv file or a broken download: reading stops.
MAX_DAMAGED_LINES = 10_000
# Each costs Polars a hundred times its bytes. Real chunks hold a fifth of the first; the names and
# versions of real lines take more bytes each than the last.
MAX_NESTED_IN_CHUNK = 1_000_000
MAX_NESTED_IN_LINE = 1_000
_NESTED_BYTES = 12
_TO_LINE_END = re.compile(rb"\S[^\n]*")

# The fields of a record that we read, as arXiv names them.
RAW = pl.Schema(
    {
        "id": pl.String(),
        "title": pl.String(),
        "abstract": pl.String(),
        "authors": pl.String(),
        "authors_parsed": pl.List(pl.List(pl.String())),
        "categories": pl.String(),
        "versions": pl.List(pl.Struct({"version": pl.String(), "created": pl.String()})),
        "update_date": pl.String(),
    }
)
_TEXTS = tuple(name for name, dtype in RAW.items() if dtype == pl.String())


def looks_like_record(line: bytes) -> bool:
    """Whether a line is an arXiv record: a JSON object with an id, a title and categories."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and {"id", "title", "categories"} <= record.keys()


def parse_stream(stream: BinaryIO, hints: Hints) -> Iterator[Parsed]:
    """One `Parsed` per chunk of lines; rows carry their line number as place.

    Behind `MAX_DAMAGED_LINES` rejects one more, `too_many_damaged_lines`, stands for the rest of
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
    """The part up to its reject number `n_left`, and one reject for all from the next one on."""
    rejects = sorted(part.rejects, key=_line_of)
    line = _line_of(rejects[n_left])
    detail = (
        f"{MAX_DAMAGED_LINES:,} lines before this one could not be accepted: "
        f"the rest of the file, from line {line} on, was not read."
    )
    last = Reject(f"line {line}", "too_many_damaged_lines", detail, rejects[n_left].excerpt)
    items = part.items.filter(pl.col("position") < line)
    return replace(part, items=items, rejects=(*rejects[:n_left], last))


def _line_of(reject: Reject) -> int:
    return int(reject.place.removeprefix("line "))


def _parts(stream: BinaryIO, hints: Hints) -> Generator[Parsed]:
    """All chunks, parsed ahead by a few."""
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Future[Parsed]] = deque()
        for chunk, first_line in _numbered(_whole_lines(stream)):
            ahead.append(pool.submit(_parse_chunk, chunk, first_line, hints))
            if len(ahead) > WORKERS:  # bounds what is held in memory
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
    """Chunks that end at a line's end (but the last), a byte order mark left out.

    Of a line beyond the limit only its start is kept, with a NUL behind it: no JSON holds one,
    so what is left of the line can't be mistaken for a record.
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
    # Blank lines shift places, so they too take the careful way.
    raw = _read_at_once(chunk, _count_lines(chunk))
    if raw is not None:
        return _finish(raw.with_row_index("line", offset=first_line), [], hints)
    return _finish(*_parse_lines(chunk, first_line), hints)


def _read_at_once(text: bytes, n_lines: int) -> pl.DataFrame | None:
    """The lines as Polars reads them; None where it can't, or reads other than line by line."""
    # Other beginnings are damage, or what Polars would take for compressed data and unpack.
    if not text.startswith(b"{") or _nested(text) > MAX_NESTED_IN_CHUNK:
        return None
    with suppress(pl.exceptions.PolarsError):
        raw = pl.read_ndjson(io.BytesIO(text), schema=RAW)
        # NULs stand for escapes that Polars could not read.
        if raw.height == n_lines and not _holds_nul(raw):
            return raw
    return None


def _holds_nul(raw: pl.DataFrame) -> bool:
    texts = pl.col("id", "title", "abstract", "authors")
    return bool(raw.select(pl.any_horizontal(texts.str.contains("\0", literal=True).any())).item())


def _parse_lines(chunk: bytes, first_line: int) -> tuple[pl.DataFrame, list[Reject]]:
    """The careful way: each line by itself, damaged ones rejected with their place.

    It ends behind one damaged line more than a whole file may have.
    """
    numbers: list[int] = []
    lines: list[bytes] = []
    rejects: list[Reject] = []
    for number, line in _written_lines(chunk, first_line):
        if len(rejects) > MAX_DAMAGED_LINES:
            break
        if problem := _problem(line, f"line {number}"):
            rejects.append(problem)
        else:
            numbers.append(number)
            lines.append(line)
    raw = _read_at_once(b"\n".join(lines), len(lines))
    if raw is None:
        typed = b"\n".join(orjson.dumps(_typed(orjson.loads(line))) for line in lines)
        raw = pl.read_ndjson(io.BytesIO(typed), schema=RAW) if lines else pl.DataFrame(schema=RAW)
    return raw.insert_column(0, pl.Series("line", numbers, dtype=pl.UInt32)), rejects


def _written_lines(chunk: bytes, first_line: int) -> Iterator[tuple[int, bytes]]:
    """Number and text of each line that is not blank."""
    number, at = first_line, 0
    for found in _TO_LINE_END.finditer(chunk):
        number += chunk.count(b"\n", at, found.start())
        at = found.end()
        yield number, found.group()


def _problem(line: bytes, place: str) -> Reject | None:
    """Why a line is no record; None for one that is."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Reject(place, "broken_json", f"The line is not JSON: {error}.", _begin(line))
    n_nested = _nested(line)
    if n_nested > MAX_NESTED_IN_LINE and n_nested * _NESTED_BYTES > len(line):
        detail = f"The line holds {n_nested} lists and objects."
        return Reject(place, "too_large", detail, _begin(line))
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        detail = "The line is JSON but not an arXiv record."
        return Reject(place, "not_a_record", detail, _begin(line))
    return None


def _begin(line: bytes) -> str:
    return excerpt(line[:800].decode("utf-8", errors="replace"))


def _nested(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _typed(record: dict[str, Any]) -> dict[str, Any]:
    """The fields that we read in the types that Polars reads; those it could not are left out."""
    row: dict[str, Any] = {name: _text(record[name]) for name in _TEXTS if name in record}
    versions, parsed = record.get("versions"), record.get("authors_parsed")
    if isinstance(versions, list):
        row["versions"] = [
            {k: _text(v.get(k)) for k in ("version", "created")}
            for v in versions
            if isinstance(v, dict)
        ]
    if isinstance(parsed, list):
        row["authors_parsed"] = [
            [_text(part) for part in name] for name in parsed if isinstance(name, list)
        ]
    return row


def _text(value: Any) -> str | None:
    """Text as it is; any other value as the JSON that stood there."""
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _finish(raw: pl.DataFrame, rejects: list[Reject], hints: Hints) -> Parsed:
    rows = raw.with_columns(
        pl.col("line").cast(pl.Int64).alias("position"),
        pl.format("line {}", pl.col("line")).alias("place"),
        *versions(),
    )
    return records_to_items(rows, rejects, hints, most=MAX_DAMAGED_LINES + 1)


def records_to_items(
    raw: pl.DataFrame,
    rejects: list[Reject],
    hints: Hints,
    *,
    most: int | None = None,
    **page: Any,
) -> Parsed:
    """arXiv's records → items: ids checked, authors joined, the v1 date by the methodology's rule.

    `raw` has the columns of `RAW`, `position`, `place`, and those of `versions()`; `most` and
    `page` as in `finish`.
    """
    rows = raw.with_columns(
        pl.col("id").str.strip_chars().str.extract(r"^(.*?)(?:v\d+)?$", 1).alias("arxiv_id")
    )
    bad = rows.filter(~pl.col("arxiv_id").str.contains(ID_PATTERN).fill_null(value=False))
    rejects = rejects + [
        Reject(place, "bad_arxiv_id", f"`id` is {excerpt(found)!r}, no arXiv id.", excerpt(title))
        for place, found, title in bad.select("place", "id", "title")
        .head(bad.height if most is None else most)
        .iter_rows()
    ]
    good = rows.filter(pl.col("arxiv_id").str.contains(ID_PATTERN).fill_null(value=False))
    items = good.with_columns(
        _author_names().alias("authors"),
        _categories().alias("categories"),
        pl.col("update_date").str.to_date("%Y-%m-%d", strict=False).alias("announced_on"),
        id_month(pl.col("arxiv_id")).alias("_month"),
    ).with_columns(*published())
    items = items.with_columns(
        pl.when(pl.col("authors").list.len() > 0)
        .then(pl.col("authors").list.len().cast(pl.Int64))
        .alias("n_authors"),
        pl.col("categories").list.first().alias("primary_category"),
    )
    missing = [
        pl.lit(None, dtype).alias(n) for n, dtype in ITEM_SCHEMA.items() if n not in items.columns
    ]
    found = items.with_columns(missing).select(list(ITEM_SCHEMA))
    return finish(found, rejects, hints, most=most, **page)


def versions() -> tuple[pl.Expr, pl.Expr]:
    """`arxiv_version`, the newest one named, and `_v1`, the day of v1 where that is named."""
    return _newest_version().alias("arxiv_version"), _v1_day().alias("_v1")


def published() -> tuple[pl.Expr, pl.Expr]:
    """`published_on` and its basis from `_v1` (a day) and `_month` (that the id carries).

    The id is given when a paper is announced, so a true v1 date lies in the id's month or in the
    one before. A date that contradicts the id is a revision's date in disguise and is not used.
    """
    agrees = (
        pl.col("_v1")
        .dt.truncate("1mo")
        .is_between(pl.col("_month").dt.offset_by("-1mo"), pl.col("_month"))
    )
    day = pl.when(agrees).then(pl.col("_v1")).otherwise(pl.col("_month"))
    basis = (
        pl.when(agrees)
        .then(pl.lit("arxiv_v1"))
        .when(pl.col("_v1").is_not_null())
        .then(pl.lit("arxiv_id_month_v1_contradicts_id"))
        .when(pl.col("_month").is_not_null())
        .then(pl.lit("arxiv_id_month"))
    )
    return day.alias("published_on"), basis.alias("published_on_basis")


def _author_names() -> pl.Expr:
    """`First Last Suffix` of `authors_parsed`; else the printed list, split at commas and `and`."""
    part = pl.element().list
    name = pl.concat_str(
        part.get(1, null_on_oob=True),
        part.get(0, null_on_oob=True),
        part.get(2, null_on_oob=True),
        separator=" ",
        ignore_nulls=True,
    )
    tidy = name.str.replace_all(BLANKS, " ").str.strip_chars()
    parsed = pl.col("authors_parsed").list.eval(tidy.filter(tidy.str.len_chars() > 0))
    stripped = pl.element().str.strip_chars()
    printed = (
        pl.col("authors")
        .str.replace_all(BLANKS, " ")
        .str.replace_all(r"\s*\((?:[^()]|\([^()]*\))*\)", "")  # affiliations: `((1) A, (2) B)`
        .str.replace_all(r",? and ", ", ")
        .str.split(", ")
        .list.eval(stripped.filter(stripped.str.len_chars() > 0))
    )
    return pl.when(pl.col("authors_parsed").list.len() > 0).then(parsed).otherwise(printed)


def _categories() -> pl.Expr:
    """arXiv categories (`cs.CL`, `math.OC`, `hep-th`); ACM and MSC codes are left out."""
    valid = pl.element().str.contains(r"^[a-z][a-z-]+(\.[A-Za-z-]{2,})?$")
    return pl.col("categories").str.split(" ").list.eval(pl.element().filter(valid))


def _newest_version() -> pl.Expr:
    number = pl.element().struct.field("version").str.extract(r"^v(\d+)$", 1)
    return pl.col("versions").list.eval(number.cast(pl.Int64, strict=False)).list.max()


def _v1_day() -> pl.Expr:
    """Day of version v1, where the record names that version."""
    v1 = pl.element().filter(pl.element().struct.field("version") == "v1").struct.field("created")
    return (
        pl.col("versions")
        .list.eval(v1)
        .list.first()
        .str.to_datetime("%a, %d %b %Y %H:%M:%S GMT", strict=False)
        .dt.date()
    )
