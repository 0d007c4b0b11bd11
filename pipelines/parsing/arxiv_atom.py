"""Answers of the arXiv Atom API. Entities and external DTDs are refused, not expanded."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.parsing.arxiv_ids import split_version
from pipelines.parsing.clean import one_line
from pipelines.parsing.limits import MAX_ITEMS, XML_LIMITS, too_large, too_many_items
from pipelines.parsing.moments import utc
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame, reject_body

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_CATEGORY = re.compile(r"^[a-z][a-z-]+(\.[A-Za-z-]{2,})?$")


def parse(body: bytes, hints: Hints) -> Parsed:
    """Entries of an Atom answer; a body that is no such feed is rejected whole.

    A feed that was cut keeps its complete entries; what follows the cut is one reject.
    """
    if rejected := too_large(body, XML_LIMITS):
        return rejected
    root: Element | None = None
    entries: list[Element] = []
    problem = ""
    try:
        for event, element in iterparse(
            BytesIO(body.lstrip()),
            events=("start", "end"),
            forbid_dtd=True,
            forbid_entities=True,
            forbid_external=True,
        ):
            root = element if root is None else root
            if event == "end" and element.tag == f"{_ATOM}entry":
                entries.append(element)
    except DefusedXmlException:
        return reject_body("xml_dtd_refused", "The XML declares a DTD or entities.", body)
    except (ParseError, ValueError, LookupError) as error:
        problem = str(error)
    if root is None or (problem and not entries):
        return reject_body("broken_xml", f"The body is not XML: {problem}.", body)
    if root.tag != f"{_ATOM}feed":
        return reject_body("not_a_listing", "The XML is not an Atom feed.", body)
    if len(entries) > MAX_ITEMS:
        return too_many_items(f"The feed has {len(entries)} entries", body)
    rows, rejects = [], []
    for position, entry in enumerate(entries, start=1):
        place = f"entry {position}"
        outcome = _row(entry)
        if isinstance(outcome, str):
            shown = excerpt(" ".join(entry.itertext()))
            rejects.append(Reject(place, "bad_arxiv_id", outcome, shown))
        else:
            rows.append({"position": position, "place": place, **outcome})
    if problem:
        detail = f"The XML breaks off or is damaged here: {problem}."
        rejects.append(Reject(f"after entry {len(entries)}", "broken_xml", detail))
    # A query or a look-up is a selection by whoever asked: it adds papers, never population.
    return finish(
        frame(rows),
        rejects,
        hints,
        captured_on=_day(root.findtext(f"{_ATOM}updated")),
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
