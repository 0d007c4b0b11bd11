"""Records of an XML document, read one by one: those before a cut or damage are kept.

Belongs here: what all XML formats share. DTDs and entities are refused, not expanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from pipelines.parsing.limits import MAX_ITEMS, XML_LIMITS, too_large, too_many_items
from pipelines.parsing.records import Parsed, Reject, excerpt, reject_body
from pipelines.parsing.xml_text import readable_xml

_ONCE = frozenset({
    "title", "id", "guid", "summary", "abstract", "published", "pubdate", "datestamp", "created",
})  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Full tags of a format's root and records, and the names that messages use for both."""

    root: str
    record: str
    document: str  # "an Atom feed"
    noun: str  # "entry"


@dataclass(frozen=True)
class Document:
    """The root, its complete records in order, and the parse error after them (empty: none)."""

    layout: Layout
    root: Element
    records: list[Element]
    problem: str
    n_forbidden: int = 0
    """Number of characters that XML forbids, which were removed or replaced."""
    merged: tuple[Reject, ...] = ()
    """Records that contain parts of two, because the lines between them are missing."""

    @property
    def rules(self) -> tuple[str, ...]:
        """The rule that reports removed characters, if there were any."""
        n = self.n_forbidden
        return (f"forbidden_characters_removed: {n} character(s) that XML forbids",) if n else ()

    def damage(self) -> list[Reject]:
        """Merged records, and one reject for the rest of a cut or damaged document."""
        if not self.problem:
            return list(self.merged)
        detail = f"The XML is cut or damaged here: {self.problem}."
        n_read = len(self.records) + len(self.merged)
        return [*self.merged, Reject(f"after {self.layout.noun} {n_read}", "broken_xml", detail)]


def read(body: bytes, layout: Layout) -> Document | Parsed:
    """The document, or the rejected body if nothing in it can be used."""
    if rejected := too_large(body, XML_LIMITS):
        return rejected
    root: Element | None = None
    records: list[Element] = []
    merged: list[Reject] = []
    problem = ""
    clean, n_forbidden = readable_xml(body.lstrip())
    try:
        for event, element in iterparse(
            BytesIO(clean),
            events=("start", "end"),
            forbid_dtd=True,
            forbid_entities=True,
            forbid_external=True,
        ):
            root = element if root is None else root
            if event != "end" or element.tag != layout.record:
                continue
            if name := _repeated(element, layout):
                merged.append(_merged(layout, len(records) + len(merged) + 1, name, element))
            else:
                records.append(element)
    except DefusedXmlException:
        detail = "The XML declares a DTD or entities, which are refused."
        return reject_body("xml_dtd_refused", detail, body)
    except (ParseError, ValueError, LookupError) as error:
        problem = str(error)
    if root is None or (problem and not records and not merged):
        return reject_body("broken_xml", f"The body is not XML: {problem}.", body)
    if root.tag != layout.root:
        return reject_body("not_a_listing", f"The XML is not {layout.document}.", body)
    if len(records) > MAX_ITEMS:
        return too_many_items("The XML", body)
    return Document(layout, root, records, problem, n_forbidden, tuple(merged))


def _repeated(record: Element, layout: Layout) -> str | None:
    """The name of an element that a record has once and this one twice; None if there is none."""
    seen: set[str] = set()
    for element in record.iter():
        name = str(element.tag).rpartition("}")[2].lower()
        if name in _ONCE or (name == "description" and layout.noun == "item"):
            if name in seen:
                return name
            seen.add(name)
    return None


def _merged(layout: Layout, number: int, name: str, record: Element) -> Reject:
    detail = f"The {layout.noun} has two elements `{name}`; lines between two papers are missing."
    text = excerpt(" ".join(record.itertext()))
    return Reject(f"{layout.noun} {number}", "not_a_record", detail, text)
