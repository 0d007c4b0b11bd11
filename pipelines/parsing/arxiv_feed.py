"""The feeds of rss.arxiv.org: Atom, RSS 2.0, and the RSS 1.0 of earlier years.

A feed lists what arXiv announced on one day. Its `published` is the day of the announcement, also
for a new version of an old paper, so the date of version 1 is known only by the month in the id.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl

from pipelines.parsing import xml_records
from pipelines.parsing.arxiv_ids import bad_id_detail, id_within, split_version
from pipelines.parsing.arxiv_records import RAW_WITH_NAMES, to_items, versions
from pipelines.parsing.arxiv_shapes import categories, day_of
from pipelines.parsing.author_names import split_names
from pipelines.parsing.clean import one_line
from pipelines.parsing.head import Head
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt
from pipelines.parsing.xml_records import Layout

_ATOM = "{http://www.w3.org/2005/Atom}"
_RSS1 = "{http://purl.org/rss/1.0/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LAYOUTS = (
    (b"<feed", Layout(f"{_ATOM}feed", f"{_ATOM}entry", "an Atom feed", "entry")),
    (b"<rss", Layout("rss", "item", "an RSS feed", "item")),
    (b"<rdf:rdf", Layout(f"{_RDF}RDF", f"{_RSS1}item", "an RSS feed", "item")),
)
_OF_ARXIV = re.compile(
    rb"rss\.arxiv\.org|oai:arxiv\.org:|updates on arxiv\.org|arxiv:announce_type"
)
_BEFORE_ABSTRACT = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*[\w-]+\s*(?:Abstract:)?\s*")
# `A Title. (arXiv:2101.00001v2 [cs.LG] UPDATED)` in RSS 1.0.
_AFTER_TITLE = re.compile(r"\.?\s*\(arXiv:(\S+)\s+\[([^\]]+)\]\s*[A-Z ]*\)\s*$")
_TAG = re.compile(r"<[^<>]*>")
_ROWS = pl.Schema({"position": pl.Int64(), "place": pl.String(), **RAW_WITH_NAMES})


def matches(head: Head) -> bool:
    """Whether it opens as a feed that is arXiv's daily one, not an answer to a query."""
    is_feed = any(root in head.opening for root, _ in _LAYOUTS)
    return head.is_markup and is_feed and _OF_ARXIV.search(head.opening) is not None


def parse(body: bytes, hints: Hints) -> Parsed:
    """The papers of a feed. A body that is not a feed is rejected as a whole.

    A cut feed keeps its complete entries, and the rest is one reject. `captured_on` is the day on
    which the feed was written.
    """
    opening = Head.of(body).opening
    layout = next((layout for root, layout in _LAYOUTS if root in opening), _LAYOUTS[0][1])
    feed = xml_records.read(body, layout)
    if isinstance(feed, Parsed):
        return feed
    stated = _feed_day(feed.root)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, entry in enumerate(feed.records, start=1):
        place = f"{layout.noun} {position}"
        outcome = _row(entry, place, stated)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    raw = pl.DataFrame(rows, schema=_ROWS, orient="row").with_columns(*versions())
    return to_items(
        raw,
        rejects + feed.damage(),
        hints,
        captured_on=stated,
        stated_kind="announcement",
        rules=feed.rules,
    )


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()


def _texts(element: Element, *names: str) -> Iterator[str]:
    """Texts of the children with these names, whatever their namespace, in order of the names."""
    for name in names:
        for child in element:
            if _local(child) == name and (text := "".join(child.itertext()).strip()):
                yield text


def _feed_day(root: Element) -> date | None:
    """The day on which the feed was written, in the zone that it states."""
    for holder in (root, *root.iter("channel"), *root.iter(f"{_RSS1}channel")):
        for text in _texts(holder, "updated", "lastbuilddate", "pubdate", "date"):
            if day := _printed_day(text):
                return day
    return None


def _printed_day(text: str) -> date | None:
    """The day as printed: arXiv's days begin at midnight in its own zone."""
    return day_of(text[:10]) or day_of(re.sub(r"[+-]\d{4}$|[A-Z]{2,4}$", "+0000", text.strip()))


def _row(entry: Element, place: str, stated: date | None) -> dict[str, Any] | Reject:
    title = next(_texts(entry, "title"), "")
    tail = _AFTER_TITLE.search(title)
    links = [child.get("href") or child.text or "" for child in entry if _local(child) == "link"]
    named = [*_texts(entry, "id", "guid"), *(tail.group(1) for tail in [tail] if tail), *links]
    arxiv_id = next(filter(None, map(id_within, named)), None)
    if arxiv_id is None:
        shown = excerpt(" ".join(entry.itertext()))
        return Reject(place, "bad_arxiv_id", bad_id_detail(next(iter(named), ""), "id"), shown)
    summary = _TAG.sub("", html.unescape(next(_texts(entry, "summary", "description"), "")))
    version = split_version(arxiv_id)[1] or _stated_version(summary, arxiv_id)
    terms = [child.get("term") or child.text for child in entry if _local(child) == "category"]
    found, _ = categories([term for term in terms if term] or (tail and tail.group(2)))
    announced = next(filter(None, map(_printed_day, _texts(entry, "published", "pubdate"))), stated)
    if entry.tag == f"{_ATOM}entry" and not any(_texts(entry, "announce_type")):
        announced = None  # an entry of a query's answer, whose `published` is another date
    return {
        "id": arxiv_id,
        "title": title[: tail.start()] if tail else title,
        "abstract": _BEFORE_ABSTRACT.sub("", summary) or None,
        "names": _names(entry),
        "categories": " ".join(found) or None,
        "versions": [{"version": f"v{version}", "created": None}] if version else [],
        "update_date": announced.isoformat() if announced else None,
    }


def _stated_version(summary: str, arxiv_id: str) -> int | None:
    """The version that the text names with the id; None without one."""
    found = re.search(rf"{re.escape(arxiv_id)}v(\d{{1,4}})", summary)
    return int(found.group(1)) if found else None


def _names(entry: Element) -> list[str] | None:
    """Names from `dc:creator`, once per author or as one list, or from Atom's `author`."""
    creators = [_TAG.sub("", html.unescape(text)) for text in _texts(entry, "creator")]
    creators = creators or [one_line(text) for text in _texts(entry, "author")]
    names = [name for creator in creators for name in split_names(creator)]
    return names or None
