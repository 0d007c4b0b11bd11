"""Saved listing pages: the JSON in `data-props`, or the article cards if it is missing.

Scripts are not run, and markup in a title stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.parsing.head import Head
from pipelines.parsing.limits import (
    HTML_LIMITS,
    JSON_LIMITS,
    MAX_ITEMS,
    too_large,
    too_many_items,
)
from pipelines.parsing.listing_address import Stated, organization, paper_id, stated_list
from pipelines.parsing.listing_api import salvage
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.listing_props import FoundList, list_in
from pipelines.parsing.markup import page_address, page_title
from pipelines.parsing.moments import latest_timestamp
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame, reject_body

_MARK = 'data-target="DailyPapers"'
_HTML_TAGS = (b"<html", b"<!doctype html", b"<body", b"<div")
_QUOTE_OR_END = re.compile("[\"'>]")
_CARD_EDGE = re.compile(r"<(/?)article(?![a-z0-9-])", re.IGNORECASE)
_LIST_IN_CUT = re.compile(r'"(searchResults|dailyPapers)"\s*:\s*\[')
_QUERY_IN_CUT = re.compile(r'"q"\s*:\s*"[^"]')
_N_AUTHORS = re.compile(r"(?<![0-9])([0-9]+)\s+authors?\b")
# Nested formatting tags can make an HTML parser build the square of its input. So it gets one tag
# or one card at a time, and none over these limits.
_MAX_QUOTES_IN_TAG = 1_000
_MAX_CARD_TAGS = 500
_MAX_CARD_CHARS = 1024**2


def matches(head: Head) -> bool:
    """Whether it opens as HTML, or is markup with an element of a listing page."""
    return head.is_markup and (
        any(tag in head.opening for tag in _HTML_TAGS)
        or b"<article" in head.start
        or _MARK.encode() in head.start
    )


def parse(body: bytes, hints: Hints, *, address: str | None = None) -> Parsed:
    """The items of a page, with `listed_on` and `stated_kind` if the page states them.

    The page's data states them, else its address: `address`, or the one in its head.

    A page without listing data and paper cards is rejected whole as `html_not_a_listing`.
    """
    parsed = _parse(body, hints, address)
    return replace(parsed, latest_at=latest_timestamp(body, hints.received_at))


def _parse(body: bytes, hints: Hints, address: str | None) -> Parsed:
    if b"<article" not in body and b"DailyPapers" not in body:
        return reject_body("html_not_a_listing", "The page contains no paper cards.", body)
    if rejected := too_large(body, HTML_LIMITS):
        return rejected
    page = body.decode("utf-8", errors="replace")
    stated = stated_by(page, address)
    text, is_cut = _props_text(page)
    if is_cut and text is not None and (found := _LIST_IN_CUT.search(text)):
        if rejected := too_large(text.encode(), JSON_LIMITS):
            return rejected
        is_search = _QUERY_IN_CUT.search(text, 0, found.start()) is not None
        kind = "search" if is_search or found.group(1) == "searchResults" else stated.kind
        day = None if is_search else stated.day
        why = "the page was cut"
        return salvage(text, why, hints, start=found.end(), stated_kind=kind, listed_on=day)
    found_list, problem = _props(None if is_cut else text)
    if isinstance(found_list, Parsed):
        return found_list
    if found_list is not None and (found_list.items or b"<article" not in body):
        kind = found_list.kind or stated.kind
        if stated.kind == "trending" and found_list.kind != "search":
            kind = "trending"
        day = found_list.day or (stated.day if kind == "daily" else None)
        rules = found_list.rules
        return parse_items(found_list.items, hints, listed_on=day, stated_kind=kind, rules=rules)
    return _parse_cards(page, problem or "its list is empty", stated, body, hints)


def stated_by(page: str, address: str | None = None) -> Stated:
    """The kind and day that the page's title and address state."""
    stated = stated_list(address or page_address(page))
    if stated.kind is None and page_title(page).lower().startswith("trending papers"):
        return Stated("trending")
    return stated


def _parse_cards(page: str, problem: str, stated: Stated, body: bytes, hints: Hints) -> Parsed:
    """The items of the page's cards; `problem` says why its data could not be used."""
    cards = list(islice(_cards(page), MAX_ITEMS + 1))
    if len(cards) > MAX_ITEMS:
        return too_many_items("The page", body)
    outcomes = [_card(card, position) for position, card in enumerate(cards, start=1)]
    rows = [outcome for outcome in outcomes if not isinstance(outcome, Reject)]
    rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
    if not rows:
        detail = f"No card links to a paper, and {problem}."
        return reject_body("html_not_a_listing", detail, body)
    return finish(
        frame(rows),
        rejects,
        hints,
        listed_on=stated.day,
        stated_kind=stated.kind,
        rules=(f"article_cards: {problem}",),
    )


def _props_text(page: str) -> tuple[str | None, bool]:
    """The value of the listing's `data-props`, and whether the page ends inside its tag."""
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
    """The `data-props` of a tag, with entities decoded."""
    node = LexborHTMLParser(tag).css_first(f"[{_MARK}]")
    return node.attributes.get("data-props") if node is not None else None


def _props(text: str | None) -> tuple[FoundList | Parsed | None, str]:
    """The list in the page's JSON; None and the problem with it; or the page as too large."""
    if text is None:
        return None, "the page has no `data-props` of a listing"
    raw = text.encode()
    if rejected := too_large(raw, JSON_LIMITS):
        return rejected, ""
    try:
        props = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None, "`data-props` is broken JSON"
    found = list_in(props) if isinstance(props, dict) else None
    if found is None:
        return None, "`data-props` has no `dailyPapers` array"
    if len(found.items) > MAX_ITEMS:
        return too_many_items("The page's list", raw), ""
    return found, ""


def _cards(page: str) -> Iterator[tuple[str, bool]]:
    """The markup of each card, and whether it ends at a closing tag or at the next card."""
    start: int | None = None
    for edge in _CARD_EDGE.finditer(page):
        if start is not None:
            yield page[start : edge.start()], True
        start = None if edge.group(1) else edge.start()
    if start is not None:
        yield page[start:], False


def _card(card: tuple[str, bool], position: int) -> dict[str, Any] | Reject:
    markup, is_whole = card
    place = f"card {position}"
    if len(markup) > _MAX_CARD_CHARS or markup.count("<") > _MAX_CARD_TAGS:
        detail = (
            f"The card has {len(markup):,} characters and {markup.count('<'):,} tags; "
            f"the limits are {_MAX_CARD_CHARS:,} and {_MAX_CARD_TAGS}."
        )
        return Reject(place, "too_large", detail, excerpt(markup))
    node = LexborHTMLParser(markup).body
    if node is None or not is_whole:
        text = excerpt(node.text()) if node is not None else ""
        return Reject(place, "truncated_record", "The page was cut here.", text)
    row = _row(node)
    if row is None:
        detail = "The card does not link to one paper."
        return Reject(place, "card_without_paper", detail, excerpt(node.text()))
    return {"position": position, "place": place, **row}


def _row(card: LexborNode) -> dict[str, Any] | None:
    links = [*card.css("h3 a[href]"), *card.css("a[href]")]
    found = [(link, *paper_id(_target(link))) for link in links]
    shown = {arxiv_id for _, arxiv_id, _ in found if arxiv_id}
    link, arxiv_id, version = next((one for one in found if one[1]), (None, None, None))
    if link is None or len(shown) > 1:  # two cards, if lines of the page are missing
        return None
    counts = set(_N_AUTHORS.findall(card.text(separator=" ")))
    community = card.css_first('a[href$="#community"]')
    votes = map(_number, card.css("div.leading-none"))
    return {
        "arxiv_id": arxiv_id,
        "arxiv_version": version,
        "title": " ".join(link.text().split()),
        "n_authors": int(counts.pop()[:12]) if len(counts) == 1 else None,
        "organization": next(filter(None, map(_organization, card.css("a[href]"))), None),
        "comments": _number(community),
        "upvotes": next((n for n in votes if n is not None), None),
    }


def _target(link: LexborNode) -> str:
    """The address of a link without its fragment."""
    return (link.attributes.get("href") or "").partition("#")[0]


def _organization(link: LexborNode) -> str | None:
    """The name behind a link to an account, which a card shows in place of the authors."""
    name = " ".join(link.text().split())
    return name if name and organization(link.attributes.get("href")) else None


def _number(node: LexborNode | None) -> int | None:
    text = node.text(strip=True) if node is not None else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
