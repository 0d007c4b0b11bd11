"""arXiv's sets → the archive: windows that are due, harvested page by page, archived as they come.

Belongs here: joining the plan, the source and the archive; one outcome per window. Does not: HTTP
and the protocol (`sources/arxiv.py`), what is due (`harvest_plan.py`), parsing.

The archive's receipts are the only memory of what was harvested: a window's last page is archived
last. A small file beside them holds the place in a window that was interrupted, and may be lost.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Literal, Protocol

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import FETCH, Given
from pipelines.runtime.files import write_atomic
from pipelines.runtime.locks import exclusive
from pipelines.settings import Settings
from pipelines.sources.arxiv.client import OaiPage
from pipelines.sources.arxiv.plan import A_DAY, Window, due, first_due, harvested, known_days
from pipelines.sources.errors import BadResumptionToken, SourceError, TransientSourceError

WindowStatus = Literal["harvested", "empty", "failed"]


class Harvests(Protocol):
    """What a source of harvests offers."""

    def harvest(
        self,
        set_spec: str | None,
        from_on: date,
        until_on: date,
        prefix: str = ...,
        resume: str | None = None,
    ) -> Iterator[OaiPage]:
        """Pages of a window, one by one. Raises SourceError."""


@dataclass(frozen=True)
class WindowOutcome:
    """What became of one window: pages archived in this run, and their records.

    `empty`: nothing changed in it. `failed`: not harvested to its end, and `note` says why.
    """

    window: Window
    status: WindowStatus
    n_pages: int = 0
    n_records: int = 0
    note: str = ""


@dataclass(frozen=True)
class Place:
    """Where a window was interrupted: the token of the page that comes next, and its number."""

    set_spec: str
    first: str
    last: str
    page: int
    token: str


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold arXiv for this process. Raises BusyError when another one of this home asks it."""
    taken = (
        f"Another process asks arXiv for {settings.home}, and arXiv allows one connection at a "
        "time. Wait until it is done."
    )
    with exclusive(settings.harvest_dir / ".lock", taken):
        yield


def windows_due(
    archive: Archive,
    sets: Sequence[str],
    now: datetime,
    since: date | None = None,
    until: date | None = None,
    *,
    again: bool = False,
) -> list[Window]:
    """Windows to harvest, set by set; `again`: those of the whole span, harvested or not.

    Without `since`, from where a regular harvest begins. Never beyond yesterday (UTC): the records
    of a day come until it is over.
    """
    today = now.astimezone(UTC).date()
    last = min(until or today, today - A_DAY)
    whole = harvested(archive.receipts())
    found = []
    for set_spec in sets:
        known = known_days(set_spec, whole)
        first = since or first_due(known, today)
        found += due(set_spec, set() if again else known, first, last)
    return found


def harvest(
    archive: Archive,
    source: Harvests,
    folder: Path,
    windows: Iterable[Window],
    progress: Callable[[WindowOutcome], None] = lambda _: None,
) -> Iterator[WindowOutcome]:
    """Harvest these windows and archive their pages; one outcome per window, in order.

    `folder` keeps the places of interrupted windows. After a window that fails, those of its set
    are left for the next run; when the source is down, all are.
    """
    given_up: dict[str, str] = {}
    is_down = False
    for window in windows:
        if is_down or window.set_spec in given_up:
            note = "not tried: a window before it could not be harvested"
            outcome = WindowOutcome(window, "failed", note=note)
        else:
            outcome, error = _harvest_window(archive, source, folder, window)
            is_down = isinstance(error, TransientSourceError)
            if error is not None:
                given_up[window.set_spec] = str(error)
        progress(outcome)
        yield outcome


def _harvest_window(
    archive: Archive, source: Harvests, folder: Path, window: Window
) -> tuple[WindowOutcome, SourceError | None]:
    tally: Counter[str] = Counter()
    try:
        try:
            _archive_pages(archive, source, folder, window, _recall(folder, window), tally)
        except BadResumptionToken:
            _forget(folder, window)
            _archive_pages(archive, source, folder, window, None, tally)
    except SourceError as error:
        failed = WindowOutcome(window, "failed", tally["pages"], tally["records"], str(error))
        return failed, error
    status: WindowStatus = "harvested" if tally["records"] else "empty"
    return WindowOutcome(window, status, tally["pages"], tally["records"]), None


def _archive_pages(
    archive: Archive,
    source: Harvests,
    folder: Path,
    window: Window,
    place: Place | None,
    tally: Counter[str],
) -> None:
    """Archive the window's pages from the place on (its start without one). Raises SourceError."""
    token = place.token if place else None
    pages = source.harvest(window.set_spec, window.first, window.last, resume=token)
    for number, page in enumerate(pages, start=place.page if place else 0):
        _archive_page(archive, window, number, page)
        tally.update(pages=1, records=page.n_records)
        if page.resumption_token:
            _remember(folder, window, number + 1, page.resumption_token)
    _forget(folder, window)


def _archive_page(archive: Archive, window: Window, number: int, page: OaiPage) -> None:
    given: Mapping[str, str] = {
        "source": "arxiv",
        "captured_at": page.fetched_at.astimezone(UTC).isoformat(timespec="seconds"),
        "set": window.set_spec,
        "window_from": window.first.isoformat(),
        "window_until": window.last.isoformat(),
        "page": str(number),
        "is_last_page": str(page.resumption_token is None).lower(),
        "n_items": str(page.n_records),
    }
    facts = {name: Given(value, FETCH) for name, value in given.items()}
    archive.receive(BytesIO(page.body), page.url, facts, now=page.fetched_at)


def _path(folder: Path, window: Window) -> Path:
    return folder / f"{window.set_spec.replace(':', '+')}.json"


def _remember(folder: Path, window: Window, page: int, token: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first, last = window.first.isoformat(), window.last.isoformat()
    place = Place(window.set_spec, first, last, page, token)
    write_atomic(_path(folder, window), json.dumps(asdict(place), indent=1) + "\n")


def _recall(folder: Path, window: Window) -> Place | None:
    """The place in this window; None where there is none, or none that can be read."""
    try:
        place = Place(**json.loads(_path(folder, window).read_text("utf-8")))
        number = int(place.page)
    except (OSError, ValueError, TypeError):
        return None
    ours = (window.set_spec, window.first.isoformat(), window.last.isoformat())
    is_ours = (place.set_spec, place.first, place.last) == ours and number > 0
    return place if is_ours and isinstance(place.token, str) else None


def _forget(folder: Path, window: Window) -> None:
    _path(folder, window).unlink(missing_ok=True)
