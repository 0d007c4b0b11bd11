"""Lines of a listing page's text → cards, one per paper.

Belongs here: which line is what, and where a card starts. Lines are classified one by one, so a cut
page loses at most the card that was cut.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from pipelines.parsing.listing_text_dates import DATE

AUTHORS = re.compile(r"^(?:[•*·-]\s*)?(\d[\d,]*) authors?\b(?:\s*·\s*(.+))?$", re.ASCII)
TITLE_CHARS = 250  # in layouts without author lines, a longer line is an abstract
_STARS = re.compile(r"^[•*·-]?\s*GitHub ([\d.,]{1,20})(k|m)?$", re.ASCII | re.IGNORECASE)
# Between the parts of a card: a lone dot, upvotes, the submitter, the label of a link.
_NOISE = re.compile(
    r"^(?:[·•]|[•*·-]?\s*(?:Upvote(?:\s+[\d.,]+k?)?|[\d.,]+k?|Submitted by.*|arXiv Page|GitHub))$"
)
# A line that continues an abstract: starts with a small letter, bracket or bullet, or ends a
# sentence.
_CONTINUES = re.compile(r"^(?:[a-z(•*·–-]|\d+[.)] )|[.;,:]$")
_CAPITALIZED = re.compile(r"^[A-Z][a-z]{0,8}$")
_DATE_CHARS = 24
_MAX_STARS = 1_000_000_000
_MAX_TWINS = 10  # cards of one title that are compared; a page shows two


@dataclass
class Card:
    """The lines of a card, filled in while the page is read. `line` counts from 1."""

    line: int
    text: list[str] = field(default_factory=list)
    n_authors: int | None = None
    date_line: str | None = None
    stars: int | None = None

    @property
    def place(self) -> str:
        """The place of the card's first line, as shown to readers."""
        return f"line {self.line}"

    def matches(self, other: Card) -> bool:
        """Whether authors and dates of two cards agree, where both have them."""
        pairs = ((self.n_authors, other.n_authors), (self.date_line, other.date_line))
        return all(a is None or b is None or a == b for a, b in pairs)

    def fill_from(self, other: Card) -> None:
        """Copy what only the other card has."""
        self.n_authors = other.n_authors if self.n_authors is None else self.n_authors
        self.date_line = self.date_line or other.date_line
        self.stars = other.stars if self.stars is None else self.stars
        if len(self.text) == 1:
            self.text += other.text[1:]


def read_with_authors(lines: Sequence[str], start: int) -> list[Card]:
    """Cards of layouts with author lines, from line index `start`.

    An author line closes the text of a card. A date and stars may follow it.
    """
    cards: list[Card] = []
    pending: list[tuple[int, str]] = []
    after_dot = False
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line:
            continue
        if found := AUTHORS.match(line):
            cards += _split(pending, is_closed=True)
            if not pending:
                cards.append(Card(number))
            cards[-1].n_authors = int(found.group(1).replace(",", "")[:12])
            cards[-1].date_line = found.group(2)
            pending = []
        elif not pending and cards and (stars := _STARS.match(line)):
            cards[-1].stars = _n_stars(stars)
        elif (
            not pending
            and cards
            and cards[-1].date_line is None
            and (DATE.match(line) or (after_dot and _replaces_date(line)))
        ):
            cards[-1].date_line = line
        elif not _NOISE.match(line):
            pending.append((number, line))
        after_dot = line in ("·", "•")
    return cards + _split(pending, is_closed=False)


def _replaces_date(line: str) -> bool:
    """Whether a line after the dot is a bad date: `Jun 8, 20`, `Febr 30`, `11 Sep`, `J`."""
    return len(line) <= _DATE_CHARS and (
        any(map(str.isdigit, line)) or _CAPITALIZED.match(line) is not None
    )


def _split(pending: Sequence[tuple[int, str]], *, is_closed: bool) -> list[Card]:
    """Cards from the text lines before an author line (`is_closed`) or before the page's end.

    Usually there is one: a title and an abstract. If a card lost its author line, its text runs
    into the next card. A short line after a long one is then the next title.
    """
    cards: list[Card] = []
    for number, line in pending:
        is_new = not cards or (
            len(line) <= TITLE_CHARS
            and len(cards[-1].text) > 1
            and len(cards[-1].text[-1]) > TITLE_CHARS
            and not _CONTINUES.search(line)
        )
        if is_new:
            cards.append(Card(number))
        cards[-1].text.append(line)
    # Before an author line, a last line without further text belongs to the abstract.
    if is_closed and len(cards) > 1 and len(cards[-1].text) == 1:
        last = cards.pop()
        cards[-1].text += last.text
    return cards


def read_without_authors(lines: Sequence[str], start: int) -> list[Card]:
    """Cards of the layout without author lines: a short line is a title, a long one an abstract."""
    cards: list[Card] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line or _NOISE.match(line):
            continue
        if (stars := _STARS.match(line)) and cards:
            cards[-1].stars = _n_stars(stars)
            continue
        if not cards or (len(line) <= TITLE_CHARS and not _lacks_abstract(cards[-1])):
            cards.append(Card(number))
        cards[-1].text.append(line)
    return cards


def _lacks_abstract(card: Card) -> bool:
    """Whether the card is only a title, so that the next line of any length is its abstract."""
    return len(card.text) == 1 and len(card.text[0]) <= TITLE_CHARS


def _n_stars(found: re.Match[str]) -> int | None:
    scale = {"k": 1_000, "m": 1_000_000}.get((found.group(2) or "").lower(), 1)
    try:
        stars = float(found.group(1).replace(",", "")) * scale
    except ValueError:
        return None
    return round(stars) if stars < _MAX_STARS else None


def fold_repeats(cards: Sequence[Card]) -> list[Card]:
    """The cards in order, with repeated cards merged into the first."""
    kept: dict[str, list[Card]] = {}
    for card in cards:
        same_title = kept.setdefault(card.text[0] if card.text else f"\0{card.line}", [])
        twin = next((c for c in islice(same_title, _MAX_TWINS) if c.matches(card)), None)
        if twin is None:
            same_title.append(card)
        else:
            twin.fill_from(card)
    return sorted(chain.from_iterable(kept.values()), key=lambda card: card.line)
