"""Remembers where the harvest of a window was interrupted, so that the next run resumes there.

Belongs here: one small file per set, with the next resumption token. Does not: what was harvested,
which the archive's receipts show. Losing a file only costs requests.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pipelines.runtime.files import write_atomic
from pipelines.sources.arxiv.plan import Window


@dataclass(frozen=True)
class ResumePoint:
    """An interrupted window, with the number of its next page and the token to request it."""

    set_spec: str
    first: str
    last: str
    page: int
    token: str


class HarvestProgress:
    """The resume points below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, window: Window, page: int, token: str) -> None:
        """Store the next page of a window, in place of the set's earlier resume point."""
        self._folder.mkdir(parents=True, exist_ok=True)
        point = ResumePoint(*_key(window), page, token)
        write_atomic(self._path(window), json.dumps(asdict(point), indent=1) + "\n")

    def load(self, window: Window) -> ResumePoint | None:
        """The resume point of this window; None if there is none, or it can't be read."""
        try:
            point = ResumePoint(**json.loads(self._path(window).read_text("utf-8")))
            number = int(point.page)
        except (OSError, ValueError, TypeError):
            return None
        is_same = (point.set_spec, point.first, point.last) == _key(window)
        return point if is_same and number > 0 and isinstance(point.token, str) else None

    def clear(self, window: Window) -> None:
        """Remove the set's resume point."""
        self._path(window).unlink(missing_ok=True)

    def _path(self, window: Window) -> Path:
        return self._folder / f"{window.set_spec.replace(':', '+')}.json"


def _key(window: Window) -> tuple[str, str, str]:
    return window.set_spec, window.first.isoformat(), window.last.isoformat()
