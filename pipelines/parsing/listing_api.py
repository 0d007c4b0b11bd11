"""`GET /api/daily_papers` answers: a JSON array of items, through all its schema changes.

A body that was cut keeps its complete items; what follows the cut is one reject.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import orjson

from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # half a surrogate pair, or a whole one
_BETWEEN_ITEMS = re.compile(r"[ \t\r\n,]*")


def parse(body: bytes, hints: Hints) -> Parsed:
    """Items of an API answer. Not an array: the whole body is rejected as `not_a_listing`."""
    if rejected := too_large(body, JSON_LIMITS):
        return rejected
    problem = ""
    try:
        data: Any = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        problem = str(error)  # the error itself holds the whole text
    if problem:
        text = body.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
        if not text.startswith("["):
            return reject_body("broken_json", f"The body is not JSON: {problem}.", body)
        return salvage(text, problem, hints)
    if not isinstance(data, list):
        kind = "an object" if isinstance(data, dict) else "a bare value"
        return reject_body("not_a_listing", f"The JSON is {kind}, not an array of papers.", body)
    if len(data) > MAX_ITEMS:
        return too_many_items(f"The array has {len(data)} items", body)
    return parse_items(data, hints)


def salvage(text: str, error: str, hints: Hints) -> Parsed:
    """The complete items of an array before its first syntax error, and one reject for the rest.

    What strict JSON refuses and Python reads (`NaN`, half a surrogate pair, bytes that are not
    UTF-8) costs at most the item that holds it; a rule says so.
    """
    decoder = json.JSONDecoder(parse_int=_int)
    items: list[Any] = []
    at = _next_item(text, 1)
    while len(items) <= MAX_ITEMS:
        try:
            item, end = decoder.raw_decode(text, at)
            odd = _HALF_PAIR.search(text, at, end)
            items.append(_without_surrogates(item) if odd else item)
        except (json.JSONDecodeError, RecursionError):
            break
        at = _next_item(text, end)
    else:
        return too_many_items("The array has further items", text[:400].encode())
    if text[at:].strip() == "]":
        return parse_items(items, hints, rules=(f"read_leniently: {error}",))
    parsed = parse_items(items, hints)
    rest = Reject(
        f"item {len(items) + 1}, character {at}",
        "broken_json",
        f"The JSON breaks off or is damaged here: {error}.",
        excerpt(text[at : at + 400]),
    )
    return replace(parsed, rejects=(*parsed.rejects, rest))


def _next_item(text: str, at: int) -> int:
    """Where the next item begins, a comma and blanks passed over."""
    found = _BETWEEN_ITEMS.match(text, at)
    return found.end() if found else at


def _int(digits: str) -> int | float:
    """Integers beyond 64 bits as floats, as the strict parser reads them."""
    return int(digits) if len(digits) < 19 else float(digits)


def _without_surrogates(item: Any) -> Any:
    """The item with U+FFFD for halves of surrogate pairs, which no UTF-8 text can hold."""
    text = json.dumps(item, ensure_ascii=False)
    return json.loads(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
