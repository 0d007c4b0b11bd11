"""The daily lists that the server returns: captures of the corpus, or items given by a test."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

FOLDERS = ("hf_api", "hf_api_later")


class Listings(Protocol):
    """The list of a day at a time; None for a day without one."""

    def items(self, day: date, at: datetime) -> list[Any] | None: ...


class InlineListings:
    """Items by day, or by day and time for a list that grows.

    InlineListings({"2025-06-02": [item]})
    InlineListings({"2025-06-02": {"08:00": [one], "20:00": [one, two]}})
    """

    def __init__(self, days: Mapping[str, list[Any] | Mapping[str, list[Any]]]) -> None:
        self._days = dict(days)

    def items(self, day: date, at: datetime) -> list[Any] | None:
        states = self._days.get(day.isoformat())
        if states is None or isinstance(states, list):
            return states
        reached = [
            items
            for time, items in sorted(states.items())
            if datetime.fromisoformat(f"{day}T{time}:00+00:00") <= at
        ]
        return reached[-1] if reached else []


@dataclass(frozen=True)
class _Capture:
    path: Path
    captured_at: datetime


class CorpusListings:
    """Captures of the corpus by day, read when a day is requested.

    A day's list is its longest capture (the newest of equal ones) up to the time of the request,
    so that lists grow during the day, and a capture truncated at 50 items hides nothing. Before
    its first capture a list is empty. With `latest` the time is ignored.
    """

    def __init__(self, corpus: Path, *, latest: bool = False) -> None:
        self._latest = latest
        self._days: dict[date, list[_Capture]] = {}
        for folder in FOLDERS:
            for day, capture in _index(corpus / folder):
                self._days.setdefault(day, []).append(capture)

    @property
    def days(self) -> list[date]:
        return sorted(self._days)

    def items(self, day: date, at: datetime) -> list[Any] | None:
        captures = self._days.get(day)
        if captures is None:
            return None
        known = [c for c in captures if self._latest or c.captured_at <= at]
        states = [(_load(c.path), c.captured_at) for c in known]
        longest = max(states, key=lambda state: (len(state[0]), state[1]), default=None)
        return longest[0] if longest else []


def _index(folder: Path) -> Iterable[tuple[date, _Capture]]:
    with (folder / "captures.csv").open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            at = datetime.fromisoformat(row["captured_at"]).astimezone(UTC)
            capture = _Capture(folder / row["file"], at)
            yield date.fromisoformat(row["listing_date"]), capture


@lru_cache(maxsize=64)
def _load(path: Path) -> list[Any]:
    items: list[Any] = json.loads(gzip.decompress(path.read_bytes()))
    return items
