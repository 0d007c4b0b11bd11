"""Responses of the arXiv Atom API."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from pipelines.parsing import xml_records
from pipelines.parsing.arxiv_ids import CATEGORY_PATTERN, split_version
from pipelines.parsing.clean import one_line
from pipelines.parsing.head import Head
from pipelines.parsing.moments import day_or_none
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame
from pipelines.parsing.xml_records import Layout

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_FEED = Layout(f"{_ATOM}feed", f"{_ATOM}entry", "an Atom feed", "entry")
_CATEGORY = re.compile(CATEGORY_PATTERN)


def matches(head: Head) -> bool:
    """Whether it opens as a feed, or as XML that is not a web page."""
    is_xml = head.opening.startswith(b"<?xml") and b"<html" not in head.opening
    return head.is_markup and (b"<feed" in head.opening or is_xml)


def parse(body: bytes, hints: Hints) -> Parsed:
    """The entries of a feed. A body that is not a feed is rejected as a whole.

    A cut feed keeps its complete entries, and the rest is one reject. `captured_on` is the day of
    the feed's `updated`.
    """
    feed = xml_records.read(body, _FEED)
    if isinstance(feed, Parsed):
        return feed
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, entry in enumerate(feed.records, start=1):
        place = f"entry {position}"
        outcome = _row(entry, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    return finish(
        frame(rows),
        rejects + feed.damage(),
        hints,
        captured_on=day_or_none(feed.root.findtext(f"{_ATOM}updated")),
        # A query selects papers: it adds them, but never a day of a population.
        stated_kind="search",
        rules=feed.rules,
    )


def _row(entry: Element, place: str) -> dict[str, Any] | Reject:
    address = entry.findtext(f"{_ATOM}id") or ""
    arxiv_id, version = split_version(address.rpartition("/abs/")[2])
    if arxiv_id is None:
        detail = f"The entry's id is not an arXiv address: {excerpt(address)!r}."
        return Reject(place, "bad_arxiv_id", detail, excerpt(" ".join(entry.itertext())))
    authors = [
        one_line(author.findtext(f"{_ATOM}name") or "") for author in entry.iter(f"{_ATOM}author")
    ]
    names = [name for name in authors if name] or None
    published = day_or_none(entry.findtext(f"{_ATOM}published"))
    terms = [category.get("term") or "" for category in entry.iter(f"{_ATOM}category")]
    primary = entry.find(f"{_ARXIV}primary_category")
    return {
        "arxiv_id": arxiv_id,
        "arxiv_version": version,
        "title": entry.findtext(f"{_ATOM}title"),
        "abstract": entry.findtext(f"{_ATOM}summary"),
        "authors": names,
        "n_authors": len(names) if names else None,
        "published_on": published,
        "published_on_basis": "atom_published" if published else None,
        "primary_category": primary.get("term") if primary is not None else None,
        "categories": [term for term in terms if _CATEGORY.match(term)] or None,
    }
