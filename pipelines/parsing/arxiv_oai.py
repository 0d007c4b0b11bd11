"""Pages of an arXiv harvest: OAI-PMH `ListRecords` with metadata as `arXivRaw` or `arXiv`.

A record gives the same item as the paper's line in the public snapshot: it is brought into the
shape of such a line and handed to `arxiv_records`. `arXivRaw` lists all versions and prints the
authors as one text. `arXiv` splits the authors' names, but only shows whether there is more than
one version.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl

from pipelines.parsing import arxiv_records, xml_records
from pipelines.parsing.clean import one_line
from pipelines.parsing.head import Head
from pipelines.parsing.moments import day_or_none
from pipelines.parsing.records import Hints, Parsed, Reject, empty_items, excerpt, reject_body
from pipelines.parsing.xml_records import Layout

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_PLAIN = "{http://arxiv.org/OAI/arXiv/}"
_PAGE = Layout(f"{_OAI}OAI-PMH", f"{_OAI}record", "an OAI-PMH response", "record")
_ROOT = re.compile(rb"<(?:[a-z]+:)?oai-pmh[\s>]")
_NO_MATCHES = "noRecordsMatch"
_WITHDRAWN = re.compile(r"\bwithdrawn\b", re.IGNORECASE)
_MAX_NAMED = 20
_ROWS = pl.Schema(
    {
        "position": pl.Int64(),
        "place": pl.String(),
        **arxiv_records.RAW,
        "has_unnamed_versions": pl.Boolean(),
    }
)


def matches(head: Head) -> bool:
    """Whether the root element is that of OAI-PMH."""
    return head.is_markup and _ROOT.search(head.opening) is not None


def parse(body: bytes, hints: Hints) -> Parsed:
    """The records of a page. A body that is not a page, or reports an error, is rejected whole.

    `noRecordsMatch` is not an error: such a page has no items. A cut page keeps its complete
    records, and the rest is one reject. A record that arXiv deleted is a reject, because only its
    header is left. A withdrawn paper is an item and is named in `rules`.
    """
    page = xml_records.read(body, _PAGE)
    if isinstance(page, Parsed):
        return page
    stated: dict[str, Any] = {
        "captured_on": day_or_none(page.root.findtext(f"{_OAI}responseDate")),
        "stated_kind": "announcement",
    }
    if not page.records:
        return _without_records(page.root, body, stated)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    withdrawn: list[str] = []
    for position, record in enumerate(page.records, start=1):
        place = f"record {position}"
        outcome = _fields(record, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
            continue
        if _WITHDRAWN.search(outcome.pop("comments") or ""):
            withdrawn.append(excerpt(outcome["id"]))
        rows.append({"position": position, "place": place, **outcome})
    raw = pl.DataFrame(rows, schema=_ROWS, orient="row").with_columns(*arxiv_records.versions())
    newest = pl.when(~pl.col("has_unnamed_versions")).then("arxiv_version").alias("arxiv_version")
    return arxiv_records.to_items(
        raw.with_columns(newest),
        rejects + page.damage(),
        hints,
        rules=(*page.rules, *_rules(withdrawn)),
        **stated,
    )


def _without_records(root: Element, body: bytes, stated: dict[str, Any]) -> Parsed:
    error = root.find(f"{_OAI}error")
    if error is None:
        return reject_body("not_a_listing", "The OAI-PMH response contains no records.", body)
    code = error.get("code") or "no code"
    if code == _NO_MATCHES:
        rules = ("nothing_matched: the source has no records for this request",)
        return Parsed(empty_items(), (), rules=rules, **stated)
    message = excerpt("".join(error.itertext()))
    return reject_body("source_error", f"The source reports {excerpt(code)}: {message}", body)


def _rules(withdrawn: list[str]) -> tuple[str, ...]:
    if not withdrawn:
        return ()
    named = ", ".join(withdrawn[:_MAX_NAMED])
    n_more = len(withdrawn) - _MAX_NAMED
    return (
        f"withdrawn_kept: kept as items although their comments say withdrawn: {named}"
        + (f" and {n_more} more" if n_more > 0 else ""),
    )


def _fields(record: Element, place: str) -> dict[str, Any] | Reject:
    """The record's fields under the names of the snapshot, and `comments`; or a reject."""
    header = record.find(f"{_OAI}header")
    if header is None:
        return Reject(place, "not_a_record", "The record has no header.", _text_of(record))
    identifier = excerpt(header.findtext(f"{_OAI}identifier"))
    datestamp = header.findtext(f"{_OAI}datestamp")
    if header.get("status") == "deleted":
        detail = f"The source deleted {identifier}; its header is dated {excerpt(datestamp)}."
        return Reject(place, "deleted_record", detail, identifier)
    if (raw := record.find(f"{_OAI}metadata/{_RAW}arXivRaw")) is not None:
        fields = _of_raw(raw)
    elif (plain := record.find(f"{_OAI}metadata/{_PLAIN}arXiv")) is not None:
        fields = _of_plain(plain)
    else:
        detail = f"{identifier} has no metadata in the `arXivRaw` or `arXiv` format."
        return Reject(place, "not_a_record", detail, _text_of(record))
    return {**fields, "update_date": (datestamp or "").strip()}


def _text_of(record: Element) -> str:
    return excerpt(" ".join(record.itertext()))


def _of_raw(raw: Element) -> dict[str, Any]:
    return {
        **_common(raw, _RAW),
        "authors": raw.findtext(f"{_RAW}authors"),
        "authors_parsed": None,
        "versions": [
            {"version": v.get("version"), "created": v.findtext(f"{_RAW}date")}
            for v in raw.iterfind(f"{_RAW}version")
        ],
        "has_unnamed_versions": False,
    }


def _of_plain(plain: Element) -> dict[str, Any]:
    created = day_or_none(plain.findtext(f"{_PLAIN}created"))
    return {
        **_common(plain, _PLAIN),
        "authors": None,
        "authors_parsed": [
            [author.findtext(f"{_PLAIN}{part}") for part in ("keyname", "forenames", "suffix")]
            for author in plain.iterfind(f"{_PLAIN}authors/{_PLAIN}author")
        ],
        "versions": [{"version": "v1", "created": _snapshot_time(created)}] if created else [],
        "has_unnamed_versions": plain.find(f"{_PLAIN}updated") is not None,
    }


def _common(element: Element, namespace: str) -> dict[str, Any]:
    names = ("id", "title", "abstract", "comments")
    return {
        **{name: element.findtext(f"{namespace}{name}") for name in names},
        "categories": one_line(element.findtext(f"{namespace}categories") or "") or None,
    }


def _snapshot_time(day: date) -> str:
    """The day in the form in which the snapshot gives the time of a version."""
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)
