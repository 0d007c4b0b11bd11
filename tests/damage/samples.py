"""A small body of every form, written from the facts. Each form of `FORMATS` has at least one.

JSON and XML have one value per line, so that damage to lines reaches every value; each has a sample
on one line too. Names of samples are `<format>` or `<format>: <variant>`.
"""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from tests.damage.papers import Paper

Papers = Sequence[Paper]
SAMPLES: dict[str, Callable[[Papers], bytes]] = {}
_NAMES = {
    "cs.LG": "Machine Learning", "cs.CL": "Computation and Language",
    "cs.CV": "Computer Vision and Pattern Recognition", "stat.ML": "Machine Learning",
}  # fmt: skip
_DAY = "Friday, 10 October 2025"


def sample(name: str) -> Callable[[Callable[[Papers], bytes]], Callable[[Papers], bytes]]:
    """Register a writer of one form."""

    def register(write: Callable[[Papers], bytes]) -> Callable[[Papers], bytes]:
        SAMPLES[name] = write
        return write

    return register


def _subjects(paper: Paper) -> str:
    return "; ".join(f"{_NAMES[name]} ({name})" for name in paper.categories)


def _time(paper: Paper) -> str:
    return f"{paper.published_at:%Y-%m-%dT%H:%M:%S.000Z}"


# Hugging Face


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "id": paper.arxiv_id,
        "authors": [{"name": name, "hidden": False} for name in paper.authors],
        "publishedAt": _time(paper),
        "title": paper.title,
        "summary": paper.abstract,
        "upvotes": paper.upvotes,
        "githubRepo": f"https://github.com/example/case-{paper.upvotes}",
        "githubStars": paper.comments,
        "projectPage": f"https://example.org/case-{paper.upvotes}",
        "submittedOnDailyAt": "2025-10-10T01:02:03.000Z",
        "ai_keywords": list(paper.keywords),
        "organization": {"name": paper.organization, "fullname": paper.organization},
    }


def _item(paper: Paper) -> dict[str, Any]:
    return {
        "paper": _paper(paper),
        "publishedAt": _time(paper),
        "title": paper.title,
        "numComments": paper.comments,
    }


def _pretty(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode()


@sample("daily_papers_json")
def _api(papers: Papers) -> bytes:
    return _pretty([_item(paper) for paper in papers])


@sample("daily_papers_json: one line")
def _api_line(papers: Papers) -> bytes:
    return json.dumps([_item(paper) for paper in papers], ensure_ascii=False).encode()


@sample("daily_papers_json: wrapped")
def _wrapped(papers: Papers) -> bytes:
    return _pretty({"data": [_item(paper) for paper in papers]})


@sample("daily_papers_lines")
def _item_lines(papers: Papers) -> bytes:
    return b"\n".join(json.dumps(_item(paper), ensure_ascii=False).encode() for paper in papers)


@sample("listing_html")
def _props_page(papers: Papers) -> bytes:
    props = html.escape(json.dumps({"dailyPapers": [_item(paper) for paper in papers]}, indent=1))
    return (
        "<!doctype html>\n<html>\n<body>\n<main>\n"
        f'<div data-target="DailyPapers" data-props="{props}">\n</div>\n</main>\n</body>\n</html>'
    ).encode()


@sample("listing_html: cards")
def _card_page(papers: Papers) -> bytes:
    cards = "\n".join(
        f'<article>\n<div class="leading-none">{paper.upvotes}</div>\n'
        f'<h3>\n<a href="/papers/{paper.arxiv_id}">{html.escape(paper.title)}</a>\n</h3>\n'
        f"<div>\n· <span>{len(paper.authors)} authors</span>\n</div>\n"
        f'<a href="/papers/{paper.arxiv_id}#community">{paper.comments}</a>\n</article>'
        for paper in papers
    )
    return f"<!doctype html>\n<html>\n<body>\n<main>\n{cards}\n</main>\n</body>\n</html>".encode()


_HEADER = (
    "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\n"
    "byAK and the research community\n\nOct 10\n\n"
)


def _text_card(paper: Paper, last: str) -> str:
    day = f"{paper.published_on:%b} {paper.published_on.day}, {paper.published_on.year}"
    return f"{paper.title}\n\n{paper.abstract}\n\n{last}\n\n·\n\n{day} {paper.comments}"


@sample("listing_text")
def _text_page(papers: Papers) -> bytes:
    cards = (_text_card(paper, f"  • {len(paper.authors)} authors") for paper in papers)
    return (_HEADER + "\n\n".join(cards)).encode()


@sample("listing_text: organisations")
def _organisation_page(papers: Papers) -> bytes:
    cards = (
        _text_card(paper, paper.organization if number % 2 else f"  • {len(paper.authors)} authors")
        for number, paper in enumerate(papers)
    )
    return (_HEADER + "\n\n".join(cards)).encode()


# arXiv


def _record(paper: Paper) -> dict[str, Any]:
    names = [[*reversed(name.rsplit(" ", 1)), ""] for name in paper.authors]
    return {
        "id": paper.arxiv_id,
        "submitter": paper.authors[0],
        "authors": ", ".join(paper.authors),
        "title": paper.title,
        "categories": " ".join(paper.categories),
        "abstract": f"  {paper.abstract}\n",
        "versions": [
            {"version": "v1", "created": f"{paper.published_at:%a, %d %b %Y %H:%M:%S GMT}"}
        ],
        "update_date": paper.announced_on.isoformat(),
        "authors_parsed": names,
    }


@sample("arxiv_snapshot")
def _snapshot(papers: Papers) -> bytes:
    return b"".join(json.dumps(_record(paper)).encode() + b"\n" for paper in papers)


@sample("arxiv_array")
def _array(papers: Papers) -> bytes:
    # A name that is split over lines shows no damage to them, so each field is on one line.
    records = (
        ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in _record(paper).items())
        for paper in papers
    )
    return ("[\n" + ",\n".join(f"{{\n{record}\n}}" for record in records) + "\n]").encode()


@sample("arxiv_lines")
def _lists(papers: Papers) -> bytes:
    rows = (
        {
            "id": paper.arxiv_id,
            "title": paper.title,
            "authors": list(paper.authors),
            "categories": list(paper.categories),
            "summary": paper.abstract,
            "abs": f"https://arxiv.org/abs/{paper.arxiv_id}",
        }
        for paper in papers
    )
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _lines(*parts: str) -> str:
    return "\n".join(parts)


@sample("arxiv_atom")
def _atom(papers: Papers) -> bytes:
    entries = (
        _lines(
            "<entry>",
            f"<id>http://arxiv.org/abs/{paper.arxiv_id}v1</id>",
            f"<title>{escape(paper.title)}</title>",
            f"<published>{_time(paper)}</published>",
            f"<summary>{escape(paper.abstract)}</summary>",
            *(f"<author>\n<name>{escape(name)}</name>\n</author>" for name in paper.authors),
            f'<arxiv:primary_category term="{paper.categories[0]}"/>',
            *(f'<category term="{name}"/>' for name in paper.categories),
            "</entry>",
        )
        for paper in papers
    )
    return _lines(
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom">',
        "<updated>2025-10-20T00:00:00Z</updated>",
        *entries,
        "</feed>",
    ).encode()


@sample("arxiv_feed")
def _feed(papers: Papers) -> bytes:
    items = (
        _lines(
            "<item>",
            f"<title>{escape(paper.title)}</title>",
            f"<link>https://arxiv.org/abs/{paper.arxiv_id}</link>",
            f"<description>arXiv:{paper.arxiv_id}v1 Announce Type: new",
            f"Abstract: {escape(paper.abstract)}</description>",
            f'<guid isPermaLink="false">oai:arXiv.org:{paper.arxiv_id}v1</guid>',
            *(f"<category>{name}</category>" for name in paper.categories),
            "<pubDate>Fri, 10 Oct 2025 00:00:00 -0400</pubDate>",
            "<arxiv:announce_type>new</arxiv:announce_type>",
            f"<dc:creator>{escape(', '.join(paper.authors))}</dc:creator>",
            "</item>",
        )
        for paper in papers
    )
    return _lines(
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rss xmlns:arxiv="http://arxiv.org/schemas/atom"',
        'xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0">',
        "<channel>",
        "<title>cs.LG updates on arXiv.org</title>",
        "<link>http://rss.arxiv.org/rss/cs.LG</link>",
        *items,
        "</channel>",
        "</rss>",
    ).encode()


@sample("arxiv_oai")
def _oai(papers: Papers) -> bytes:
    return _oai_page(papers, _raw)


@sample("arxiv_oai: arXiv")
def _oai_plain(papers: Papers) -> bytes:
    return _oai_page(papers, _plain)


def _oai_page(papers: Papers, metadata: Callable[[Paper], str]) -> bytes:
    records = (
        _lines(
            "<record>",
            "<header>",
            f"<identifier>oai:arXiv.org:{paper.arxiv_id}</identifier>",
            f"<datestamp>{paper.announced_on}</datestamp>",
            "</header>",
            "<metadata>",
            metadata(paper),
            "</metadata>",
            "</record>",
        )
        for paper in papers
    )
    return _lines(
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">',
        "<responseDate>2025-10-20T00:00:00Z</responseDate>",
        "<ListRecords>",
        *records,
        "</ListRecords>",
        "</OAI-PMH>",
    ).encode()


def _raw(paper: Paper) -> str:
    return _lines(
        '<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/">',
        f"<id>{paper.arxiv_id}</id>",
        f'<version version="v1">\n<date>{paper.published_at:%a, %d %b %Y %H:%M:%S GMT}</date>',
        "</version>",
        f"<title>{escape(paper.title)}</title>",
        f"<authors>{escape(', '.join(paper.authors))}</authors>",
        f"<categories>{' '.join(paper.categories)}</categories>",
        f"<abstract>{escape(paper.abstract)}</abstract>",
        "</arXivRaw>",
    )


def _plain(paper: Paper) -> str:
    names = (name.rsplit(" ", 1) for name in paper.authors)
    return _lines(
        '<arXiv xmlns="http://arxiv.org/OAI/arXiv/">',
        f"<id>{paper.arxiv_id}</id>",
        f"<created>{paper.published_on}</created>",
        "<authors>",
        *(
            f"<author><keyname>{last}</keyname><forenames>{first}</forenames></author>"
            for first, last in names
        ),
        "</authors>",
        f"<title>{escape(paper.title)}</title>",
        f"<categories>{' '.join(paper.categories)}</categories>",
        f"<abstract>{escape(paper.abstract)}</abstract>",
        "</arXiv>",
    )


@sample("arxiv_list_html")
def _list_page(papers: Papers) -> bytes:
    entries = (
        _lines(
            "<dt>",
            f"<a name='item{n}'>[{n}]</a>",
            f"<a href='/abs/{paper.arxiv_id}' title='Abstract'>arXiv:{paper.arxiv_id}</a>",
            "</dt>",
            "<dd>",
            "<div class='meta'>",
            "<div class='list-title mathjax'><span class='descriptor'>Title:</span>",
            f"{escape(paper.title)}</div>",
            "<div class='list-authors'>",
            ",\n".join(f"<a href='/search/?q=x'>{name}</a>" for name in paper.authors),
            "</div>",
            "<div class='list-subjects'><span class='descriptor'>Subjects:</span>",
            f"{_subjects(paper)}</div>",
            f"<p class='mathjax'>{escape(paper.abstract)}</p>",
            "</div>",
            "</dd>",
        )
        for n, paper in enumerate(papers, start=1)
    )
    return _lines(
        "<!DOCTYPE html>",
        "<html><head><title>Machine Learning</title></head><body>",
        "<a href='https://arxiv.org/'>arXiv</a>",
        "<dl id='articles'>",
        f"<h3>Showing new listings for {_DAY}</h3>",
        *entries,
        "</dl>",
        "</body></html>",
    ).encode()


@sample("arxiv_list_text")
def _list_text(papers: Papers) -> bytes:
    entries = (
        _lines(
            f"[{n}] arXiv:{paper.arxiv_id} [pdf, html, other]",
            f"Title: {paper.title}",
            ", ".join(paper.authors),
            f"Subjects: {_subjects(paper)}",
            "",
            paper.abstract,
            "",
        )
        for n, paper in enumerate(papers, start=1)
    )
    heading = f"Showing new listings for {_DAY}"
    total = f"Total of {len(papers)} entries"
    return _lines(heading, total, "", *entries).encode()


@sample("arxiv_mail")
def _mail(papers: Papers) -> bytes:
    ruler = "-" * 78
    entries = (
        _lines(
            "\\\\",
            f"arXiv:{paper.arxiv_id}",
            f"Date: {paper.published_at:%a, %d %b %Y %H:%M:%S GMT}   (123kb)",
            "",
            f"Title: {paper.title}",
            f"Authors: {', '.join(paper.authors)}",
            f"Categories: {' '.join(paper.categories)}",
            "\\\\",
            f"  {paper.abstract}",
            f"\\\\ ( https://arxiv.org/abs/{paper.arxiv_id} ,  123kb)",
            ruler,
        )
        for paper in papers
    )
    return _lines(
        ruler,
        "Send any comments regarding submissions directly to submitter.",
        ruler,
        " Submissions to:",
        "Computer Science",
        " received from  Wed  8 Oct 25 18:00:00 GMT  to  Thu  9 Oct 25 18:00:00 GMT",
        ruler,
        *entries,
    ).encode()


# Hugging Face's pages as Markdown, and lists of papers


@sample("listing_markdown")
def _markdown(papers: Papers) -> bytes:
    header = (
        "---\ntitle: Daily Papers - Hugging Face\n"
        "source: https://huggingface.co/papers/date/2025-10-10\n---\n\n"
    )
    cards = (_markdown_card(paper) for paper in papers)
    return (header + "\n".join(cards)).encode()


def _markdown_card(paper: Paper) -> str:
    page = f"https://huggingface.co/papers/{paper.arxiv_id}"
    day = f"{paper.published_on:%b} {paper.published_on.day}, {paper.published_on.year}"
    return _lines(
        f"[{paper.upvotes}](https://huggingface.co/login?next=%2Fpapers%2F{paper.arxiv_id})",
        "",
        f"### [{paper.title}]({page})",
        "",
        f"[{paper.abstract}]({page})",
        "",
        "[- ![](https://huggingface.co/a.svg)\\\\",
        f"- {len(paper.authors)} authors]({page})",
        "",
        "·",
        "",
        f"{day}[{paper.comments}]({page}#community)",
        "",
    )


@sample("bibtex")
def _bibtex(papers: Papers) -> bytes:
    entries = (
        _lines(
            f"@article{{key{n},",
            f"  title = {{{paper.title}}},",
            f"  author = {{{' and '.join(paper.authors)}}},",
            f"  eprint = {{{paper.arxiv_id}}},",
            "  archivePrefix = {arXiv},",
            f"  primaryClass = {{{paper.categories[0]}}},",
            f"  abstract = {{{paper.abstract.replace('%', chr(92) + '%')}}}",
            "}",
        )
        for n, paper in enumerate(papers)
    )
    return "\n\n".join(entries).encode() + b"\n"


@sample("ris")
def _ris(papers: Papers) -> bytes:
    entries = (
        _lines(
            "TY  - JOUR",
            f"TI  - {paper.title}",
            *(f"AU  - {', '.join(reversed(name.rsplit(' ', 1)))}" for name in paper.authors),
            f"AB  - {paper.abstract}",
            f"UR  - https://arxiv.org/abs/{paper.arxiv_id}",
            "ER  - ",
        )
        for paper in papers
    )
    return "\n".join(entries).encode() + b"\n"


@sample("table")
def _table(papers: Papers) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["arxiv_id", "title", "authors", "abstract", "published"])
    for paper in papers:
        names = "; ".join(paper.authors)
        rows.writerow(
            [paper.arxiv_id, paper.title, names, paper.abstract, paper.published_on.isoformat()]
        )
    return out.getvalue().encode()


@sample("listing_mhtml")
def _mhtml(papers: Papers) -> bytes:
    head = _lines(
        "From: <Saved by Blink>",
        "Snapshot-Content-Location: https://huggingface.co/papers",
        "Subject: Daily Papers - Hugging Face",
        "Date: Fri, 10 Oct 2025 10:00:00 -0000",
        "MIME-Version: 1.0",
        "Content-Type: multipart/related;",
        '\ttype="text/html";',
        '\tboundary="----x"',
        "",
        "",
        "------x",
        "Content-Type: text/html",
        "Content-Transfer-Encoding: binary",
        "Content-Location: https://huggingface.co/papers",
        "",
        "",
    )
    return head.encode() + _props_page(papers) + b"\n------x--\n"


@sample("papers_feed")
def _papers_feed(papers: Papers) -> bytes:
    items = (
        _lines(
            "<item>",
            f"<title>{escape(paper.title)}</title>",
            f"<link>https://huggingface.co/papers/{paper.arxiv_id}</link>",
            f"<description>{escape(paper.abstract)}</description>",
            "</item>",
        )
        for paper in papers
    )
    return _lines(
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rss version="2.0">',
        "<channel>",
        "<title>Papers of the day</title>",
        "<link>https://huggingface.co/papers</link>",
        *items,
        "</channel>",
        "</rss>",
    ).encode()


@sample("paper_page")
def _paper_text(papers: Papers) -> bytes:
    paper = papers[0]
    day = f"{paper.published_on:%b} {paper.published_on.day}, {paper.published_on.year}"
    parts = (
        "Papers", f"arxiv:{paper.arxiv_id}", paper.title, f"Published on {day}", "Upvote",
        f"{paper.upvotes}", "Authors:", "\n\n,\n\n".join(paper.authors), "Abstract",
        paper.abstract, "View arXiv page", "View PDF", "Community",
    )  # fmt: skip
    return "\n\n".join(parts).encode() + b"\n"


@sample("paper_page: HTML")
def _paper_html(papers: Papers) -> bytes:
    data = html.escape(json.dumps({"comments": [], "paper": _paper(papers[0])}, indent=1))
    return _lines(
        "<!doctype html>",
        f"<html><head><title>Paper page - {papers[0].title}</title>",
        f'<meta property="og:url" content="https://huggingface.co/papers/{papers[0].arxiv_id}">',
        "</head><body>",
        f'<div data-target="PaperContent" data-props="{data}"></div>',
        "</body></html>",
    ).encode()
