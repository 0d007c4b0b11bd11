"""Feeds of Hugging Face's papers (RSS, Atom or JSON Feed), which third parties publish.

An entry links to the page of a paper, which gives its id. The time of an entry is that of the paper
in some feeds and that of the feed in others, so it is not used; the kind of the list is unknown.
"""

from __future__ import annotations

import html
import re
from typing import Any
from xml.etree.ElementTree import Element

import orjson

from pipelines.parsing import xml_records
from pipelines.parsing.author_names import split_names
from pipelines.parsing.head import Head
from pipelines.parsing.limits import JSON_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.listing_address import paper_id
from pipelines.parsing.listing_text_lines import can_be_title, tidy
from pipelines.parsing.records import (
    Hints,
    Parsed,
    Reject,
    excerpt,
    finish,
    frame,
    reject_body,
)

_ATOM = "{http://www.w3.org/2005/Atom}"
_RSS_1 = "{http://purl.org/rss/1.0/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"
_LAYOUTS = {
    b"<rss": xml_records.Layout("rss", "item", "an RSS feed", "item"),
    b"<rdf:rdf": xml_records.Layout(_RDF, f"{_RSS_1}item", "an RSS feed", "item"),
    b"<feed": xml_records.Layout(f"{_ATOM}feed", f"{_ATOM}entry", "an Atom feed", "entry"),
}
# A link of an entry, and not a mention of the site in an abstract.
_PAPER = re.compile(
    rb"""(?:<(?:link|guid|id)\b[^<>]{0,200}>\s*|\bhref=["']|"(?:url|external_url|id)"\s*:\s*")"""
    rb"https?:\\?/\\?/(?:www\.)?(?:huggingface\.co|hf\.co)\\?/papers\\?/[0-9]{4}\.[0-9]{4,5}",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_BLOCK = re.compile(r"</?(?:p|div|br|li|ul|ol|h[1-6]|tr|table)\b[^<>]*>", re.IGNORECASE)
_HEADED = re.compile(r"^(?:abstract|summary)\s*:?\s*", re.IGNORECASE)
_LABEL = re.compile(r"^[A-Z][A-Za-z ]{1,24}:(?:\s|$)")
_VOTED = re.compile(r"\s*\(\s*[\d,]+\s*(?:▲|👍|⬆️?|upvotes?|votes?|likes?)\s*\)$", re.IGNORECASE)
_MIN_ABSTRACT_CHARS = 100


def matches(head: Head) -> bool:
    """Whether it is a feed with an entry that links to the page of a paper."""
    if _PAPER.search(head.start) is None:
        return False
    if head.is_markup:
        return any(tag in head.opening for tag in (b"<rss", b"<feed", b"<rdf:rdf"))
    return head.is_json_object and b"jsonfeed.org/version" in head.opening


def parse(body: bytes, hints: Hints) -> Parsed:
    """The papers of a feed. An entry that does not link to one paper is one reject."""
    is_json = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
    found = _json_entries(body) if is_json else _xml_entries(body)
    if isinstance(found, Parsed):
        return found
    entries, rejects = found
    if len(entries) > MAX_ITEMS:
        return too_many_items("The feed", body)
    rows: list[dict[str, Any]] = []
    for position, entry in enumerate(entries, start=1):
        place = f"entry {position}"
        outcome = _row(entry, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    if not entries and not rejects:
        return reject_body("listing_without_cards", "The feed has no entries.", body)
    return finish(frame(rows), rejects, hints, stated_kind="unknown")


Entry = dict[str, Any]
"""`title`, `links`, `texts` and `names` of an entry, as far as it has them."""


def _json_entries(body: bytes) -> tuple[list[Entry], list[Reject]] | Parsed:
    if rejected := too_large(body, JSON_LIMITS):
        return rejected
    try:
        feed = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return reject_body("broken_json", f"The feed is not JSON: {error}.", body)
    items = feed.get("items")
    if not isinstance(items, list):
        return reject_body("not_a_listing", "The feed has no list of items.", body)
    return [_json_entry(item) for item in items], []


def _json_entry(item: Any) -> Entry:
    if not isinstance(item, dict):
        return {"title": "", "links": [], "texts": [], "names": []}
    authors = item.get("authors")
    names = (
        [a.get("name") for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
    )
    return {
        "title": item.get("title"),
        "links": [item.get("url"), item.get("external_url"), item.get("id")],
        "texts": [item.get("summary"), item.get("content_html"), item.get("content_text")],
        "names": [name for name in names if isinstance(name, str)],
    }


def _xml_entries(body: bytes) -> tuple[list[Entry], list[Reject]] | Parsed:
    opening = body[:4096].lower()
    layout = next((known for tag, known in _LAYOUTS.items() if tag in opening), _LAYOUTS[b"<rss"])
    document = xml_records.read(body, layout)
    if isinstance(document, Parsed):
        return document
    return [_xml_entry(record) for record in document.records], document.damage()


def _xml_entry(record: Element) -> Entry:
    entry: Entry = {"title": "", "links": [], "texts": [], "names": []}
    for child in record:
        name, text = child.tag.rpartition("}")[2].lower(), "".join(child.itertext())
        if name == "title" and not entry["title"]:
            entry["title"] = text
        elif name in ("link", "guid", "id"):
            entry["links"].append(child.get("href") or text)
        elif name in ("description", "summary", "content", "encoded"):
            entry["texts"].append(text)
        elif name == "author" and (person := _person(child)):
            entry["names"].append(person)
        elif name == "creator":
            entry["names"].append(text)
    return entry


def _person(author: Element) -> str | None:
    """The name of an author; None for a mail address."""
    names = [child for child in author if child.tag.rpartition("}")[2] == "name"]
    text = "".join((names[0] if names else author).itertext())
    return None if "@" in text else text


def _row(entry: Entry, place: str) -> dict[str, Any] | Reject:
    title = _VOTED.sub("", tidy(html.unescape(_text(entry["title"]))))
    ids = {paper_id(link) for link in entry["links"] if isinstance(link, str)} - {(None, None)}
    if len({arxiv_id for arxiv_id, _ in ids}) != 1:
        return Reject(
            place, "bad_arxiv_id", "The entry does not link to one paper.", excerpt(title)
        )
    if title and not can_be_title(title):
        detail = "The title of the entry is not a paper's title."
        return Reject(place, "title_uncertain", detail, excerpt(title))
    arxiv_id, version = max(ids, key=lambda pair: pair[1] or 0)
    names = entry["names"]
    authors = split_names(names[0]) if len(names) == 1 else [tidy(name) for name in names]
    return {
        "arxiv_id": arxiv_id,
        "arxiv_version": version,
        "title": title,
        "abstract": next(filter(None, map(_abstract, entry["texts"])), None),
        "authors": authors or None,
        "n_authors": len(authors) or None,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _abstract(value: object) -> str | None:
    """The longest paragraph of an entry's text that can be an abstract; None without one."""
    text = _text(value)
    blocks = _BLOCK.sub("\n", text) if "<" in text else text
    plain = html.unescape(_TAG.sub("", blocks)).split("\n\n" if "<" not in text else "\n")
    paragraphs = [_HEADED.sub("", tidy(part)) for part in plain]
    long = [
        part for part in paragraphs if len(part) >= _MIN_ABSTRACT_CHARS and not _LABEL.match(part)
    ]
    return max(long, key=len, default=None)
