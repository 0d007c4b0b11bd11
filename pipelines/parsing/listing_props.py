"""The list of papers in a JSON object: a page's `data-props`, or a wrapper around a list.

Belongs here: which of an object's lists holds its papers, and the kind and day that the object
states. Does not belong here: reading the items (`listing_items`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipelines.parsing.listing_address import Stated, period, stated_list

LIST_KEYS = (
    *("dailyPapers", "searchResults", "papers", "data", "results", "items", "daily_papers"),
    *("entries", "hits"),
)
_PERIODS = {
    "day": "daily",
    "daily": "daily",
    "week": "weekly",
    "weekly": "weekly",
    "month": "monthly",
    "monthly": "monthly",
    "trending": "trending",
}
_ERROR_KEYS = ("error", "errors", "detail")


@dataclass(frozen=True)
class FoundList:
    """A list of items, and what the object around it states about the list."""

    items: list[Any]
    kind: str | None = None
    day: date | None = None
    rules: tuple[str, ...] = field(default=())

    def stated(self) -> dict[str, Any]:
        """The kind and day as fields of `Parsed`."""
        return {"listed_on": self.day, "stated_kind": self.kind}


def list_in(data: dict[str, Any]) -> FoundList | None:
    """The list of papers of an object; None if it has no list, or several that could be it.

    A search page has its results in `searchResults`, and another list in `dailyPapers`.
    """
    if any(data.get(key) for key in _ERROR_KEYS):
        return None
    kind, day = _stated(data)
    results, daily = data.get("searchResults"), data.get("dailyPapers")
    if isinstance(results, list) and (has_query(data) or results or not isinstance(daily, list)):
        rules: tuple[str, ...] = ()
        if isinstance(daily, list) and daily:
            rules = (f"search_results: {len(daily)} item(s) of another list on the page not read",)
        return FoundList(results, "search", None, rules)
    if isinstance(daily, list):
        return FoundList(daily, kind, day)
    lists = [data[key] for key in LIST_KEYS if _can_hold_papers(data.get(key))]
    if len(lists) == 1:
        return FoundList(lists[0], kind, day)
    nested = [data[key] for key in LIST_KEYS if isinstance(data.get(key), dict)]
    if not lists and len(nested) == 1 and nested[0] is not data:
        inner = list_in({key: nested[0].get(key) for key in (*LIST_KEYS, *_STATED_KEYS)})
        if inner is not None:
            return FoundList(inner.items, inner.kind or kind, inner.day or day, inner.rules)
    return None


def _can_hold_papers(value: Any) -> bool:
    """Whether it is a list with an object, or without any element."""
    return isinstance(value, list) and (
        not value or any(isinstance(element, dict) for element in value)
    )


def has_query(data: dict[str, Any]) -> bool:
    """Whether the object states what was searched for."""
    query = data.get("query")
    if isinstance(query, dict):
        query = query.get("q")
    return isinstance(query, str) and bool(query.strip())


_STATED_KEYS = ("query", "date", "dateString", "period", "periodType", "url")


def _stated(data: dict[str, Any]) -> tuple[str | None, date | None]:
    """The kind and day that an object states about its list."""
    if has_query(data):
        return "search", _dated(data).day
    dated = _dated(data)
    named = str(data.get("periodType") or data.get("period") or "").lower()
    return _PERIODS.get(named) or dated.kind, dated.day


def _dated(data: dict[str, Any]) -> Stated:
    """What the object's date states; its address decides if it has none."""
    for key in ("date", "dateString"):
        stated = period(data.get(key))
        if stated.kind is not None:
            return stated
    url = data.get("url")
    return stated_list(url if isinstance(url, str) else None)
