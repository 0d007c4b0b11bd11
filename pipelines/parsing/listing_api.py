"""JSON of Hugging Face's API: an array of items, a wrapper around one, or a single item.

`GET /api/daily_papers` returns an array, through all its schema changes; so do `/api/papers` and
its search. Copies put the array under a key such as `papers` or `data`. A cut body keeps its
complete items, and the rest is one reject.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import orjson

from pipelines.parsing.head import Head
from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.listing_items import is_flat, parse_items
from pipelines.parsing.listing_props import LIST_KEYS, FoundList, list_in
from pipelines.parsing.moments import latest_timestamp
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # of a pair, or a lone one
_OPENING = re.compile(
    r"""\{(?:\s*"[^"\\]{1,40}"\s*:\s*(?:"[^"\\]{0,200}"|[-\w.+]{1,40})\s*,){0,10}\s*"""
    rf'"(?:{"|".join(LIST_KEYS)})"\s*:\s*\['
)
"""A wrapper up to its list, with simple values before it."""
_AFTER_ITEMS = re.compile(r"\s*\][\s\]}]*")
_LINES_BYTES = 1024**2
_BETWEEN_ITEMS = re.compile(r"[ \t\r\n,]*")


def matches(head: Head) -> bool:
    """Whether it opens as JSON; a value that is not an array is rejected by `parse`."""
    return head.is_json_object or head.is_json_value


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of a response. JSON without a paper is rejected whole as `not_a_listing`."""
    return replace(_parse(body, hints), latest_at=latest_timestamp(body, hints.received_at))


def _parse(body: bytes, hints: Hints) -> Parsed:
    if rejected := too_large(body, JSON_LIMITS):
        return rejected
    problem = ""
    try:
        data: Any = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        problem = str(error)  # the error itself keeps the whole text alive
    if problem:
        text = body.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
        opening = text[:1] == "[" or _OPENING.match(text)
        if not opening and _has_lines_of_json(body):
            detail = "The file has one JSON value per line, and none of the first is a paper."
            return reject_body("not_a_listing", detail, body)
        if not opening:
            return reject_body("broken_json", f"The body is not JSON: {problem}.", body)
        return salvage(text, problem, hints, start=1 if opening is True else opening.end())
    found = _found(data)
    if found is None:
        kind = "an object" if isinstance(data, dict) else "a single value"
        detail = f"The JSON is {kind}, not an array of papers, and it contains no list of papers."
        return reject_body("not_a_listing", detail, body)
    if len(found.items) > MAX_ITEMS:
        return too_many_items("The array", body)
    return parse_items(found.items, hints, rules=found.rules, **found.stated())


def _has_lines_of_json(body: bytes) -> bool:
    """Whether each of the first two lines is a JSON value."""
    lines = body[:_LINES_BYTES].removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)[:2]
    try:
        return len(lines) == 2 and all(orjson.loads(line) is not None for line in lines)
    except orjson.JSONDecodeError:
        return False


def _found(data: Any) -> FoundList | None:
    """The list in a JSON value: an array, a wrapper, or one item, which is not a list of a day."""
    if isinstance(data, list):
        return FoundList(data)
    if not isinstance(data, dict):
        return None
    if is_flat(data) or (isinstance(data.get("paper"), dict) and "id" in data["paper"]):
        return FoundList([data], kind="unknown")
    return list_in(data)


def salvage(text: str, problem: str, hints: Hints, *, start: int = 1, **page: Any) -> Parsed:
    """The complete items of an array before its first syntax error, and one reject for the rest.

    `start` is the position after the array's bracket; `page` holds other fields of `Parsed`.

    Values that strict JSON refuses and Python reads (`NaN`, a lone surrogate, bytes that are not
    UTF-8) cost at most their item; `rules` then names `problem`.
    """
    decoder = json.JSONDecoder(parse_int=_int)
    items: list[Any] = []
    at = _next_item(text, start)
    while len(items) <= MAX_ITEMS:
        try:
            item, end = decoder.raw_decode(text, at)
            has_surrogate = _SURROGATE.search(text, at, end)
            items.append(_without_surrogates(item) if has_surrogate else item)
        except (json.JSONDecodeError, RecursionError):
            break
        at = _next_item(text, end)
    else:
        return too_many_items("The array", text[:400].encode())
    if _AFTER_ITEMS.fullmatch(text, at):
        return parse_items(items, hints, rules=(f"read_leniently: {problem}",), **page)
    parsed = parse_items(items, hints, **page)
    rest = Reject(
        f"item {len(items) + 1}, character {at}",
        "broken_json",
        f"The JSON is cut or damaged here: {problem}.",
        excerpt(text[at : at + 400]),
    )
    return replace(parsed, rejects=(*parsed.rejects, rest))


def _next_item(text: str, at: int) -> int:
    """The position after any commas and blanks."""
    found = _BETWEEN_ITEMS.match(text, at)
    return found.end() if found else at


def _int(digits: str) -> int | float:
    """Integers over 64 bits as floats, as in the strict parser."""
    return int(digits) if len(digits) < 19 else float(digits)


def _without_surrogates(item: Any) -> Any:
    """The item with U+FFFD for each lone surrogate, which UTF-8 can't encode."""
    text = json.dumps(item, ensure_ascii=False)
    return json.loads(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
