"""Hugging Face's daily papers, page by page.

Belongs here: which pages to ask for and when a day has no more of them. Does not: HTTP
(`http.py`), or what an item means (`parsing/listing_api.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import orjson

from pipelines.settings import Settings
from pipelines.sources.http.client import Answer, Bearer, HttpClient
from pipelines.sources.http.clock import Clock, SystemClock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.fetched import Fetched

PAGE_ITEMS = 100  # the most that the API gives
# What it gives when nothing is asked for: a page of just so many may come from a server that does
# not heed `limit`, and is not taken for the last one.
DEFAULT_PAGE_ITEMS = 50
MAX_PAGES = 50
# A body that is no list is mostly a passing fault behind an answer of 200: it is asked for again
# after so many seconds each. The last one is kept, whatever it is.
PAUSES_S = (2.0, 8.0)
JSON = "application/json"

Outcome = Literal["listed", "empty", "not_open"]


@dataclass(frozen=True)
class DayListing:
    """What a day's list was when it was asked for.

    `listed`: there are pages to archive. `empty`: the one page is `[]`, as on weekends.
    `not_open`: the API answered HTTP 400, which it does for days to come; there is no page, and
    `detail` holds its words. `is_complete` says that the pages were seen to end: by a page that
    was not full, or an empty one (not kept, unless it is the first). A page that is no list is the
    last that is asked for, but not the list's last: who knows what comes after it.
    """

    day: date
    outcome: Outcome
    pages: tuple[Fetched, ...] = ()
    is_complete: bool = True
    detail: str = ""


class HuggingFace(Closing):
    """The API at `HF_ENDPOINT`, with `HF_TOKEN` if there is one."""

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
        """All pages of the list of a day, as they came.

        Raises TransientSourceError and TerminalSourceError as `HttpClient.get` does; pages that
        came before are not handed over then, since the day is asked for again as a whole.
        """
        pages: list[Fetched] = []
        seen: object = None
        for number in range(MAX_PAGES):
            answer, items = self._list(day, number)
            if answer.status != 200:
                return _refused(day, answer, pages)
            if items == [] and pages:
                pages[-1] = replace(pages[-1], is_last=True)
                return DayListing(day, "listed", tuple(pages))
            if pages and items is not None and _identity(items) == seen:
                break  # the server does not heed `p`: the same page for ever
            page = _fetched(answer, number, items)
            pages.append(page)
            if items is None:
                break
            if page.is_last:
                return DayListing(day, "listed" if items else "empty", tuple(pages))
            seen = _identity(items)
        return DayListing(day, "listed", tuple(pages), is_complete=False)

    def _list(self, day: date, number: int) -> tuple[Answer, list[Any] | None]:
        """The answer for a page and its items, which are None where it is no list after all."""
        answer = self._page(day, number)
        for pause_s in PAUSES_S:
            if answer.status != 200 or _items(answer.body) is not None:
                break
            self._clock.sleep(pause_s)
            answer = self._page(day, number)
        return answer, _items(answer.body)

    def _page(self, day: date, number: int) -> Answer:
        return self._http.get(
            f"{self._endpoint}/api/daily_papers",
            {"date": day.isoformat(), "limit": str(PAGE_ITEMS), "p": str(number)},
            accept=JSON,
            also=frozenset({400}),
        )


def _refused(day: date, answer: Answer, pages: list[Fetched]) -> DayListing:
    """HTTP 400: of the first page, that the day is not open; later, that it has no such page."""
    detail = answer.body[:200].decode("utf-8", "replace")
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


def _identity(items: list[Any] | None) -> object:
    """What tells a page from another: its papers' ids, since counters change between requests."""
    if items is None:
        return None
    papers = (item.get("paper") if isinstance(item, dict) else item for item in items)
    return [paper.get("id") if isinstance(paper, dict) else paper for paper in papers]


def _fetched(answer: Answer, number: int, items: list[Any] | None) -> Fetched:
    n_items = None if items is None else len(items)
    return Fetched(
        url=answer.url,
        body=answer.body,
        fetched_at=answer.fetched_at,
        page=number,
        n_items=n_items,
        is_last=n_items is not None and n_items < PAGE_ITEMS and n_items != DEFAULT_PAGE_ITEMS,
        content_type=answer.content_type,
        note=_note(answer, n_items),
    )


def _note(answer: Answer, n_items: int | None) -> str | None:
    wrong = []
    if answer.content_type != JSON:
        wrong.append(f"sent as {answer.content_type or 'nothing in particular'}, not {JSON}")
    if n_items is None:
        wrong.append("not a JSON array")
    return f"The page is {' and '.join(wrong)}." if wrong else None
