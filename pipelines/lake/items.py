"""Captures → the lake: parsed items, quarantine, and what was inferred of each capture.

Belongs here: which parser reads a capture, and the facts inferred of it as a whole (kind, day,
time). Does not: the formats themselves (`parsing/`), or merging papers (dbt).

A capture's folder `lake/items/<capture_id>/` holds `items-*.parquet`, `quarantine.parquet` and
`capture.json`; it is written aside and moved in place whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Receipt
from pipelines.lake.schemas import LAKE_ITEM_SCHEMA, QUARANTINE_SCHEMA
from pipelines.parsing import (
    PARSER_VERSION,
    arxiv_atom,
    arxiv_oai,
    arxiv_snapshot,
    detect,
    listing_api,
    listing_html,
    listing_text,
)
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.moments import credible, utc
from pipelines.parsing.records import Hints, Parsed, Reject, reject_body
from pipelines.runtime.files import temporary_folder

_PARSERS: dict[str, Callable[[bytes, Hints], Parsed]] = {
    detect.LISTING_TEXT.name: listing_text.parse,
    detect.LISTING_HTML.name: listing_html.parse,
    detect.LISTING_API.name: listing_api.parse,
    detect.ARXIV_ATOM.name: arxiv_atom.parse,
    detect.ARXIV_OAI.name: arxiv_oai.parse,
}
_TIMESTAMP = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")
_ANNOUNCEMENTS = (detect.ARXIV_SNAPSHOT.name, detect.ARXIV_OAI.name)
_DATED_KINDS = ("daily", "weekly", "monthly")


def pending(archive: Archive, items_dir: Path) -> list[Receipt]:
    """Captures that the lake lacks, or holds under older rules or other overrides."""
    return [r for r in archive.receipts() if _stored_stamp(items_dir / r.capture_id) != stamp(r)]


def stamp(receipt: Receipt) -> str:
    """Changes when the parsing rules or the given facts change."""
    given = {name: asdict(fact) for name, fact in receipt.given.items()}
    text = json.dumps([PARSER_VERSION, receipt.damage, given, receipt.observed_at], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stored_stamp(folder: Path) -> str | None:
    """The stamp under which a capture stands in the lake; None where a file of it is not whole."""
    try:
        stored = json.loads((folder / "capture.json").read_text())
        whole = all((folder / n).stat().st_size == size for n, size in stored["files"].items())
        return str(stored["stamp"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def stamps(items_dir: Path) -> dict[str, str]:
    """Capture → stamp of everything that stands whole in the lake."""
    found = ((folder.name, _stored_stamp(folder)) for folder in sorted(items_dir.glob("[0-9a-f]*")))
    return {name: stored for name, stored in found if stored is not None}


def unreadable(items_dir: Path) -> list[str]:
    """Captures whose rows in the lake can't be read: bytes were damaged on the disk."""
    found = []
    for folder in sorted(items_dir.glob("[0-9a-f]*")):
        try:
            for path in folder.glob("*.parquet"):
                pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            found.append(folder.name)
    return found


def forget(capture_ids: Iterable[str], items_dir: Path) -> None:
    """Take captures out of the lake; the next intake parses them anew from the archive."""
    for capture_id in capture_ids:
        shutil.rmtree(items_dir / capture_id, ignore_errors=True)


def load(archive: Archive, receipt: Receipt, items_dir: Path) -> dict[str, Any]:
    """Parse one capture into the lake; returns its facts (columns of `CAPTURE_COLUMNS`)."""
    items_dir.mkdir(parents=True, exist_ok=True)
    with temporary_folder(items_dir) as work:
        facts = _write(archive, receipt, work)
        final = items_dir / receipt.capture_id
        with suppress(FileNotFoundError):
            os.replace(final, work / "replaced")
        try:
            (work / "new").rename(final)
        except OSError:
            if not final.exists():  # another process was quicker: its result is the same
                raise
        return facts


def _write(archive: Archive, receipt: Receipt, work: Path) -> dict[str, Any]:
    folder = work / "new"
    folder.mkdir()
    receipt = _as_read_now(archive, receipt)
    first, parts = _parse(archive, receipt)
    rejects: list[Reject] = []
    rules: Counter[str] = Counter()
    n_accepted = 0
    newest: date | None = None
    for number, part in enumerate(parts):
        rejects += part.rejects
        rules.update(dict.fromkeys(part.rules, 0))
        latest = part.items["announced_on"].max()
        if isinstance(latest, date) and (newest is None or latest > newest):
            newest = latest
        if part.items.height:
            _with_ids(part.items, receipt).write_parquet(folder / f"items-{number:05}.parquet")
            n_accepted += part.items.height
    if receipt.damage:
        detail = f"In {receipt.origin}, {receipt.damage}; what came before it was read."
        rejects.append(Reject("end of the body", "damaged_compression", detail))
    _quarantine(rejects, receipt).write_parquet(folder / "quarantine.parquet")
    facts = {
        **_facts(receipt, first, newest, archive),
        "rules": list(rules),
        "n_seen": n_accepted + len(rejects),
        "n_accepted": n_accepted,
        "n_quarantined": len(rejects),
    }
    files = {path.name: path.stat().st_size for path in sorted(folder.glob("*.parquet"))}
    stored = facts | {"stamp": stamp(receipt), "files": files}
    (folder / "capture.json").write_text(json.dumps(stored, default=str))
    return facts


def _as_read_now(archive: Archive, receipt: Receipt) -> Receipt:
    """The receipt with the format that today's detector sees: rules may have learnt since."""
    with archive.open(receipt) as body:
        found = detect.detect(body.read(detect.HEAD_BYTES))
    given = receipt.given.get("source")
    return replace(receipt, format=found.name, source=given.value if given else found.source)


def _parse(archive: Archive, receipt: Receipt) -> tuple[Parsed, Iterator[Parsed]]:
    """The first part (which tells of the page) and all parts."""
    captured = receipt.given.get("captured_at")
    hints = Hints(
        received_on=utc(receipt.received_at).date(),
        captured_on=utc(captured.value).date() if captured else None,
    )
    if receipt.format == detect.ARXIV_SNAPSHOT.name:
        parts = arxiv_snapshot.parse_stream(archive.open(receipt), hints)
        first = next(parts)
        return first, chain([first], parts)
    body = archive.open(receipt).read()
    if receipt.format in _PARSERS:
        parsed = _PARSERS[receipt.format](body, hints)
    elif b"\0" in body[:8192]:
        parsed = reject_body("binary", "The file is binary, not a listing.", body)
    else:
        detail = "The file is in no format that Papertide knows."
        parsed = reject_body("unknown_format", detail, body)
    return parsed, iter([parsed])


def _with_ids(items: pl.DataFrame, receipt: Receipt) -> pl.DataFrame:
    return items.with_columns(
        pl.lit(receipt.capture_id).alias("capture_id"),
        pl.format("{}:{}", pl.lit(receipt.capture_id), "position").alias("item_id"),
    ).select(list(LAKE_ITEM_SCHEMA))


def _quarantine(rejects: list[Reject], receipt: Receipt) -> pl.DataFrame:
    rows = [{"capture_id": receipt.capture_id, **asdict(r)} for r in rejects]
    return pl.DataFrame(rows, schema=QUARANTINE_SCHEMA, orient="row")


def _facts(receipt: Receipt, page: Parsed, newest: date | None, archive: Archive) -> dict[str, Any]:
    """What is inferred of the capture as a whole, each with the rule that gave it."""
    day, day_basis = _listing_day(receipt, page)
    if "listing_kind" in receipt.given:
        kind, rule = receipt.given["listing_kind"].value, "override: given by the user"
    elif receipt.format in _ANNOUNCEMENTS:
        kind, rule = "announcement", "format: arXiv metadata rows are announcements"
    elif receipt.source == "unknown" or (not page.items.height and page.rejects):
        kind, rule = "unknown", "nothing in it could be read as a list"
    else:
        kind, rule = infer_kind(page.items, page.stated_kind, day)
    if kind not in _DATED_KINDS and day_basis != "override":
        day, day_basis = None, "none: such a list belongs to no day"
    captured_at, captured_basis = _captured_at(receipt, page, newest, archive)
    last = receipt.given.get("is_last_page")
    observed = {_bare_utc(m) for m in (captured_at, *map(utc, receipt.observed_at))}
    overrides = {n: g.value for n, g in receipt.given.items() if g.by == "override"}
    return {
        "capture_id": receipt.capture_id,
        "sha256": receipt.sha256,
        "n_bytes": receipt.n_bytes,
        "source": receipt.source,
        "format": receipt.format,
        "listing_kind": kind,
        "listing_kind_rule": rule,
        "listing_day": day,
        "listing_day_basis": day_basis,
        "captured_at": max(observed),
        "captured_at_basis": captured_basis,
        "observations": sorted(observed),
        "page": int(receipt.given["page"].value) if "page" in receipt.given else None,
        "is_last_page": last.value == "true" if last else None,
        "origin": Path(receipt.origin).name,
        "overrides": json.dumps(overrides, sort_keys=True),
        "parser_version": PARSER_VERSION,
    }


def _bare_utc(moment: datetime) -> str:
    """As the lake writes moments: UTC, without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _listing_day(receipt: Receipt, page: Parsed) -> tuple[date | None, str]:
    """Override, `captures.csv`, the page's own date, most submissions, a date in the name."""
    received_on = utc(receipt.received_at).date()
    if given := receipt.given.get("listed_on"):
        return date.fromisoformat(given.value), given.by
    if credible(page.page_day, received_on):
        return page.page_day, "page_date"
    submitted = page.items["submitted_on"].drop_nulls()
    if submitted.len():
        top = submitted.value_counts().sort(["count", "submitted_on"], descending=True)
        if int(top["count"][0]) * 2 > submitted.len():
            return top["submitted_on"][0], "majority_of_submissions"
    if credible(receipt.day_in_name, received_on):
        return receipt.day_in_name, "file_name"
    return None, "none: nothing tells the day"


def _captured_at(
    receipt: Receipt, page: Parsed, newest: date | None, archive: Archive
) -> tuple[datetime, str]:
    """When it was captured: given, else the latest moment that the content itself proves.

    That is a lower bound; it makes a capture mean the same whenever it is taken in.
    """
    if given := receipt.given.get("captured_at"):
        return utc(given.value), given.by
    received = utc(receipt.received_at)
    for day, basis in ((page.captured_on, "page_date"), (newest, "latest_announcement")):
        if day is not None and datetime.combine(day, time(), UTC) <= received:
            return datetime.combine(day, time(), UTC), basis
    if receipt.format in (detect.LISTING_API.name, detect.LISTING_HTML.name):
        body = archive.open(receipt).read()
        stamps = (s for s in map(_moment, set(_TIMESTAMP.findall(body))) if s and s <= received)
        latest = max(stamps, default=None)
        if latest:
            return latest, "latest_timestamp_inside"
    return received, "receipt"


def _moment(text: bytes) -> datetime | None:
    try:
        return utc(text.decode())
    except ValueError:
        return None
