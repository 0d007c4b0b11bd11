"""A saved listing page: the JSON in `data-props` first, the article cards where it is missing.

Nothing of the page is run or rendered; text is taken as text.
"""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import Any

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.parsing.arxiv_ids import split_version
from pipelines.parsing.listing_api import salvage
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame, reject_body

_PERIODS = {"day": "daily", "daily": "daily", "week": "weekly", "month": "monthly"}
_MARK = 'data-target="DailyPapers"'
# The attribute runs to the end of the body: browsers see no element there.
_CUT_PROPS = re.compile(r'[^>]*?data-props="([^"]*)$')
_N_AUTHORS = re.compile(r"([0-9]+)\s+authors?\b")


def parse(body: bytes, hints: Hints) -> Parsed:
    """Items of a listing page, `page_day` from its `data-props`; else `html_not_a_listing`."""
    page = body.decode("utf-8", errors="replace")
    if "<article" not in page and "DailyPapers" not in page:
        # Nothing to find; junk that nests deep would keep the HTML parser busy for long.
        return reject_body("html_not_a_listing", "The page shows no cards of papers.", body)
    if cut := _CUT_PROPS.match(page.rpartition(_MARK)[2]):
        listing = unescape(cut.group(1)).partition('"dailyPapers":')[2].lstrip()
        if listing.startswith("["):
            return salvage(listing, "the page was cut", hints)
    tree = LexborHTMLParser(page)
    props, problem = _props(tree)
    if props is not None:
        return parse_items(props["dailyPapers"], hints, **_page(props))
    cards = tree.css("article")
    n_closed = page.count("</article")
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, card in enumerate(cards, start=1):
        row = _card(card)
        place = f"card {position}"
        if position > n_closed:
            text = excerpt(card.text())
            rejects.append(Reject(place, "truncated_record", "The page was cut here.", text))
        elif row is None:
            text = excerpt(card.text())
            rejects.append(Reject(place, "card_without_paper", "The card links no paper.", text))
        else:
            rows.append({"position": position, "place": place, **row})
    if not rows:
        return reject_body("html_not_a_listing", f"{problem} and no card links a paper.", body)
    return finish(frame(rows), rejects, hints, rules=(f"article_cards: {problem}",))


def _props(tree: LexborHTMLParser) -> tuple[dict[str, Any] | None, str]:
    """The page's JSON, or None and why not."""
    node = tree.css_first(f"[{_MARK}]")
    if node is None:
        return None, "The page has no `data-props` of a listing"
    try:
        props = orjson.loads(node.attributes.get("data-props") or "")
    except orjson.JSONDecodeError:
        return None, "`data-props` is broken JSON"
    if not isinstance(props, dict) or not isinstance(props.get("dailyPapers"), list):
        return None, "`data-props` holds no list `dailyPapers`"
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


def _card(card: LexborNode) -> dict[str, Any] | None:
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
