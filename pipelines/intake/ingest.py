"""Taking files in: paths → captures, each with what lies beside it or was overridden.

Belongs here: reading `captures.csv`, joining overrides, one outcome per path. Does not: storing
(`captures.py`) or parsing (`items.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeVar

from pipelines.archive.archive import (
    SIDECAR,
    Archive,
    Given,
    is_companion,
    sidecar_facts,
    stated,
    walk,
)
from pipelines.errors import CaptureError, UsageError
from pipelines.parsing.listing_kind import KINDS
from pipelines.parsing.moments import utc

SOURCES = ("hf_page", "hf_api", "arxiv")
STDIN = "-"
NAME_CHARS = 200
Day = TypeVar("Day", bound=date)


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
        day = _checked(date.fromisoformat, listing_day, "--listing-day")
        given["listing_day"] = Given(day.isoformat(), "override")
    if captured_on is not None:
        moment = _checked(utc, captured_on, "--captured-on")
        given["captured_at"] = Given(moment.isoformat(), "override")
    return given


def _one_of(value: str, allowed: Iterable[str], option: str) -> str:
    if value not in allowed:
        raise UsageError(f"{option} {value!r}: choose one of {', '.join(allowed)}.")
    return value


def _checked(read: Callable[[str], Day], text: str, option: str) -> Day:
    try:
        day = read(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no date; write it as YYYY-MM-DD, for example 2025-11-06."
        ) from None
    try:
        stated(day.date() if isinstance(day, datetime) else day)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} can't be used: {error}.") from None
    return day


def take_in(
    archive: Archive, paths: Iterable[str], given: Mapping[str, Given]
) -> Iterator[Outcome]:
    """One outcome per file found; a file that can't be taken in never stops the others."""
    sidecars: dict[Path, Mapping[str, Mapping[str, Given]] | None] = {}
    for name in paths:
        if name == STDIN:
            yield _receive(archive, sys.stdin.buffer, "standard input", given)
            continue
        root = Path(name)
        # An empty name would be the working folder: an unset variable, not a wish.
        if not name.strip() or not _exists(root):
            message = f"{_short(name) or '(an empty name)'}: there is no such file or folder."
            yield Outcome(_short(name), "refused", message=message)
            continue
        found = 0
        for path in walk([root], own=archive.home):
            found += 1
            if path.parent not in sidecars:
                try:
                    sidecars[path.parent] = sidecar_facts(path.parent)
                except CaptureError as error:
                    sidecars[path.parent] = None
                    message = f"{error} Nothing beside it was taken in."
                    yield Outcome(str(path.parent / SIDECAR), "refused", message=message)
            beside = sidecars[path.parent]
            if beside is not None:
                yield _take_file(archive, path, {**beside.get(path.name, {}), **given})
        if root.is_dir():
            documents = (
                p for p in sorted(root.rglob("*")) if is_companion(p) and p.name != SIDECAR
            )
            for path in documents:
                yield Outcome(str(path), "skipped", message="lies beside captures and is none")
            if not found:
                message = f"{name}: the folder holds no files that could be captures."
                yield Outcome(name, "refused", message=message)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long to be one: text given in a path's place
        return False


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARS else f"{name[:NAME_CHARS]}…"


def _take_file(archive: Archive, path: Path, facts: Mapping[str, Given]) -> Outcome:
    try:
        with path.open("rb") as stream:
            return _receive(archive, stream, str(path), facts)
    except OSError as error:
        reason = f"{path} can't be read: {error.strerror}."
        return Outcome(str(path), "refused", message=reason)


def _receive(
    archive: Archive, stream: BinaryIO | BytesIO, origin: str, given: Mapping[str, Given]
) -> Outcome:
    try:
        received = archive.receive(stream, origin, given)
    except CaptureError as error:
        return Outcome(origin, "refused", message=str(error))
    return Outcome(origin, received.outcome, received.receipt.capture_id)
