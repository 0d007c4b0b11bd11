"""Prints what an ingest would take from files, without storing anything.

Belongs here: layout of a preview. Does not: parsing (`preview`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipelines.cli.output import print_json
from pipelines.cli.preview import Preview
from pipelines.runtime.text import printable, shortened

WIDTH = 80
MAX_WIDTH = 120
LABEL_CHARS = 10
OTHER_CHARS = 40  # of the columns next to the title
MAX_LINE_CHARS = 400


def show(previews: Iterable[Preview], *, as_json: bool) -> int:
    """Print the previews. Returns 1 if a file would be refused or nothing would be accepted."""
    n_files, n_usable, is_refused = 0, 0, False
    counts = {"n_seen": 0, "n_accepted": 0, "n_quarantined": 0}
    shown: list[dict[str, Any]] = []
    for preview in previews:
        is_refused |= preview.outcome.status == "refused"
        n_files += preview.facts is not None
        n_usable += preview.is_usable
        for name in counts:
            counts[name] += preview.facts[name] if preview.facts else 0
        if as_json:
            shown.append(_as_json(preview))
        else:
            _print(preview)
    if as_json:
        print_json(shown)
    seen, accepted, quarantined = (f"{n:,}" for n in counts.values())
    click.echo(
        f"{n_files:,} file(s): {seen} items seen = {accepted} accepted + {quarantined} "
        "quarantined. Nothing was stored.",
        err=True,
    )
    return 0 if n_usable and not is_refused else 1


def _as_json(preview: Preview) -> dict[str, Any]:
    outcome, facts = preview.outcome, preview.facts
    found: dict[str, Any] = {"file": outcome.origin, "message": outcome.message or None}
    if facts is None or preview.items is None or preview.reasons is None:
        return {**found, "status": outcome.status}
    names = (
        "format", "source", "listing_kind", "listing_kind_rule", "listed_on", "listed_on_basis",
        "captured_at", "captured_at_basis", "rules", "n_seen", "n_accepted", "n_quarantined",
    )  # fmt: skip
    return {
        **found,
        "status": "usable" if preview.is_usable else "unusable",
        **{name: facts[name] for name in names},
        "items": preview.items.to_dicts(),
        "quarantine": preview.reasons.to_dicts(),
    }


def _print(preview: Preview) -> None:
    terminal = Console()
    width = min(terminal.width, MAX_WIDTH) if terminal.is_terminal else WIDTH
    console = Console(width=width, highlight=False, soft_wrap=False)
    console.print(Text(printable(preview.outcome.origin), style="bold"))
    facts = preview.facts
    if facts is None or preview.items is None or preview.reasons is None:
        _line(console, preview.outcome.status, preview.outcome.message)
        console.print()
        return
    day = f"{facts['listed_on']} ({facts['listed_on_basis']})"
    _line(console, "form", f"{facts['format']} (source {facts['source']})")
    _line(console, "kind", f"{facts['listing_kind']} ({facts['listing_kind_rule']})")
    _line(console, "day", day if facts["listed_on"] else facts["listed_on_basis"])
    for rule in facts["rules"]:
        _line(console, "rule", rule)
    counts = f"{facts['n_seen']:,} seen = {facts['n_accepted']:,} accepted"
    _line(console, "items", f"{counts} + {facts['n_quarantined']:,} quarantined")
    for reason, n, place, detail in preview.reasons.iter_rows():
        _line(console, "rejected", f"{n:,} × {reason}, first at {place}: {detail}")
    if preview.items.height:
        console.print(Padding(_table(preview, width - OTHER_CHARS), (1, 0, 0, 2)))
    console.print()


def _line(console: Console, label: str, text: str) -> None:
    """A label and a text, which is wrapped next to it."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=LABEL_CHARS)
    grid.add_column(overflow="fold")
    grid.add_row(f"  {label}", Text(shortened(printable(text), MAX_LINE_CHARS)))
    console.print(grid)


def _table(preview: Preview, title_chars: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("title", no_wrap=True, overflow="ellipsis", max_width=title_chars)
    table.add_column("authors", justify="right", min_width=7)
    table.add_column("published", no_wrap=True, min_width=10)
    table.add_column("arXiv id", no_wrap=True, min_width=10)
    for row in preview.items.iter_rows(named=True) if preview.items is not None else ():
        cells = (row["title"], row["n_authors"], row["published_on"], row["arxiv_id"])
        table.add_row(*(Text("–" if c is None else printable(str(c))) for c in cells))
    shown = 0 if preview.items is None else preview.items.height
    n_more = (preview.facts or {"n_accepted": 0})["n_accepted"] - shown
    if n_more > 0:
        table.add_row(Text(f"… and {n_more:,} more", style="dim"))
    return table
