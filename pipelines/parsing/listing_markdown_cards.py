"""Lines of a listing page's Markdown → cards, one per paper.

The links say what is what: the title links to the paper, the number of upvotes to a login, the
organisation to its account, the comments to the paper's discussion. Belongs here: cards from lines.
A card with parts of two papers has a `doubt`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.parsing import listing_text_lines as lines_
from pipelines.parsing.listing_address import organization, paper_id, voted_id
from pipelines.parsing.markdown import MarkdownLine, Piece
from pipelines.parsing.records import Reason

_AUTHORS = re.compile(r"(?:^|[^\d,])(\d[\d,]{0,12}) authors?$", re.ASCII)
_BEFORE_TEXT = re.compile(r"^(?:[-*+•]\s+)+")
_DATED = re.compile(r"^(?:[·•]\s*)?(?:Published on\s+)?(.+)$")
_COUNT = re.compile(r"(?:^|\s)([\d,]{1,12})$", re.ASCII)
# Names of links in other text. They are never titles.
_LINK_NAMES = re.compile(
    r"^(?:paper(?: page)?|papers|link|arxiv(?: page)?|pdf|html|hugging ?face(?: papers?)?|hf|here"
    r"|read more|view(?: paper)?|source|abstract|discussion|code|project(?: page)?|website)$",
    re.IGNORECASE,
)
NO_TITLE = "No line of the card is the paper's title."
_MIXED = "The card has parts of two papers."
_NOT_ALONE = "The heading has more text than the link to the paper."


@dataclass
class MarkdownCard:
    """The parts of a card, filled in while the page is read. `line` counts from 1."""

    line: int
    arxiv_id: str | None = None
    version: int | None = None
    title: str | None = None
    abstract: list[str] = field(default_factory=list)
    n_authors: int | None = None
    organization: str | None = None
    date_line: str | None = None
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    is_certain: bool = False
    """Whether the title is a heading, or follows the upvotes of the same paper."""
    is_heading: bool = False
    has_linked_text: bool = False
    """Whether the abstract links to the paper; then the authors do too."""
    has_plain_text: bool = False
    """Whether the abstract or the authors do not link to it."""
    doubt: str | None = None

    @property
    def place(self) -> str:
        """The place of the card's first line, as shown to readers."""
        return f"line {self.line}"

    @property
    def is_closed(self) -> bool:
        """Whether authors or an organisation, or a date, follow the text."""
        return (self.n_authors, self.organization, self.date_line) != (None, None, None)

    def problem(self) -> tuple[Reason, str] | None:
        """The reason and the detail of the reject, if the card can't be accepted."""
        if self.title is None or not lines_.can_be_title(self.title):
            return "missing_title", NO_TITLE
        if self.doubt is not None:
            return "title_uncertain", self.doubt
        is_sentence = not self.is_heading and lines_.ends_sentence(self.title)
        if not self.is_certain or is_sentence or _LINK_NAMES.match(self.title):
            return "title_uncertain", "The text that links to the paper may not be its title."
        if self.arxiv_id is None and not self.is_closed:
            return "truncated_record", "No authors, organisation or date follow the heading."
        return None


class MarkdownReader:
    """Reads the lines of a page in order."""

    def __init__(self) -> None:
        self.cards: list[MarkdownCard] = []
        self.card: MarkdownCard | None = None
        self.votes: tuple[str, int | None] | None = None
        self.name: str | None = None  # an account, which is an organisation if a dot follows
        self.after_submitter = False
        self.dated_at = 0

    def read(self, lines: Sequence[MarkdownLine]) -> list[MarkdownCard]:
        """The cards of lines without the page's header."""
        for line in lines:
            if line.level and self._read_heading(line):
                continue
            for piece in line.pieces:
                self._read_piece(line.number, piece)
        is_linked = any(card.has_linked_text for card in self.cards)
        for card in self.cards:
            is_joined = is_linked and (card.has_plain_text or len(card.abstract) > 1)
            if is_joined or (card.n_authors is not None and card.organization is not None):
                card.doubt = card.doubt or _MIXED
        return self.cards

    def _read_heading(self, line: MarkdownLine) -> bool:
        """Start a card if the heading is the title of a paper; else whether it is noise."""
        named = [piece for piece in line.pieces if piece.text]
        links = [piece for piece in named if piece.address is not None]
        if not links and (lines_.is_noise(line.text) or not line.text):
            return True
        found = [paper_id(piece.address) for piece in links]
        arxiv_id, version = next((pair for pair in found if pair[0]), (None, None))
        if links and arxiv_id is None and any(piece.address for piece in links):
            self._end()
            return True
        title = links[0].text if links else line.text
        self._start(line.number, arxiv_id, version)
        if self.card is not None:
            self.card.title = title
            self.card.is_certain = self.card.is_heading = True
            if len(named) > 1:
                self.card.doubt = _NOT_ALONE
        return True

    def _start(self, number: int, arxiv_id: str | None, version: int | None) -> None:
        self.card = MarkdownCard(number, arxiv_id, version)
        self.cards.append(self.card)
        if self.votes is not None:
            voted, count = self.votes
            if voted == arxiv_id:
                self.card.upvotes, self.card.is_certain = count, True
            self.votes = None
        self.name = None

    def _end(self) -> None:
        """End the card: what follows belongs to no paper."""
        self.card, self.votes, self.name = None, None, None

    def _read_piece(self, number: int, piece: Piece) -> None:
        if piece.address is None:
            self._read_text(number, piece.text)
            return
        text = _BEFORE_TEXT.sub("", piece.name)
        if voted := voted_id(piece.address):
            self._read_votes(voted, text)
            return
        is_discussion = piece.address.endswith("#community")
        arxiv_id, version = paper_id(piece.address.partition("#")[0])
        if arxiv_id is not None and is_discussion:
            self._read_comments(arxiv_id, text)
        elif arxiv_id is not None:
            self._read_paper_link(number, arxiv_id, version, text, piece.text)
        elif organization(piece.address):
            if not self.after_submitter and text and not _AUTHORS.search(text):
                self.name = text
            self.after_submitter = False
        elif not piece.address and self.card is not None:
            self._read_unresolved(number, text)
        elif stars := lines_.STARS.match(text):
            self._set_stars(stars)

    def _read_votes(self, voted: str, text: str) -> None:
        found = _COUNT.search(text)
        count = int(found.group(1).replace(",", "") or 0) if found else None
        if self.card is not None and self.card.arxiv_id == voted and self.card.is_closed:
            self.card.upvotes = count if self.card.upvotes is None else self.card.upvotes
        else:
            self.votes = (voted, count)
            if self.card is not None and self.card.arxiv_id is None:
                self.card = None

    def _read_comments(self, arxiv_id: str, text: str) -> None:
        if self.card is None or self.card.arxiv_id != arxiv_id:
            if self.card is not None:
                self.card.doubt = _MIXED
        elif text.isascii() and text.isdigit() and len(text) < 10:
            self.card.comments = int(text)

    def _read_paper_link(
        self, number: int, arxiv_id: str, version: int | None, text: str, whole: str
    ) -> None:
        """The title, abstract or authors of a paper; an empty link is its picture."""
        if not text:
            return
        authors = _AUTHORS.search(text) if len(text) < lines_.TITLE_CHARS else None
        if self.card is None or self.card.arxiv_id != arxiv_id:
            self._start(number, arxiv_id, version)
        card = self.card
        if card is None:
            return
        if authors:
            self._set_authors(authors)
        elif card.title is None:
            card.title = whole
        elif text != card.title and not card.is_closed:
            card.abstract.append(text)
            card.has_linked_text = True

    def _read_unresolved(self, number: int, text: str) -> None:
        """A link without an address, in a text whose list of addresses was cut."""
        if authors := _AUTHORS.search(text):
            self._set_authors(authors)
        elif stars := lines_.STARS.match(text):
            self._set_stars(stars)
        elif self.card is None or not text:
            return
        elif self.card.date_line is not None:
            is_number = text.isascii() and text.isdigit() and len(text) < 10
            if is_number and number == self.dated_at:  # elsewhere, it counts upvotes
                self.card.comments = int(text)
        elif len(text) > lines_.ORGANIZATION_CHARS:
            self.card.abstract.append(text)
            self.card.has_linked_text = True
        elif any(map(str.isalpha, text)):
            self.name = text

    def _read_text(self, number: int, text: str) -> None:
        self.after_submitter = text.endswith("Submitted by")
        name, self.name = self.name, None
        plain = _BEFORE_TEXT.sub("", text).strip()
        dated = _DATED.match(plain)
        if self.card is None or not plain:
            return
        if authors := _AUTHORS.search(plain) if len(plain) < lines_.TITLE_CHARS else None:
            self._set_authors(authors)
            self.card.has_plain_text = True
        elif plain.startswith(("·", "•")) and name and self.card.date_line is None:
            if self.card.organization not in (None, name):
                self.card.doubt = _MIXED
            self.card.organization = name
        if dated and lines_.is_date(dated.group(1)):
            self._set_date(dated.group(1))
            self.dated_at = number
        elif stars := lines_.STARS.match(plain):
            self._set_stars(stars)
        elif not self.card.is_closed and lines_.is_prose(plain) and self.card.title is not None:
            self.card.abstract.append(plain)
            self.card.has_plain_text = True

    def _set_authors(self, found: re.Match[str]) -> None:
        n_authors = int(found.group(1).replace(",", "") or 0)
        if self.card is not None:
            if self.card.n_authors not in (None, n_authors):
                self.card.doubt = _MIXED
            self.card.n_authors = n_authors

    def _set_date(self, line: str) -> None:
        if self.card is not None:
            if self.card.date_line not in (None, line):
                self.card.doubt = _MIXED
            self.card.date_line = line

    def _set_stars(self, found: re.Match[str]) -> None:
        if self.card is not None and self.card.stars is None:
            self.card.stars = lines_.n_stars(found)
