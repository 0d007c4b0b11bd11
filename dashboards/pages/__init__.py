"""The pages, one module each. A page is a function from queries and view to blocks.

Belongs here: the list of pages. Does not: rendering (`components`, `export`) or SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.blocks import Block
from dashboards.pages import authors, health, overview, papers, topics, trends
from dashboards.queries import Queries
from dashboards.view import View


@dataclass(frozen=True)
class Page:
    """A page: its path, title, filters and content.

    The filter `any-period` also offers all periods.
    """

    key: str
    path: str
    title: str
    filters: tuple[str, ...]
    build: Callable[[Queries, View], list[Block]]


PAGES = (
    Page("overview", "/", "Overview", ("population", "grain", "period"), overview.build),
    Page(
        "topics",
        "/topics",
        "Topics",
        ("population", "grain", "period", "kind", "area", "topic"),
        topics.build,
    ),
    Page(
        "authors",
        "/authors",
        "Authors",
        ("population", "grain", "period", "from", "to", "topic"),
        authors.build,
    ),
    Page(
        "trends",
        "/trends",
        "Trends",
        ("population", "grain", "horizon", "from", "to", "kind", "topics"),
        trends.build,
    ),
    Page(
        "papers",
        "/papers",
        "Papers",
        ("population", "q", "term", "grain", "any-period", "area", "topic", "code", "sort"),
        papers.build,
    ),
    Page("health", "/health", "Data health", (), health.build),
)


def page_named(key: str) -> Page:
    """The page with this key."""
    return next(page for page in PAGES if page.key == key)


def page_at(path: str | None) -> Page | None:
    """The page at a path, with or without a trailing slash; None for other paths."""
    normalised = "/" + (path or "/").strip("/")
    return next((page for page in PAGES if page.path == normalised), None)
