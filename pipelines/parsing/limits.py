"""How much a listing may hold: bounds that no real one comes near.

They are checked on the raw bytes, before anything is built from them, so that a small hostile file
costs no more than reading it. What is beyond a bound is rejected, never cut silently.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.parsing.records import Parsed, reject_body

MAX_ITEMS = 20_000  # a month of the busiest daily lists is a tenth of it
# Occurrences of the signs of which a format builds its structure. Real captures of 64 MiB, the
# default limit of a listing's size, would hold less.
TEXT_LIMITS = {b"\n": 200_000, b"\r": 200_000}
HTML_LIMITS = {b"<": 500_000}
JSON_LIMITS = {b"{": 1_000_000, b"[": 1_000_000, b",": 4_000_000}
XML_LIMITS = {b"<": 1_000_000, b"=": 500_000, b"&": 500_000, b"\n": 1_000_000, b"\r": 1_000_000}


def too_large(body: bytes, limits: Mapping[bytes, int]) -> Parsed | None:
    """The whole body rejected as `too_large` when it holds more of a sign than its limit."""
    for sign, limit in limits.items():
        found = body.count(sign)
        if found > limit:
            what = sign.decode().replace("\n", "line feed").replace("\r", "carriage return")
            return reject_body("too_large", f"{found} times {what!r}, over {limit}.", body)
    return None


def too_many_items(found: str, body: bytes) -> Parsed:
    """The whole body rejected because it lists more than any list does."""
    return reject_body("too_large", f"{found}; no list has more than {MAX_ITEMS}.", body)
