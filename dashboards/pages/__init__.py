"""The pages: one module each, every one a function from (queries, view) to blocks.

Belongs here: the list of pages and what they share. Does not: Dash, files, or SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.blocks import Block
from dashboards.pages import authors, health, overview, papers, topics, trends
from dashboards.queries import Queries
from dashboards.state import View


@dataclass(frozen=True)
class Page:
    """A page: its address, its title, the filters it offers, and what it shows.

    A filter named `any-…` may be left open.
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
        ("population", "grain", "from", "to", "kind", "topics"),
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


def at(path: str | None) -> Page | None:
    """The page at an address; a slash at the end does not matter."""
    wanted = "/" + (path or "/").strip("/")
    return next((page for page in PAGES if page.path == wanted), None)
