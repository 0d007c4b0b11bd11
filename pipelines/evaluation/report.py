"""The report of the evaluation: criteria, tables and parts, as Markdown.

Belongs here: the data classes of a part, and rendering. Does not belong here: measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Criterion:
    """A statement about Papertide, the measured result, and whether the statement is met."""

    statement: str
    result: str
    is_met: bool
    is_binding: bool = True
    """If not met, a binding criterion makes `papertide evaluate` fail; others are targets."""


@dataclass(frozen=True)
class Table:
    """Results under a caption; the column names are for readers."""

    caption: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Part:
    """One question, the method, and the results."""

    title: str
    method: str
    """Paragraphs: what was measured, on which population, with which n."""
    criteria: Sequence[Criterion] = ()
    tables: Sequence[Table] = ()
    skipped: str = ""
    """Why it could not be measured on these papers; empty if it was."""
    summary: Sequence[str] = ()
    """Lines for the opening of the report."""


def markdown_table(rows: pl.DataFrame) -> str:
    """Return a frame as a Markdown table: numbers right-aligned, null as a dash."""
    head = "| " + " | ".join(_cell(name) for name in rows.columns) + " |"
    rule = "|" + "|".join(" ---: |" if t.is_numeric() else " --- |" for t in rows.dtypes)
    rule = rule.replace("||", "|")
    body = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows.iter_rows()]
    return "\n".join([head, rule, *body])


def markdown(parts: Sequence[Part], facts: Sequence[tuple[str, str]], opening: str) -> str:
    """Return the report: facts of the run, all criteria, then each part."""
    lines = ["# Evaluation", "", opening, ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    criteria = [
        (part.title, one.statement, one.result, _status(one))
        for part in parts
        for one in part.criteria
    ]
    table = pl.DataFrame(criteria, schema=["part", "criterion", "result", "met"], orient="row")
    lines += ["", "## Criteria", "", markdown_table(table), ""]
    for part in parts:
        lines += [f"## {part.title}", "", part.method.strip(), ""]
        if part.skipped:
            lines += [f"**Not measured**: {part.skipped}", ""]
        for results in part.tables:
            lines += [f"**{results.caption}**", "", markdown_table(results.rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _status(criterion: Criterion) -> str:
    if criterion.is_met:
        return "yes"
    return "**no**" if criterion.is_binding else "no (target)"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|")
