"""The formats of captures, each with its name, source, detector and parser.

A new format is one module with `matches` and `parse`, and one row of `FORMATS`. The rules of a
format belong in its module, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipelines.parsing import (
    arxiv_array,
    arxiv_atom,
    arxiv_feed,
    arxiv_list_html,
    arxiv_list_text,
    arxiv_mail,
    arxiv_oai,
    arxiv_snapshot,
    bibtex,
    listing_api,
    listing_html,
    listing_lines,
    listing_markdown,
    listing_mhtml,
    listing_text,
    paper_page,
    papers_feed,
    parquet,
    ris,
    table,
    unsupported,
)
from pipelines.parsing.encoding import as_utf8
from pipelines.parsing.head import HEAD_BYTES, Head, is_binary
from pipelines.parsing.records import Hints, Parsed, reject_body

Parse = Callable[[BinaryIO, Hints], Iterator[Parsed]]


@dataclass(frozen=True)
class Format:
    """A format of captures. `parse` yields a capture's parts in order, at least one."""

    name: str
    source: str
    matches: Callable[[Head], bool]
    parse: Parse
    streamed: bool = False
    kind: str | None = None
    """The kind of every list in this format, where the format decides it."""
    is_text: bool = True


def _whole(parse: Callable[[bytes, Hints], Parsed]) -> Parse:
    """A parser of whole bodies as one that yields a single part."""

    def parts(stream: BinaryIO, hints: Hints) -> Iterator[Parsed]:
        yield parse(stream.read(), hints)

    return parts


def _reject_unknown(body: bytes, hints: Hints) -> Parsed:
    if named := unsupported.described(body):
        return reject_body("binary" if is_binary(body) else "unknown_format", named, body)
    if is_binary(body):
        return reject_body("binary", "The file is binary, not a listing.", body)
    if table.is_table(body):
        return table.without_title(table.header_of(body), body)
    return reject_body("unknown_format", "The file is in an unknown format.", body)


LISTING_API = Format("daily_papers_json", "hf_api", listing_api.matches, _whole(listing_api.parse))
TABLE = Format("table", "file", table.matches, _whole(table.parse))
# The first that matches a head is its format.
FORMATS = (
    Format(
        "arxiv_oai",
        "arxiv",
        arxiv_oai.matches,
        _whole(arxiv_oai.parse),
        kind="announcement",
    ),
    Format(
        "arxiv_feed",
        "arxiv",
        arxiv_feed.matches,
        _whole(arxiv_feed.parse),
        kind="announcement",
    ),
    Format(
        "arxiv_list_html",
        "arxiv",
        arxiv_list_html.matches,
        _whole(arxiv_list_html.parse),
        kind="announcement",
    ),
    Format(
        "arxiv_list_text",
        "arxiv",
        arxiv_list_text.matches,
        _whole(arxiv_list_text.parse),
        kind="announcement",
    ),
    Format(
        "arxiv_mail",
        "arxiv",
        arxiv_mail.matches,
        _whole(arxiv_mail.parse),
        kind="announcement",
    ),
    Format("bibtex", "file", bibtex.matches, _whole(bibtex.parse)),
    Format("ris", "file", ris.matches, _whole(ris.parse)),
    TABLE,
    Format("papers_feed", "hf_page", papers_feed.matches, _whole(papers_feed.parse)),
    Format("arxiv_atom", "arxiv", arxiv_atom.matches, _whole(arxiv_atom.parse)),
    Format("listing_mhtml", "hf_page", listing_mhtml.matches, _whole(listing_mhtml.parse)),
    Format("paper_page", "hf_page", paper_page.matches, _whole(paper_page.parse)),
    Format("listing_html", "hf_page", listing_html.matches, _whole(listing_html.parse)),
    Format("listing_markdown", "hf_page", listing_markdown.matches, _whole(listing_markdown.parse)),
    Format("listing_text", "hf_page", listing_text.matches, _whole(listing_text.parse)),
    Format(
        "arxiv_array",
        "arxiv",
        arxiv_array.matches,
        _whole(arxiv_array.parse),
        kind="announcement",
    ),
    Format(
        "arxiv_lines",
        "arxiv",
        arxiv_snapshot.matches_lists,
        arxiv_snapshot.parse,
        streamed=True,
        kind="announcement",
    ),
    Format(
        "arxiv_snapshot",
        "arxiv",
        arxiv_snapshot.matches,
        arxiv_snapshot.parse,
        streamed=True,
        kind="announcement",
    ),
    Format("daily_papers_lines", "hf_api", listing_lines.matches, _whole(listing_lines.parse)),
    LISTING_API,
)
PARQUET = Format(
    "parquet",
    "file",
    lambda head: parquet.matches_bytes(head.start),
    _whole(parquet.parse),
    is_text=False,
)
UNKNOWN = Format("unknown", "unknown", lambda _: False, _whole(_reject_unknown))


def detect(body: bytes, *, has_columns: bool = False) -> Format:
    """The format of a body, given as a whole or by its first MiB; `UNKNOWN` if none matches.

    `has_columns`: the user named its columns, so a table needs no title that is known by name.
    """
    if parquet.matches_bytes(body):
        return PARQUET
    start = as_utf8(body[:HEAD_BYTES])
    head = Head.of(start, is_full=len(body) >= HEAD_BYTES)
    # A stray NUL in XML is removed by its parser.
    if not head.start or (is_binary(head.start) and not head.is_markup):
        return UNKNOWN
    found = next((format_ for format_ in FORMATS if format_.matches(head)), UNKNOWN)
    return TABLE if found is UNKNOWN and has_columns and table.is_table(start) else found
