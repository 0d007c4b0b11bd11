"""arXiv's Atom API: papers by id, or by words of their title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from tests.replay.oai_xml import Row, versions
from tests.replay.papers import ArxivPapers
from tests.replay.reply import Reply

_ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")
_TITLE = re.compile(r'ti:"([^"]*)"|ti:(\S+)')
DEFAULT_RESULTS = 10
TYPE = "application/atom+xml; charset=utf-8"


def answer(query: Mapping[str, str], papers: ArxivPapers, now: datetime) -> Reply:
    at_most = int(query.get("max_results", DEFAULT_RESULTS))
    if query.get("id_list"):
        found = [_ID.fullmatch(text.strip()) for text in query["id_list"].split(",")]
        if not all(found):
            message = "<entry><title>Error</title><summary>incorrect id format</summary></entry>"
            return Reply(_feed(message, 1, now), TYPE, 400)
        ids = [match.group(1) for match in found if match]
    elif title := _TITLE.search(query.get("search_query", "")):
        ids = papers.titled(title.group(1) or title.group(2), at_most)
    else:
        ids = []
    rows = [row for i in ids if (row := papers.get(i))]
    return Reply(_feed("".join(map(_entry, rows[:at_most])), len(rows), now), TYPE)


def _feed(entries: str, n: int, now: datetime) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<updated>{now:%Y-%m-%dT%H:%M:%SZ}</updated>\n"
        f"<opensearch:totalResults>{n}</opensearch:totalResults>\n{entries}</feed>\n"
    ).encode()


def _entry(row: Row) -> str:
    all_versions = versions(row)
    authors = "".join(
        f"<author><name>{escape(' '.join(x for x in (n[1], n[0], n[2]) if x))}</name></author>\n"
        for n in row["authors_parsed"]
    )
    categories = row["categories"].split()
    terms = "".join(f"<category term={quoteattr(term)}/>\n" for term in categories)
    return (
        f"<entry>\n<id>http://arxiv.org/abs/{row['id']}{all_versions[-1][0]}</id>\n"
        f"<updated>{all_versions[-1][1]:%Y-%m-%dT%H:%M:%SZ}</updated>\n"
        f"<published>{all_versions[0][1]:%Y-%m-%dT%H:%M:%SZ}</published>\n"
        f"<title>{escape(row['title'])}</title>\n<summary>{escape(row['abstract'])}</summary>\n"
        f"{authors}<arxiv:primary_category term={quoteattr(categories[0])}/>\n{terms}</entry>\n"
    )
