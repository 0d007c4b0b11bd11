"""`GET /api/daily_papers` answers: a JSON array of items, through all its schema changes.

A body that was cut keeps its complete items; what follows the cut is one reject.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body


def parse(body: bytes, hints: Hints) -> Parsed:
    """Items of an API answer. Not an array: the whole body is rejected as `not_a_listing`."""
    try:
        data: Any = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return _salvage(body, str(error))
    if not isinstance(data, list):
        kind = "an object" if isinstance(data, dict) else f"a {type(data).__name__}"
        return reject_body("not_a_listing", f"The JSON is {kind}, not an array of papers.", body)
    return parse_items(data)


def _salvage(body: bytes, error: str) -> Parsed:
    """The complete items before the first syntax error, and one reject for the rest."""
    text = body.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if not text.startswith("["):
        return reject_body("broken_json", f"The body is not JSON: {error}.", body)
    decoder = json.JSONDecoder()
    items, at = [], 1
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            item, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            break
        items.append(item)
    parsed = parse_items(items)
    rest = Reject(
        f"item {len(items) + 1}, character {at}",
        "broken_json",
        f"The JSON breaks off or is damaged here: {error}.",
        excerpt(text[at : at + 400]),
    )
    return Parsed(parsed.items, (*parsed.rejects, rest), rules=parsed.rules)
