"""Lines of a listing page's text → cards, one per paper.

A card is a title, an abstract in most layouts, and what closes it: a line of authors, or the name
of an organisation before a dot and a date. Belongs here: where a card starts and ends, and whether
its title is certain. A card whose title could be another line has a `doubt`, so a cut or disordered
page loses cards, but never shows one paper's title with the authors of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise

from pipelines.parsing import listing_text_lines as lines_
from pipelines.parsing.listing_text_lines import AUTHORS, ORGANIZATION_CHARS, STARS, TITLE_CHARS

_NAME_AND_DATE = re.compile(rf"^(.{{1,{ORGANIZATION_CHARS}}}?) · (?:Published on )?(.{{1,40}})$")
_MAX_TWINS = 10  # cards of one title that are compared; a page shows two
_MIN_TITLE_WORDS = 3  # of a title without an abstract, next to an organisation
_NORM_CARDS = 4  # so many cards show what is usual on a page
NO_TITLE = "The text has no title before its abstract."
_SEVERAL_TITLES = "More than one line could be the title."
_NO_ABSTRACT = "The card has no abstract, so its only line may not be the title."
_TWO_ABSTRACTS = "The text has several abstracts; those of two papers may have been joined."
_GAP = "Two dots in a row show that lines are missing before the date."
_NO_SUBMITTER = "No submitter stands above the line that could be the title."

Line = tuple[int, str]


@dataclass
class Card:
    """The lines of a card, filled in while the page is read. `line` counts from 1."""

    line: int
    text: list[str] = field(default_factory=list)
    n_authors: int | None = None
    organization: str | None = None
    date_line: str | None = None
    stars: int | None = None
    has_stars: bool = False
    is_closed: bool = False
    is_split: bool = False
    """Whether the card before it has no end, so that only the text shows where this one starts."""
    has_submitter: bool = False
    doubt: str | None = None
    """Why the title is uncertain."""
    is_short: bool = False
    """Whether the second of two lines is no abstract by its form."""

    @property
    def place(self) -> str:
        """The place of the card's first line, as shown to readers."""
        return f"line {self.line}"

    @property
    def has_abstract(self) -> bool:
        """Whether text follows the title."""
        return len(self.text) > 1

    def set_stars(self, n: int | None) -> None:
        """Set the number of stars; two different numbers leave it unknown."""
        self.stars = n if not self.has_stars or n == self.stars else None
        self.has_stars = True

    def matches(self, other: Card) -> bool:
        """Whether authors, organisations and dates of two cards agree, where both have them."""
        pairs = (
            (self.n_authors, other.n_authors),
            (self.organization, other.organization),
            (self.date_line, other.date_line),
        )
        return all(a is None or b is None or a == b for a, b in pairs)

    def fill_from(self, other: Card) -> None:
        """Copy what only the other card has."""
        self.n_authors = other.n_authors if self.n_authors is None else self.n_authors
        self.organization = self.organization or other.organization
        self.date_line = self.date_line or other.date_line
        self.stars = other.stars if self.stars is None else self.stars
        if len(self.text) == 1:
            self.text += other.text[1:]


class _Reader:
    """Reads lines in order. `pending` is the text since the last end of a card."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.pending: list[Line] = []
        self.dots: set[int] = set()
        self.after_dot = False
        self.name: Line | None = None  # a menu's word, which may be an organisation's name
        self.has_submitter = False
        self.has_gap = False

    def read(self, number: int, line: str) -> None:
        """Handle one line that is not blank."""
        named, self.name = self.name, None
        dated = _NAME_AND_DATE.match(line)
        if authors := AUTHORS.match(line):
            self._close(number, None)
            self.cards[-1].n_authors = int(authors.group(1).replace(",", "")[:12])
            self.cards[-1].date_line = authors.group(2)
        elif dated and lines_.is_date(dated.group(2)):
            self.pending.append((number, dated.group(1)))
            self._read_date(number, dated.group(2))
        elif self._is_date(line):
            self._read_date(number, line)
        elif lines_.is_dot(line):
            self._read_dot(named)
        elif STARS.match(line) or lines_.ends_card(line):
            self._read_end(line)
        elif lines_.is_noise(line):
            self._read_noise(number, line)
        else:
            self.pending.append((number, line))
        self.after_dot = lines_.is_dot(line)

    def _read_dot(self, named: Line | None) -> None:
        """Remember which line the dot follows; `named` is a menu's word right before it."""
        if self.pending and named:
            self.pending.append(named)
        if self.pending:
            self.dots.add(self.pending[-1][0])
        if self.after_dot and self.pending:
            self.has_gap = True
        elif self.after_dot and self.cards and self.cards[-1].date_line is None:
            self.cards[-1].doubt = _GAP

    def _read_end(self, line: str) -> None:
        """Read a part that only follows the text of a card, or the submitter above it."""
        if self.pending:
            self._close_before_end()
        if self.cards and (stars := STARS.match(line)):
            self.cards[-1].set_stars(lines_.n_stars(stars))
        self.has_submitter = self.has_submitter or line.startswith(f"{lines_.SUBMITTED} ")

    def _read_noise(self, number: int, line: str) -> None:
        if not line.isdigit():
            self.name = (number, line)
        elif self.after_dot and self.pending:
            self._close_before_end()  # the dot of a card without a date precedes its comments

    def finish(self) -> list[Card]:
        """All cards; text without an end becomes cards that are not closed."""
        if self.pending:
            self.cards += _groups(self.pending, self.dots, None, is_closed=False)
            self.pending = []
        return self.cards

    def _is_date(self, line: str) -> bool:
        if lines_.is_date(line):
            return True
        if not self.after_dot:
            return False
        awaits_date = bool(self.cards) and self.cards[-1].date_line is None
        if self.pending:
            return lines_.is_like_date(line) and not line.isdigit()
        return awaits_date and lines_.replaces_date(line) and not line.isdigit()

    def _read_date(self, number: int, line: str) -> None:
        if self.pending:
            self._close(number, self._pop_organization())
        if not self.cards:
            return
        card = self.cards[-1]
        if card.date_line is None:
            card.date_line = line
        elif card.date_line != line:
            card.doubt = "Two dates follow the text."

    def _pop_organization(self) -> str | None:
        """The line before the dot or date, removed from the text, if it can be a name."""
        _, line = self.pending[-1]
        if len(line) > ORGANIZATION_CHARS or len(self.pending) < 2:
            return None
        self.pending.pop()
        return line

    def _close_before_end(self) -> None:
        """Close the text before a part that only follows a card, which shows no authors."""
        number = self.pending[0][0]
        can_name = len(self.pending) > 1 and not lines_.is_prose(self.pending[-1][1])
        self._close(number, self._pop_organization() if can_name else None, needs_name=True)

    def _close(self, number: int, organization: str | None, *, needs_name: bool = False) -> None:
        """Make cards of the pending text; the last one is closed by authors or `organization`."""
        is_closed = organization is not None or not needs_name
        if self.pending:
            self.cards += _groups(self.pending, self.dots, organization, is_closed=is_closed)
        else:
            self.cards.append(Card(number))
        last = self.cards[-1]
        last.organization, last.is_closed = organization, is_closed
        last.has_submitter = self.has_submitter and not last.is_split
        if self.has_gap:
            last.doubt = last.doubt or _GAP
        self.pending, self.dots = [], set()
        self.has_submitter = self.has_gap = False


def read_closed(lines: Sequence[str], start: int) -> list[Card]:
    """Cards of layouts in which authors or an organisation end a card, from line index `start`."""
    reader = _Reader()
    for number, line in enumerate(lines[start:], start=start + 1):
        if line:
            reader.read(number, line)
    cards = reader.finish()
    for card in cards:
        if card.is_closed and card.n_authors is None and card.organization is None:
            card.is_closed = False
    _doubt_unusual(cards)
    return cards


def _groups(
    pending: Sequence[Line], dots: Set[int], organization: str | None, *, is_closed: bool
) -> list[Card]:
    """Cards of the text between two ends. Usually there is one: a title and an abstract.

    A dot inside the text ended a card that lost its date. So the text is divided after it.
    """
    cards: list[Card] = []
    group: list[Line] = []
    for number, line in pending:
        group.append((number, line))
        if number in dots and number != pending[-1][0]:
            cards += _split(group)
            group = []
    last = _split(group)
    if cards:
        last[0].is_split = True
    return cards + last


def _split(group: Sequence[Line]) -> list[Card]:
    """Cards of lines that no dot divides.

    If a card lost its end, its text runs into the next card. A single short line between two
    abstracts is then the next title. Other short lines leave the title in doubt.
    """
    cards = [Card(group[0][0], [group[0][1]])]
    if not lines_.can_be_title(group[0][1]):
        cards[0].doubt = NO_TITLE
    for index, (number, line) in enumerate(group[1:], start=1):
        if lines_.is_prose(line):
            cards[-1].text.append(line)
            continue
        follows_abstract = len(cards[-1].text) > 1
        has_abstract = index + 1 < len(group) and lines_.is_prose(group[index + 1][1])
        if follows_abstract and has_abstract and lines_.can_be_title(line):
            cards.append(Card(number, [line], is_split=True))
        else:
            cards[-1].text.append(line)
            cards[-1].is_short = len(group) == 2 and not lines_.is_prose(group[0][1])
            if not cards[-1].is_short:
                cards[-1].doubt = cards[-1].doubt or _SEVERAL_TITLES
    return cards


def _doubt_unusual(cards: Sequence[Card]) -> None:
    """Doubt the titles of cards that differ from the page's other cards in a suspicious way."""
    closed = [card for card in cards if card.is_closed and card.doubt is None]
    with_abstract = [card for card in closed if card.has_abstract]
    has_abstracts = len(with_abstract) * 2 >= len(closed)
    has_organizations = any(card.organization for card in cards)
    n_submitters = sum(card.has_submitter for card in closed)
    joined = [card for card in closed if len(card.text) > 2]
    n_long = sum(any(len(line) > TITLE_CHARS for line in card.text[1:]) for card in closed)
    is_long_usual = len(closed) >= _NORM_CARDS and n_long * 4 >= len(closed) * 3
    are_joined_rare = len(closed) >= _NORM_CARDS and len(joined) * 4 <= len(closed)
    has_submitters = n_submitters * 2 > len(closed)
    for card in closed:
        is_bare = not card.has_abstract
        if is_bare and (has_abstracts or card.date_line or not _is_bare_title(card)):
            card.doubt = _NO_ABSTRACT
        elif card.is_short and (card.organization or is_long_usual or not n_long):
            card.doubt = _SEVERAL_TITLES
        elif is_bare and has_submitters and not card.has_submitter:
            card.doubt = _NO_SUBMITTER
        elif card.is_split and has_organizations:
            card.doubt = _SEVERAL_TITLES
    for card, following in pairwise(cards) if has_submitters else ():
        if not following.has_submitter and not following.has_abstract:
            card.doubt = card.doubt or _SEVERAL_TITLES  # its end may be a line from elsewhere
    for card in joined if are_joined_rare else ():
        card.doubt = card.doubt or _TWO_ABSTRACTS


def _is_bare_title(card: Card) -> bool:
    """Whether the only line of a card is its title by its form.

    A sentence is not. Next to an organisation, the title is the longer one and has several words.
    """
    title = card.text[0] if card.text else ""
    if lines_.ends_sentence(title):
        return False
    if card.organization is None:
        return card.n_authors is not None
    return (
        card.has_submitter
        and len(title) > len(card.organization)
        and len(title.split()) >= _MIN_TITLE_WORDS
    )


def read_unclosed(lines: Sequence[str], start: int) -> list[Card]:
    """Cards of the layout without authors: one line is a title, the next one its abstract."""
    cards: list[Card] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line or lines_.is_noise(line) or lines_.ends_card(line):
            continue
        if stars := STARS.match(line):
            if cards:
                cards[-1].set_stars(lines_.n_stars(stars))
        elif not cards or (cards[-1].has_abstract and not _continues(cards[-1], line)):
            cards.append(Card(number, [line]))
        else:
            cards[-1].text.append(line)
    for card in cards:
        if not lines_.can_be_title(card.text[0]) or len(card.text[0]) > TITLE_CHARS:
            card.doubt = NO_TITLE
        elif any(not lines_.is_prose(line) for line in card.text[1:]):
            card.doubt = _SEVERAL_TITLES
        elif sum(len(line) > TITLE_CHARS for line in card.text[1:]) > 1:
            card.doubt = _TWO_ABSTRACTS
    return cards


def _continues(card: Card, line: str) -> bool:
    """Whether a line belongs to the abstract before it rather than being the next title."""
    return lines_.is_prose(line) and not (len(card.text) == 1 and len(line) <= TITLE_CHARS)


def is_alternating(cards: Sequence[Card]) -> bool:
    """Whether at least two thirds of the cards are a title and its abstract, without a doubt.

    Other text has headings and paragraphs too, so a page without authors must follow its layout.
    """
    sound = [card for card in cards if card.doubt is None and card.has_abstract]
    n_long = sum(len(card.text[1]) > TITLE_CHARS for card in sound)
    return len(sound) * 3 >= len(cards) * 2 and n_long * 2 >= len(sound)


def fold_repeats(cards: Iterable[Card]) -> list[Card]:
    """The cards in order, with repeated cards merged into the first."""
    kept: dict[str, list[Card]] = {}
    for card in cards:
        same_title = kept.setdefault(card.text[0] if card.text else f"\0{card.line}", [])
        twin = next((c for c in islice(same_title, _MAX_TWINS) if c.matches(card)), None)
        if twin is None or twin.doubt or card.doubt:
            same_title.append(card)
        else:
            twin.fill_from(card)
    return sorted(chain.from_iterable(kept.values()), key=lambda card: card.line)
