"""Hugging Face's daily papers, page by page.

Belongs here: which pages to request, and when a day has no more. Does not: HTTP
(`pipelines.sources.http`), or the meaning of an item (`pipelines.parsing.listing_api`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import orjson

from pipelines.settings import Settings
from pipelines.sources.http.client import Bearer, HttpClient, Response
from pipelines.sources.http.clock import Clock, SystemClock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.page import FetchedPage

PAGE_ITEMS = 100  # the API's maximum
# The API's default. A page of this size may come from a server that ignores `limit`, so it is not
# taken for the last page.
DEFAULT_PAGE_ITEMS = 50
MAX_PAGES = 50
# A body that is not a list is mostly a temporary fault despite its status 200. It is requested
# again after these pauses; the last response is kept.
PAUSES_S = (2.0, 8.0)
JSON = "application/json"

Outcome = Literal["listed", "empty", "not_open"]


@dataclass(frozen=True)
class DayListing:
    """The list of a day at the time of the request.

    `listed`: there are pages. `empty`: the only page is `[]`, as on weekends. `not_open`: the API
    answered HTTP 400, as for future days; there is no page, and `detail` has its message.
    `is_complete` is true when the last page was seen: it was not full, or the page after it was
    empty (an empty page is only kept when it is the first). A page that is not a list ends the
    requests, but is not the last page.
    """

    day: date
    outcome: Outcome
    pages: tuple[FetchedPage, ...] = ()
    is_complete: bool = True
    detail: str = ""


class HuggingFace(Closing):
    """The API at `HF_ENDPOINT`, with `HF_TOKEN` if it is set."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._endpoint = settings.hf_endpoint.rstrip("/")
        token = settings.hf_token
        bearer = Bearer(token, self._endpoint) if token else None
        self._clock = clock or SystemClock()
        self._http = HttpClient(settings, clock, bearer=bearer)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def daily_papers(self, day: date) -> DayListing:
        """All pages of a day's list, as received.

        Raises TransientSourceError and TerminalSourceError as `HttpClient.get` does. Earlier pages
        are then discarded, since the whole day is requested again.
        """
        pages: list[FetchedPage] = []
        previous: object = None
        for number in range(MAX_PAGES):
            response, items = self._list(day, number)
            if response.status != 200:
                return _refused(day, response, pages)
            if items == [] and pages:
                pages[-1] = replace(pages[-1], is_last=True)
                return DayListing(day, "listed", tuple(pages))
            if pages and items is not None and _paper_ids(items) == previous:
                break  # the server ignores `p` and would send the same page forever
            page = _page(response, number, items)
            pages.append(page)
            if items is None:
                break
            if page.is_last:
                return DayListing(day, "listed" if items else "empty", tuple(pages))
            previous = _paper_ids(items)
        return DayListing(day, "listed", tuple(pages), is_complete=False)

    def _list(self, day: date, number: int) -> tuple[Response, list[Any] | None]:
        """The response for a page and its items, None when the body is not a list."""
        response = self._get(day, number)
        for pause_s in PAUSES_S:
            if response.status != 200 or _items(response.body) is not None:
                break
            self._clock.sleep(pause_s)
            response = self._get(day, number)
        return response, _items(response.body)

    def _get(self, day: date, number: int) -> Response:
        return self._http.get(
            f"{self._endpoint}/api/daily_papers",
            {"date": day.isoformat(), "limit": str(PAGE_ITEMS), "p": str(number)},
            accept=JSON,
            accepted=frozenset({400}),
        )


def _refused(day: date, response: Response, pages: list[FetchedPage]) -> DayListing:
    """The listing after HTTP 400: the day is not open (first page), or has no such page (later)."""
    detail = response.body[:200].decode("utf-8", "replace")
    if not pages:
        return DayListing(day, "not_open", detail=detail)
    return DayListing(day, "listed", tuple(pages), is_complete=False, detail=detail)


def _items(body: bytes) -> list[Any] | None:
    """The items of a page; None when it is not a JSON array."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) else None


def _paper_ids(items: list[Any]) -> list[Any]:
    """The ids of a page's papers, which identify the page: counters change between requests."""
    papers = (item.get("paper") if isinstance(item, dict) else item for item in items)
    return [paper.get("id") if isinstance(paper, dict) else paper for paper in papers]


def _page(response: Response, number: int, items: list[Any] | None) -> FetchedPage:
    n_items = None if items is None else len(items)
    return FetchedPage(
        url=response.url,
        body=response.body,
        fetched_at=response.fetched_at,
        page=number,
        n_items=n_items,
        is_last=n_items is not None and n_items < PAGE_ITEMS and n_items != DEFAULT_PAGE_ITEMS,
        content_type=response.content_type,
        note=_note(response, n_items),
    )


def _note(response: Response, n_items: int | None) -> str | None:
    problems = []
    if response.content_type != JSON:
        problems.append(f"of type {response.content_type or 'unknown'}, not {JSON}")
    if n_items is None:
        problems.append("not a JSON array")
    return f"The page is {' and '.join(problems)}." if problems else None
