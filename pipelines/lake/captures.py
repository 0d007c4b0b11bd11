"""Facts inferred about a capture as a whole: its format, kind, day and time.

Belongs here: the order in which sources of a fact are tried, and the basis that is stored with it.
Does not belong here: reading a format (`parsing/`), writing files (`items`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Receipt
from pipelines.parsing import PARSER_VERSION
from pipelines.parsing.formats import UNKNOWN, Format, detect
from pipelines.parsing.head import HEAD_BYTES
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.moments import credible, utc
from pipelines.parsing.records import Hints, Parsed, Reject

_DATED_KINDS = ("daily", "weekly", "monthly")


def identify(archive: Archive, receipt: Receipt) -> tuple[Format, Receipt]:
    """The format by today's detector, and the receipt with this format and its source.

    The receipt stores the format that was detected on arrival, perhaps by older rules.
    """
    with archive.open(receipt) as body:
        detected = detect(body.read(HEAD_BYTES), has_columns="columns" in receipt.given)
    given = receipt.given.get("source")
    source = given.value if given else detected.source
    return detected, replace(receipt, format=detected.name, source=source)


def hints(receipt: Receipt) -> Hints:
    """The receipt as hints for a parser."""
    captured = receipt.given.get("captured_at")
    columns = receipt.given.get("columns")
    return Hints(
        columns=json.loads(columns.value) if columns else {},
        received_at=utc(receipt.received_at),
        captured_on=utc(captured.value).date() if captured else None,
    )


def damage(receipt: Receipt) -> list[Reject]:
    """One reject if the compressed data was cut or damaged, else none."""
    if not receipt.damage:
        return []
    detail = f"In {receipt.origin}, {receipt.damage}. The content before that point was read."
    return [Reject("end of the body", "damaged_compression", detail)]


def facts(
    receipt: Receipt, detected: Format, first: Parsed, announced: Iterable[date | None]
) -> dict[str, Any]:
    """The columns of `CAPTURE_COLUMNS` that describe the capture as a whole.

    `first` is the capture's first part, `announced` the latest announcement day of each part.
    """
    listed_on, listed_on_basis = _listed_on(receipt, first)
    kind, rule = _kind(receipt, detected, first, listed_on)
    if kind not in _DATED_KINDS and listed_on_basis != "override":
        listed_on, listed_on_basis = None, "none: a list of this kind has no day"
    captured_at, captured_at_basis = _captured_at(receipt, first, announced)
    observed = {_without_zone(m) for m in (captured_at, *map(utc, receipt.observed_at))}
    given = receipt.given
    overrides = {name: fact.value for name, fact in given.items() if fact.by == "override"}
    return {
        "capture_id": receipt.capture_id,
        "sha256": receipt.sha256,
        "n_bytes": receipt.n_bytes,
        "source": receipt.source,
        "format": receipt.format,
        "listing_kind": kind,
        "listing_kind_rule": rule,
        "listed_on": listed_on,
        "listed_on_basis": listed_on_basis,
        "captured_at": max(observed),
        "captured_at_basis": captured_at_basis,
        "observations": sorted(observed),
        "page": int(given["page"].value) if "page" in given else None,
        "is_last_page": given["is_last_page"].value == "true" if "is_last_page" in given else None,
        "origin": Path(receipt.origin).name,
        "overrides": json.dumps(overrides, sort_keys=True),
        "parser_version": PARSER_VERSION,
    }


def _kind(
    receipt: Receipt, detected: Format, page: Parsed, listed_on: date | None
) -> tuple[str, str]:
    """`listing_kind` and the rule that gave it."""
    if given := receipt.given.get("listing_kind"):
        return given.value, "override: set by the user"
    if detected.kind is not None:
        return detected.kind, "format: arXiv metadata rows are announcements"
    if receipt.source == UNKNOWN.source or (not page.items.height and page.rejects):
        return "unknown", "unreadable: no list could be read from the content"
    return infer_kind(page.items, page.stated_kind, listed_on)


def _listed_on(receipt: Receipt, page: Parsed) -> tuple[date | None, str]:
    """Override, `captures.csv`, the page's own date, majority of submissions, date in the name."""
    received_on = utc(receipt.received_at).date()
    if given := receipt.given.get("listed_on"):
        return date.fromisoformat(given.value), given.by
    if credible(page.listed_on, received_on):
        return page.listed_on, "page_date"
    submitted = page.items["submitted_on"].drop_nulls()
    if submitted.len():
        top = submitted.value_counts().sort(["count", "submitted_on"], descending=True)
        if int(top["count"][0]) * 2 > submitted.len():
            return top["submitted_on"][0], "majority_of_submissions"
    if credible(receipt.day_in_name, received_on):
        return receipt.day_in_name, "file_name"
    return None, "none: the capture shows no day"


def _captured_at(
    receipt: Receipt, page: Parsed, announced: Iterable[date | None]
) -> tuple[datetime, str]:
    """The given time, else the latest time that the content proves, else the time of receipt.

    The content gives a lower bound. It is the same whenever the capture is ingested.
    """
    if given := receipt.given.get("captured_at"):
        return utc(given.value), given.by
    received_at = utc(receipt.received_at)
    newest = max((day for day in announced if day is not None), default=None)
    for day, basis in ((page.captured_on, "page_date"), (newest, "latest_announcement")):
        if day is not None and datetime.combine(day, time(), UTC) <= received_at:
            return datetime.combine(day, time(), UTC), basis
    if page.latest_at is not None:
        return page.latest_at, "latest_timestamp_inside"
    return received_at, "receipt"


def _without_zone(moment: datetime) -> str:
    """UTC in ISO format without a zone, as the lake stores times."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()
