"""Listing pages as Markdown: what clippers, readers and notebooks write of a page.

Belongs here: the detection, the page's header and address, and cards → rows. Does not belong here:
Markdown itself (`markdown`) or where a card starts (`listing_markdown_cards`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import MAX_ITEMS, TEXT_LIMITS, too_large, too_many_items
from pipelines.parsing.listing_address import Stated, paper_id, stated_list, voted_id
from pipelines.parsing.listing_markdown_cards import MarkdownCard, MarkdownReader
from pipelines.parsing.listing_text import n_marks, read_header
from pipelines.parsing.listing_text_dates import DATE, MissingYear, calendar_day
from pipelines.parsing.listing_text_lines import tidy
from pipelines.parsing.markdown import bare_addresses, read
from pipelines.parsing.records import (
    Hints,
    Parsed,
    Reject,
    excerpt,
    finish,
    frame,
    reject_body,
)

_LIMITS = {**TEXT_LIMITS, b"[": 200_000}
_PAPER = r"(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co))?/papers/"
_PAPER_HEADING = re.compile(rf"^\s{{0,3}}#{{1,6}}\s.*\]\({_PAPER}", re.MULTILINE)
_HEADING = re.compile(r"^\s{0,3}#{2,6}\s+\S", re.MULTILINE)
_AUTHORS = re.compile(r"^\W*\d[\d,]* authors?\b", re.MULTILINE)
_VOTE = re.compile(r"/login\?next=%2Fpapers%2F[0-9]", re.IGNORECASE)
_MIN_ADDRESS_LINES = 2
_ADDRESS = re.compile(
    r"^\W{0,6}(?:source[ _-]?url|url[ _]?source|url|source|canonical(?:[ _]url)?)\W{1,8}"
    r"(https?://(?:www\.)?huggingface\.co/papers\S*?)[\"'>)\]*]*\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_CAPTURED = re.compile(
    r"^\W{0,6}(?:retrieved|captured|fetched|crawled|scraped|accessed)\b[^0-9\n]{0,20}"
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})",
    re.IGNORECASE | re.MULTILINE,
)
# A link or a mark at the start, and not a JSON array.
_OPENING_LINK = re.compile(rb'\[[^\[\]{}"]{0,200}\][ \t]*[^\s,\]]')
_OPEN_LINK = re.compile(r"\[(?:[^\]]*|.*\]\([^)]*)$")
_METADATA_CHARS = 4_000
_HEADER_LINES = 60
# Between the first version of a paper and the month of its id.
_BEFORE_ID = timedelta(days=75)
_AFTER_ID = timedelta(days=75)


def matches(head: Head) -> bool:
    """Whether the text links to papers as the Markdown of a listing page does."""
    if head.is_json_object or (head.is_json_value and not _OPENING_LINK.match(head.start)):
        return False
    text = head.start.decode("utf-8", errors="replace")
    has_votes = len(_VOTE.findall(text)) > 1
    if _PAPER_HEADING.search(text):
        return has_votes or _AUTHORS.search(text) is not None or n_marks(_shown(text)) > 0
    if has_votes and _has_address_lines(text):
        return True
    is_marked = n_marks(_shown(text)) > 1
    return is_marked and _HEADING.search(text) is not None and _AUTHORS.search(text) is not None


def _shown(text: str) -> list[str]:
    return [line.text for line in read(text[: 4 * _METADATA_CHARS])]


def _has_address_lines(text: str) -> bool:
    """Whether addresses of papers stand alone on their lines."""
    papers = (a for a in bare_addresses(text) if paper_id(a)[0] or voted_id(a))
    return sum(1 for _ in papers) >= _MIN_ADDRESS_LINES


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of a page. Ids come from the links; missing years are inferred.

    A text without a card of the page's layout is rejected whole as `listing_without_cards`.
    """
    if rejected := too_large(body, _LIMITS):
        return rejected
    text = re.sub(r"\r\n?", "\n", body.decode("utf-8", errors="replace").lstrip("\ufeff"))
    lines = read(text, address_lines=_has_address_lines(text))
    header = read_header([tidy(line.text) for line in lines[:_HEADER_LINES]])
    stated = _stated(text, header.kind)
    after = lines[header.end :]
    cards = _folded(MarkdownReader().read(after))
    is_page = n_marks(tidy(line.text) for line in lines[:_HEADER_LINES]) > 0
    if len(cards) > MAX_ITEMS:
        return too_many_items("The page", body)
    if not _is_listing(cards, is_page=is_page):
        detail = "The text links to papers, but its lines are not the cards of a listing page."
        return reject_body("listing_without_cards", detail, body)
    captured_on = _captured_on(text)
    if hints.captured_on is None and captured_on is not None:
        hints = replace(hints, captured_on=captured_on)
    dates = [card.date_line for card in cards]
    missing_year = MissingYear.infer([*dates, header.date_line], hints)
    rules: Counter[str] = Counter()
    rows, rejects = [], []
    for position, card in enumerate(cards, start=1):
        if problem := card.problem():
            shown = excerpt(" ".join([card.title or "", *card.abstract]))
            rejects.append(Reject(card.place, *problem, shown))
        else:
            row = _row(card, missing_year, rules, is_trending=stated.kind == "trending")
            rows.append({"position": position, "place": card.place, **row})
    header_day = calendar_day(header.date_line, missing_year.year)
    return finish(
        frame(rows),
        rejects,
        hints,
        captured_on=captured_on or header_day,
        listed_on=stated.day or (header_day if stated.kind in (None, "daily") else None),
        stated_kind=stated.kind,
        rules=tuple(f"{rule} ({n})" for rule, n in rules.items()),
    )


def _stated(text: str, kind: str | None) -> Stated:
    """What the page's address in the metadata states, else its header."""
    found = _ADDRESS.search(text, 0, _METADATA_CHARS)
    stated = stated_list(found.group(1)) if found else Stated()
    return stated if stated.kind else Stated(kind)


def _captured_on(text: str) -> date | None:
    found = _CAPTURED.search(text, 0, _METADATA_CHARS)
    try:
        return date.fromisoformat(found.group(1)) if found else None
    except ValueError:
        return None


def _folded(cards: Sequence[MarkdownCard]) -> list[MarkdownCard]:
    """The cards without repeated ones, which the trending page shows twice."""
    kept: dict[tuple[str | None, str | None], MarkdownCard] = {}
    for card in cards:
        known = kept.setdefault((card.arxiv_id, card.title), card)
        if known is not card and known.doubt is None:
            known.doubt = card.doubt
    return list(kept.values())


def _is_listing(cards: Sequence[MarkdownCard], *, is_page: bool) -> bool:
    """Whether the cards have what a page shows of papers, and not only links to them."""
    shown = [card for card in cards if card.is_closed or card.upvotes is not None]
    return bool(shown) and (is_page or len(shown) * 2 > len(cards))


def _row(
    card: MarkdownCard, missing_year: MissingYear, rules: Counter[str], *, is_trending: bool
) -> dict[str, Any]:
    published = calendar_day(card.date_line, missing_year.year)
    found = DATE.match(card.date_line or "")
    if not _agrees(published, card.arxiv_id):
        rules["date_contradicts_id: dates far from the month of the id not used"] += 1
        published = None
    basis = None
    if published is not None and found is not None:
        basis = "page_date_printed" if found.group(3) else missing_year.basis
        if not found.group(3):
            rules[f"year_inferred: {missing_year.rule}"] += 1
    abstract = " ".join(card.abstract) or None
    if foreign_line(card.abstract) or (abstract and _OPEN_LINK.match(abstract)):
        rules["abstract_ignored: it contains lines that are not text, or is cut"] += 1
        abstract = None
    comments = int(found.group(4)) if found is not None and found.group(4) else card.comments
    return {
        "arxiv_id": card.arxiv_id,
        "arxiv_version": card.version,
        "title": card.title,
        # On the trending page, a generated sentence replaces the abstract.
        "abstract": None if is_trending else abstract,
        "n_authors": card.n_authors,
        "organization": card.organization,
        "published_on": published,
        "published_on_basis": basis,
        "upvotes": card.upvotes,
        "comments": comments,
        "github_stars": card.stars,
    }


def _agrees(published: date | None, arxiv_id: str | None) -> bool:
    """Whether a date is near the month of an id such as `2507.01467`."""
    if published is None or arxiv_id is None or not arxiv_id[:4].isdigit():
        return True
    month = date(2000 + int(arxiv_id[:2]), int(arxiv_id[2:4]), 1)
    return month - _BEFORE_ID <= published <= month + _AFTER_ID
