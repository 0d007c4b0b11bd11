"""Taking files in: paths → captures, each with what lies beside it or was overridden.

Belongs here: reading `captures.csv`, joining overrides, one outcome per path. Does not: storing
(`captures.py`) or parsing (`items.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pipelines.captures import Archive, Given, is_companion, sidecar_facts, utc, walk
from pipelines.errors import CaptureError, UsageError
from pipelines.parsing.listing_kind import KINDS

SOURCES = ("hf_page", "hf_api", "arxiv")
STDIN = "-"


@dataclass(frozen=True)
class Outcome:
    """What became of one path: `new`, `known`, `amended`, `refused` or `skipped`."""

    origin: str
    status: str
    capture_id: str | None = None
    message: str = ""


def overrides(
    kind: str | None = None,
    captured_on: str | None = None,
    listing_day: str | None = None,
    source: str | None = None,
) -> dict[str, Given]:
    """The user's overrides, checked. Raises UsageError naming the option."""
    given: dict[str, Given] = {}
    if kind is not None:
        given["listing_kind"] = Given(_one_of(kind, KINDS, "--kind"), "override")
    if source is not None:
        given["source"] = Given(_one_of(source, SOURCES, "--source"), "override")
    if listing_day is not None:
        given["listing_day"] = Given(_day(listing_day, "--listing-day"), "override")
    if captured_on is not None:
        try:
            given["captured_at"] = Given(utc(captured_on).isoformat(), "override")
        except ValueError:
            raise UsageError(_not_a_day("--captured-on", captured_on)) from None
    return given


def _one_of(value: str, allowed: Iterable[str], option: str) -> str:
    if value not in allowed:
        raise UsageError(f"{option} {value!r}: choose one of {', '.join(allowed)}.")
    return value


def _day(text: str, option: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise UsageError(_not_a_day(option, text)) from None


def _not_a_day(option: str, text: str) -> str:
    return f"{option} {text!r} is no date; write it as YYYY-MM-DD, for example 2025-11-06."


def take_in(
    archive: Archive, paths: Iterable[str], given: Mapping[str, Given]
) -> Iterator[Outcome]:
    """One outcome per file found; a file that can't be taken in never stops the others."""
    sidecars: dict[Path, dict[str, dict[str, Given]]] = {}
    for name in paths:
        if name == STDIN:
            yield _receive(archive, sys.stdin.buffer, "standard input", given)
            continue
        root = Path(name)
        if not root.exists():
            yield Outcome(name, "refused", message=f"{name}: there is no such file or folder.")
            continue
        found = 0
        for path in walk([root]):
            found += 1
            try:
                beside = sidecars.setdefault(path.parent, sidecar_facts(path.parent))
                with path.open("rb") as stream:
                    facts = {**beside.get(path.name, {}), **given}
                    yield _receive(archive, stream, str(path), facts)
            except CaptureError as error:
                yield Outcome(str(path), "refused", message=str(error))
            except OSError as error:
                reason = f"{path} can't be read: {error.strerror}."
                yield Outcome(str(path), "refused", message=reason)
        if root.is_dir():
            passed_over = [p for p in sorted(root.rglob("*")) if is_companion(p)]
            for path in passed_over:
                yield Outcome(str(path), "skipped", message="lies beside captures and is none")
            if not found:
                message = f"{name}: the folder holds no files that could be captures."
                yield Outcome(name, "refused", message=message)


def _receive(
    archive: Archive, stream: BinaryIO | BytesIO, origin: str, given: Mapping[str, Given]
) -> Outcome:
    try:
        received = archive.receive(stream, origin, given)
    except CaptureError as error:
        return Outcome(origin, "refused", message=str(error))
    return Outcome(origin, received.outcome, received.receipt.capture_id)
