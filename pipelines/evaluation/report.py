"""What a part of the evaluation comes back with, and how all of it is written down.

Belongs here: promises, tables, parts, Markdown. Does not belong here: any measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Promise:
    """What was promised in one sentence, what was found, and whether it holds."""

    says: str
    found: str
    holds: bool
    is_binding: bool = True
    """Whether the evaluation ends with an error where it does not hold; else it is a target."""


@dataclass(frozen=True)
class Table:
    """Figures under a caption; columns named as a reader should see them."""

    caption: str
    rows: pl.DataFrame


@dataclass(frozen=True)
class Part:
    """One question, how it was put, and the answer."""

    title: str
    method: str
    """Paragraphs: what was done, to which population, with which n."""
    promises: Sequence[Promise] = ()
    tables: Sequence[Table] = ()
    skipped: str = ""
    """Why it could not be put to these papers; empty where it was."""


def markdown_table(rows: pl.DataFrame) -> str:
    """A frame as a Markdown table: numbers to the right, null as a dash."""
    head = "| " + " | ".join(_cell(name) for name in rows.columns) + " |"
    rule = "|" + "|".join(" ---: |" if t.is_numeric() else " --- |" for t in rows.dtypes)
    rule = rule.replace("||", "|")
    body = ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows.iter_rows()]
    return "\n".join([head, rule, *body])


def markdown(parts: Sequence[Part], facts: Sequence[tuple[str, str]], opening: str) -> str:
    """The report: the facts of the run, every promise, then each part."""
    lines = ["# Evaluation", "", opening, ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    lines += ["", "## Promises", ""]
    promised = [(part.title, p.says, p.found, _word(p)) for part in parts for p in part.promises]
    lines += [
        markdown_table(
            pl.DataFrame(promised, schema=["part", "promise", "found", "holds"], orient="row")
        ),
        "",
    ]
    for part in parts:
        lines += [f"## {part.title}", "", part.method.strip(), ""]
        if part.skipped:
            lines += [f"**Not measured**: {part.skipped}", ""]
        for table in part.tables:
            lines += [f"**{table.caption}**", "", markdown_table(table.rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _word(promise: Promise) -> str:
    if promise.holds:
        return "yes"
    return "**no**" if promise.is_binding else "no (a target)"


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
