"""Answers of the arXiv Atom API."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

from pipelines.parsing import xml_records
from pipelines.parsing.arxiv_ids import split_version
from pipelines.parsing.clean import one_line
from pipelines.parsing.moments import utc
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame
from pipelines.parsing.xml_records import Layout

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_FEED = Layout(f"{_ATOM}feed", f"{_ATOM}entry", "an Atom feed", "entry", "entries")
_CATEGORY = re.compile(r"^[a-z][a-z-]+(\.[A-Za-z-]{2,})?$")


def parse(body: bytes, hints: Hints) -> Parsed:
    """Entries of an Atom answer; a body that is no such feed is rejected whole.

    A feed that was cut keeps its complete entries; what follows the cut is one reject.
    """
    found = xml_records.read(body, _FEED)
    if isinstance(found, Parsed):
        return found
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, entry in enumerate(found.records, start=1):
        place = f"entry {position}"
        outcome = _row(entry)
        if isinstance(outcome, str):
            shown = excerpt(" ".join(entry.itertext()))
            rejects.append(Reject(place, "bad_arxiv_id", outcome, shown))
        else:
            rows.append({"position": position, "place": place, **outcome})
    # A query or a look-up is a selection by whoever asked: it adds papers, never population.
    return finish(
        frame(rows),
        rejects + found.damage(),
        hints,
        captured_on=_day(found.root.findtext(f"{_ATOM}updated")),
        stated_kind="search",
    )


def _row(entry: Element) -> dict[str, Any] | str:
    address = entry.findtext(f"{_ATOM}id") or ""
    arxiv_id, version = split_version(address.rpartition("/abs/")[2])
    if arxiv_id is None:
        return f"The entry's id is {excerpt(address)!r}, no arXiv address."
    authors = [
        one_line(author.findtext(f"{_ATOM}name") or "") for author in entry.iter(f"{_ATOM}author")
    ]
    names = [name for name in authors if name] or None
    published = _day(entry.findtext(f"{_ATOM}published"))
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


def _day(text: str | None) -> date | None:
    try:
        return utc(text or "").date()
    except ValueError:
        return None
