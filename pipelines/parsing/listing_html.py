"""A saved listing page: the JSON in `data-props` first, the article cards where it is missing.

Nothing of the page is run or rendered; text is taken as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.parsing.arxiv_ids import split_version
from pipelines.parsing.limits import (
    HTML_LIMITS,
    JSON_LIMITS,
    MAX_ITEMS,
    too_large,
    too_many_items,
)
from pipelines.parsing.listing_api import salvage
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame, reject_body

_PERIODS = {"day": "daily", "daily": "daily", "week": "weekly", "month": "monthly"}
_MARK = 'data-target="DailyPapers"'
_QUOTE_OR_END = re.compile("[\"'>]")
_CARD_EDGE = re.compile(r"<(/?)article(?![a-z0-9-])", re.IGNORECASE)
_N_AUTHORS = re.compile(r"(?<![0-9])([0-9]+)\s+authors?\b")
# A parser builds what nested formatting tags ask for, which can be the square of what it is given.
# So only one tag or one card is given to it at a time, and none beyond these bounds.
_MAX_QUOTES_IN_TAG = 1_000
_MAX_CARD_TAGS = 500
_MAX_CARD_CHARS = 1024**2


def parse(body: bytes, hints: Hints) -> Parsed:
    """Items of a listing page, `page_day` from its `data-props`; else `html_not_a_listing`."""
    if b"<article" not in body and b"DailyPapers" not in body:
        return reject_body("html_not_a_listing", "The page shows no cards of papers.", body)
    if rejected := too_large(body, HTML_LIMITS):
        return rejected
    page = body.decode("utf-8", errors="replace")
    text, is_cut = _props_text(page)
    if is_cut and text is not None:
        listing = text.partition('"dailyPapers":')[2].lstrip()
        if listing.startswith("["):
            if rejected := too_large(listing.encode(), JSON_LIMITS):
                return rejected
            return salvage(listing, "the page was cut", hints)
    props, problem = _props(None if is_cut else text)
    if isinstance(props, Parsed):
        return props
    if props is not None:
        return parse_items(props["dailyPapers"], hints, **_page(props))
    cards = list(islice(_cards(page), MAX_ITEMS + 1))
    if len(cards) > MAX_ITEMS:
        return too_many_items("The page has further cards", body)
    outcomes = [_card(card, position) for position, card in enumerate(cards, start=1)]
    rows = [outcome for outcome in outcomes if not isinstance(outcome, Reject)]
    rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
    if not rows:
        return reject_body("html_not_a_listing", f"{problem} and no card links a paper.", body)
    return finish(frame(rows), rejects, hints, rules=(f"article_cards: {problem}",))


def _props_text(page: str) -> tuple[str | None, bool]:
    """The value of `data-props` in the tag of the listing, and whether the page ends inside it."""
    mark = page.find(_MARK)
    start = page.rfind("<", 0, mark)
    if mark < 0 or start < 0:
        return None, False
    at = start
    for _ in range(_MAX_QUOTES_IN_TAG):
        found = _QUOTE_OR_END.search(page, at)
        if found is None:
            return None, False
        if found.group() == ">":
            return _attribute(page[start : found.end()]), False
        closing = page.find(found.group(), found.end())
        if closing < 0:
            return _attribute(page[start:] + found.group() + ">"), True
        at = closing + 1
    return None, False


def _attribute(tag: str) -> str | None:
    """`data-props` of one tag, its entities undone."""
    node = LexborHTMLParser(tag).css_first(f"[{_MARK}]")
    return node.attributes.get("data-props") if node is not None else None


def _props(text: str | None) -> tuple[dict[str, Any] | Parsed | None, str]:
    """The page's JSON, or None and why not; or the rejected page where it holds far too much."""
    if text is None:
        return None, "The page has no `data-props` of a listing"
    raw = text.encode()
    if rejected := too_large(raw, JSON_LIMITS):
        return rejected, ""
    try:
        props = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, "`data-props` is broken JSON"
    if not isinstance(props, dict) or not isinstance(props.get("dailyPapers"), list):
        return None, "`data-props` holds no list `dailyPapers`"
    if len(props["dailyPapers"]) > MAX_ITEMS:
        return too_many_items(f"`dailyPapers` has {len(props['dailyPapers'])} items", raw), ""
    return props, ""


def _page(props: dict[str, Any]) -> dict[str, Any]:
    """What the page says of itself: its day and its kind."""
    try:
        day = date.fromisoformat(str(props.get("date"))[:10])
    except ValueError:
        day = None
    period = _PERIODS.get(str(props.get("periodType") or props.get("period") or "").lower())
    kind = "search" if props.get("query") else period
    return {"page_day": day, "stated_kind": kind or ("daily" if day else None)}


def _cards(page: str) -> Iterator[tuple[str, bool]]:
    """The markup of each card and whether it is whole: it ends at its closing tag or the next."""
    start: int | None = None
    for edge in _CARD_EDGE.finditer(page):
        if start is not None:
            yield page[start : edge.start()], True
        start = None if edge.group(1) else edge.start()
    if start is not None:
        yield page[start:], False


def _card(card: tuple[str, bool], position: int) -> dict[str, Any] | Reject:
    """A card's row, or why there is none."""
    markup, is_whole = card
    place = f"card {position}"
    if len(markup) > _MAX_CARD_CHARS or markup.count("<") > _MAX_CARD_TAGS:
        detail = f"The card has {len(markup)} characters and {markup.count('<')} tags."
        return Reject(place, "too_large", detail, excerpt(markup))
    node = LexborHTMLParser(markup).body
    if node is None or not is_whole:
        text = excerpt(node.text()) if node is not None else ""
        return Reject(place, "truncated_record", "The page was cut here.", text)
    row = _row(node)
    if row is None:
        return Reject(place, "card_without_paper", "The card links no paper.", excerpt(node.text()))
    return {"position": position, "place": place, **row}


def _row(card: LexborNode) -> dict[str, Any] | None:
    link = card.css_first('h3 a[href^="/papers/"]') or card.css_first('a[href^="/papers/"]')
    if link is None:
        return None
    path = (link.attributes.get("href") or "").removeprefix("/papers/")
    arxiv_id, version = split_version(re.split(r"[?#]", path)[0])
    if arxiv_id is None:
        return None
    authors = _N_AUTHORS.search(card.text(separator=" "))
    community = card.css_first('a[href$="#community"]')
    votes = map(_number, card.css("div.leading-none"))
    return {
        "arxiv_id": arxiv_id,
        "arxiv_version": version,
        "title": link.text(strip=True),
        "n_authors": int(authors.group(1)[:12]) if authors else None,
        "comments": _number(community),
        "upvotes": next((n for n in votes if n is not None), None),
    }


def _number(node: LexborNode | None) -> int | None:
    text = node.text(strip=True) if node is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
