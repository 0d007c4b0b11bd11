"""Text helpers for messages and cells: printable, on one line, shortened, safe in a spreadsheet.

Belongs here: pure functions of strings without a meaning. Does not: cleaning of papers' text
(`pipelines.parsing.clean`), or numbers and dates.
"""

from __future__ import annotations

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMULA_PATTERN = r"^([=+\-@\t\r])"  # the same, for regular expressions of Polars and DuckDB


def printable(text: str, *, keep: str = "", replacement: str = "\ufffd") -> str:
    """The text with each non-printable character replaced, except those in `keep`."""
    return "".join(c if c.isprintable() or c in keep else replacement for c in text)


def one_line(text: str) -> str:
    """The text with each run of white space as one space."""
    return " ".join(text.split())


def shortened(text: str, max_chars: int) -> str:
    """The text, cut to `max_chars` characters; the last one is then an ellipsis."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def escape_formula(text: str) -> str:
    """The text as a CSV cell: an apostrophe precedes what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
