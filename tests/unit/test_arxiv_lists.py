"""arXiv's lists of papers: saved pages, copied text, and the daily mail."""

from __future__ import annotations

import io
from base64 import encodebytes
from datetime import date
from quopri import encodestring

import pytest

from pipelines.parsing import arxiv_list_html, arxiv_list_text, arxiv_mail, formats
from tests.fixtures.listings import HINTS, assert_sound, joined, reasons

pytestmark = pytest.mark.unit

SUBJECTS = "Machine Learning (cs.LG); Networking and Internet Architecture (cs.NI)"


def dt(n: int, arxiv_id: str, mark: str = "") -> str:
    return (
        f"<dt><a name='item{n}'>[{n}]</a> <a href='/abs/{arxiv_id}' title='Abstract'>"
        f"arXiv:{arxiv_id}</a>{mark} [<a href='/pdf/{arxiv_id}'>pdf</a>]</dt>"
    )


def dd(title: str, names: str, abstract: str = "") -> str:
    linked = ", ".join(f"<a href='/search/?q={name[0]}'>{name}</a>" for name in names.split(", "))
    text = f"<p class='mathjax'>{abstract}</p>" if abstract else ""
    return (
        "<dd><div class='meta'><div class='list-title mathjax'>"
        f"<span class='descriptor'>Title:</span> {title}</div>"
        f"<div class='list-authors'>{linked}</div>"
        "<div class='list-comments mathjax'><span class='descriptor'>Comments:</span> 9 pages</div>"
        "<div class='list-subjects'><span class='descriptor'>Subjects:</span> "
        f"<span class='primary-subject'>Machine Learning (cs.LG)</span>; "
        f"Networking and Internet Architecture (cs.NI)</div>{text}</div></dd>"
    )


def html(inside: str) -> bytes:
    return (
        "<!DOCTYPE html><html><head><title>Machine Learning</title></head><body>"
        f"<a href='https://arxiv.org/'>arXiv</a><dl id='articles'>{inside}</dl></body></html>"
    ).encode()


NEW_PAGE = html(
    "<h3>Showing new listings for Thursday, 8 January 2026</h3><h3>New submissions</h3>"
    + dt(1, "2601.00001")
    + dd("Title &amp; one", "Ada One, Bo Two", "Text of\nit.")
    + "<h3>Replacement submissions</h3>"
    + dt(2, "2409.11111", " (replaced)")
    + dd("Title two", "Cy Three", "Text of it.")
)
RECENT_PAGE = html(
    "<h3>Thu, 8 Jan 2026 (showing 1 of 1 entries )</h3>"
    + dt(1, "2601.00001")
    + dd("Title &amp; one", "Ada One, Bo Two")
    + "<h3>Wed, 7 Jan 2026 (showing 1 of 1 entries )</h3>"
    + dt(2, "2601.00002")
    + dd("Title two", "Cy Three")
)


def test_a_new_page_is_read() -> None:
    assert formats.detect(NEW_PAGE).name == "arxiv_list_html"
    parsed = arxiv_list_html.parse(NEW_PAGE, HINTS)
    assert_sound(parsed)
    assert parsed.rejects == ()
    first, second = parsed.items.to_dicts()
    assert (first["arxiv_id"], first["title"]) == ("2601.00001", "Title & one")
    assert (first["authors"], first["abstract"]) == (["Ada One", "Bo Two"], "Text of it.")
    assert first["categories"] == ["cs.LG", "cs.NI"]
    assert {first["announced_on"], second["announced_on"]} == {date(2026, 1, 8)}
    assert second["published_on"] == date(2024, 9, 1)


def test_a_recent_page_has_a_day_for_each_part() -> None:
    parsed = arxiv_list_html.parse(RECENT_PAGE, HINTS)
    assert parsed.items["announced_on"].to_list() == [date(2026, 1, 8), date(2026, 1, 7)]
    assert parsed.items["abstract"].null_count() == 2
    assert parsed.captured_on == date(2026, 1, 8)


@pytest.mark.parametrize("page", [NEW_PAGE, RECENT_PAGE], ids=["new", "recent"])
def test_a_cut_page_never_shows_half_an_entry(page: bytes) -> None:
    whole = arxiv_list_html.parse(page, HINTS).items
    for at in range(200, len(page), 5):
        parsed = arxiv_list_html.parse(page[:at], HINTS)
        assert_sound(parsed)
        assert parsed.items.equals(whole.head(parsed.items.height))


def test_a_page_cut_at_both_ends_never_shows_half_an_entry() -> None:
    whole = arxiv_list_html.parse(NEW_PAGE, HINTS).items
    start = NEW_PAGE.index(b"list-title") + 5  # within the first entry, whose end remains
    for at in range(NEW_PAGE.rindex(b"<dd"), NEW_PAGE.rindex(b"</dd>"), 9):
        parsed = arxiv_list_html.parse(NEW_PAGE[start:at], HINTS)
        assert_sound(parsed)
        assert not set(parsed.items["abstract"].drop_nulls()) - set(whole["abstract"])
        assert "2409.11111" not in set(parsed.items["arxiv_id"])


TEXT = f"""Showing new listings for Thursday, 8 January 2026
Total of 2 entries
New submissions (showing 1 of 1 entries)

[1] arXiv:2601.00001 [pdf, html, other]
Title: Title & one
Ada One, Bo Two
Comments: 9 pages
Subjects: {SUBJECTS}

Text of it.

Replacement submissions (showing 1 of 1 entries)

[2] arXiv:2409.11111 (replaced) [pdf, html, other]
Title:
Title two
Authors: Cy Three
Journal-ref: A journal
Subjects: Machine Learning (cs.LG)

Text of it,
on two lines.
"""


def copied(*ids: str) -> bytes:
    """Copied text with one paper for each id."""
    heading = "Showing new listings for Thursday, 8 January 2026\n\n"
    return (
        heading
        + "".join(
            f"[{n}] arXiv:{arxiv_id} [pdf, html, other]\nTitle: Title of {arxiv_id}\nAda One\n"
            f"Subjects: {SUBJECTS}\n\nText of it.\n\n"
            for n, arxiv_id in enumerate(ids, start=1)
        )
    ).encode()


def mail(*ids: str) -> bytes:
    """A mail with one new paper for each id."""
    opening, _, rest = MAIL.partition("\\\\\n")
    first = rest.partition(RULER)[0]
    entries = (
        f"\\\\\n{first}{RULER}\n".replace("2601.00001", arxiv_id).replace(
            "Title & one", f"Title of {arxiv_id}"
        )
        for arxiv_id in ids
    )
    return (opening + "".join(entries)).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_copied_text_is_read(end: str) -> None:
    body = TEXT.replace("\n", end).encode()
    assert formats.detect(body).name == "arxiv_list_text"
    parsed = arxiv_list_text.parse(body, HINTS)
    assert_sound(parsed)
    assert parsed.rejects == ()
    first, second = parsed.items.to_dicts()
    assert (first["title"], first["authors"]) == ("Title & one", ["Ada One", "Bo Two"])
    assert (second["title"], second["authors"]) == ("Title two", ["Cy Three"])
    assert first["abstract"] == "Text of it."
    assert second["abstract"] == "Text of it, on two lines."
    assert first["categories"] == ["cs.LG", "cs.NI"]
    assert {first["announced_on"], second["announced_on"]} == {date(2026, 1, 8)}


def test_cut_text_never_shows_half_an_entry() -> None:
    shown = ["arxiv_id", "title", "authors", "primary_category", "announced_on"]
    whole = arxiv_list_text.parse(TEXT.encode(), HINTS).items
    for at in range(TEXT.index("[1]") + 30, len(TEXT)):
        parsed = arxiv_list_text.parse(TEXT[:at].encode(), HINTS)
        assert_sound(parsed)
        assert parsed.items.select(shown).equals(whole.select(shown).head(parsed.items.height))


RULER = "-" * 78
MAIL = f"""{RULER}
Send any comments regarding submissions directly to submitter.
{RULER}
Archives at http://arxiv.org/
To unsubscribe, e-mail To: cs@arXiv.org, Subject: cancel
{RULER}
 Submissions to:
Computer Science
 received from  Tue  6 Jan 26 19:00:00 GMT  to  Wed  7 Jan 26 19:00:00 GMT
{RULER}
{RULER}
\\\\
arXiv:2601.00001
Date: Tue, 6 Jan 2026 20:12:33 GMT   (123kb)

Title: Title & one
  on two lines
Authors: Ada One, Bo Two
  and Cy Three
Categories: cs.LG cs.NI
Comments: 9 pages
\\\\
  Text of
it.
\\\\ ( https://arxiv.org/abs/2601.00001 ,  123kb)
{RULER}
\\\\
arXiv:2409.11111
replaced with revised version Tue, 6 Jan 2026 21:00:00 GMT   (9kb)

Title: Title two
Authors: Ada One (A, B and C)
Categories: cs.LG
\\\\ ( https://arxiv.org/abs/2409.11111 ,  9kb)
{"%%--" * 10}
"""
HEADERS = "From: no-reply@arxiv.org\nSubject: cs daily\nMIME-Version: 1.0\n"
QUOTED = (
    f"{HEADERS}Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n\n"
).encode() + encodestring(MAIL.encode())
BASE64 = (
    f"{HEADERS}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
).encode() + encodebytes(MAIL.encode())
MAILS = {"text": MAIL.encode(), "quoted-printable": QUOTED, "base64": BASE64}


@pytest.mark.parametrize("name", MAILS)
def test_the_mail_is_read(name: str) -> None:
    detected = formats.detect(MAILS[name])
    assert detected.name == "arxiv_mail"
    parsed = arxiv_mail.parse(MAILS[name], HINTS)
    assert_sound(parsed)
    assert parsed.rejects == ()
    first, second = parsed.items.to_dicts()
    assert first["title"] == "Title & one on two lines"
    assert first["authors"] == ["Ada One", "Bo Two", "Cy Three"]
    assert (first["abstract"], second["abstract"]) == ("Text of it.", None)
    assert (first["published_on"], first["published_on_basis"]) == (date(2026, 1, 6), "arxiv_v1")
    assert (second["published_on"], second["authors"]) == (date(2024, 9, 1), ["Ada One"])
    assert {first["announced_on"], second["announced_on"]} == {date(2026, 1, 8)}
    assert first["categories"] == ["cs.LG", "cs.NI"]


def test_papers_received_until_friday_are_announced_on_monday() -> None:
    body = MAIL.replace("Tue  6 Jan", "Thu  8 Jan").replace("Wed  7 Jan", "Fri  9 Jan").encode()
    parsed = arxiv_mail.parse(body, HINTS)
    assert set(parsed.items["announced_on"]) == {date(2026, 1, 12)}


def test_a_cut_mail_never_shows_half_an_entry() -> None:
    whole = arxiv_mail.parse(MAIL.encode(), HINTS).items
    for at in range(MAIL.index("arXiv:2601") + 20, len(MAIL)):
        parsed = arxiv_mail.parse(MAIL[:at].encode(), HINTS)
        assert_sound(parsed)
        assert parsed.items.equals(whole.head(parsed.items.height))


@pytest.mark.parametrize(
    "body",
    [
        b"From: ada@example.org\nSubject: hello\n\nHow are you?\n",
        b"From: no-reply@arxiv.org\nSubject: Your submission\n\nThank you.\n",
        b"Subjects: Machine Learning (cs.LG)\n\nTitle: A\n",
        b"<html><body><p>See arxiv.org</p></body></html>",
        b"[1] Ada One. A title. arXiv:2601.00001, 2026.\n[2] Bo Two. Another. 2025.\n",
    ],
)
def test_other_mails_and_pages_give_no_papers(body: bytes) -> None:
    items, rejects = joined(formats.detect(body).parse(io.BytesIO(body), HINTS))
    assert items.height == 0
    assert rejects


def test_an_entry_in_another_layout_is_a_reject() -> None:
    odd = TEXT.replace("Title: Title & one\n", "")
    parsed = arxiv_list_text.parse(odd.encode(), HINTS)
    assert (parsed.items.height, reasons(parsed)) == (1, ["missing_title"])
