"""Tables of a page as CSV files.

Belongs here: finding a table by page, key and view, and naming its file. Does not: which tables a
page has (`pages`).
"""

from __future__ import annotations

import re

from dashboards import address, formats
from dashboards import blocks as b
from dashboards.pages import PAGES
from dashboards.queries import Queries
from dashboards.view import View


def tables(items: list[b.Block]) -> dict[str, b.Table]:
    """The tables of blocks by key."""
    found: dict[str, b.Table] = {}
    for item in items:
        if isinstance(item, b.Table):
            found[item.key] = item
        elif isinstance(item, b.Chart | b.Papers):
            found[item.table.key] = item.table
    return found


def csv_of(queries: Queries, page_key: str, table_key: str, search: str) -> tuple[str, str] | None:
    """File name and CSV text of a table; None if the page or the table does not exist."""
    page = next((page for page in PAGES if page.key == page_key), None)
    if page is None:
        return None
    view = address.read(search, queries.choices())
    table = tables(page.build(queries, view)).get(table_key)
    if table is None:
        return None
    return file_name(page_key, table_key, view), formats.to_csv(table.download())


def file_name(page_key: str, table_key: str, view: View) -> str:
    """`papertide-topics-topic-shares-hf_daily-month-2025-12-01.csv`."""
    period = view.period.start.isoformat() if view.period else ""
    parts = ["papertide", page_key, table_key]
    if page_key != "health":
        parts += [view.population, view.grain, period]
    name = "-".join(part for part in parts if part)
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name) + ".csv"
