"""arXiv's daily feeds: the day is that of the announcement, also for new versions of old papers."""

from __future__ import annotations

from datetime import date
from html import escape

import pytest

from pipelines.parsing import arxiv_feed, formats
from tests.fixtures.listings import HINTS, assert_sound, atom, entry, reasons

pytestmark = pytest.mark.unit

NEW = ("2601.00001v1", "new", "Ada One, Bo Two and Cy Three")
REPLACED = ("2409.11111v3", "replace", "Ada One")
DAY = "2026-01-08"


def feed_entry(arxiv_id: str, kind: str, names: str) -> str:
    bare = arxiv_id.partition("v")[0]
    return (
        f"<entry><id>oai:arXiv.org:{arxiv_id}</id><title>Title of {bare}</title>"
        f'<link href="https://arxiv.org/abs/{bare}" rel="alternate"/>'
        f"<summary>arXiv:{arxiv_id} Announce Type: {kind} \nAbstract: Text of it.</summary>"
        '<category term="cs.LG"/><category term="cs.NI"/>'
        f"<published>{DAY}T00:00:00-05:00</published>"
        f"<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>{names}</dc:creator></entry>"
    )


def atom_feed(*entries: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<id>http://rss.arxiv.org/atom/cs.LG</id><title>cs.LG updates on arXiv.org</title>"
        f"<updated>{DAY}T05:00:10+00:00</updated>{''.join(entries)}</feed>"
    ).encode()


def rss_item(arxiv_id: str, kind: str, names: str) -> str:
    bare = arxiv_id.partition("v")[0]
    return (
        f"<item><title>Title of {bare}</title><link>https://arxiv.org/abs/{bare}</link>"
        f"<description>arXiv:{arxiv_id} Announce Type: {kind} Abstract: Text of it.</description>"
        f'<guid isPermaLink="false">oai:arXiv.org:{arxiv_id}</guid><category>cs.LG</category>'
        "<category>cs.NI</category><pubDate>Thu, 08 Jan 2026 00:00:00 -0500</pubDate>"
        f"<arxiv:announce_type>{kind}</arxiv:announce_type><dc:creator>{names}</dc:creator></item>"
    )


def rss_feed(*items: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel>'
        "<title>cs.LG updates on arXiv.org</title><link>http://rss.arxiv.org/rss/cs.LG</link>"
        f"{''.join(items)}</channel></rss>"
    ).encode()


def rdf_item(arxiv_id: str, kind: str, names: str) -> str:
    bare = arxiv_id.partition("v")[0]
    linked = ", ".join(f'<a href="http://arxiv.org/a">{n}</a>' for n in names.split(", "))
    mark = " UPDATED" if kind == "replace" else ""
    return (
        f'<item rdf:about="http://arxiv.org/abs/{bare}">'
        f"<title>Title of {bare}. (arXiv:{arxiv_id} [cs.LG]{mark})</title>"
        f"<link>http://arxiv.org/abs/{bare}</link>"
        f"<description>&lt;p&gt;Text of it.&lt;/p&gt;</description>"
        f"<dc:creator>{escape(linked)}</dc:creator></item>"
    )


def rdf_feed(*items: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<channel rdf:about="http://arxiv.org/"><title>cs.LG updates on arXiv.org</title>'
        f"<dc:date>{DAY}T20:30:00-05:00</dc:date></channel>{''.join(items)}</rdf:RDF>"
    ).encode()


FEEDS = {
    "atom": (atom_feed, feed_entry),
    "rss": (rss_feed, rss_item),
    "rss 1.0": (rdf_feed, rdf_item),
}


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_is_read(name: str) -> None:
    feed, item = FEEDS[name]
    body = feed(item(*NEW), item(*REPLACED))
    assert formats.detect(body).name == "arxiv_feed"
    parsed = arxiv_feed.parse(body, HINTS)
    assert_sound(parsed)
    assert parsed.rejects == ()
    new, replaced = parsed.items.to_dicts()
    assert (new["arxiv_id"], new["arxiv_version"]) == ("2601.00001", 1)
    assert (replaced["arxiv_id"], replaced["arxiv_version"]) == ("2409.11111", 3)
    assert new["authors"] == ["Ada One", "Bo Two", "Cy Three"]
    assert (new["title"], new["abstract"]) == ("Title of 2601.00001", "Text of it.")
    assert new["primary_category"] == "cs.LG"
    assert {new["announced_on"], replaced["announced_on"]} == {date(2026, 1, 8)}
    # The feed's date is that of the announcement, not of version 1.
    assert (replaced["published_on"], replaced["published_on_basis"]) == (
        date(2024, 9, 1),
        "arxiv_id_month",
    )


@pytest.mark.parametrize("name", FEEDS)
def test_a_cut_feed_keeps_its_complete_entries(name: str) -> None:
    feed, item = FEEDS[name]
    body = feed(item(*NEW), item(*REPLACED))
    first = body.index(item(*NEW).encode()) + len(item(*NEW))
    for at in range(first, len(body) - 1, 7):
        parsed = arxiv_feed.parse(body[:at], HINTS)
        assert_sound(parsed)
        assert parsed.items["arxiv_id"][0] == "2601.00001"
        assert reasons(parsed) == ["broken_xml"]


def test_an_entry_without_an_id_is_a_reject() -> None:
    broken = feed_entry(*NEW).replace("oai:arXiv.org:2601.00001v1", "x").replace("/abs/", "/a/")
    parsed = arxiv_feed.parse(atom_feed(broken, feed_entry(*REPLACED)), HINTS)
    assert (parsed.items.height, reasons(parsed)) == (1, ["bad_arxiv_id"])


def test_an_answer_of_the_api_is_not_a_feed() -> None:
    assert formats.detect(atom(entry())).name == "arxiv_atom"
