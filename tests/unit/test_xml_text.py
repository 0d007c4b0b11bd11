"""Characters that XML forbids are removed, and nothing else."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring

from pipelines.parsing import arxiv_atom
from pipelines.parsing.xml_text import readable_xml
from tests.fixtures.listings import HINTS, atom, entry

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text", ["\x0b", "\x00", "\x1f", "&#11;", "&#x0B;", "&#x0000b;", "&#0;", "&#xFFFE;", "&#xD800;"]
)
def test_forbidden_characters_and_references_are_removed(text: str) -> None:
    clean, n = readable_xml(f"<a>one{text}two</a>".encode())
    assert (clean, n) == (b"<a>onetwo</a>", 1)


@pytest.mark.parametrize(
    "text", ["\t", "\n", "\r", "é", "深", "&#9;", "&#10;", "&#13;", "&#x41;", "&amp;", "\x85"]
)
def test_all_other_characters_stay(text: str) -> None:
    body = f"<a>one{text}two</a>".encode()
    assert readable_xml(body) == (body, 0)


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    clean, n = readable_xml(b"<a>caf\xe9 au lait</a>")
    assert fromstring(clean).text == "caf\ufffd au lait"
    assert n == 1


def test_another_declared_encoding_is_kept() -> None:
    body = b'<?xml version="1.0" encoding="ISO-8859-1"?><a>caf\xe9</a>'
    assert readable_xml(body) == (body, 0)
    assert fromstring(body).text == "café"


def test_a_feed_with_a_forbidden_character_keeps_all_entries() -> None:
    titles = ["One", "T\x0bwo", "Three&#x0B;", "Four"]
    entries = [entry(f"2501.0000{n}", title) for n, title in enumerate(titles, 1)]
    parsed = arxiv_atom.parse(atom(*entries), HINTS)
    assert parsed.items["title"].to_list() == ["One", "Two", "Three", "Four"]
    assert parsed.rejects == ()
    assert parsed.rules == ("forbidden_characters_removed: 2 character(s) that XML forbids",)
