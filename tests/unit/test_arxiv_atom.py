"""Responses of the arXiv Atom API."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.parsing import arxiv_atom
from tests.fixtures.listings import HINTS, assert_sound, atom, entry, reasons

pytestmark = pytest.mark.unit


def test_an_entry_becomes_a_row() -> None:
    parsed = arxiv_atom.parse(atom(entry()), HINTS)
    (row,) = parsed.items.to_dicts()
    assert (row["arxiv_id"], row["arxiv_version"]) == ("2501.00001", 2)
    assert row["abstract"] == "An abstract."
    assert row["authors"] == ["Ada Example", "Bo Example"]
    assert row["published_on"] == date(2025, 1, 2)
    assert row["categories"] == ["cs.LG"]
    assert parsed.captured_on == date(2025, 1, 20)
    assert parsed.stated_kind == "search"


DTD = b'<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "b">]><feed>&a;</feed>'
EXTERNAL = b'<!DOCTYPE feed SYSTEM "file:///etc/passwd"><feed/>'
PARAMETER = b'<!DOCTYPE feed [<!ENTITY % p SYSTEM "http://localhost/x"> %p;]><feed/>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "broken_xml", id="empty"),
        pytest.param(b"\0\1\2", "broken_xml", id="binary"),
        pytest.param(b"<feed", "broken_xml", id="cut at once"),
        pytest.param(b"<a>" * 100_000, "broken_xml", id="deep"),
        pytest.param(b'<?xml version="1.0" encoding="no"?><feed/>', "broken_xml", id="encoding"),
        pytest.param(b"<rss/>", "not_a_listing", id="rss"),
        pytest.param(b"<feed/>", "not_a_listing", id="no namespace"),
        pytest.param(DTD, "xml_dtd_refused", id="entity"),
        pytest.param(atom("<entry/>" * 20_001), "too_large", id="entries"),
        pytest.param(b"<feed>" + b"<a>" * 1_000_001, "too_large", id="tags"),
        pytest.param(b"<feed " + b'a=""' * 500_001, "too_large", id="attributes"),
        pytest.param(b"<feed>" + b"\n" * 1_000_001, "too_large", id="lines"),
        pytest.param(EXTERNAL, "xml_dtd_refused", id="external dtd"),
        pytest.param(PARAMETER, "xml_dtd_refused", id="parameter entity"),
    ],
)
def test_a_body_that_is_not_a_feed_is_rejected_whole(body: bytes, reason: str) -> None:
    parsed = arxiv_atom.parse(body, HINTS)
    assert_sound(parsed)
    assert reasons(parsed) == [reason]
    assert parsed.items.height == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(entry("x"), "bad_arxiv_id", id="bad id"),
        pytest.param(entry().replace("/abs/", "/api/errors#"), "bad_arxiv_id", id="api error"),
        pytest.param(entry(title=""), "missing_title", id="no title"),
        pytest.param(entry(title="x" * 100_000), "title_too_long", id="long title"),
        pytest.param(entry().replace("2025-01-02T", "2999-01-02T"), "impossible_date", id="2999"),
    ],
)
def test_an_invalid_entry_does_not_affect_the_others(bad: str, reason: str) -> None:
    parsed = arxiv_atom.parse(atom(entry("2501.00001"), bad, entry("2501.00003")), HINTS)
    assert parsed.items["arxiv_id"].to_list() == ["2501.00001", "2501.00003"]
    assert reasons(parsed) == [reason]


@pytest.mark.parametrize("day", ["", "soon", "0001-01-01T00:00:00+14:00"])
def test_invalid_days_are_null(day: str) -> None:
    text = entry().replace("2025-01-02T03:04:05Z", day)
    parsed = arxiv_atom.parse(atom(text), HINTS)
    assert parsed.items["published_on"].to_list() == [None]


def test_a_feed_without_entries_is_empty() -> None:
    assert arxiv_atom.parse(b"\n" + atom(), HINTS).n_seen == 0


def test_every_cut_keeps_the_complete_entries_before_it() -> None:
    body = atom(*(entry(f"2501.0000{n}") for n in range(1, 5)))
    for at in range(0, len(body), 19):
        parsed = arxiv_atom.parse(body[:at], HINTS)
        assert_sound(parsed)
        assert parsed.items.height == body[:at].count(b"</entry>")
        assert reasons(parsed) == ["broken_xml"]
