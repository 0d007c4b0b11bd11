"""The lake's folders, one per capture: write them, read their stamps, find damage.

A folder `lake/items/<capture_id>/` has `items-*.parquet`, `quarantine.parquet` and `capture.json`.
It is written elsewhere and moved into place as a whole. Does not belong here: what is inferred
about a capture (`captures`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Receipt
from pipelines.lake import captures
from pipelines.lake.schemas import LAKE_ITEM_SCHEMA, QUARANTINE_SCHEMA
from pipelines.parsing import PARSER_VERSION
from pipelines.parsing.reading import Reading, refused
from pipelines.parsing.records import Reject
from pipelines.runtime.files import temporary_folder


def pending(archive: Archive, items_dir: Path) -> list[Receipt]:
    """Captures that the lake lacks, or has under other parsing rules or overrides."""
    return [r for r in archive.receipts() if _stored_stamp(items_dir / r.capture_id) != stamp(r)]


def stamp(receipt: Receipt) -> str:
    """A hash that changes with the parsing rules and with the facts given for the capture."""
    given = {name: asdict(fact) for name, fact in receipt.given.items()}
    text = json.dumps([PARSER_VERSION, receipt.damage, given, receipt.observed_at], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stored_stamp(folder: Path) -> str | None:
    """The stamp of a capture in the lake; None if a file is missing or has another size."""
    try:
        stored = json.loads((folder / "capture.json").read_text())
        is_whole = all((folder / n).stat().st_size == size for n, size in stored["files"].items())
        return str(stored["stamp"]) if is_whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def stamps(items_dir: Path) -> dict[str, str]:
    """Capture id → stamp of every complete folder in the lake."""
    found = ((folder.name, _stored_stamp(folder)) for folder in _folders(items_dir))
    return {name: stored for name, stored in found if stored is not None}


def unreadable(items_dir: Path) -> list[str]:
    """Ids of captures with a Parquet file that can't be read, because its bytes were damaged."""
    found = []
    for folder in _folders(items_dir):
        try:
            for path in folder.glob("*.parquet"):
                pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            found.append(folder.name)
    return found


def _folders(items_dir: Path) -> list[Path]:
    return sorted(items_dir.glob("[0-9a-f]*"))


def forget(capture_ids: Iterable[str], items_dir: Path) -> None:
    """Remove captures from the lake, so that the next intake parses them from the archive."""
    for capture_id in capture_ids:
        shutil.rmtree(items_dir / capture_id, ignore_errors=True)


def load(archive: Archive, receipt: Receipt, items_dir: Path) -> dict[str, Any]:
    """Parse a capture into the lake; returns its facts, the columns of `CAPTURE_COLUMNS`.

    Raises CaptureError if the archived body is missing or damaged; the lake is then unchanged.
    """
    items_dir.mkdir(parents=True, exist_ok=True)
    with temporary_folder(items_dir) as work:
        facts = _write(archive, receipt, work)
        final = items_dir / receipt.capture_id
        with suppress(FileNotFoundError):
            os.replace(final, work / "replaced")
        try:
            (work / "new").rename(final)
        except OSError:
            if not final.exists():  # else another process wrote the same result first
                raise
        return facts


def _write(archive: Archive, receipt: Receipt, work: Path) -> dict[str, Any]:
    folder = work / "new"
    folder.mkdir()
    detected, receipt = captures.identify(archive, receipt)
    rejects: list[Reject] = []
    rules: list[str] = []
    announced: list[date | None] = []
    n_accepted = 0
    with archive.open(receipt) as body:
        reading = Reading(detected, body, captures.hints(receipt))
        parts = reading.parts()
        first = next(parts)
        for number, part in enumerate(chain([first], parts)):
            rejects += part.rejects
            rules += (rule for rule in part.rules if rule not in rules)
            announced.append(part.items["announced_on"].max())  # type: ignore[arg-type]
            if part.items.height:
                path = folder / f"items-{number:05}.parquet"
                _with_ids(part.items, receipt).write_parquet(path)
                n_accepted += part.items.height
    if reading.verdict is not None:
        first, rejects, n_accepted = refused(first, reading.verdict), [reading.verdict], 0
        for path in folder.glob("items-*.parquet"):
            path.unlink()
    rejects += captures.damage(receipt)
    _quarantine(rejects, receipt).write_parquet(folder / "quarantine.parquet")
    facts = {
        **captures.facts(receipt, detected, first, announced),
        "rules": rules,
        "n_seen": n_accepted + len(rejects),
        "n_accepted": n_accepted,
        "n_quarantined": len(rejects),
    }
    files = {path.name: path.stat().st_size for path in sorted(folder.glob("*.parquet"))}
    stored = facts | {"stamp": stamp(receipt), "files": files}
    (folder / "capture.json").write_text(json.dumps(stored, default=str))
    return facts


def _with_ids(items: pl.DataFrame, receipt: Receipt) -> pl.DataFrame:
    return items.with_columns(
        pl.lit(receipt.capture_id).alias("capture_id"),
        pl.format("{}:{}", pl.lit(receipt.capture_id), "position").alias("item_id"),
    ).select(list(LAKE_ITEM_SCHEMA))


def _quarantine(rejects: list[Reject], receipt: Receipt) -> pl.DataFrame:
    rows = [{"capture_id": receipt.capture_id, **asdict(r)} for r in rejects]
    return pl.DataFrame(rows, schema=QUARANTINE_SCHEMA, orient="row")
