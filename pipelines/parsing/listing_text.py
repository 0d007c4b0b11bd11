"""A listing page as text, as a browser's "copy all" gives it, in every layout seen so far.

A page is a header, then cards. A card is a title, an abstract, and (not in every layout) a line
of authors, a dot and a date with an optional comment count. Lines are classified one by one, so
a page may be cut anywhere and costs at most the card that was cut.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice
from typing import Any

from pipelines.parsing.limits import TEXT_LIMITS, too_large
from pipelines.parsing.moments import latest_day
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

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"^([A-Z][a-z]{2}) (\d{1,2})(?:, (\d{4}))?(?: (\d{1,9}))?$", re.ASCII)
_BEFORE_DATE = re.compile(r"^(?:[·•]\s*)?(?:Published on\s+)?", re.ASCII)
_AUTHORS = re.compile(r"^(?:[•*·-]\s*)?(\d[\d,]*) authors?\b(?:\s*·\s*(.+))?$", re.ASCII)
_STARS = re.compile(r"^[•*·-]?\s*GitHub ([\d.,]{1,20})(k|m)?$", re.ASCII | re.IGNORECASE)
# Between a card's parts: a lone dot, upvotes, who submitted it, a link's label.
_NOISE = re.compile(
    r"^(?:[·•]|[•*·-]?\s*(?:Upvote(?:\s+[\d.,]+k?)?|[\d.,]+k?|Submitted by.*|arXiv Page|GitHub))$"
)
_HANDLE = re.compile(r"^[\w.-]{2,42}$", re.ASCII)
_HEADER = re.compile(
    r"^(?:new|Subscribe|Daily Papers|Trending Papers|Hugging Face"
    r"|Get trending papers in your email inbox(?: once a day)?!"
    r"|(?:by\s*)?AK and the research community|by\s*AK.*)$"
)
_GLUED_SUBSCRIBE = re.compile(r"^Subscribe(?=[^\s!])(?!(?:rs?|d|s)\b)")  # not "Subscribers …"
_MARKERS = ("in your email inbox", "and the research community", "Daily Papers", "Trending Papers")
_TITLE_CHARS = 250  # in layouts without author lines: a longer line is an abstract
_HEADER_LINES = 60
_DATE_CHARS = 24
_MAX_STARS = 1_000_000_000
_MAX_LINE_BYTES = 1024**2  # far beyond any title or abstract that is accepted
_MAX_TWINS = 10  # cards of one title that are compared; a page shows two
# What goes on with an abstract: a small letter, a bracket, a bullet, a sentence's end.
_NO_TITLE = re.compile(r"^(?:[a-z(•*·–-]|\d+[.)] )|[.;,:]$")


@dataclass
class _Card:
    """The lines of one card while it is read."""

    line: int
    text: list[str] = field(default_factory=list)
    n_authors: int | None = None
    date_line: str | None = None
    stars: int | None = None

    @property
    def place(self) -> str:
        return f"line {self.line}"

    def may_be(self, other: _Card) -> bool:
        """Whether two cards of one title contradict each other in nothing that both show."""
        pairs = ((self.n_authors, other.n_authors), (self.date_line, other.date_line))
        return all(a is None or b is None or a == b for a, b in pairs)

    def take_over(self, other: _Card) -> None:
        """Keep what only the other shows."""
        self.n_authors = other.n_authors if self.n_authors is None else self.n_authors
        self.date_line = self.date_line or other.date_line
        self.stars = other.stars if self.stars is None else self.stars
        if len(self.text) == 1:
            self.text += other.text[1:]


def looks_like_listing(head: str) -> bool:
    """Whether text is a listing page: the site's own header lines, or cards' own lines."""
    lines = _tidy_lines(re.split(r"\r\n|\r|\n", head))
    if _MARKERS[0] in head or sum(marker in head for marker in _MARKERS) >= 2:
        return True
    return any(map(_AUTHORS.match, lines)) and any(map(_DATE.match, lines))


def parse(body: bytes, hints: Hints) -> Parsed:
    """Items of a page's text; years that the page leaves out are inferred by a stored rule."""
    if rejected := too_large(body, TEXT_LIMITS):
        return rejected
    raw = body.removeprefix(b"\xef\xbb\xbf")
    received = [
        line[:_MAX_LINE_BYTES].decode("utf-8", errors="replace")
        for line in re.split(rb"\r\n|\r|\n", raw)
    ]
    lines = _tidy_lines(received)
    start, header_date, trending = _read_header(lines)
    has_authors = any(_AUTHORS.match(line) for line in lines[start:])
    read_cards = _cards_with_authors if has_authors else _cards_without_authors
    cards = read_cards(lines, start)
    if not cards:
        detail = "The page's header is there, but no paper follows it."
        return reject_body("listing_without_cards", detail, body)
    rules: Counter[str] = Counter()
    if not has_authors:
        rules["no_author_lines: titles and abstracts told apart by length and order"] = len(cards)
    folded = _fold_repeats(cards)
    if len(folded) < len(cards):
        rules["repeated_cards_folded: the page shows a card twice"] = len(cards) - len(folded)
    years = _Years.of([c.date_line for c in folded] + [header_date], hints)
    # A layout without dates shows at least two cards and no date; one card alone was cut.
    n_closed = sum(card.n_authors is not None for card in folded)
    has_dates = has_authors and not trending
    if n_closed >= 2:
        has_dates = has_dates and any(card.date_line for card in folded)
    rows, rejects = [], []
    for position, card in enumerate(folded, start=1):
        outcome = _row(card, years, trending=trending, has_authors=has_authors, has_dates=has_dates)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": card.place, **outcome})
            if outcome["published_on_basis"] == years.basis:
                rules[f"year_inferred: {years.rule}"] += 1
    header_day = _calendar_day(header_date, years.year)
    if n_replaced := sum(line.count("\ufffd") for line in received):
        rules["invalid_utf8_replaced: bytes that are not UTF-8"] = n_replaced
    return finish(
        frame(rows),
        rejects,
        hints,
        captured_on=header_day,
        page_day=None if trending else header_day,
        stated_kind="trending" if trending else None,
        rules=tuple(f"{rule} ({n})" for rule, n in rules.items()),
    )


def _tidy_lines(received: list[str]) -> list[str]:
    """The page's lines, numbered as received: dates bare, a submitter's name blank."""
    lines = [line.strip() for line in received]
    names_submitter = False
    for index, line in enumerate(lines):
        if _DATE.match(bare := _BEFORE_DATE.sub("", line)):
            lines[index] = bare
        elif names_submitter and _HANDLE.match(line):
            lines[index] = ""
        names_submitter = line == "Submitted by" or (names_submitter and not line)
    return lines


def _read_header(lines: list[str]) -> tuple[int, str | None, bool]:
    """Index of the first line after the header, the header's own date, whether it is trending.

    The header ends with its last line before the first author line or abstract: what a browser
    copies from above it (the site's menu) goes with it.
    """
    trending, header_date, at = False, None, 0
    for index, line in enumerate(lines[:_HEADER_LINES]):
        if glued := _GLUED_SUBSCRIBE.match(line):
            lines[index] = line = line[glued.end() :]
            if not _HEADER.match(line):
                return index, header_date, trending
        if _AUTHORS.match(line) or len(line) > _TITLE_CHARS:
            break
        if _HEADER.match(line):
            trending = trending or line == "Trending Papers"
            at = index + 1
        elif at and _DATE.match(line) and not any(lines[at:index]):
            header_date, at = line, index + 1
    return at, header_date, trending


def _cards_with_authors(lines: list[str], start: int) -> list[_Card]:
    """Cards of layouts that print authors: the author line closes a card's text."""
    cards: list[_Card] = []
    free: list[tuple[int, str]] = []
    after_dot = False
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line:
            continue
        if found := _AUTHORS.match(line):
            cards += _split_free(free, closed=True)
            if not free:
                cards.append(_Card(number))
            cards[-1].n_authors = int(found.group(1).replace(",", "")[:12])
            cards[-1].date_line = found.group(2)
            free = []
        elif not free and cards and (stars := _STARS.match(line)):
            cards[-1].stars = _stars(stars)
        elif not free and cards and cards[-1].date_line is None and _is_date(line, after_dot):
            cards[-1].date_line = line
        elif not _NOISE.match(line):
            free.append((number, line))
        after_dot = line in ("·", "•")
    return cards + _split_free(free, closed=False)


def _is_date(line: str, after_dot: bool) -> bool:  # noqa: FBT001
    """A date, or behind the dot what stands in its place: `Jun 8, 20`, `Febr 30`, `11 Sep`, `J`."""
    if _DATE.match(line):
        return True
    short = after_dot and len(line) <= _DATE_CHARS
    return short and (
        any(map(str.isdigit, line)) or re.match(r"^[A-Z][a-z]{0,8}$", line) is not None
    )


def _split_free(free: list[tuple[int, str]], *, closed: bool) -> list[_Card]:
    """Text lines between two author lines as cards; the last is closed by an author line or cut.

    Usually one card: title, abstract. When a card lost its author line, its text runs into the
    next; a short line after a long one is then the next title.
    """
    cards: list[_Card] = []
    for number, line in free:
        new = not cards or (
            len(line) <= _TITLE_CHARS
            and len(cards[-1].text) > 1
            and len(cards[-1].text[-1]) > _TITLE_CHARS
            and not _NO_TITLE.search(line)
        )
        if new:
            cards.append(_Card(number))
        cards[-1].text.append(line)
    # A stray last line that no further text follows belongs to the abstract when closed.
    if closed and len(cards) > 1 and len(cards[-1].text) == 1:
        stray = cards.pop()
        cards[-1].text += stray.text
    return cards


def _cards_without_authors(lines: list[str], start: int) -> list[_Card]:
    """Cards of the layout without author lines: a short line opens a card, a long one fills it."""
    cards: list[_Card] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line or _NOISE.match(line):
            continue
        if (stars := _STARS.match(line)) and cards:
            cards[-1].stars = _stars(stars)
            continue
        opens = not cards or (len(line) <= _TITLE_CHARS and not _is_open(cards[-1]))
        if opens:
            cards.append(_Card(number))
        cards[-1].text.append(line)
    return cards


def _is_open(card: _Card) -> bool:
    """A card with a short title and no abstract yet takes the next line whatever its length."""
    return len(card.text) == 1 and len(card.text[0]) <= _TITLE_CHARS


def _stars(found: re.Match[str]) -> int | None:
    scale = {"k": 1_000, "m": 1_000_000}.get((found.group(2) or "").lower(), 1)
    try:
        stars = float(found.group(1).replace(",", "")) * scale
    except ValueError:
        return None
    return round(stars) if stars < _MAX_STARS else None


def _fold_repeats(cards: list[_Card]) -> list[_Card]:
    """A card that comes twice is one card; what only one of them shows is kept."""
    kept: dict[str, list[_Card]] = {}
    for card in cards:
        same_title = kept.setdefault(card.text[0] if card.text else f"\0{card.line}", [])
        twin = next((c for c in islice(same_title, _MAX_TWINS) if c.may_be(card)), None)
        if twin is None:
            same_title.append(card)
        else:
            twin.take_over(card)
    return sorted(chain.from_iterable(kept.values()), key=lambda card: card.line)


@dataclass(frozen=True)
class _Years:
    """The year of dates that print none, and the rule that gave it."""

    year: int
    basis: str
    rule: str

    @classmethod
    def of(cls, date_lines: list[str | None], hints: Hints) -> _Years:
        """Known capture time, else largest printed year + 1, else the year of receipt."""
        found = [_DATE.match(line) for line in date_lines if line]
        printed = [int(m.group(3)) for m in found if m and m.group(3)]
        plausible = [y for y in printed if 1990 <= y < hints.received_on.year]
        if hints.captured_on is not None:
            year = hints.captured_on.year
            return cls(year, "page_date_capture_year", f"read as {year}, the year of capture")
        if plausible:
            year = max(plausible) + 1
            return cls(
                year,
                "page_date_year_after_largest_printed",
                f"dates without a year read as {year}, the largest printed year "
                f"{year - 1} plus one",
            )
        year, latest = hints.received_on.year, latest_day(hints.received_on)
        days = (_calendar_day(line, year) for line in date_lines)
        year -= any(day is not None and day > latest for day in days)
        return cls(
            year,
            "page_date_receipt_year",
            f"no year is printed: read as {year}, the last in which no date follows the receipt",
        )


def _calendar_day(line: str | None, unprinted_year: int) -> date | None:
    found = _DATE.match(line or "")
    if not found or found.group(1) not in _MONTHS:
        return None
    year = int(found.group(3) or unprinted_year)
    try:
        return date(year, _MONTHS.index(found.group(1)) + 1, int(found.group(2)))
    except ValueError:
        return None


def _row(
    card: _Card, years: _Years, *, trending: bool, has_authors: bool, has_dates: bool
) -> dict[str, Any] | Reject:
    """A card as a row, or why not. `has_…`: what the cards of this layout show."""
    shown = excerpt(" ".join(card.text) or card.date_line or "")
    title, *rest = card.text or [""]
    if not has_authors and len(title) > _TITLE_CHARS and not rest and len(title) <= MAX_TITLE_CHARS:
        return Reject(card.place, "missing_title", "An abstract stands without a title.", shown)
    if has_authors and card.n_authors is None:
        return Reject(card.place, "truncated_record", "No author line follows the text.", shown)
    if has_dates and card.date_line is None:
        return Reject(card.place, "truncated_record", "No date follows the authors.", shown)
    published, comments, basis = None, None, None
    if card.date_line is not None:
        found = _DATE.match(card.date_line)
        published = _calendar_day(card.date_line, years.year)
        if found is None or published is None:
            detail = f"{card.date_line[:40]!r} is no date of the calendar."
            return Reject(card.place, "impossible_date", detail, shown)
        basis = "page_date_printed" if found.group(3) else years.basis
        comments = int(found.group(4)) if found.group(4) else None
    return {
        "title": title,
        # The trending page shows one AI-written sentence in the abstract's place.
        "abstract": None if trending else " ".join(rest) or None,
        "n_authors": card.n_authors,
        "published_on": published,
        "published_on_basis": basis,
        "comments": comments,
        "github_stars": card.stars,
    }
