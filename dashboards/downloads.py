"""Tables as CSV files: the same rows the page shows, found by page, key and view.

Belongs here: the download route's answer. Does not: which tables there are (`pages`).
"""

from __future__ import annotations

import re

from dashboards import blocks as b
from dashboards import formats, state
from dashboards.pages import PAGES
from dashboards.queries import Queries


def tables(items: list[b.Block]) -> dict[str, b.Table]:
    """Every table of some blocks, by key."""
    found: dict[str, b.Table] = {}
    for item in items:
        if isinstance(item, b.Table):
            found[item.key] = item
        elif isinstance(item, b.Chart | b.Papers):
            found[item.table.key] = item.table
    return found


def csv_of(queries: Queries, page_key: str, table_key: str, search: str) -> tuple[str, str] | None:
    """File name and CSV text of a table; null when there is no such page or table."""
    page = next((page for page in PAGES if page.key == page_key), None)
    if page is None:
        return None
    view = state.read(search, queries.choices())
    table = tables(page.build(queries, view)).get(table_key)
    if table is None:
        return None
    return file_name(page_key, table_key, view), formats.to_csv(table.download())


def file_name(page_key: str, table_key: str, view: state.View) -> str:
    """`papertide-topics-topic-shares-hf_daily-month-2025-12-01.csv`."""
    period = view.period.start.isoformat() if view.period else ""
    parts = ["papertide", page_key, table_key]
    if page_key != "health":
        parts += [view.population, view.grain, period]
    name = "-".join(part for part in parts if part)
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name) + ".csv"
