"""arXiv records as one JSON value: an array of them, an object that holds such an array, or one.

A cut body keeps its complete records, and the rest is one reject. Records one per line are read by
`arxiv_snapshot`.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import polars as pl

from pipelines.parsing.arxiv_records import RAW_WITH_NAMES, to_items, versions
from pipelines.parsing.arxiv_shapes import looks_like_record, raw_row
from pipelines.parsing.head import Head
from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

# Up to the first record: an array, alone or as a value of an object whose other values are simple.
_TO_FIRST = re.compile(rb'\s*(?:\{[^\[\]{}]{0,4000}"\s*:\s*)?\[\s*(?=\{)')
_BETWEEN = re.compile(r"[ \t\r\n,]*")
_FIRST_BYTES = 64 * 1024
_ROWS = pl.Schema({"position": pl.Int64(), "place": pl.String(), **RAW_WITH_NAMES})


def matches(head: Head) -> bool:
    """Whether the first object of an array, or the whole body, is an arXiv record."""
    if head.is_json_object:
        whole = _decoded(head.start)
        # A record on one line, or with more after it, is a line of a file of lines.
        if whole is not None and looks_like_record(whole[0]):
            text = head.start.decode("utf-8", "replace")
            return "\n" in text[: whole[1]] and not text[whole[1] :].strip()
    found = _TO_FIRST.match(head.start)
    first = _decoded(head.start[found.end() :]) if found else None
    return first is not None and looks_like_record(first[0])


def _decoded(start: bytes) -> tuple[Any, int] | None:
    """The JSON value at the start, and the number of its characters; None if it is cut or long."""
    try:
        return json.JSONDecoder().raw_decode(start[:_FIRST_BYTES].decode("utf-8", "replace"))
    except (json.JSONDecodeError, RecursionError, ValueError):
        return None


def parse(body: bytes, hints: Hints) -> Parsed:
    """The records, with their numbers as places; a body without records is rejected as a whole."""
    if rejected := too_large(body, JSON_LIMITS):
        return rejected
    rejects: list[Reject] = []
    try:
        entries = _entries(orjson.loads(body.removeprefix(b"\xef\xbb\xbf")))
    except orjson.JSONDecodeError as error:
        entries, rejects = _salvaged(body, str(error))
    if entries is None:
        return reject_body("not_a_listing", "The JSON holds no array of arXiv records.", body)
    if len(entries) > MAX_ITEMS:
        return too_many_items("The array", body)
    notes: dict[str, str] = {}
    rows = []
    for position, entry in enumerate(entries, start=1):
        place = f"item {position}"
        outcome = _row(entry, place, notes)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    raw = pl.DataFrame(rows, schema=_ROWS, orient="row").with_columns(*versions())
    rules = tuple(f"{code}: {detail}" for code, detail in notes.items())
    return to_items(raw, rejects, hints, rules=rules, stated_kind="announcement")


def _row(entry: Any, place: str, notes: dict[str, str]) -> dict[str, Any] | Reject:
    if not isinstance(entry, dict):
        return Reject(place, "item_not_object", "The item is not an object.", excerpt(entry))
    return raw_row(entry, place, notes.setdefault)


def _entries(data: Any) -> list[Any] | None:
    """The array of records in a JSON value; None if there is none."""
    if looks_like_record(data):
        return [data]
    arrays = [data, *data.values()] if isinstance(data, dict) else [data]
    lists = [value for value in arrays if isinstance(value, list) and value]
    return next((entries for entries in lists if any(map(looks_like_record, entries))), None)


def _salvaged(body: bytes, problem: str) -> tuple[list[Any] | None, list[Reject]]:
    """The complete items of an array before its first syntax error, and a reject for the rest."""
    found = _TO_FIRST.match(body.removeprefix(b"\xef\xbb\xbf"))
    if not found:
        return None, []
    text = body.removeprefix(b"\xef\xbb\xbf")[found.end() :].decode("utf-8", "replace")
    decoder = json.JSONDecoder()
    items: list[Any] = []
    at = 0
    while len(items) <= MAX_ITEMS:
        try:
            item, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError, ValueError):
            break
        items.append(json.loads(_encodable(item)))
        between = _BETWEEN.match(text, end)
        at = between.end() if between else end
    detail = f"The JSON is cut or damaged here: {problem}."
    place = f"item {len(items) + 1}"
    return items, [Reject(place, "broken_json", detail, excerpt(text[at : at + 400]))]


def _encodable(item: Any) -> str:
    """The item as JSON, with U+FFFD for each lone surrogate, which UTF-8 can't encode."""
    text = json.dumps(item, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
