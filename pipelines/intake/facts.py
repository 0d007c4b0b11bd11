"""Facts about captures that a user states: the day of a list, the time of capture, kind, source.

Belongs here: checking facts, and those given as command line options. Does not: facts from a
`captures.csv` (`sidecar.py`), or which fact wins (`pipelines.archive.receipt`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from pipelines.archive.receipt import OVERRIDE, Given
from pipelines.errors import UsageError
from pipelines.parsing.listing_kind import KINDS
from pipelines.parsing.moments import EARLIEST, credible, utc
from pipelines.parsing.paper_fields import FIELDS

SOURCES = ("hf_page", "hf_api", "arxiv", "file")


def overrides(
    kind: str | None = None,
    captured_on: str | None = None,
    listing_day: str | None = None,
    source: str | None = None,
    columns: Iterable[str] = (),
) -> dict[str, Given]:
    """Fact name → fact, from command line options. Raises UsageError naming the option."""
    values: dict[str, str] = {}
    if kind is not None:
        values["listing_kind"] = _one_of(kind, KINDS, "--kind")
    if source is not None:
        values["source"] = _one_of(source, SOURCES, "--source")
    if listing_day is not None:
        values["listed_on"] = _date_option(listed_on, listing_day, "--listing-day")
    if captured_on is not None:
        values["captured_at"] = _date_option(captured_at, captured_on, "--captured-on")
    if named := _columns(columns):
        values["columns"] = json.dumps(named, sort_keys=True)
    return {name: Given(value, OVERRIDE) for name, value in values.items()}


def _columns(pairs: Iterable[str]) -> dict[str, str]:
    """Field → column from `field=column`. Raises UsageError for an unknown field."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, _, column = pair.partition("=")
        if field.strip() not in FIELDS or not column.strip():
            raise UsageError(
                f"--map {pair!r} is invalid. Write FIELD=COLUMN, for example title=Title. Fields "
                f"are {', '.join(FIELDS)}."
            )
        found[field.strip()] = column.strip()
    return found


def listed_on(text: str) -> str:
    """A list's day as an ISO date. Raises ValueError if no list can have that day."""
    day = date.fromisoformat(text)
    _require_credible(day)
    return day.isoformat()


def captured_at(text: str) -> str:
    """A time of capture in ISO format and UTC. Raises ValueError if the time is impossible."""
    moment = utc(text)
    _require_credible(moment.date())
    return moment.isoformat()


def _require_credible(day: date) -> None:
    if not credible(day, datetime.now(UTC).date()):
        raise ValueError(f"{day} is in the future or before {EARLIEST}")


def _one_of(value: str, allowed: Iterable[str], option: str) -> str:
    if value not in allowed:
        raise UsageError(f"{option} {value!r} is invalid. Choose one of {', '.join(allowed)}.")
    return value


def _date_option(read: Callable[[str], str], text: str, option: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is invalid: {error}. Write a date as YYYY-MM-DD, for example "
            "2025-11-06."
        ) from None
