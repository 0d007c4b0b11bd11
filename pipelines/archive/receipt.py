"""The receipt of a capture: what the archive knows about its bytes, and how facts are merged.

Belongs here: the record, its JSON file, and which fact wins when the same bytes arrive again. Does
not: the bytes (`archive.py`), or what they contain (`pipelines.parsing`).

Facts come from outside the bytes: a command line option (`override`), a `captures.csv`, or the
fetch that received them. Their names are `listed_on`, `captured_at`, `listing_kind`, `source`,
`dated_name`, and those that a source adds to its own requests (`page`, `is_last_page`, `n_items`,
`set`, …).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import CaptureError
from pipelines.parsing.moments import utc

OVERRIDE = "override"
FETCH = "fetch"
FILE_NAME = "file_name"
PAGING = ("page", "is_last_page", "n_items")
# Names of facts in receipts of earlier versions, with today's.
RENAMED_FACTS = {"listing_day": "listed_on"}
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True)
class Given:
    """A fact about a capture from outside its bytes, and who gave it."""

    value: str
    by: str


@dataclass(frozen=True)
class Receipt:
    """What the archive knows about a capture.

    `observed_at` has the later moments at which a source answered with the same bytes, in order.
    `damage` describes compressed data that could not be read to its end.
    """

    capture_id: str
    sha256: str
    n_bytes: int
    source: str
    format: str
    origin: str
    received_at: str
    damage: str | None = None
    given: Mapping[str, Given] = field(default_factory=dict)
    observed_at: tuple[str, ...] = ()

    @property
    def day_in_name(self) -> date | None:
        """The date in a file name under which the capture was received, if any."""
        other_name = self.given.get("dated_name")
        return day_in_name(self.origin) or (day_in_name(other_name.value) if other_name else None)

    @property
    def fetched_at(self) -> datetime | None:
        """When Papertide last fetched these bytes itself; None if it never did."""
        return max(self._fetches(), default=None)

    def fetched_until(self, now: datetime) -> datetime | None:
        """The last fetch that is not later than `now`, or None."""
        return max((moment for moment in self._fetches() if moment <= now), default=None)

    def first_fetch_after(self, end: datetime, now: datetime) -> datetime | None:
        """The first fetch from `end` until `now`, or None."""
        return min((moment for moment in self._fetches() if end <= moment <= now), default=None)

    def _fetches(self) -> list[datetime]:
        first = self.given.get("captured_at")
        # The same bytes may have been ingested by hand before they were fetched.
        fetched = [first.value] if first and first.by == FETCH else []
        return [utc(moment) for moment in (*fetched, *self.observed_at)]

    def as_json(self) -> str:
        """The content of the receipt's file."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


def receipt_paths(captures_dir: Path) -> Iterator[Path]:
    """Files of all receipts below the folder, in no particular order."""
    return captures_dir.glob("[0-9a-f][0-9a-f]/*.json")


def read_receipt(path: Path) -> Receipt:
    """The receipt in a file. Raises CaptureError when it is missing or damaged."""
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        given = {
            RENAMED_FACTS.get(name, name): Given(**fact) for name, fact in data.pop("given").items()
        }
        observed_at = tuple(data.pop("observed_at", ()))
        receipt = Receipt(given=given, observed_at=observed_at, **data)
        utc(receipt.received_at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CaptureError(
            f"The receipt {path} can't be read ({type(error).__name__}). Restore it from a backup, "
            "or remove it and ingest the original again."
        ) from None
    return receipt


def amended(known: Receipt, received: Receipt) -> Receipt:
    """The known receipt, with the facts that came with the same bytes received again.

    An override replaces an earlier fact. Other facts only fill gaps, so that two copies of a file
    don't overwrite each other's facts in turns. A complete body ends earlier damage.
    """
    overrides = {name: fact for name, fact in received.given.items() if fact.by == OVERRIDE}
    # The newest fetch decides whether a page is the last: the pages after it may be gone.
    paging = {
        name: fact for name, fact in received.given.items() if fact.by == FETCH and name in PAGING
    }
    given = {**received.given, **known.given, **paging, **overrides}
    if known.day_in_name is None and day_in_name(received.origin):
        given["dated_name"] = Given(Path(received.origin).name, FILE_NAME)
    return replace(
        known,
        given=given,
        source=given["source"].value if "source" in given else known.source,
        damage=known.damage and received.damage,
        observed_at=_observations(known, received),
    )


def day_in_name(name: str) -> date | None:
    """The first calendar date (`YYYY-MM-DD`) in a file name, or None."""
    for text in _DAY_IN_NAME.findall(Path(name).name):
        with suppress(ValueError):
            return date.fromisoformat(text)
    return None


def _observations(known: Receipt, received: Receipt) -> tuple[str, ...]:
    """Moments of all fetches but the first: an unchanged answer is an observation too."""
    fetched = received.given.get("captured_at")
    if fetched is None or fetched.by != FETCH:
        return known.observed_at
    first = known.given.get("captured_at", fetched).value
    return tuple(sorted({*known.observed_at, fetched.value} - {first}))
