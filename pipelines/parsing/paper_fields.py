"""One paper as fields of a bibliography or a table → the columns of an item.

Belongs here: which names of columns mean which field, and how a field's text becomes values. Does
not belong here: reading a file (`bibtex`, `ris`, `table`, `parquet`).

Only fields that identify and describe a paper are read. The year of a bibliography is that of a
venue, not of arXiv's version 1, so it dates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from pipelines.parsing.arxiv_ids import bad_id_detail, id_within, split_version
from pipelines.parsing.arxiv_shapes import (
    UnreadableError,
    categories,
    day_of,
    names_of,
    unpacked,
)
from pipelines.parsing.author_names import split_names
from pipelines.parsing.clean import one_line
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish, frame

FIELDS: dict[str, tuple[str, ...]] = {
    "title": ("title", "papertitle", "articletitle", "primarytitle", "ti"),
    "authors": ("authors", "author", "authornames", "authorlist", "creator", "creators", "au"),
    "abstract": ("abstract", "summary", "abstractnote", "notesabstract", "ab"),
    "arxiv_id": ("arxivid", "arxiv", "eprint", "id", "paperid", "entryid"),
    "url": ("url", "urls", "link", "abs", "absurl", "arxivurl", "doi", "pdf", "pdfurl"),
    "published_on": ("published", "publishedon", "publishedat", "submitted", "submittedon"),
    "categories": ("categories", "category", "subjects", "primarycategory", "primaryclass"),
    "keywords": ("keywords", "tags", "manualtags"),
}
"""Field → normalised names of columns that mean it, in order of preference."""
_EXACT_IDS = {"arxivid", "arxiv"}  # columns that hold only ids of arXiv
_ID_LIKE = re.compile(r"[0-9]{3,4}\.[0-9]{1,5}(?:v[0-9]+)?")
_BETWEEN_KEYWORDS = re.compile(r"\s*[;,|]\s*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_KEYWORDS = 100
_MAX_NAMED = 12

Columns = Mapping[str, str]
"""Field → name of its column. The field `url` may be any of several columns."""


def normalised(name: str) -> str:
    """A column's name in lower case, only letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def columns_of(names: Iterable[str], given: Columns) -> dict[str, list[str]]:
    """Field → its columns, best first: those that a user gave, then those known by name."""
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(normalised(name), name)
    found = {
        field: [by_name[known] for known in aliases if known in by_name]
        for field, aliases in FIELDS.items()
    }
    for field, name in given.items():
        if name in by_name.values():
            found[field] = [name]
    return {field: columns for field, columns in found.items() if columns}


def mapping_rule(columns: Mapping[str, Sequence[str]], names: Iterable[str]) -> str:
    """The rule that shows which column gave which field, and which columns were not read."""
    shown = ", ".join(
        f"{field} from {' or '.join(map(_quoted, found))}" for field, found in columns.items()
    )
    read = {name for found in columns.values() for name in found}
    rest = [_quoted(name) for name in names if name not in read]
    more = f" and {len(rest) - _MAX_NAMED} more" if len(rest) > _MAX_NAMED else ""
    unread = f"; not read: {', '.join(rest[:_MAX_NAMED])}{more}" if rest else ""
    return f"columns: {shown}{unread}"


def _quoted(name: str) -> str:
    return f"`{excerpt(name)[:40]}`"


def paper_row(
    record: Mapping[str, Any], columns: Mapping[str, Sequence[str]], place: str
) -> dict[str, Any] | Reject:
    """The columns of an item, or the reject of a record whose values can't be read."""

    def first(field: str) -> Any:
        values = (record.get(name) for name in columns.get(field, ()))
        return next((value for value in values if _has_content(value)), None)

    title = first("title")
    shown = excerpt(title or dict(record))
    try:
        abstract = _text(first("abstract"))
        arxiv_id = _arxiv_id(record, columns)
        names = _names(first("authors"))
        found, _ = categories(first("categories"))
    except UnreadableError as error:
        return Reject(place, "unreadable_field", str(error), shown)
    if isinstance(arxiv_id, Reject):
        return Reject(place, arxiv_id.reason, arxiv_id.detail, shown)
    bare, version = split_version(arxiv_id)
    published = _day(first("published_on"))
    published_on, basis = _published(bare, published)
    return {
        "arxiv_id": bare,
        "arxiv_version": version,
        "title": str(title) if title is not None else None,
        "abstract": abstract,
        "authors": names,
        "n_authors": len(names) if names else None,
        "published_on": published_on,
        "published_on_basis": basis,
        "categories": found or None,
        "primary_category": found[0] if found else None,
        "keywords": _keywords(first("keywords")),
    }


def parsed(
    rows: list[dict[str, Any]], rejects: list[Reject], hints: Hints, rules: Sequence[str] = ()
) -> Parsed:
    """The rows as items of a search: they add papers, and never a day of a population."""
    return finish(frame(rows), rejects, hints, stated_kind="search", rules=tuple(rules))


def _has_content(value: Any) -> bool:
    return value is not None and value != [] and bool(str(value).strip())


def _arxiv_id(
    record: Mapping[str, Any], columns: Mapping[str, Sequence[str]]
) -> str | Reject | None:
    """The id of the record, from its id column or an address; None if it is not on arXiv.

    A value that looks like an id and is not one is a reject, unless an address names the paper.
    """
    wrong: Reject | None = None
    for name in columns.get("arxiv_id", ()):
        value = record.get(name)
        if not _has_content(value):
            continue
        if isinstance(value, str) and (arxiv_id := id_within(value)):
            return arxiv_id
        text = str(value).strip()
        if _ID_LIKE.fullmatch(text) or normalised(name) in _EXACT_IDS:
            wrong = wrong or Reject("", "bad_arxiv_id", bad_id_detail(text, name))
    texts = [str(record.get(name) or "") for name in columns.get("url", ())]
    ids = {split_version(found)[0] for text in texts if (found := id_within(text))}
    if len(ids) == 1:
        return ids.pop()
    if len(ids) > 1:
        detail = f"The record's addresses name several papers: {', '.join(sorted(map(str, ids)))}."
        return Reject("", "bad_arxiv_id", detail)
    return wrong


def _names(value: Any) -> list[str] | None:
    value = unpacked(value) if isinstance(value, str) else value
    if value is None:
        return None
    return split_names(value) or None if isinstance(value, str) else names_of(value, "authors")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(f"`abstract` is a {type(value).__name__}, not text.")


def _keywords(value: Any) -> list[str] | None:
    value = unpacked(value) if isinstance(value, str) else value
    values = _BETWEEN_KEYWORDS.split(value) if isinstance(value, str) else value
    if not isinstance(values, list):
        return None
    return [one_line(word) for word in values if isinstance(word, str) and word.strip()][
        :_MAX_KEYWORDS
    ] or None


def _day(value: Any) -> date | None:
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    text = str(value or "").strip()
    return day_of(text) if _DATE.match(text) else None


def _published(arxiv_id: str | None, stated: date | None) -> tuple[date | None, str | None]:
    """The date and its basis: the stated day if it agrees with the id, else the id's month."""
    month = _month(arxiv_id)
    if month is None:
        return stated, "table_date" if stated else None
    before = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    if stated is not None and before <= stated.replace(day=1) <= month:
        return stated, "table_date"
    return month, "arxiv_id_month"


def _month(arxiv_id: str | None) -> date | None:
    found = re.search(r"(?:^|/)(\d{2})(\d{2})", arxiv_id or "")
    if not found:
        return None
    year, month = int(found.group(1)), int(found.group(2))
    return date(year + (1900 if year >= 91 else 2000), month, 1)
