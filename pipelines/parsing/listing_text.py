"""Listing pages as text, as a browser's "copy all" gives it, in every layout seen so far.

A page is a header, then cards. A card is a title, an abstract, and in most layouts a line of
authors or the name of an organisation, a dot, and a date with an optional number of comments.
Belongs here: the header, and cards → rows. `listing_text_cards` reads the cards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines.parsing.head import Head
from pipelines.parsing.limits import TEXT_LIMITS, too_large
from pipelines.parsing.listing_text_cards import (
    NO_TITLE,
    Card,
    fold_repeats,
    is_alternating,
    read_closed,
    read_unclosed,
)
from pipelines.parsing.listing_text_dates import DATE, MissingYear, calendar_day
from pipelines.parsing.listing_text_lines import (
    AUTHORS,
    SUBMITTED,
    TITLE_CHARS,
    is_date,
    is_dot,
    tidy,
)
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
_HANDLE = re.compile(r"^(?=.*[A-Za-z])[\w.-]{2,42}$", re.ASCII)
_MAILED = "Get trending papers in your email inbox"
_MARKS = (
    re.compile(rf"^(?:new ?)?{_MAILED}(?: once a day)?!"),
    re.compile(r"^Daily Papers$"),
    re.compile(r"^Trending Papers$"),
    re.compile(r"^(?:by\s*)?AK and the research community$"),
)
"""Lines that only the site's pages have. A text that quotes one within a line is not a page."""
_HEADER = re.compile(
    rf"^(?:new|Subscribe|Daily Papers|Trending Papers|Hugging Face|Daily|Weekly|Monthly|by"
    rf"|(?:new ?)?{_MAILED}(?: once a day)?!|(?:by\s*)?AK and the research community|by\s*AK.*)$"
)
_WEEK = re.compile(
    r"^Week \d{1,2}(?:,? \d{4})?$|^[A-Z][a-z]{2} \d{1,2} ?[-–—] ?[A-Z][a-z]{2} \d{1,2}"
)
_MONTH = re.compile(r"^[A-Z][a-z]{2,8},? \d{4}$")
_GLUED_SUBSCRIBE = re.compile(r"^Subscribe(?=[^\s!])(?!(?:rs?|d|s)\b)")  # not "Subscribers …"
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_END_BYTES = re.compile(_LINE_END.pattern.encode())
_HEADER_LINES = 60
_MIN_DOTTED_DATES = 2
_SENTENCE_END = re.compile(rb"[.!?)\"]\s*$|\n\s*$")
_MAX_LINE_BYTES = 1024**2  # no title or abstract within the limits is as long


@dataclass(frozen=True)
class Header:
    """Index of the first line after the header, its date line, and the kind that it states."""

    end: int
    date_line: str | None
    kind: str | None

    @property
    def is_trending(self) -> bool:
        """Whether the page is the trending page."""
        return self.kind == "trending"


@dataclass(frozen=True)
class _Layout:
    """What the cards of a page show."""

    is_trending: bool
    has_ends: bool
    """Authors or an organisation end a card, so a card without them was cut."""
    has_dates: bool


def matches(head: Head) -> bool:
    """Whether it is a listing page's text, and not JSON that mentions one."""
    if head.is_json_object or head.is_json_value:
        return False
    return looks_like_listing(head.start.decode("utf-8", errors="replace"))


def looks_like_listing(text: str) -> bool:
    """Whether text has the header lines of the site, or lines that only its cards have."""
    lines = _tidy_lines(_LINE_END.split(text))
    if n_marks(lines) > 1 or any(map(_MARKS[0].match, lines)):
        return True
    if any(map(AUTHORS.match, lines)) and any(map(DATE.match, lines)):
        return True
    return _n_dotted_dates(lines) >= _MIN_DOTTED_DATES


def n_marks(lines: Iterable[str]) -> int:
    """How many different lines of the site's header are among the lines."""
    shown = list(lines)
    return sum(any(map(mark.match, shown)) for mark in _MARKS)


def _n_dotted_dates(lines: Sequence[str]) -> int:
    """How many dates follow a dot, which ends the card of a paper."""
    shown = [line for line in lines if line]
    return sum(is_dot(dot) and is_date(line) for dot, line in pairwise(shown))


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
    header = read_header(lines)
    after = lines[header.end :]
    has_ends = any(map(AUTHORS.match, after)) or _n_dotted_dates(after) > 0
    cards = read_closed(lines, header.end) if has_ends else read_unclosed(lines, header.end)
    if not cards:
        detail = "The page has a header but no papers."
        return reject_body("listing_without_cards", detail, body)
    if not has_ends and not (is_alternating(cards) and _is_page(lines)):
        detail = "The text mentions a listing page, but its lines are not the cards of one."
        return reject_body("listing_without_cards", detail, body)
    rules: Counter[str] = Counter()
    if not has_ends:
        rules["no_author_lines: titles and abstracts identified by length and order"] = len(cards)
    folded = fold_repeats(cards)
    if len(folded) < len(cards):
        n_repeated = len(cards) - len(folded)
        rules["repeated_cards_folded: cards that the page shows more than once"] = n_repeated
    missing_year = MissingYear.infer([c.date_line for c in folded] + [header.date_line], hints)
    has_dates = _has_dates(folded, header, has_ends=has_ends)
    layout = _Layout(header.is_trending, has_ends, has_dates)
    rows, rejects = [], []
    for position, card in enumerate(folded, start=1):
        outcome = _row(card, missing_year, layout)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": card.place, **outcome})
            if outcome["published_on_basis"] == missing_year.basis:
                rules[f"year_inferred: {missing_year.rule}"] += 1
    # Nothing follows the last abstract in this layout, so a cut would not show.
    if not has_ends and rows and rows[-1]["abstract"] and not _SENTENCE_END.search(body):
        rows[-1]["abstract"] = None
        rules["last_abstract_ignored: the page may be cut within it"] += 1
    if n_replaced := sum(line.count("\ufffd") for line in received):
        rules["invalid_utf8_replaced: bytes that are not UTF-8"] = n_replaced
    header_day = calendar_day(header.date_line, missing_year.year)
    return finish(
        frame(rows),
        rejects,
        hints,
        captured_on=header_day,
        listed_on=None if header.is_trending else header_day,
        stated_kind=header.kind,
        rules=tuple(f"{rule} ({n})" for rule, n in rules.items()),
    )


def _tidy_lines(received: Sequence[str]) -> list[str]:
    """The lines stripped, one for one: dates without a prefix, submitters with their handle."""
    lines = [tidy(line) for line in received]
    submitted: int | None = None
    for index, line in enumerate(lines):
        if DATE.match(bare := _BEFORE_DATE.sub("", line)):
            lines[index] = bare
        elif submitted is not None and _HANDLE.match(line):
            lines[submitted], lines[index] = f"{SUBMITTED} {line}", ""
        if line:
            submitted = index if line == SUBMITTED else None
    return lines


def read_header(lines: list[str]) -> Header:
    """The page's header; removes a `Subscribe` that is glued to the first title from `lines`.

    The header ends with its last line before the first author line or abstract, so it includes the
    site's menu, which a browser copies from above it.
    """
    date_line, kind, end = None, None, 0
    titles: list[str] = []
    for index, line in enumerate(lines[:_HEADER_LINES]):
        if glued := _GLUED_SUBSCRIBE.match(line):
            lines[index] = line = line[glued.end() :]
            if not _HEADER.match(line):
                end = index
                break
        if AUTHORS.match(line) or len(line) > TITLE_CHARS:
            break
        if _HEADER.match(line):
            if line.endswith(" Papers") or _MARKS[-1].match(line):
                titles.append(line)
            end = index + 1
        elif end and not any(lines[end:index]):
            if is_date(line):
                date_line, end = line, index + 1
            elif _WEEK.match(line) or _MONTH.match(line):
                kind, end = ("weekly" if _WEEK.match(line) else "monthly"), index + 1
    return Header(end, date_line, "trending" if _is_trending(titles) else kind)


def _is_trending(titles: Sequence[str]) -> bool:
    """Whether the page's title is "Trending Papers".

    Menus link to both pages, so the last name before the line of its authors is the title.
    """
    names = [line for line in titles if line.endswith(" Papers")]
    end = next((n for n, line in enumerate(titles) if not line.endswith(" Papers")), None)
    if end:
        return titles[end - 1] == "Trending Papers"
    return names[:1] == ["Trending Papers"]


def _is_page(lines: Sequence[str]) -> bool:
    """Whether at least two different lines of the site's header are among the first lines."""
    opening = lines[:_HEADER_LINES]
    n = n_marks(opening)
    return n > 1 or (n == 1 and "Subscribe" in opening)


def _has_dates(cards: Sequence[Card], header: Header, *, has_ends: bool) -> bool:
    """Whether the layout shows dates, so that a card without one was cut.

    A layout without dates is assumed only if at least two cards have an end and none has a date.
    """
    if not has_ends or header.is_trending:
        return False
    n_closed = sum(card.is_closed for card in cards)
    return n_closed < 2 or any(card.date_line for card in cards)


def _row(card: Card, missing_year: MissingYear, layout: _Layout) -> dict[str, Any] | Reject:
    text = excerpt(" ".join(card.text) or card.date_line or "")
    title, *rest = card.text or [""]
    if card.doubt == NO_TITLE and len(title) <= MAX_TITLE_CHARS:
        return Reject(card.place, "missing_title", card.doubt, text)
    if layout.has_ends and not card.is_closed:
        detail = "No line of authors and no organisation follow the text."
        return Reject(card.place, "truncated_record", detail, text)
    if layout.has_dates and card.date_line is None:
        detail = "No date follows the authors or the organisation."
        return Reject(card.place, "truncated_record", detail, text)
    if card.doubt is not None and card.doubt != NO_TITLE:
        return Reject(card.place, "title_uncertain", card.doubt, text)
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
        "organization": card.organization,
        "published_on": published,
        "published_on_basis": basis,
        "comments": comments,
        "github_stars": card.stars,
    }
