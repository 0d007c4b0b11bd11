"""Pages of an arXiv harvest: OAI-PMH `ListRecords` with metadata as `arXivRaw` or `arXiv`.

A record becomes what the same paper's line of the public snapshot becomes: the rules are those of
`arxiv_snapshot`, fed with the same fields. `arXivRaw` names all versions and prints the authors as
one text; `arXiv` has the authors' names in parts, and of the versions only whether there is more
than one.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl

from pipelines.parsing import arxiv_snapshot, xml_records
from pipelines.parsing.clean import one_line
from pipelines.parsing.moments import utc
from pipelines.parsing.records import Hints, Parsed, Reject, empty_items, excerpt, reject_body
from pipelines.parsing.xml_records import Layout

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_PLAIN = "{http://arxiv.org/OAI/arXiv/}"
_PAGE = Layout(f"{_OAI}OAI-PMH", f"{_OAI}record", "an answer in OAI-PMH", "record", "records")
_NOTHING = "noRecordsMatch"
_WITHDRAWN = re.compile(r"\bwithdrawn\b", re.IGNORECASE)
_MAX_NAMED = 20
_ROWS = pl.Schema(
    {
        "position": pl.Int64(),
        "place": pl.String(),
        **arxiv_snapshot.RAW,
        "has_unnamed_versions": pl.Boolean(),
    }
)


def parse(body: bytes, hints: Hints) -> Parsed:
    """Records of a page; a body that is no such page, or tells of an error, is rejected whole.

    That nothing matches is no error: such a page shows no item. A page that was cut keeps its
    complete records; what follows the cut is one reject. A record that arXiv deleted is a reject,
    since only its header is left; a withdrawn paper is an item, and named in `rules`.
    """
    found = xml_records.read(body, _PAGE)
    if isinstance(found, Parsed):
        return found
    page: dict[str, Any] = {
        "captured_on": _day(found.root.findtext(f"{_OAI}responseDate")),
        "stated_kind": "announcement",
    }
    if not found.records:
        return _without_records(found.root, body, page)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    withdrawn: list[str] = []
    for position, record in enumerate(found.records, start=1):
        place = f"record {position}"
        outcome = _fields(record, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
            continue
        if _WITHDRAWN.search(outcome.pop("comments") or ""):
            withdrawn.append(excerpt(outcome["id"]))
        rows.append({"position": position, "place": place, **outcome})
    raw = pl.DataFrame(rows, schema=_ROWS, orient="row").with_columns(*arxiv_snapshot.versions())
    newest = pl.when(~pl.col("has_unnamed_versions")).then("arxiv_version").alias("arxiv_version")
    return arxiv_snapshot.records_to_items(
        raw.with_columns(newest),
        rejects + found.damage(),
        hints,
        rules=_rules(withdrawn),
        **page,
    )


def _without_records(root: Element, body: bytes, page: dict[str, Any]) -> Parsed:
    error = root.find(f"{_OAI}error")
    if error is None:
        return reject_body("not_a_listing", "The answer in OAI-PMH lists no records.", body)
    code = error.get("code") or "no code"
    if code == _NOTHING:
        rules = ("nothing_matched: the source has no record of what was asked for",)
        return Parsed(empty_items(), (), rules=rules, **page)
    words = excerpt("".join(error.itertext()))
    return reject_body("source_error", f"The source answers {excerpt(code)}: {words}", body)


def _rules(withdrawn: list[str]) -> tuple[str, ...]:
    if not withdrawn:
        return ()
    named = ", ".join(withdrawn[:_MAX_NAMED])
    more = len(withdrawn) - _MAX_NAMED
    return (
        f"withdrawn_kept: withdrawn by their comments, kept as items: {named}"
        + (f" and {more} more" if more > 0 else ""),
    )


def _fields(record: Element, place: str) -> dict[str, Any] | Reject:
    """The record's fields as the snapshot names them, and its comments; or why there are none."""
    header = record.find(f"{_OAI}header")
    if header is None:
        return Reject(place, "not_a_record", "The record has no header.", _shown(record))
    identifier = excerpt(header.findtext(f"{_OAI}identifier"))
    datestamp = header.findtext(f"{_OAI}datestamp")
    if header.get("status") == "deleted":
        detail = f"The source deleted {identifier}, by its header of {excerpt(datestamp)}."
        return Reject(place, "deleted_record", detail, identifier)
    if (raw := record.find(f"{_OAI}metadata/{_RAW}arXivRaw")) is not None:
        fields = _of_raw(raw)
    elif (plain := record.find(f"{_OAI}metadata/{_PLAIN}arXiv")) is not None:
        fields = _of_plain(plain)
    else:
        detail = f"{identifier} has metadata in neither of arXiv's two forms."
        return Reject(place, "not_a_record", detail, _shown(record))
    return {**fields, "update_date": (datestamp or "").strip()}


def _shown(record: Element) -> str:
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
    created = _day(plain.findtext(f"{_PLAIN}created"))
    return {
        **_common(plain, _PLAIN),
        "authors": None,
        "authors_parsed": [
            [author.findtext(f"{_PLAIN}{part}") for part in ("keyname", "forenames", "suffix")]
            for author in plain.iterfind(f"{_PLAIN}authors/{_PLAIN}author")
        ],
        "versions": [{"version": "v1", "created": _as_in_mail(created)}] if created else [],
        "has_unnamed_versions": plain.find(f"{_PLAIN}updated") is not None,
    }


def _common(element: Element, namespace: str) -> dict[str, Any]:
    texts = ("id", "title", "abstract", "comments")
    return {
        **{name: element.findtext(f"{namespace}{name}") for name in texts},
        "categories": one_line(element.findtext(f"{namespace}categories") or "") or None,
    }


def _as_in_mail(day: date) -> str:
    """The form in which arXiv's records name the time of a version."""
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)


def _day(text: str | None) -> date | None:
    try:
        return utc(text or "").date()
    except ValueError:
        return None
