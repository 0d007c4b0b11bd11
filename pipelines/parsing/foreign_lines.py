"""Lines that belong to no paper, within a text of several lines: a date, an address, a label.

Belongs here: the same patterns as in the gate, for parsers that join lines. Does not belong here:
whole titles and abstracts, which the gate checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.parsing.gate_patterns import TITLE_PATTERNS

_NO_TEXT = re.compile(r"^[^A-Za-z\u00c0-\uffff]+$")
_PATTERNS = {what: re.compile(pattern) for what, pattern in TITLE_PATTERNS.items()}
_MAX_CHARS = 200  # a longer line is text
_MIN_REPEATED = 20


def foreign_line(lines: Iterable[str]) -> str | None:
    """A sentence about the first line that is no text of a paper, or repeated; None if none is."""
    seen: set[str] = set()
    for line in lines:
        text = line.strip()
        if text in seen and len(text) >= _MIN_REPEATED:
            return f"The line {text[:80]!r} is there twice."
        seen.add(text)
        if not text or len(text) > _MAX_CHARS:
            continue
        if _NO_TEXT.match(text):
            return f"The line {text[:80]!r} has no word."
        for what, pattern in _PATTERNS.items():
            if pattern.search(text):
                return f"The line {text[:80]!r} is {what}."
    return None
