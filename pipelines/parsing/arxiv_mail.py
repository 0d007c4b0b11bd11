r"""arXiv's daily announcement by mail: saved as a message, or its text copied.

Papers are separated by lines of hyphens; each has a head with labels, `\\`, an abstract, and `\\`.
A replaced paper has no abstract. The mail names the hours in which papers were received; they are
announced on the weekday after these end.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import polars as pl

from pipelines.parsing.arxiv_ids import bad_id_detail, id_within
from pipelines.parsing.arxiv_records import RAW_WITH_NAMES, to_items, versions
from pipelines.parsing.arxiv_shapes import categories, day_of, snapshot_time
from pipelines.parsing.clean import one_line
from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import MAX_ITEMS, TEXT_LIMITS, too_large, too_many_items
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_ROWS = pl.Schema({"position": pl.Int64(), "place": pl.String(), **RAW_WITH_NAMES})
_ENTRY_BYTES = re.compile(rb"^\\\\\r?\n(?:arXiv:|Paper: )\s*\S+", re.MULTILINE)
_HEADER_BYTES = re.compile(rb"\A(?=From |[A-Za-z-]+: )(?s:.{0,20000}?)@arxiv\.org", re.IGNORECASE)
_ENTRY = re.compile(r"^\\\\\n(?=(?:arXiv:|Paper: ))", re.MULTILINE)
_RULER = re.compile(r"^(?:-{20,}|%[%-]{20,})\s*$", re.MULTILINE)
_LABELLED = re.compile(r"^([A-Z][A-Za-z-]{2,20})(?:\s*\([^)]*\))?:\s+(.*)$")
_RECEIVED = re.compile(r"received from\s+.+?\s+to\s+\w{3}\s+(\d{1,2} \w{3} \d{2})\b")
_DATE = re.compile(r"^Date:\s*(\w{3}, \d{1,2} \w{3} \d{4} [\d:]+ \S+)", re.MULTILINE)
_REPLACED = re.compile(r"^replaced with revised version\b", re.MULTILINE)
_FRIDAY = 4


def matches(head: Head) -> bool:
    """Whether it has the entries of arXiv's mail, or is a message from arXiv."""
    if head.is_markup or head.is_json_value:
        return False
    return bool(_ENTRY_BYTES.search(head.start) or _HEADER_BYTES.match(head.start))


def parse(body: bytes, hints: Hints) -> Parsed:
    """The papers of a mail; a message without any is rejected as a whole."""
    if rejected := too_large(body, TEXT_LIMITS):
        return rejected
    text = _text(body)
    blocks = _ENTRY.split(text)
    if len(blocks) < 2:
        return reject_body("not_a_listing", "The message announces no papers of arXiv.", body)
    if len(blocks) > MAX_ITEMS:
        return too_many_items("The mail", body)
    announced, rules = _announced(blocks[0])
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, block in enumerate(blocks[1:], start=1):
        place = f"entry {position}"
        outcome = _row(_RULER.split(block)[0], announced, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    raw = pl.DataFrame(rows, schema=_ROWS, orient="row").with_columns(*versions())
    return to_items(
        raw, rejects, hints, captured_on=announced, stated_kind="announcement", rules=rules
    )


def _text(body: bytes) -> str:
    """The text of the mail, out of its message if it is a whole one."""
    if not _ENTRY_BYTES.search(body) or _HEADER_BYTES.match(body.lstrip()):
        message = message_from_bytes(body.lstrip(), policy=default)
        part = message.get_body(("plain", "html"))
        try:
            content = part.get_content() if part is not None else ""
        except (LookupError, ValueError):  # an unknown or damaged charset
            content = body.decode("utf-8", "replace")
        return _lines(content if isinstance(content, str) else "")
    return _lines(body.decode("utf-8", "replace"))


def _lines(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _announced(opening: str) -> tuple[date | None, tuple[str, ...]]:
    """The day of the announcement: the weekday after the hours in which papers were received."""
    found = _RECEIVED.search(one_line(opening))
    if not found:
        return None, ()
    try:
        last = datetime.strptime(found.group(1), "%d %b %y").date()  # noqa: DTZ007  a day
    except ValueError:
        return None, ()
    days = 3 if last.weekday() == _FRIDAY else 1
    rule = f"announced_after_receipt: papers received until {last} are announced the next weekday"
    return last + timedelta(days=days), (rule,)


def _row(block: str, announced: date | None, place: str) -> dict[str, Any] | Reject:
    head, *rest = re.split(r"^\\\\.*$", block, flags=re.MULTILINE)
    first = head.strip().partition("\n")[0]
    arxiv_id = id_within(first.split("(")[0].replace("Paper:", "arXiv:").strip())
    if arxiv_id is None:
        return Reject(place, "bad_arxiv_id", bad_id_detail(first), excerpt(block))
    fields = _fields(head)
    is_replaced = _REPLACED.search(head) is not None
    if len(rest) < (1 if is_replaced else 2):
        detail = "The mail is cut within this entry."
        return Reject(place, "truncated_record", detail, excerpt(block))
    if problem := _joined(head, rest):
        return Reject(place, "not_a_record", problem, excerpt(block))
    found, _ = categories(fields.get("Categories"))
    submitted = _DATE.search(head)
    day = day_of(submitted.group(1)) if submitted and not is_replaced else None
    return {
        "id": arxiv_id,
        "title": fields.get("Title"),
        "abstract": None if is_replaced else one_line(rest[0]) or None,
        "authors": fields.get("Authors") or fields.get("Author"),
        "categories": " ".join(found) or None,
        "versions": [{"version": "v1", "created": snapshot_time(day)}] if day else [],
        "update_date": announced.isoformat() if announced else None,
    }


def _joined(head: str, rest: list[str]) -> str | None:
    """Why the text is not that of one paper; None if it is."""
    labels = [found.group(1) for line in head.split("\n") if (found := _LABELLED.match(line))]
    if any(labels.count(label) > 1 for label in ("Title", "Authors", "Categories")):
        return "The entry has a label twice; lines between two papers are missing."
    abstract = rest[0].split("\n")
    if any(line.startswith(("arXiv:", "Title: ", "Authors: ")) for line in abstract):
        return "The abstract contains the head of another paper."
    return foreign_line(abstract)


def _fields(head: str) -> dict[str, str]:
    """Label → text, with folded lines joined."""
    found: dict[str, str] = {}
    label = ""
    for line in head.split("\n"):
        labelled = _LABELLED.match(line)
        if labelled:
            label = labelled.group(1)
            found.setdefault(label, labelled.group(2).strip())
        elif label and line[:1].isspace() and line.strip():
            found[label] += " " + line.strip()
        else:
            label = ""
    return found
