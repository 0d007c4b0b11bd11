"""Text copied from a page of arxiv.org/list.

A paper begins with a line such as `[12] arXiv:2609.13795 [pdf, html, other]`. Its title follows
after `Title:`, the authors are on the next line, and the lines after the labelled ones are its
abstract.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl

from pipelines.parsing.arxiv_ids import bad_id_detail, id_within
from pipelines.parsing.arxiv_list_html import ROWS, day_of_heading
from pipelines.parsing.arxiv_records import to_items, versions
from pipelines.parsing.arxiv_shapes import categories
from pipelines.parsing.clean import one_line
from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import MAX_ITEMS, TEXT_LIMITS, too_large, too_many_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_ENTRY = re.compile(r"^[^\S\n]*\[\d{1,5}\][^\S\n]+arXiv:", re.MULTILINE)
_ENTRY_BYTES = re.compile(rb"^[^\S\n]*\[\d{1,5}\][^\S\n]+arXiv:\d{4}\.\d", re.MULTILINE)
_TITLE_BYTES = re.compile(rb"^[^\S\n]*Title:", re.MULTILINE)
_LABELLED = re.compile(
    r"^(Title|Authors?|Comments|Subjects|Journal-ref|Report-no|MSC-class|ACM-class|Cite as|DOI"
    r"|Related DOI):\s*(.*)$"
)
# A heading: `Cross submissions (showing 12 of 12 entries)`, `Thu, 24 Sep 2026 (showing …)`.
_HEADING = re.compile(
    r"^(?:Showing new listings for .*|Total of \d+ entries.*"
    r"|(?:New|Cross|Replacement) submissions.*"
    r"|.*\(?\s*(?:continued, )?showing (?:first |last )?\d+ of \d+ entries\s*\)?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z]{2} \d{4}.*|\[ ?total of .*)$"
)


def matches(head: Head) -> bool:
    """Whether it is text with the entries and titles of arXiv's lists."""
    if head.is_markup or head.is_json_object:
        return False
    return bool(_ENTRY_BYTES.search(head.start) and _TITLE_BYTES.search(head.start))


def parse(body: bytes, hints: Hints) -> Parsed:
    """The papers of a page; an entry without a title is a reject."""
    if rejected := too_large(body, TEXT_LIMITS):
        return rejected
    text = body.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    starts = list(_ENTRY.finditer(text))
    if not starts:
        return reject_body("not_a_listing", "The text has no entries of arXiv's lists.", body)
    if len(starts) > MAX_ITEMS:
        return too_many_items("The text", body)
    day = _last_day(text[: starts[0].start()], None)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    ends = [found.start() for found in starts[1:]] + [len(text)]
    for position, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        place = f"entry {position}"
        block = text[start.start() : end]
        outcome = _row(block, day, place)
        if position == len(starts) and not isinstance(outcome, Reject):
            outcome["abstract"] = _whole_abstract(outcome["abstract"], text)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
        day = _last_day(block, day)
    raw = pl.DataFrame(rows, schema=ROWS, orient="row").with_columns(*versions())
    days = [row["update_date"] for row in rows if row["update_date"]]
    shown_on = date.fromisoformat(max(days)) if days else None
    return to_items(raw, rejects, hints, captured_on=shown_on, stated_kind="announcement")


def _last_day(text: str, day: date | None) -> date | None:
    """The day of the last heading in the text, else the one before it."""
    for line in text.split("\n"):
        if _HEADING.match(line.strip()):
            day = day_of_heading(line) or day
    return day


def _row(block: str, day: date | None, place: str) -> dict[str, Any] | Reject:
    first, *lines = block.strip().split("\n")
    arxiv_id = id_within(first)
    if arxiv_id is None:
        return Reject(place, "bad_arxiv_id", bad_id_detail(first), excerpt(block))
    if problem := _joined(lines):
        return Reject(place, "not_a_record", problem, excerpt(block))
    fields = _fields(lines)
    if not fields.get("Title"):
        detail = "The entry has no line `Title:`; the text was cut or copied in another layout."
        return Reject(place, "missing_title", detail, excerpt(block))
    if not fields.get("Subjects", "").endswith(")"):
        detail = "The entry has no whole line `Subjects:`; the text was cut here."
        return Reject(place, "truncated_record", detail, excerpt(block))
    found, _ = categories(fields["Subjects"])
    return {
        "id": arxiv_id,
        "title": fields["Title"],
        "abstract": fields.get("abstract"),
        "authors": fields.get("Author") or fields.get("Authors"),
        "categories": " ".join(found) or None,
        "versions": [],
        "update_date": day.isoformat() if day else None,
    }


def _whole_abstract(abstract: str | None, text: str) -> str | None:
    """The abstract at the end of the text; None if the text may have been cut within it."""
    return abstract if text.endswith("\n") else None


def _joined(lines: list[str]) -> str | None:
    """Why the lines are not those of one paper; None if they are."""
    labels = [found.group(1).rstrip("s") for line in lines if (found := _LABELLED.match(line))]
    if any(labels.count(label) > 1 for label in ("Title", "Author", "Subject")):
        return "The entry has a label twice; lines between two papers are missing."
    fields = _fields(lines)
    if _n_before_subjects(lines) > 1 or (fields.get("abstract") and not fields.get("Authors")):
        return "The lines between title and subjects are not those of the authors."
    return foreign_line(line for line in lines if not _LABELLED.match(line))


def _n_before_subjects(lines: list[str]) -> int:
    """The number of lines without a label between the title and the subjects."""
    n, is_open = 0, False
    for line in map(one_line, lines):
        labelled = _LABELLED.match(line)
        if labelled and labelled.group(1) == "Title":
            is_open, n = True, -(not labelled.group(2))  # the title may be on the next line
        elif labelled:
            n += labelled.group(1).startswith("Author")
            is_open = is_open and labelled.group(1) != "Subjects"
        elif is_open and line and not _HEADING.match(line):
            n += 1
    return n


def _fields(lines: list[str]) -> dict[str, str]:
    """Label → text; the first line without a label after the title is that of the authors."""
    found: dict[str, str] = {}
    rest: list[str] = []
    for line in map(one_line, lines):
        if not line or _HEADING.match(line):
            continue
        if labelled := _LABELLED.match(line):
            label, text = labelled.groups()
            found.setdefault("Authors" if label == "Author" else label, text)
        elif "Title" in found and not found["Title"]:
            found["Title"] = line
        elif "Title" in found and not found.get("Authors") and "Subjects" not in found:
            found["Authors"] = line
        elif "Title" in found:
            rest.append(line)
    if rest and "Subjects" in found:
        found["abstract"] = " ".join(rest)
    return found
