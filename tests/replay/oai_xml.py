"""OAI-PMH pages in arXiv's format, from rows in the layout of arXiv's public snapshot.

Belongs here: XML. Does not: which records are on a page (`oai.py`). As on arXiv's server, empty
elements are omitted, the last of several pages has an empty `<resumptionToken/>`, and version dates
have the format of e-mail headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

Row = Mapping[str, Any]
# Archives that are also groups; all others belong to the group physics.
OWN_GROUP = {"cs", "math", "stat", "eess", "econ", "q-bio", "q-fin"}
OPTIONAL = ("comments", "report-no", "journal-ref", "doi", "license")


def page(
    rows: Iterable[Row],
    prefix: str = "arXivRaw",
    *,
    token: str | None = None,
    token_attributes: Mapping[str, str] | None = None,
    request: Mapping[str, str] | None = None,
    base_url: str = "http://oaipmh.arxiv.org/oai",
    at: datetime = datetime(2025, 6, 2, 12, 0, tzinfo=UTC),
) -> bytes:
    """A `ListRecords` page. `token`: None for no element, "" for the empty one of a last page."""
    records = "".join(record(row, prefix) for row in rows)
    end = "" if token is None else _token(token, token_attributes or {})
    asked = {"verb": "ListRecords", "metadataPrefix": prefix, **(request or {})}
    return document(f"<ListRecords>\n{records}{end}</ListRecords>", asked, base_url, at)


def error_page(
    code: str,
    message: str = "",
    *,
    base_url: str = "http://oaipmh.arxiv.org/oai",
    at: datetime = datetime(2025, 6, 2, 12, 0, tzinfo=UTC),
) -> bytes:
    """The page of a protocol error, which has HTTP status 200."""
    return document(f"<error code='{code}'>{escape(message)}</error>", {}, base_url, at)


def document(inside: str, request: Mapping[str, str], base_url: str, at: datetime) -> bytes:
    """The document around the content of a response."""
    asked = "".join(f" {name}={quoteattr(value)}" for name, value in request.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"\n'
        '         xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n'
        '         xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/ '
        'http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
        f"<responseDate>{at:%Y-%m-%dT%H:%M:%SZ}</responseDate>\n"
        f"<request{asked}>{escape(base_url)}</request>\n{inside}\n</OAI-PMH>\n"
    ).encode()


def record(row: Row, prefix: str = "arXivRaw") -> str:
    """One record. A row with `"deleted": true` has a header only."""
    header = _header(row)
    if row.get("deleted"):
        return f"<record>\n{header}</record>\n"
    body = {"arXivRaw": _raw, "arXiv": _plain}[prefix](row)
    namespace = f"http://arxiv.org/OAI/{prefix}/"
    return (
        f"<record>\n{header}<metadata>\n"
        f'<{prefix} xmlns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{namespace} http://arxiv.org/OAI/{prefix}.xsd">\n'
        f"{body}</{prefix}>\n</metadata>\n</record>\n"
    )


def sets(row: Row) -> list[str]:
    """Set specs of a record, such as `cs:cs:LG` or `physics:hep-th`: one per category.

    Some rows have ACM and MSC codes among their categories; these have no set.
    """
    found = []
    for category in row["categories"].split():
        archive, _, subject = category.partition(".")
        if archive != archive.lower() or not archive[:1].isalpha():
            continue
        group = archive if archive in OWN_GROUP else "physics"
        found.append(":".join([group, archive, *([subject] if subject else [])]))
    return found


def versions(row: Row) -> list[tuple[str, datetime]]:
    """Name and time of each version.

    A row without versions gets a v1, since arXiv always has one. Its date is the record's if the id
    is of the same month, else the first day of the id's month.
    """
    given = [(v["version"], parsedate_to_datetime(v["created"])) for v in row.get("versions") or []]
    if given:
        return given
    day = date.fromisoformat(row["update_date"])
    month = row["id"].rpartition("/")[2][:4]
    if month != f"{day:%y%m}":
        century = 1900 if month[:2] > "90" else 2000
        day = date(century + int(month[:2]), int(month[2:]), 1)
    return [("v1", datetime(day.year, day.month, day.day, tzinfo=UTC))]


def _header(row: Row) -> str:
    status = ' status="deleted"' if row.get("deleted") else ""
    specs = "".join(f"<setSpec>{escape(spec)}</setSpec>\n" for spec in sets(row))
    return (
        f"<header{status}>\n{_element('identifier', 'oai:arXiv.org:' + row['id'])}"
        f"{_element('datestamp', row['update_date'])}{specs}</header>\n"
    )


def _raw(row: Row) -> str:
    each = "".join(
        f'<version version="{name}">\n<date>{at:%a, %d %b %Y %H:%M:%S} GMT</date>\n'
        "<size>100kb</size>\n</version>\n"
        for name, at in versions(row)
    )
    return (
        _element("id", row["id"])
        + _element("submitter", row.get("submitter") or "Somebody")
        + each
        + "".join(_element(name, row[name]) for name in ("title", "authors", "categories"))
        + _optional(row)
        + _element("abstract", row["abstract"])
    )


def _plain(row: Row) -> str:
    days = [at.date().isoformat() for _, at in versions(row)]
    authors = "".join(
        f"<author>\n{_element('keyname', names[0])}{_element('forenames', names[1])}"
        f"{_element('suffix', names[2])}</author>\n"
        for names in row["authors_parsed"]
    )
    return (
        _element("id", row["id"])
        + _element("created", days[0])
        + (_element("updated", days[-1]) if len(days) > 1 else "")
        + f"<authors>\n{authors}</authors>\n"
        + _element("title", row["title"])
        + _element("categories", row["categories"])
        + _optional(row)
        + _element("abstract", row["abstract"])
    )


def _optional(row: Row) -> str:
    return "".join(_element(name, row.get(name)) for name in OPTIONAL)


def _element(name: str, text: str | None) -> str:
    return f"<{name}>{escape(text)}</{name}>\n" if text else ""


def _token(token: str, attributes: Mapping[str, str]) -> str:
    named = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        f"<resumptionToken{named}>{escape(token)}</resumptionToken>\n"
        if token
        else (f"<resumptionToken{named}/>\n")
    )
