"""Limits on the size of a listing, well above any real one.

They are checked on the raw bytes before anything is built from them, so a small hostile file costs
no more than reading it. A body over a limit is rejected as a whole, never cut.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.parsing.records import Parsed, reject_body

MAX_ITEMS = 20_000  # ten times a month of the busiest daily lists
# How often the characters that give a format its structure may occur. Real listings of 64 MiB, the
# default limit of a listing's size, stay below.
TEXT_LIMITS = {b"\n": 200_000, b"\r": 200_000}
HTML_LIMITS = {b"<": 500_000}
JSON_LIMITS = {b"{": 1_000_000, b"[": 1_000_000, b",": 4_000_000}
XML_LIMITS = {b"<": 1_000_000, b"=": 500_000, b"&": 500_000, b"\n": 1_000_000, b"\r": 1_000_000}
TABLE_LIMITS = {b"\n": 1_000_000, b"\r": 1_000_000, b'"': 4_000_000}
BIBTEX_LIMITS = {b"@": 100_000, b"{": 1_000_000, b"\n": 1_000_000}
_NAMES = {b"\n": "line feeds", b"\r": "carriage returns"}


def too_large(body: bytes, limits: Mapping[bytes, int]) -> Parsed | None:
    """The body rejected as `too_large` if a character occurs more often than its limit."""
    for character, limit in limits.items():
        n = body.count(character)
        if n > limit:
            name = _NAMES.get(character, f"`{character.decode()}` characters")
            detail = f"The body has {n:,} {name}; the limit is {limit:,}."
            return reject_body("too_large", detail, body)
    return None


def too_many_items(place: str, body: bytes) -> Parsed:
    """The body rejected because `place` (such as "The array") has more items than any listing."""
    return reject_body("too_large", f"{place} has more than {MAX_ITEMS:,} items.", body)
