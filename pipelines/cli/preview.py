"""What an ingest of files would take from them: parsed as usual, in a temporary home.

Belongs here: running the same steps as an ingest on a home that is deleted afterwards, so that a
preview can't differ from the ingest. Does not belong here: printing (`cli.dry_run`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.archive.archive import Archive
from pipelines.intake.ingest import Facts, Outcome, ingest_paths
from pipelines.lake import items, reading
from pipelines.settings import Settings

MAX_ITEMS = 5
_SHOWN = ("place", "title", "arxiv_id", "n_authors", "published_on")


@dataclass(frozen=True)
class Preview:
    """What one file would give.

    `facts` are those of `lake/<capture>/capture.json`, None for a file that can't be ingested.
    `items` has the first papers, `reasons` the columns of `lake.reading.quarantine_reasons`.
    """

    outcome: Outcome
    facts: dict[str, Any] | None = None
    items: pl.DataFrame | None = None
    reasons: pl.DataFrame | None = None

    @property
    def is_usable(self) -> bool:
        """Whether something in the file would be accepted, or it is an empty list."""
        facts = self.facts
        return facts is not None and bool(facts["n_accepted"] or not facts["n_quarantined"])


def previews(settings: Settings, paths: Iterable[str], given: Facts) -> Iterator[Preview]:
    """One preview for each file found, in the order of an ingest. The home is not changed."""
    with tempfile.TemporaryDirectory(prefix="papertide-preview-") as folder:
        archive = Archive(settings.model_copy(update={"home": Path(folder)}))
        archive.home = settings.home.resolve()  # its own files are skipped in folders, as usual
        items_dir = Path(folder) / "items"
        for outcome in ingest_paths(archive, paths, given):
            if outcome.capture_id is None:
                yield Preview(outcome)
                continue
            facts = items.load(archive, archive.receipt(outcome.capture_id), items_dir)
            yield Preview(
                outcome,
                facts,
                _first_items(items_dir / outcome.capture_id),
                reading.quarantine_reasons(items_dir, outcome.capture_id),
            )


def _first_items(folder: Path) -> pl.DataFrame:
    """The first papers of a parsed capture, with the columns that a preview shows."""
    found: list[pl.DataFrame] = []
    for path in sorted(folder.glob("items-*.parquet")):
        found.append(pl.read_parquet(path, columns=list(_SHOWN), n_rows=MAX_ITEMS))
        if sum(frame.height for frame in found) >= MAX_ITEMS:
            break
    if not found:
        return pl.DataFrame(schema=dict.fromkeys(_SHOWN, pl.String))
    return pl.concat(found).head(MAX_ITEMS)
