"""Harvests the windows of arXiv that are due, and archives their pages as they arrive.

Belongs here: joining plan, client and archive, with one outcome per window. Does not: HTTP and the
protocol (`client.py`), what is due (`plan.py`), or parsing.

The archive's receipts are the only record of what was harvested: a window's last page is archived
last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

from pipelines.archive.archive import Archive
from pipelines.runtime.locks import exclusive
from pipelines.settings import Settings
from pipelines.sources.archiving import archive_body
from pipelines.sources.arxiv.client import OaiPage
from pipelines.sources.arxiv.plan import Window
from pipelines.sources.arxiv.progress import HarvestProgress, ResumePoint
from pipelines.sources.errors import BadResumptionToken, SourceError, TransientSourceError

WindowStatus = Literal["harvested", "empty", "failed"]


class Harvests(Protocol):
    """A client for harvests."""

    def harvest(
        self,
        set_spec: str | None,
        from_on: date,
        until_on: date,
        prefix: str = ...,
        resume: str | None = None,
    ) -> Iterator[OaiPage]:
        """The pages of a window, one by one. Raises SourceError."""


@dataclass(frozen=True)
class WindowOutcome:
    """The outcome for one window, with the pages archived in this run and their records.

    `empty`: nothing changed in it. `failed`: not harvested to its end; `note` has the reason.
    """

    window: Window
    status: WindowStatus
    n_pages: int = 0
    n_records: int = 0
    note: str = ""


@contextmanager
def exclusive_access(settings: Settings) -> Iterator[None]:
    """Hold arXiv for this process. Raises BusyError when another process of the home does."""
    busy = (
        f"Another process is using arXiv for {settings.home}, and arXiv allows one connection at a "
        "time. Wait until it has finished, then try again."
    )
    with exclusive(settings.harvest_dir / ".lock", busy):
        yield


def fetch_windows(
    archive: Archive,
    source: Harvests,
    folder: Path,
    windows: Iterable[Window],
) -> Iterator[WindowOutcome]:
    """Harvest the windows and archive their pages; one outcome per window, in order.

    `folder` keeps resume points of interrupted windows. After a window that fails, the others of
    its set are left for the next run; when the source is down, all others are.
    """
    failed_sets: set[str] = set()
    is_down = False
    resume_points = HarvestProgress(folder)
    for window in windows:
        if is_down or window.set_spec in failed_sets:
            note = "not tried: an earlier window could not be harvested"
            outcome = WindowOutcome(window, "failed", note=note)
        else:
            outcome, error = _harvest_window(archive, source, resume_points, window)
            is_down = isinstance(error, TransientSourceError)
            if error is not None:
                failed_sets.add(window.set_spec)
        yield outcome


def _harvest_window(
    archive: Archive, source: Harvests, resume_points: HarvestProgress, window: Window
) -> tuple[WindowOutcome, SourceError | None]:
    """Harvest from the resume point, or from the start when its token is no longer valid."""
    counts: Counter[str] = Counter()

    def harvest(resume: ResumePoint | None) -> None:
        token = resume.token if resume else None
        pages = source.harvest(window.set_spec, window.first, window.last, resume=token)
        for number, page in enumerate(pages, start=resume.page if resume else 0):
            _archive_page(archive, window, number, page)
            counts.update(pages=1, records=page.n_records)
            if page.resumption_token:
                resume_points.save(window, number + 1, page.resumption_token)
        resume_points.clear(window)

    try:
        try:
            harvest(resume_points.load(window))
        except BadResumptionToken:
            resume_points.clear(window)
            harvest(None)
    except SourceError as error:
        failed = WindowOutcome(window, "failed", counts["pages"], counts["records"], str(error))
        return failed, error
    status: WindowStatus = "harvested" if counts["records"] else "empty"
    return WindowOutcome(window, status, counts["pages"], counts["records"]), None


def _archive_page(archive: Archive, window: Window, number: int, page: OaiPage) -> None:
    facts = {
        "source": "arxiv",
        "set": window.set_spec,
        "window_from": window.first.isoformat(),
        "window_until": window.last.isoformat(),
        "page": str(number),
        "is_last_page": str(page.resumption_token is None).lower(),
        "n_items": str(page.n_records),
    }
    archive_body(archive, page.body, page.url, page.fetched_at, facts)
