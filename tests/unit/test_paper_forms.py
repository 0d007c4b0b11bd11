"""Pages saved as one file, pages of one paper, and feeds of papers."""

from __future__ import annotations

import html
import json
import quopri
from datetime import date
from typing import Any

import pytest

from pipelines.parsing import formats, listing_html, listing_mhtml, paper_page, papers_feed
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Hints, Parsed
from tests.fixtures.listings import (
    ABSTRACT,
    HINTS,
    article,
    assert_sound,
    html_page,
    item,
    reasons,
)

pytestmark = pytest.mark.unit

SITE = "https://huggingface.co"
ITEMS = [
    item(f"2501.0000{n}", f"Paper {n} – ß", submittedOnDailyAt=f"2025-01-0{n + 5}")
    for n in (1, 2, 3)
]
TEXT = ABSTRACT.strip()


def mhtml(
    page: bytes, address: str, *, encoding: str = "quoted-printable", end: str = "\r\n"
) -> bytes:
    lines = [
        "From: <Saved by Blink>",
        f"Snapshot-Content-Location: {address}",
        "Subject: Daily Papers - Hugging Face",
        "Date: Fri, 10 Jan 2025 10:00:00 -0000",
        "MIME-Version: 1.0",
        "Content-Type: multipart/related;",
        '\ttype="text/html";',
        '\tboundary="----x"',
        "",
        "",
        "------x",
        "Content-Type: text/html",
        f"Content-Transfer-Encoding: {encoding}",
        f"Content-Location: {address}",
        "",
    ]
    coded = quopri.encodestring(page) if encoding == "quoted-printable" else page
    tail = "\n------x\nContent-Type: image/png\n\nnot a picture\n------x--\n"
    text = ("\n".join(lines) + "\n").encode() + coded + tail.encode()
    return text.replace(b"\n", end.encode())


def kind(parsed: Parsed) -> str:
    return infer_kind(parsed.items, parsed.stated_kind, parsed.listed_on)[0]


@pytest.mark.parametrize("encoding", ["quoted-printable", "binary"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_page_saved_as_one_file(encoding: str, end: str) -> None:
    page = html_page({"dailyPapers": ITEMS, "dateString": "2025-W02", "periodType": "week"})
    body = mhtml(page, f"{SITE}/papers/week/2025-W02", encoding=encoding, end=end)
    assert formats.detect(body).name == "listing_mhtml"
    parsed = listing_mhtml.parse(body, HINTS)
    assert parsed.items["title"].to_list() == [f"Paper {n} – ß" for n in (1, 2, 3)]
    assert (kind(parsed), parsed.captured_on) == ("weekly", date(2025, 1, 10))


def test_the_address_of_a_saved_file_states_the_kind() -> None:
    cards = [
        article(f"2501.0000{n}", f"Paper {n}").replace('href="/', f'href="{SITE}/') for n in (1, 2)
    ]
    parsed = listing_mhtml.parse(mhtml(html_page("", *cards), f"{SITE}/papers/trending"), HINTS)
    assert parsed.items["arxiv_id"].to_list() == ["2501.00001", "2501.00002"]
    assert kind(parsed) == "trending"


def test_a_cut_file_keeps_the_complete_items() -> None:
    body = mhtml(html_page({"dailyPapers": ITEMS}), f"{SITE}/papers")
    for at in range(600, len(body), 97):
        parsed = listing_mhtml.parse(body[:at], HINTS)
        assert_sound(parsed)
        ids = parsed.items["arxiv_id"].to_list()
        assert ids == ["2501.00001", "2501.00002", "2501.00003"][: len(ids)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(mhtml(b"<html><p>Sign in</p></html>", "https://example.org"), id="other page"),
        pytest.param(mhtml(b"", "https://example.org"), id="no page"),
    ],
)
def test_files_without_papers_are_rejected_whole(body: bytes) -> None:
    assert reasons(listing_mhtml.parse(body, HINTS)) == ["html_not_a_listing"]


PAPER: dict[str, Any] = {**ITEMS[0]["paper"], "organization": {"fullname": "Example Labs"}}


REST = "<a>View arXiv page</a><h2>Models citing this paper 5</h2><p>No</p></main>"


def paper_html(data: dict[str, Any] | None, *, address: str | None = "2501.00001") -> bytes:
    props = (
        ""
        if data is None
        else f'<div data-target="PaperContent" data-props="{html.escape(json.dumps(data))}"></div>'
    )
    url = f'<meta property="og:url" content="{SITE}/papers/{address}">' if address else ""
    return (
        f"<!doctype html><html><head><title>Paper page - Paper 1</title>{url}</head><body>"
        "<script>var x = 'arxiv:2501.00009';</script><nav>Models</nav><main><p>Papers</p>"
        "<a>arxiv:2501.00001</a><h1>Paper <i>1</i> – ß</h1><div>Published on Jan 2, 2025</div>"
        "<div>Upvote <div>56</div></div><div>Authors:</div>"
        "<span>Ada Example</span>,<span>Bo Example</span>"
        "<h2>Abstract</h2><p>A sentence of a model.</p><div>AI-generated summary</div>"
        f"<p>{TEXT}</p>"
        f"{REST}{props}</body></html>"
    ).encode()


def test_the_data_of_a_papers_page() -> None:
    body = paper_html({"comments": [], "paper": PAPER})
    assert formats.detect(body).name == "paper_page"
    parsed = paper_page.parse(body, HINTS)
    (row,) = parsed.items.to_dicts()
    assert (row["arxiv_id"], row["title"], row["upvotes"]) == ("2501.00001", "Paper 1 – ß", 3)
    assert row["authors"] == ["Ada Example", "Bo Example"]
    assert row["organization"] == "Example Labs"
    assert kind(parsed) == "unknown"


@pytest.mark.parametrize("data", [None, {"paper": {**PAPER, "id": "2501.00009"}}, {"paper": 5}])
@pytest.mark.parametrize("address", ["2501.00001", "2501.00001v2"])
def test_a_papers_page_without_its_data(data: dict[str, Any] | None, address: str) -> None:
    (row,) = paper_page.parse(paper_html(data, address=address), HINTS).items.to_dicts()
    shown = ("arxiv_id", "title", "authors", "published_on", "upvotes", "abstract")
    assert tuple(row[name] for name in shown) == (
        "2501.00001",
        "Paper 1 – ß",
        ["Ada Example", "Bo Example"],
        date(2025, 1, 2),
        56,
        TEXT,
    )


COPIED = (
    "Papers\n\narxiv:2501.00001\n\nPaper 1\n\nPublished on Jan 2, 2025\n\n· Submitted by\n\n"
    "some-one on Jan 3, 2025\n\nUpvote\n\n56\n\n+51\n\nAuthors:\n\n"
    "Ada Example\n\n,\n\nBo Example\n\n"
    f"Abstract\n\n{TEXT}\n\nView arXiv page\n\nView PDF\n\nCommunity\n\nFirst!\n"
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(COPIED, id="copied"),
        pytest.param(
            COPIED.replace("Paper 1", "# Paper 1").replace("Abstract", "## Abstract"), id="markdown"
        ),
        pytest.param(
            COPIED.replace("Ada Example\n\n,\n\nBo Example", "Ada Example, Bo Example"),
            id="one line",
        ),
        pytest.param(COPIED.replace("\n", "\r\n"), id="crlf"),
    ],
)
def test_the_copied_page_of_a_paper(text: str) -> None:
    assert formats.detect(text.encode()).name == "paper_page"
    parsed = paper_page.parse(text.encode(), HINTS)
    (row,) = parsed.items.to_dicts()
    assert (row["arxiv_id"], row["title"], row["abstract"]) == ("2501.00001", "Paper 1", TEXT)
    assert row["authors"] == ["Ada Example", "Bo Example"]
    assert (row["published_on"], row["upvotes"]) == (date(2025, 1, 2), 56)
    assert kind(parsed) == "unknown"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("\n\nPaper 1\n", "\n", "title_uncertain"),
        ("\n\nPaper 1\n", "\n\nShare\n\nPaper 1\n", "title_uncertain"),
        ("arxiv:2501.00001", "arxiv:x", "html_not_a_listing"),
        (TEXT, "", "html_not_a_listing"),
    ],
    ids=["no title", "two lines", "no id", "no abstract"],
)
def test_a_damaged_page_of_a_paper_is_set_aside(old: str, new: str, reason: str) -> None:
    parsed = paper_page.parse(COPIED.replace(old, new).encode(), HINTS)
    assert (parsed.items.height, reasons(parsed)) == (0, [reason])


def test_an_incomplete_list_of_authors_is_not_used() -> None:
    text = COPIED.replace("Bo Example\n", "Bo Example\n\n+12 authors\n")
    assert paper_page.parse(text.encode(), HINTS).items["authors"].to_list() == [None]


def rss(*entries: str) -> bytes:
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>Daily Papers</title>'
        f"<link>{SITE}/papers</link>{''.join(entries)}</channel></rss>"
    ).encode()


def rss_item(arxiv_id: str, title: str, more: str = "") -> str:
    return (
        f"<item><title>{title}</title><link>{SITE}/papers/{arxiv_id}</link>{more}"
        "<description>&lt;p&gt;&lt;b&gt;Authors:&lt;/b&gt; Ada&lt;/p&gt;&lt;p&gt;"
        f"Abstract: {TEXT}&lt;/p&gt;"
        "</description><pubDate>Fri, 10 Jan 2025 00:00:00 GMT</pubDate></item>"
    )


def test_an_rss_feed() -> None:
    creator = '<creator xmlns="http://purl.org/dc/elements/1.1/">Ada Example, Bo Example</creator>'
    body = rss(
        rss_item("2501.00001", "One &amp;amp; Two (113 ▲)", creator),
        rss_item("2501.00002", "Three"),
    )
    assert formats.detect(body).name == "papers_feed"
    parsed = papers_feed.parse(body, HINTS)
    assert parsed.items.select("arxiv_id", "title", "abstract", "published_on").rows() == [
        ("2501.00001", "One & Two", TEXT, None),
        ("2501.00002", "Three", TEXT, None),
    ]
    assert parsed.items["authors"].to_list() == [["Ada Example", "Bo Example"], None]
    assert kind(parsed) == "unknown"


def test_an_atom_feed_and_a_json_feed() -> None:
    entry = (
        f'<entry><title>One</title><link href="{SITE}/papers/2501.00001"/><summary>{TEXT}</summary>'
        "<author><name>Ada Example</name></author><author><name>Bo Example</name></author></entry>"
    )
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode()
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {
                "id": "1",
                "url": f"{SITE}/papers/2501.00001",
                "title": "One",
                "content_html": f"<p>{TEXT}</p>",
                "authors": [{"name": "Ada Example"}, {"name": "Bo Example"}],
            }
        ],
    }
    for body in (atom, json.dumps(feed).encode()):
        assert formats.detect(body).name == "papers_feed"
        (row,) = papers_feed.parse(body, HINTS).items.to_dicts()
        assert (row["arxiv_id"], row["title"], row["abstract"]) == ("2501.00001", "One", TEXT)
        assert row["authors"] == ["Ada Example", "Bo Example"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (rss_item("x", "A Title"), "bad_arxiv_id"),
        (rss_item("2501.00001", ""), "missing_title"),
        (rss_item("2501.00001", f"{SITE}/papers/2501.00001"), "title_uncertain"),
        (rss_item("2501.00001", "A", f"<guid>{SITE}/papers/2501.00002</guid>"), "bad_arxiv_id"),
    ],
    ids=["no id", "no title", "address as title", "two papers"],
)
def test_an_invalid_entry_does_not_affect_the_others(entry: str, reason: str) -> None:
    parsed = papers_feed.parse(rss(rss_item("2501.00003", "Good"), entry), HINTS)
    assert parsed.items["title"].to_list() == ["Good"]
    assert reasons(parsed) == [reason]


def test_a_cut_feed_keeps_its_complete_entries() -> None:
    body = rss(*[rss_item(f"2501.0000{n}", f"Paper {n}") for n in (1, 2, 3)])
    for at in range(150, len(body), 61):
        parsed = papers_feed.parse(body[:at], HINTS)
        assert_sound(parsed)
        titles = parsed.items["title"].to_list()
        assert titles == ["Paper 1", "Paper 2", "Paper 3"][: len(titles)]


def test_absolute_links_in_cards() -> None:
    card = article("2501.00001", "A Title").replace('href="/', f'href="{SITE}/')
    assert listing_html.parse(html_page("", card), Hints(HINTS.received_at)).items.height == 1


def test_many_open_tags_are_read_in_one_pass() -> None:
    body = b"<html><title>Paper page - x</title>" + b"<script" * 50_000
    assert reasons(paper_page.parse(body, HINTS)) == ["html_not_a_listing"]
