"""Records of an XML document, read as they end: what stands before damage is kept.

Belongs here: what all XML formats share. Entities and DTDs are refused, not expanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.parsing.limits import MAX_ITEMS, XML_LIMITS, too_large, too_many_items
from pipelines.parsing.records import Parsed, Reject, reject_body


@dataclass(frozen=True)
class Layout:
    """What a format calls its root and its records: full tags, and words for people."""

    root: str
    record: str
    document: str  # as in "the XML is not an Atom feed"
    noun: str  # as in "after entry 3"
    nouns: str


@dataclass(frozen=True)
class Document:
    """The root, its complete records in order, and why reading stopped before the end, if so."""

    layout: Layout
    root: Element
    records: list[Element]
    problem: str

    def damage(self) -> list[Reject]:
        """One reject for what follows a cut or damage; none where the document is whole."""
        if not self.problem:
            return []
        detail = f"The XML breaks off or is damaged here: {self.problem}."
        return [Reject(f"after {self.layout.noun} {len(self.records)}", "broken_xml", detail)]


def read(body: bytes, layout: Layout) -> Document | Parsed:
    """The document; or the whole body as a reject, where nothing of it can be used."""
    if rejected := too_large(body, XML_LIMITS):
        return rejected
    root: Element | None = None
    records: list[Element] = []
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
            if event == "end" and element.tag == layout.record:
                records.append(element)
    except DefusedXmlException:
        return reject_body("xml_dtd_refused", "The XML declares a DTD or entities.", body)
    except (ParseError, ValueError, LookupError) as error:
        problem = str(error)
    if root is None or (problem and not records):
        return reject_body("broken_xml", f"The body is not XML: {problem}.", body)
    if root.tag != layout.root:
        return reject_body("not_a_listing", f"The XML is not {layout.document}.", body)
    if len(records) > MAX_ITEMS:
        return too_many_items(f"It has {len(records)} {layout.nouns}", body)
    return Document(layout, root, records, problem)
