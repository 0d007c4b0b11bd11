"""The page of one paper, `/papers/<id>`, as saved HTML or as copied text.

The page's data holds the paper in the API's shape. Without it, the page's text is read: the id, the
title, the date, the authors, and the abstract, in this order. One paper is no list of a day, so its
kind is unknown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from pipelines.parsing import author_names
from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import HTML_LIMITS, JSON_LIMITS, TEXT_LIMITS, too_large
from pipelines.parsing.listing_address import paper_id
from pipelines.parsing.listing_items import parse_items
from pipelines.parsing.listing_text_dates import MissingYear, calendar_day
from pipelines.parsing.listing_text_lines import can_be_title, is_noise, tidy
from pipelines.parsing.markdown import read
from pipelines.parsing.markup import page_address, page_title
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame, reject_body

_TITLE = "Paper page - "
_ID = re.compile(r"^arxiv:\s*(\S+)$", re.IGNORECASE)
_PUBLISHED = re.compile(r"^(?:·\s*)?Published on (\S.{0,30}?)(?:\s*·.*)?$")
_UPVOTES = re.compile(r"^Upvotes?\s+(\d{1,9})$")
_MORE_NAMES = re.compile(r"^\+\s*\d+(?: authors| more)?$")
_PROPS = re.compile(r"""\bdata-props=(?:"([^"]*)"|'([^']*)')""")
_DROPPED = re.compile(r"<(/?)(script|style|svg|head|noscript)\b[^<>]*>?", re.IGNORECASE)
_INLINE = re.compile(r"</?(?:a|b|i|em|strong|span|code|sub|sup|mark)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_AFTER_ABSTRACT = (
    *("view arxiv page", "view pdf", "project page", "github", "add to collection", "community"),
    *("upvote", "models citing this paper", "get this paper in your agent:", "collections"),
)
_CITING = re.compile(
    r"^(?:(?:models|datasets|spaces|collections) (?:citing|including) this paper"
    r"|github [\d.,]+k?$)",
    re.IGNORECASE,
)
_MAX_PROPS = 50
_HEAD_LINES = 200


@dataclass
class _Paper:
    """What the page's text shows."""

    line: int
    arxiv_id: str
    version: int | None
    titles: list[str] = field(default_factory=list)
    date_line: str | None = None
    upvotes: int | None = None
    names: list[str] = field(default_factory=list)
    has_more_names: bool = False
    abstract: list[str] = field(default_factory=list)


def matches(head: Head) -> bool:
    """Whether it is the page of one paper, by its title, its address, or its lines."""
    text = head.start.decode("utf-8", errors="replace")
    if head.is_markup:
        return is_page(head.start, None)
    if head.is_json_object or head.is_json_value:
        return False
    lines = _text_lines(text[:100_000])[:_HEAD_LINES]
    n_ids = sum(_ID.match(line) is not None for _, line in lines)
    has_abstract = any(line == "Abstract" for _, line in lines)
    is_shown = any(line.rstrip(":") == "Authors" or _PUBLISHED.match(line) for _, line in lines)
    return n_ids == 1 and has_abstract and is_shown


def is_page(body: bytes, address: str | None) -> bool:
    """Whether HTML is the page of one paper, by its title or address."""
    page = body[:200_000].decode("utf-8", errors="replace")
    own = address or page_address(page)
    return paper_id(own)[0] is not None or page_title(page).startswith(_TITLE)


def parse(body: bytes, hints: Hints, *, address: str | None = None) -> Parsed:
    """The paper, or one reject for the whole body as `html_not_a_listing`."""
    is_markup = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<"
    if rejected := too_large(body, HTML_LIMITS if is_markup else TEXT_LIMITS):
        return rejected
    text = body.decode("utf-8", errors="replace")
    if not is_markup:
        return _parse_lines(_text_lines(text), None, body, hints)
    arxiv_id, _ = paper_id(address or page_address(text))
    for paper in _papers(text):
        if arxiv_id is None or paper.get("id") == arxiv_id:
            return parse_items([{"paper": paper}], hints, stated_kind="unknown")
    return _parse_lines(_html_lines(text), arxiv_id, body, hints)


def _papers(page: str) -> Iterator[dict[str, Any]]:
    """The papers in the data of the page's parts."""
    for number, found in enumerate(_PROPS.finditer(page)):
        raw = html.unescape(found.group(1) or found.group(2) or "").encode("utf-8", "replace")
        if number >= _MAX_PROPS:
            return
        if b'"paper"' not in raw or too_large(raw, JSON_LIMITS):
            continue
        try:
            props = orjson.loads(raw)
        except orjson.JSONDecodeError:
            continue
        paper = props.get("paper") if isinstance(props, dict) else None
        if isinstance(paper, dict) and paper.get("title"):
            yield paper


def _html_lines(page: str) -> list[tuple[int, str]]:
    """The text of a page, a line for each block that is not blank."""
    text = _TAG.sub("\n", _INLINE.sub("", _shown(page)))
    return _numbered(html.unescape(text).split("\n"))


def _shown(page: str) -> str:
    """The page without scripts, pictures and its head, found in one pass."""
    kept, at = [], 0
    dropped: str | None = None
    for edge in _DROPPED.finditer(page):
        name = edge.group(2).lower()
        if dropped is None and not edge.group(1):
            kept.append(page[at : edge.start()])
            dropped = name
        elif dropped == name and edge.group(1):
            at, dropped = edge.end(), None
    return "\n".join([*kept, page[at:] if dropped is None else ""])


def _text_lines(text: str) -> list[tuple[int, str]]:
    """The lines of a text, without the marks of Markdown."""
    return [(line.number, tidy(line.text)) for line in read(text.replace("\r\n", "\n"))]


def _numbered(lines: Sequence[str]) -> list[tuple[int, str]]:
    tidied = ((number, tidy(line)) for number, line in enumerate(lines, start=1))
    return [(number, line) for number, line in tidied if line]


def _parse_lines(
    lines: Sequence[tuple[int, str]], arxiv_id: str | None, body: bytes, hints: Hints
) -> Parsed:
    paper = _read(lines)
    if paper is None or (arxiv_id is not None and paper.arxiv_id != arxiv_id):
        detail = "The page of a paper does not show its id, title and abstract in the usual order."
        return reject_body("html_not_a_listing", detail, body)
    place = f"line {paper.line}"
    if len(paper.titles) != 1 or not can_be_title(paper.titles[0]):
        detail = f"{len(paper.titles)} lines could be the title."
        reject = Reject(place, "title_uncertain", detail, excerpt(" ".join(paper.titles)))
        return finish(frame([]), [reject], hints)
    missing_year = MissingYear.infer([paper.date_line], hints)
    published = calendar_day(paper.date_line, missing_year.year)
    is_printed = paper.date_line is not None and "," in paper.date_line
    names = _names(paper)
    row = {
        "position": 1,
        "place": place,
        "arxiv_id": paper.arxiv_id,
        "arxiv_version": paper.version,
        "title": paper.titles[0],
        "abstract": " ".join(paper.abstract) or None,
        "authors": names or None,
        "n_authors": len(names) or None,
        "published_on": published,
        "published_on_basis": (
            None if published is None else "page_date_printed" if is_printed else missing_year.basis
        ),
        "upvotes": paper.upvotes,
    }
    return finish(frame([row]), [], hints, stated_kind="unknown")


def _names(paper: _Paper) -> list[str]:
    """All authors in order; none if the page shows only some, or other lines among them."""
    printed = " ".join(paper.names)
    if paper.has_more_names or printed[:1] == "," or printed[-1:] == ",":
        return []
    if "," not in printed:
        return author_names.tidy(paper.names)
    pairs = pairwise(paper.names)
    if not all(above.endswith(",") or line.startswith(",") for above, line in pairs):
        return []
    return author_names.split_names(printed)


def _read(lines: Sequence[tuple[int, str]]) -> _Paper | None:
    """The parts of the page in order; None if a part that every page has is missing."""
    shown = iter(lines)
    paper = next((found for found in map(_opening, shown) if found is not None), None)
    if paper is None:
        return None
    part, above = "title", ""
    for _, line in shown:
        if line == "Abstract":
            part = "abstract"
        elif line.rstrip(":") == "Authors":
            part = "authors"
        elif found := _PUBLISHED.match(line):
            paper.date_line, part = found.group(1), "between"
        elif part == "title":
            paper.titles.append(line)
        elif part == "between":
            votes = _UPVOTES.match(f"{above} {line}") or _UPVOTES.match(line)
            paper.upvotes = int(votes.group(1)) if votes else paper.upvotes
        elif part == "authors":
            paper.has_more_names |= _MORE_NAMES.match(line) is not None
            paper.names.append(line)
        elif line.lower() in _AFTER_ABSTRACT or _CITING.match(line):
            break
        elif line == "AI-generated summary":
            paper.abstract = []  # the lines above are the generated summary
        elif not is_noise(line):
            paper.abstract.append(line)
        above = line
    else:
        return None  # the text may be cut within the abstract
    return paper if paper.abstract and not foreign_line(paper.abstract) else None


def _opening(numbered: tuple[int, str]) -> _Paper | None:
    """The paper of a line such as `arxiv:2507.01467`; None for other lines."""
    number, line = numbered
    found = _ID.match(line)
    arxiv_id, version = paper_id(f"/papers/{found.group(1)}") if found else (None, None)
    return _Paper(number, arxiv_id, version) if arxiv_id is not None else None
