"""Responses of `GET /api/daily_papers`: a JSON array of items, through all its schema changes.

A cut body keeps its complete items, and the rest is one reject.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import orjson

from pipelines.parsing.head import Head
from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.moments import latest_timestamp
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # of a pair, or a lone one
_BETWEEN_ITEMS = re.compile(r"[ \t\r\n,]*")


def matches(head: Head) -> bool:
    """Whether it opens as JSON; a value that is not an array is rejected by `parse`."""
    return head.is_json_object or head.is_json_value


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of a response. JSON that is not an array is rejected whole as `not_a_listing`."""
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
        if not text.startswith("["):
            return reject_body("broken_json", f"The body is not JSON: {problem}.", body)
        return salvage(text, problem, hints)
    if not isinstance(data, list):
        kind = "an object" if isinstance(data, dict) else "a single value"
        return reject_body("not_a_listing", f"The JSON is {kind}, not an array of papers.", body)
    if len(data) > MAX_ITEMS:
        return too_many_items("The array", body)
    return parse_items(data, hints)


def salvage(text: str, problem: str, hints: Hints) -> Parsed:
    """The complete items of an array before its first syntax error, and one reject for the rest.

    Values that strict JSON refuses and Python reads (`NaN`, a lone surrogate, bytes that are not
    UTF-8) cost at most their item; `rules` then names `problem`.
    """
    decoder = json.JSONDecoder(parse_int=_int)
    items: list[Any] = []
    at = _next_item(text, 1)
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
    if text[at:].strip() == "]":
        return parse_items(items, hints, rules=(f"read_leniently: {problem}",))
    parsed = parse_items(items, hints)
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
