"""One arXiv record as JSON, in any of the layouts that people publish → the snapshot's layout.

Belongs here: other names of fields, lists and objects in place of text, other forms of dates. Does
not belong here: reading files (`arxiv_snapshot`, `arxiv_array`) or checking values
(`arxiv_records`).

A field that has content in a form that can't be read makes the record a reject: it is never read
as empty.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import orjson

from pipelines.parsing.arxiv_ids import (
    CATEGORY_PATTERN,
    bad_id_detail,
    id_within,
    split_version,
)
from pipelines.parsing.author_names import split_names, tidy, turned
from pipelines.parsing.clean import one_line
from pipelines.parsing.moments import utc
from pipelines.parsing.records import MAX_NAME_CHARS, Reject, excerpt

# Other names of the snapshot's fields; the first that has content counts.
ID_FIELDS = ("id", "arxiv_id", "arxivid", "paper_id", "entry_id", "identifier", "arxiv")
ADDRESS_FIELDS = ("abs", "abs_url", "url", "link", "pdf", "pdf_url", "doi", "html_url")
TITLE_FIELDS = ("title",)
ABSTRACT_FIELDS = ("abstract", "summary")
AUTHOR_FIELDS = ("authors_parsed", "authors", "author", "creators")
CATEGORY_FIELDS = ("categories", "category", "subjects", "terms")
CREATED_FIELDS = ("published", "published_date", "published_at", "submitted", "v1_date")
ANNOUNCED_FIELDS = ("update_date", "announced", "announced_on", "announce_date")
MAX_TEXT_CHARS = 200_000  # of an author list that is divided
_CATEGORY = re.compile(CATEGORY_PATTERN)
_BETWEEN = re.compile(r"[\s,;|]+")
_VERSION = re.compile(r"v?(\d{1,4})")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:$|[T ])")
_CODE = re.compile(r"\(([a-z-]+(?:\.[A-Za-z-]+)?)\)")
_PERSON = ("name", "full_name", "fullname", "author", "display_name")
_FIRST = ("forenames", "given", "given_name", "first_name", "first", "firstname")
_LAST = ("keyname", "family", "family_name", "last_name", "last", "lastname", "surname")

Note = Callable[[str, str], object]
"""Records that something was inferred: a code, and a sentence about it."""


class UnreadableError(Exception):
    """A field whose content has a form that can't be read. Used by parsers of records only."""


def looks_like_record(value: Any) -> bool:
    """Whether a JSON value is an arXiv record: an id, a title, and arXiv's categories or authors.

    Objects of other catalogues have an id, a title and categories too.
    """
    if not isinstance(value, dict):
        return False
    record = _by_lower_name(value)
    has_title = bool(_first(record, TITLE_FIELDS))
    if not has_title or not any(name in record for name in (*ID_FIELDS, *ADDRESS_FIELDS)):
        return False
    try:
        found, is_given = categories(_first(record, CATEGORY_FIELDS))
    except UnreadableError:
        return False
    if found:
        return True
    has_authors = any(name in record for name in AUTHOR_FIELDS)
    is_snapshot = {"id", "title", "categories"} <= record.keys()
    return is_snapshot and has_authors and not is_given


def raw_row(value: Mapping[str, Any], place: str, note: Note) -> dict[str, Any] | Reject:
    """The record's fields under the names of the snapshot (`arxiv_records.RAW`), or a reject."""
    record = _by_lower_name(value)
    try:
        arxiv_id = _id(record)
        if isinstance(arxiv_id, Reject):
            return Reject(place, arxiv_id.reason, arxiv_id.detail, _shown(record))
        found, is_given = categories(_first(record, CATEGORY_FIELDS))
        if is_given and not found:
            detail = "None of the record's categories is arXiv's, so it is not an arXiv record."
            return Reject(place, "not_a_record", detail, _shown(record))
        primary = record.get("primary_category")
        if isinstance(primary, str) and _CATEGORY.match(primary.strip()):
            found = list(dict.fromkeys([primary.strip(), *found]))
        printed, names = _authors(record)
        return {
            "id": arxiv_id,
            "title": _text(_first(record, TITLE_FIELDS), "title"),
            "abstract": _text(_first(record, ABSTRACT_FIELDS), "abstract"),
            "authors": printed,
            "authors_parsed": None,
            "categories": " ".join(found) or None,
            "versions": _versions(record, arxiv_id, note),
            "update_date": _announced(record, note),
            "names": names,
        }
    except UnreadableError as error:
        return Reject(place, "unreadable_field", str(error), _shown(record))


def _shown(record: Mapping[str, Any]) -> str:
    """The id and the title of a record, for a reject."""
    return excerpt(f"{record.get('id')} {record.get('title')}")


def _by_lower_name(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower().replace("-", "_"): v for name, v in value.items()}


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The first value that has content, None without one."""
    return next((record[n] for n in names if _has_content(record.get(n))), None)


def _has_content(value: Any) -> bool:
    return value not in (None, "", [], {}) and not (isinstance(value, str) and not value.strip())


def _id(record: Mapping[str, Any]) -> str | Reject:
    """The id of the record, perhaps from one of its addresses; a reject without a valid one."""
    given = _first(record, ID_FIELDS)
    if isinstance(given, str) and (arxiv_id := id_within(given)):
        return arxiv_id
    addresses = (record.get(name) for name in ADDRESS_FIELDS)
    if found := {split_version(a)[0] for a in map(id_within, addresses) if a} - {None}:
        return found.pop() or "" if len(found) == 1 else Reject("", "bad_arxiv_id", _MANY_IDS)
    if isinstance(given, str):
        return Reject("", "bad_arxiv_id", bad_id_detail(given))
    if isinstance(given, int | float) and not isinstance(given, bool):
        detail = "The record's id is a number, which may have lost zeros; write ids as text."
        return Reject("", "not_a_record", detail)
    return Reject("", "not_a_record", "The line is JSON but not an arXiv record: no id.")


_MANY_IDS = "The record's id is not an arXiv id, and its addresses name several papers."


def _text(value: Any, name: str) -> str | None:
    """Text, or the only text of a list. Raises UnreadableError for other forms with content."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, str):
        return value
    raise UnreadableError(f"`{name}` is {_form(value)}, not text.")


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list of another form"
    return "a number" if isinstance(value, int | float) else f"a {type(value).__name__}"


def unpacked(text: str) -> Any:
    """The list that a text prints, as JSON or as Python prints it; else the text itself."""
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")) or len(text) > MAX_TEXT_CHARS:
        return text
    try:
        return orjson.loads(stripped)
    except orjson.JSONDecodeError:
        pass
    try:
        value = ast.literal_eval(stripped)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, list) else text


def categories(value: Any) -> tuple[list[str], bool]:
    """arXiv's categories in a value, in order, and whether the value has any content.

    Raises UnreadableError for a form that can't be read.
    """
    value = unpacked(value) if isinstance(value, str) else value
    if not _has_content(value):
        return [], False
    entries = value if isinstance(value, list) else [value]
    codes: list[str] = []
    for entry in entries:
        if isinstance(entry, dict):
            entry = entry.get("term") or entry.get("name") or entry.get("id")
        if not isinstance(entry, str):
            raise UnreadableError(f"`categories` contains {_form(entry)}.")
        codes += [*_CODE.findall(entry), *_BETWEEN.split(entry)]
    return list(dict.fromkeys(code for code in codes if _CATEGORY.match(code))), True


def _authors(record: Mapping[str, Any]) -> tuple[str | None, list[str] | None]:
    """The authors as printed text, or as names in order, from the first field that has them."""
    for field in AUTHOR_FIELDS:
        value = record.get(field)
        value = unpacked(value) if isinstance(value, str) else value
        if isinstance(value, str) and value.strip():
            return value, None
        if _has_content(value) and (names := names_of(value, field)):
            return None, names
    return None, None


def names_of(value: Any, field: str) -> list[str] | None:
    """Names in a list of texts, objects or name parts; None if it has none.

    Raises UnreadableError for other forms.
    """
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise UnreadableError(f"`{field}` is {_form(value)}, not a list of names.")
    names = [_name(entry, field) for entry in value]
    if any(len(name) > MAX_NAME_CHARS for name in names):
        return names  # rejected by the checks that all formats share
    if len(names) == 1 and names[0].count(",") > 1:
        return split_names(names[0]) or None
    return tidy(turned(name) if "," in name else name for name in names if name) or None


def _name(entry: Any, field: str) -> str:
    """One name from a text, `[last, first, suffix]`, or an object."""
    if entry is None:
        return ""
    if isinstance(entry, str):
        return one_line(entry)
    if isinstance(entry, list) and all(part is None or isinstance(part, str) for part in entry):
        last, first, suffix, *_ = [*(part or "" for part in entry), "", "", ""]
        return one_line(f"{first} {last} {suffix}")
    if isinstance(entry, dict):
        person = _by_lower_name(entry)
        whole = _first(person, _PERSON)
        if isinstance(whole, str):
            return one_line(whole)
        parts = (_first(person, _FIRST), _first(person, _LAST), person.get("suffix"))
        if any(parts) and all(part is None or isinstance(part, str) for part in parts):
            return one_line(" ".join(part for part in parts if part))
        if not any(map(_has_content, person.values())):
            return ""
    raise UnreadableError(f"`{field}` contains {_form(entry)} that is not a name.")


def _versions(record: Mapping[str, Any], arxiv_id: str, note: Note) -> list[dict[str, str | None]]:
    """The versions that a record names, with their times in the snapshot's form."""
    value = record.get("versions")
    value = unpacked(value) if isinstance(value, str) else value
    entries = value if isinstance(value, list) else [value]
    found = [_version(entry, note) for entry in entries if _has_content(entry)]
    version = split_version(arxiv_id)[1] or record.get("version")
    if not found and _has_content(version) and not isinstance(version, dict | list):
        found = [_version(str(version), note)]
    v1 = next((entry for entry in found if entry["version"] == "v1" and entry["created"]), None)
    if v1 is None and (created := _first(record, CREATED_FIELDS)) is not None:
        found.append({"version": "v1", "created": _created(created, note)})
    return found


def _version(entry: Any, note: Note) -> dict[str, str | None]:
    if isinstance(entry, dict):
        number, created = entry.get("version") or entry.get("v"), _first(entry, ("created", "date"))
        return {"version": _number(number), "created": _created(created, note)}
    return {"version": _number(entry), "created": None}


def _number(value: Any) -> str:
    found = _VERSION.fullmatch(str(value).strip())
    if isinstance(value, bool) or not found:
        raise UnreadableError(f"`versions` contains {excerpt(value)[:40]!r}, not a version.")
    return f"v{int(found.group(1))}"


def _created(value: Any, note: Note) -> str | None:
    if value is None:
        return None
    day = day_of(value)
    if day is None:
        note("unreadable_date_ignored", f"such as {excerpt(value)[:40]!r}")
        return None
    return snapshot_time(day)


def _announced(record: Mapping[str, Any], note: Note) -> str | None:
    value = _first(record, ANNOUNCED_FIELDS)
    if value is None:
        return None
    if isinstance(value, str) and (found := _DAY.match(value.strip())):
        return found.group(1)
    day = day_of(value)
    if day is None:
        note("unreadable_date_ignored", f"such as {excerpt(value)[:40]!r}")
    return day.isoformat() if day else None


def day_of(value: Any) -> date | None:
    """The UTC day of a date in ISO 8601 or as in mail headers; None for any other value.

    `04/01/2024` may be April or January, so it is not read.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        return utc(text).date()
    except ValueError:
        pass
    try:
        return utc(parsedate_to_datetime(text).isoformat()).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def snapshot_time(day: date) -> str:
    """The day in the form in which the snapshot gives the time of a version."""
    return format_datetime(datetime.combine(day, time(), UTC), usegmt=True)
