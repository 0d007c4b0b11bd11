"""Stand-ins for dbt's cross-database macros, in DuckDB's dialect."""

from __future__ import annotations


def type_string() -> str:
    """Return the text type."""
    return "varchar"


def hash(expression: str) -> str:  # noqa: A001  dbt's name
    """Return a hash of an expression."""
    return f"md5({expression})"


def date_trunc(part: str, expression: str) -> str:
    """Return a date rounded down."""
    return f"date_trunc('{part}', {expression})"


def dateadd(part: str, interval: int, expression: str) -> str:
    """Return a date shifted by some days, months or years."""
    return f"({expression} + interval '{interval} {part}')"


def datediff(first: str, second: str, part: str) -> str:
    """Return the number of boundaries between two dates."""
    return f"date_diff('{part}', {first}, {second})"
