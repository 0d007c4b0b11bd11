"""Quotes identifiers and strings for DuckDB, where a value can't be bound.

Belongs here: quoting. Does not: queries or connections.
"""

from __future__ import annotations


def quote_identifier(name: str) -> str:
    """The name in double quotes, with those inside it doubled."""
    return '"' + name.replace('"', '""') + '"'


def quote_string(value: object) -> str:
    """The value's text in single quotes, with those inside it doubled."""
    return "'" + str(value).replace("'", "''") + "'"
