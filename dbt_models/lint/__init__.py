"""Stand-ins for dbt's Jinja functions, so that sqlfluff renders models without running dbt.

Belongs here: what models and macros call, returning SQL of the same shape. Does not: SQL that a
database runs.
"""

from __future__ import annotations

from typing import Any

from . import dbt

__all__ = ["changed_rows", "config", "dbt", "last_build", "recompute_by", "ref", "source", "var"]

_VARS = {"grains": ["week", "month", "quarter"]}


def ref(name: str) -> str:
    """Return a relation of the name."""
    return name


def source(_: str, table: str) -> str:
    """Return a relation of the table's name."""
    return table


def var(name: str) -> object:
    """Return a number, or a list for a variable that models iterate over."""
    return _VARS.get(name, 1)


def config(**_: Any) -> str:
    """Return no text, as dbt does."""
    return ""


def recompute_by(_: str) -> str:
    """Return no text, as the macro does."""
    return ""


def changed_rows(relation: str) -> str:
    """Return the relation, as in the first build."""
    return relation


def last_build(table: str, columns: dict[str, str]) -> str:
    """Return a select of the columns."""
    return f"select {', '.join(columns)} from {table}"
