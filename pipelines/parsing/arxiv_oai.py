"""Pages of an arXiv harvest: OAI-PMH records with metadata in any of arXiv's four forms.

A record gives the same item as the paper's line in the public snapshot: it is brought into the
shape of such a line and handed to `arxiv_records`. `arXivRaw` lists all versions and prints the
authors as one text. `arXiv` splits the authors' names, but only shows whether there is more than
one version. `oai_dc` has names of categories, not codes, and `arXivOld` has no dates.

Scripts that join pages leave out the envelope, or put several into one file: both are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import polars as pl

from pipelines.parsing import arxiv_records, xml_records
from pipelines.parsing.arxiv_ids import bad_id_detail, id_within
from pipelines.parsing.arxiv_shapes import snapshot_time
from pipelines.parsing.arxiv_taxonomy import category_of, category_of_set
from pipelines.parsing.author_names import tidy, turned
from pipelines.parsing.clean import one_line
from pipelines.parsing.head import Head
from pipelines.parsing.moments import day_or_none
from pipelines.parsing.records import Hints, Parsed, Reject, empty_items, excerpt, reject_body
from pipelines.parsing.xml_records import Layout

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_PAGE = Layout(f"{_OAI}OAI-PMH", f"{_OAI}record", "an OAI-PMH response", "record")
_ROOT = re.compile(rb"<(?:[a-z]+:)?oai-pmh[\s>]")
_BARE = re.compile(rb"<(?:[a-z]+:)?(?:listrecords|getrecord|record)[\s>]")
_OF_ARXIV = re.compile(rb"oai:arxiv\.org:|//arxiv\.org/oai/|arxiv\.org/abs/")
_DECLARATION = re.compile(rb"<\?xml[^>]*\?>")
_FORMS = "`arXivRaw`, `arXiv`, `arXivOld` or `oai_dc`"
_NO_MATCHES = "noRecordsMatch"
_WITHDRAWN = re.compile(r"\bwithdrawn\b", re.IGNORECASE)
_MAX_NAMED = 20
_ROWS = pl.Schema(
    {
        "position": pl.Int64(),
        "place": pl.String(),
        **arxiv_records.RAW_WITH_NAMES,
        "has_unnamed_versions": pl.Boolean(),
    }
)


def matches(head: Head) -> bool:
    """Whether the root element is that of OAI-PMH, or the body is records of arXiv without it."""
    if not head.is_markup:
        return False
    if _ROOT.search(head.opening) is not None:
        return True
    return _BARE.search(head.opening) is not None and _OF_ARXIV.search(head.opening) is not None


def parse(body: bytes, hints: Hints) -> Parsed:
    """The records of a page. A body that is not a page, or reports an error, is rejected whole.

    `noRecordsMatch` is not an error: such a page has no items. A cut page keeps its complete
    records, and the rest is one reject. A record that arXiv deleted is a reject, because only its
    header is left. A withdrawn paper is an item and is named in `rules`.
    """
    page = xml_records.read(_in_one_envelope(body), _PAGE)
    if isinstance(page, Parsed):
        return page
    written = next(page.root.iter(f"{_OAI}responseDate"), None)
    stated: dict[str, Any] = {
        "captured_on": day_or_none(written.text if written is not None else None),
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


def _in_one_envelope(body: bytes) -> bytes:
    """The body with one root element, where it has several pages or bare records."""
    lower = body.lower()
    n_roots = len(_ROOT.findall(lower))
    if n_roots == 1 or (n_roots == 0 and not _BARE.search(lower)):
        return body
    namespace = _OAI.strip("{}").encode()
    return b'<OAI-PMH xmlns="%b">%b</OAI-PMH>' % (namespace, _DECLARATION.sub(b"", body).strip())


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
    metadata = record.find(f"{_OAI}metadata")
    found = next(iter(metadata), None) if metadata is not None else None
    namespace, _, form = str(found.tag if found is not None else "").rpartition("}")
    reader = _READERS.get(form)
    if found is None or reader is None:
        was = f"metadata in the form {excerpt(form)!r}" if form else "no metadata"
        detail = f"{identifier} has {was}; expected {_FORMS}. Harvest with metadataPrefix=arXivRaw."
        return Reject(place, "not_a_record", detail, _text_of(record))
    fields = reader(found, f"{namespace}}}" if namespace else "", header)
    if id_within(fields["id"]) is None:
        return Reject(place, "bad_arxiv_id", bad_id_detail(fields["id"] or ""), _text_of(record))
    return {**fields, "update_date": (datestamp or "").strip()}


def _text_of(record: Element) -> str:
    return excerpt(" ".join(record.itertext()))


def _of_raw(raw: Element, ns: str, header: Element) -> dict[str, Any]:
    return {
        **_common(raw, ns),
        "authors": raw.findtext(f"{ns}authors"),
        "versions": [
            {"version": v.get("version"), "created": v.findtext(f"{ns}date")}
            for v in raw.iterfind(f"{ns}version")
        ],
        "has_unnamed_versions": False,
    }


def _of_plain(plain: Element, ns: str, header: Element) -> dict[str, Any]:
    return {
        **_common(plain, ns),
        "authors_parsed": [
            [author.findtext(f"{ns}{part}") for part in ("keyname", "forenames", "suffix")]
            for author in plain.iterfind(f"{ns}authors/{ns}author")
        ],
        "versions": _first_version(plain.findtext(f"{ns}created")),
        "has_unnamed_versions": plain.find(f"{ns}updated") is not None,
    }


def _of_old(old: Element, ns: str, header: Element) -> dict[str, Any]:
    return {
        **_common(old, ns),
        "authors": old.findtext(f"{ns}authors"),
        "versions": [],
        "has_unnamed_versions": True,
    }


def _of_dublin_core(dc: Element, ns: str, header: Element) -> dict[str, Any]:
    """The first date is that of version 1, later ones are those of revisions."""

    def texts(name: str) -> list[str]:
        elements = [child for child in dc if str(child.tag).rpartition("}")[2] == name]
        return [text for element in elements if (text := one_line("".join(element.itertext())))]

    subjects = [category_of(subject) for subject in texts("subject")]
    sets = [category_of_set(spec.text or "") for spec in header.iterfind(f"{_OAI}setSpec")]
    found = [code for code in subjects if code] or [code for code in sets if code]
    described, dates = texts("description"), sorted(filter(None, map(day_or_none, texts("date"))))
    identifier = header.findtext(f"{_OAI}identifier") or ""
    ids = [found_id for text in (identifier, *texts("identifier")) if (found_id := id_within(text))]
    return {
        "id": ids[0] if ids else identifier,
        "title": next(iter(texts("title")), None),
        "abstract": next((d for d in described if not d.startswith("Comment:")), None),
        "comments": next((d for d in described if d.startswith("Comment:")), None),
        "categories": " ".join(dict.fromkeys(found)) or None,
        "names": tidy(map(turned, texts("creator"))) or None,
        "versions": _first_version(dates[0].isoformat() if dates else None),
        "has_unnamed_versions": len(dates) > 1,
    }


_READERS: dict[str, Callable[[Element, str, Element], dict[str, Any]]] = {
    "arXivRaw": _of_raw,
    "arXiv": _of_plain,
    "arXivOld": _of_old,
    "dc": _of_dublin_core,
}


def _first_version(created: str | None) -> list[dict[str, str]]:
    day = day_or_none(created)
    return [{"version": "v1", "created": snapshot_time(day)}] if day else []


def _common(element: Element, namespace: str) -> dict[str, Any]:
    names = ("id", "title", "abstract", "comments")
    return {
        **{name: element.findtext(f"{namespace}{name}") for name in names},
        "categories": one_line(element.findtext(f"{namespace}categories") or "") or None,
    }
