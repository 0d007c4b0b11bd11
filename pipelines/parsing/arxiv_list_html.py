"""Saved pages of arxiv.org/list: new, recent, and the months of an archive, as HTML.

The page states the day of its announcements, for a `new` page as a whole and for a `recent` page
above each day's papers. Pages of a month have no days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipelines.parsing.arxiv_ids import bad_id_detail, id_within
from pipelines.parsing.arxiv_records import RAW_WITH_NAMES, to_items, versions
from pipelines.parsing.arxiv_shapes import categories
from pipelines.parsing.author_names import split_names, tidy
from pipelines.parsing.clean import one_line
from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import HTML_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

ROWS = pl.Schema({"position": pl.Int64(), "place": pl.String(), **RAW_WITH_NAMES})
_LIST = re.compile(rb"<(?:div|span)[^>]{0,500}class=[\"']list-(?:title|identifier|authors)|"
                   rb"<dl[^>]{0,500}id=[\"']articles")  # fmt: skip
_DAY = re.compile(r"\b(\d{1,2} [A-Z][a-z]{2,8} \d{4})\b")
_LABEL = re.compile(r"^(?:Title|Authors?|Subjects?|Comments):\s*")


def matches(head: Head) -> bool:
    """Whether it is HTML with arXiv's list of papers."""
    return (
        head.is_markup and _LIST.search(head.start) is not None and b"arxiv" in head.start.lower()
    )


def parse(body: bytes, hints: Hints) -> Parsed:
    """The papers of a page; a page without any is rejected as a whole."""
    if rejected := too_large(body, HTML_LIMITS):
        return rejected
    papers = list(_papers(LexborHTMLParser(body.decode("utf-8", "replace"))))
    if len(papers) > MAX_ITEMS:
        return too_many_items("The page", body)
    lower = body.lower()
    is_cut = lower.rfind(b"</dd>") < lower.rfind(b"<dd")
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, (term, meta, day) in enumerate(papers, start=1):
        place = f"entry {position}"
        if is_cut and position == len(papers):
            detail = "The page was cut within this entry."
            rejects.append(Reject(place, "truncated_record", detail, excerpt(meta.text())))
            continue
        outcome = _row(term, meta, day, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    if not rows and not rejects:
        detail = "The page of arxiv.org/list shows no papers."
        return reject_body("listing_without_cards", detail, body)
    raw = pl.DataFrame(rows, schema=ROWS, orient="row").with_columns(*versions())
    days = [row["update_date"] for row in rows if row["update_date"]]
    shown_on = date.fromisoformat(max(days)) if days else None
    return to_items(raw, rejects, hints, captured_on=shown_on, stated_kind="announcement")


def day_of_heading(text: str) -> date | None:
    """The day in `Showing new listings for Thursday, 24 September 2026` or `Thu, 24 Sep 2026`."""
    found = _DAY.search(text)
    if not found:
        return None
    for form in ("%d %B %Y", "%d %b %Y"):
        try:
            return datetime.strptime(found.group(1), form).date()  # noqa: DTZ007  a day
        except ValueError:
            continue
    return None


def _papers(
    tree: LexborHTMLParser,
) -> Iterator[tuple[LexborNode | None, LexborNode, date | None]]:
    """The `dt` and `dd` of each paper in order, with the day of the heading above it."""
    day: date | None = None
    term: LexborNode | None = None
    for node in tree.css("h1, h2, h3, dt, dd"):
        if node.tag == "dt":
            term = node
        elif node.tag == "dd":
            if term is not None or node.css_first(".list-title") is not None:
                yield term, node, day
            term = None
        else:
            day = day_of_heading(node.text()) or day


def _row(
    term: LexborNode | None, meta: LexborNode, day: date | None, place: str
) -> dict[str, Any] | Reject:
    links = [a.attributes.get("href") or "" for a in (term or meta).css("a[href]")]
    shown = one_line(term.text()) if term is not None else ""
    arxiv_id = _id_of(shown, links)
    if arxiv_id is None:
        return Reject(place, "bad_arxiv_id", bad_id_detail(shown), excerpt(meta.text()))
    if problem := _joined(meta):
        return Reject(place, "not_a_record", problem, excerpt(meta.text()))
    found, _ = categories(_field(meta, ".list-subjects"))
    abstract = meta.css_first("p.mathjax") or meta.css_first(".list-abstract")
    return {
        "id": arxiv_id,
        "title": _field(meta, ".list-title"),
        "abstract": one_line(abstract.text()) if abstract is not None else None,
        "names": _names(meta),
        "categories": " ".join(found) or None,
        "versions": [],
        "update_date": day.isoformat() if day else None,
    }


def _joined(meta: LexborNode) -> str | None:
    """Why the markup is not that of one paper; None if it is."""
    titles = meta.css(".list-title")
    names = [
        node.css(".list-subjects, .list-title, p.mathjax") for node in meta.css(".list-authors")
    ]
    others = [node.css(".list-authors, .list-subjects, a[href*='/search/']") for node in titles]
    if len(titles) > 1 or any(others) or any(names):
        return "The entry has more than a title in its title; lines of the page are missing."
    texts = [*titles, *meta.css("p.mathjax")]
    lines = (line.strip() for node in texts for line in node.text().split("\n"))
    return foreign_line(_LABEL.sub("", f"{line} ") for line in lines)


def _id_of(shown: str, links: list[str]) -> str | None:
    ids = [found for link in links if (found := id_within(_whole(link)))]
    return id_within(shown) or (ids[0] if ids else None)


def _whole(link: str) -> str:
    """The address of a link within arXiv's pages."""
    return f"https://arxiv.org{link}" if link.startswith("/") else link


def _field(meta: LexborNode, selector: str) -> str | None:
    node = meta.css_first(selector)
    return _LABEL.sub("", one_line(node.text())) or None if node is not None else None


def _names(meta: LexborNode) -> list[str] | None:
    """The linked names; of a list without links, the printed names."""
    node = meta.css_first(".list-authors")
    if node is None:
        return None
    linked = tidy(one_line(a.text()) for a in node.css("a"))
    return linked or split_names(_field(meta, ".list-authors") or "") or None
