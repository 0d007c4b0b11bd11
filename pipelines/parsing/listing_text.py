"""Listing pages as text, as a browser's "copy all" gives it, in every layout seen so far.

A page is a header, then cards. A card is a title, an abstract, and in most layouts a line of
authors, a dot, and a date with an optional number of comments. Belongs here: the header, and
cards → rows. `listing_text_cards` reads the cards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.parsing.head import Head
from pipelines.parsing.limits import TEXT_LIMITS, too_large
from pipelines.parsing.listing_text_cards import (
    AUTHORS,
    TITLE_CHARS,
    Card,
    fold_repeats,
    read_with_authors,
    read_without_authors,
)
from pipelines.parsing.listing_text_dates import DATE, MissingYear, calendar_day
from pipelines.parsing.records import (
    MAX_TITLE_CHARS,
    Hints,
    Parsed,
    Reject,
    excerpt,
    finish,
    frame,
    reject_body,
)

_BEFORE_DATE = re.compile(r"^(?:[·•]\s*)?(?:Published on\s+)?", re.ASCII)
_HANDLE = re.compile(r"^[\w.-]{2,42}$", re.ASCII)
_HEADER = re.compile(
    r"^(?:new|Subscribe|Daily Papers|Trending Papers|Hugging Face"
    r"|Get trending papers in your email inbox(?: once a day)?!"
    r"|(?:by\s*)?AK and the research community|by\s*AK.*)$"
)
_GLUED_SUBSCRIBE = re.compile(r"^Subscribe(?=[^\s!])(?!(?:rs?|d|s)\b)")  # not "Subscribers …"
_MARKERS = ("in your email inbox", "and the research community", "Daily Papers", "Trending Papers")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_END_BYTES = re.compile(_LINE_END.pattern.encode())
_HEADER_LINES = 60
_MAX_LINE_BYTES = 1024**2  # no title or abstract within the limits is as long


@dataclass(frozen=True)
class _Header:
    """Index of the first line after the header, the header's date line, whether it is trending."""

    end: int
    date_line: str | None
    is_trending: bool


@dataclass(frozen=True)
class _Layout:
    """What the cards of a page show."""

    is_trending: bool
    has_authors: bool
    has_dates: bool


def matches(head: Head) -> bool:
    """Whether it is a listing page's text, and not JSON that mentions one."""
    if head.is_json_object or head.is_json_value:
        return False
    return looks_like_listing(head.start.decode("utf-8", errors="replace"))


def looks_like_listing(text: str) -> bool:
    """Whether text has the header lines of the site, or lines that only its cards have."""
    if _MARKERS[0] in text or sum(marker in text for marker in _MARKERS) >= 2:
        return True
    lines = _tidy_lines(_LINE_END.split(text))
    return any(map(AUTHORS.match, lines)) and any(map(DATE.match, lines))


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of a page. Missing years are inferred; `rules` and each item name the rule.

    `listed_on` and `captured_on` are the date in the header (trending pages: `captured_on` only).
    """
    if rejected := too_large(body, TEXT_LIMITS):
        return rejected
    received = [
        line[:_MAX_LINE_BYTES].decode("utf-8", errors="replace")
        for line in _LINE_END_BYTES.split(body.removeprefix(b"\xef\xbb\xbf"))
    ]
    lines = _tidy_lines(received)
    header = _read_header(lines)
    has_authors = any(AUTHORS.match(line) for line in lines[header.end :])
    read_cards = read_with_authors if has_authors else read_without_authors
    cards = read_cards(lines, header.end)
    if not cards:
        detail = "The page has a header but no papers."
        return reject_body("listing_without_cards", detail, body)
    rules: Counter[str] = Counter()
    if not has_authors:
        rules["no_author_lines: titles and abstracts identified by length and order"] = len(cards)
    folded = fold_repeats(cards)
    if len(folded) < len(cards):
        n_repeated = len(cards) - len(folded)
        rules["repeated_cards_folded: cards that the page shows more than once"] = n_repeated
    missing_year = MissingYear.infer([c.date_line for c in folded] + [header.date_line], hints)
    has_dates = _has_dates(folded, header, has_authors=has_authors)
    layout = _Layout(header.is_trending, has_authors, has_dates)
    rows, rejects = [], []
    for position, card in enumerate(folded, start=1):
        outcome = _row(card, missing_year, layout)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": card.place, **outcome})
            if outcome["published_on_basis"] == missing_year.basis:
                rules[f"year_inferred: {missing_year.rule}"] += 1
    if n_replaced := sum(line.count("\ufffd") for line in received):
        rules["invalid_utf8_replaced: bytes that are not UTF-8"] = n_replaced
    header_day = calendar_day(header.date_line, missing_year.year)
    return finish(
        frame(rows),
        rejects,
        hints,
        captured_on=header_day,
        listed_on=None if header.is_trending else header_day,
        stated_kind="trending" if header.is_trending else None,
        rules=tuple(f"{rule} ({n})" for rule, n in rules.items()),
    )


def _tidy_lines(received: Sequence[str]) -> list[str]:
    """The lines stripped, one for one: dates without a prefix, handles of submitters blank."""
    lines = [line.strip() for line in received]
    follows_submitter = False
    for index, line in enumerate(lines):
        if DATE.match(bare := _BEFORE_DATE.sub("", line)):
            lines[index] = bare
        elif follows_submitter and _HANDLE.match(line):
            lines[index] = ""
        follows_submitter = line == "Submitted by" or (follows_submitter and not line)
    return lines


def _read_header(lines: list[str]) -> _Header:
    """The page's header; removes a `Subscribe` that is glued to the first title from `lines`.

    The header ends with its last line before the first author line or abstract, so it includes the
    site's menu, which a browser copies from above it.
    """
    is_trending, date_line, end = False, None, 0
    for index, line in enumerate(lines[:_HEADER_LINES]):
        if glued := _GLUED_SUBSCRIBE.match(line):
            lines[index] = line = line[glued.end() :]
            if not _HEADER.match(line):
                return _Header(index, date_line, is_trending)
        if AUTHORS.match(line) or len(line) > TITLE_CHARS:
            break
        if _HEADER.match(line):
            is_trending = is_trending or line == "Trending Papers"
            end = index + 1
        elif end and DATE.match(line) and not any(lines[end:index]):
            date_line, end = line, index + 1
    return _Header(end, date_line, is_trending)


def _has_dates(cards: Sequence[Card], header: _Header, *, has_authors: bool) -> bool:
    """Whether the layout shows dates, so that a card without one was cut.

    A layout without dates is assumed only if at least two cards have authors and none has a date.
    """
    if not has_authors or header.is_trending:
        return False
    n_closed = sum(card.n_authors is not None for card in cards)
    return n_closed < 2 or any(card.date_line for card in cards)


def _row(card: Card, missing_year: MissingYear, layout: _Layout) -> dict[str, Any] | Reject:
    text = excerpt(" ".join(card.text) or card.date_line or "")
    title, *rest = card.text or [""]
    is_abstract = TITLE_CHARS < len(title) <= MAX_TITLE_CHARS and not rest
    if not layout.has_authors and is_abstract:
        return Reject(card.place, "missing_title", "The abstract has no title.", text)
    if layout.has_authors and card.n_authors is None:
        return Reject(card.place, "truncated_record", "No author line follows the text.", text)
    if layout.has_dates and card.date_line is None:
        return Reject(card.place, "truncated_record", "No date follows the authors.", text)
    published, comments, basis = None, None, None
    if card.date_line is not None:
        found = DATE.match(card.date_line)
        published = calendar_day(card.date_line, missing_year.year)
        if found is None or published is None:
            detail = f"{card.date_line[:40]!r} is not a calendar date."
            return Reject(card.place, "impossible_date", detail, text)
        basis = "page_date_printed" if found.group(3) else missing_year.basis
        comments = int(found.group(4)) if found.group(4) else None
    return {
        "title": title,
        # On the trending page, a generated sentence replaces the abstract.
        "abstract": None if layout.is_trending else " ".join(rest) or None,
        "n_authors": card.n_authors,
        "published_on": published,
        "published_on_basis": basis,
        "comments": comments,
        "github_stars": card.stars,
    }
