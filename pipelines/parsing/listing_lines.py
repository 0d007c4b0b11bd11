"""Hugging Face's items as JSON lines: one item of a daily list, or one paper, per line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from pipelines.parsing.head import Head
from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.listing_items import is_item, parse_items
from pipelines.parsing.moments import latest_timestamp
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt

_LIMITS = {**JSON_LIMITS, b"\n": 200_000}


def matches(head: Head) -> bool:
    """Whether one of the first 50 lines is an item, and there is more than one line."""
    lines = [line for line in head.lines if line.strip()]
    return not head.is_json_value and len(lines) > 1 and any(map(_is_item, lines))


def _is_item(line: bytes) -> bool:
    return is_item(_value(line))


def _value(line: bytes) -> Any:
    """The value of a line, without the comma that some writers add; None if it is not JSON."""
    try:
        return orjson.loads(line.strip().removesuffix(b","))
    except orjson.JSONDecodeError:
        return None


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of all lines. A line that is not a JSON object is one reject."""
    if rejected := too_large(body, _LIMITS):
        return rejected
    items: list[Any] = []
    places: list[str] = []
    rejects = []
    for number, line in enumerate(body.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        if isinstance(value := _value(line), dict):
            items.append(value)
            places.append(f"line {number}")
        else:
            text = excerpt(line[:400].decode("utf-8", errors="replace"))
            detail = "The line is not a JSON object."
            rejects.append(Reject(f"line {number}", "broken_json", detail, text))
    if len(items) + len(rejects) > MAX_ITEMS:
        return too_many_items("The file", body)
    parsed = parse_items(items, hints, places=places)
    return replace(
        parsed,
        rejects=(*rejects, *parsed.rejects),
        latest_at=latest_timestamp(body, hints.received_at),
    )
