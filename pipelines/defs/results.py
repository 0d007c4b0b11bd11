"""What a run's assets report: typed results, stored as Dagster metadata.

Belongs here: the only code that turns a result into metadata and back. Does not: producing a
result (the assets) or printing it (`cli/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

import dagster as dg

from pipelines.intake.ingest import Outcome

PREVIEW_ROWS = 10


@dataclass(frozen=True)
class Result:
    """The base of all results. Fields are metadata of the same name; lists and dicts are JSON."""

    asset: ClassVar[str]

    def to_metadata(self) -> dict[str, Any]:
        """Metadata of the asset's materialization."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _value(value) for name, value in values.items()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, dg.MetadataValue[Any]]) -> Self | None:
        """The result that a materialization carries; None when it lacks a field."""
        names = [field.name for field in fields(cls)]
        if not all(name in metadata for name in names):
            return None
        return cls(**{name: metadata[name].value for name in names})

    @classmethod
    def in_events(cls, events: Iterable[dg.DagsterEvent | None]) -> Self | None:
        """The last result of this class among the events of a run; None when there is none."""
        found = None
        for event in events:
            if event is None or not event.is_step_materialization:
                continue
            if event.materialization.asset_key == dg.AssetKey(cls.asset):
                found = cls.from_metadata(event.materialization.metadata) or found
        return found

    @classmethod
    def in_run(cls, instance: dg.DagsterInstance, run_id: str) -> Self | None:
        """The result that a recorded run reported; None when it did not reach that asset."""
        entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return cls.in_events(entry.dagster_event for entry in entries)

    @classmethod
    def latest(cls, instance: dg.DagsterInstance) -> Self | None:
        """The result of the asset's latest materialization, in whichever run."""
        event = instance.get_latest_materialization_event(dg.AssetKey(cls.asset))
        return cls.in_events([event.dagster_event]) if event else None


def _value(value: Any) -> Any:
    return value if isinstance(value, int | str) else dg.MetadataValue.json(value)


def markdown_table(
    header: Iterable[str], rows: Iterable[Iterable[object]]
) -> dg.MetadataValue[Any]:
    """A table that Dagster's UI renders."""
    names = list(header)
    lines = [names, ["---"] * len(names), *rows]
    return dg.MetadataValue.md(
        "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
    )


@dataclass(frozen=True)
class IngestedFiles(Result):
    """One outcome per path that was given."""

    asset: ClassVar[str] = "captures"
    outcomes: tuple[Outcome, ...]

    def to_metadata(self) -> dict[str, Any]:
        """Outcomes, their counts by status, and the first rows as a table."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {
            "n_paths": len(self.outcomes),
            **{f"n_{status}": counts[status] for status in ("new", "known", "amended", "refused")},
            "outcomes": dg.MetadataValue.json([asdict(outcome) for outcome in self.outcomes]),
            "preview": markdown_table(
                ("file", "outcome", "note"),
                ((o.origin, o.status, o.message) for o in self.outcomes[:PREVIEW_ROWS]),
            ),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, dg.MetadataValue[Any]]) -> Self | None:
        """The outcomes that a materialization carries; None when it has none."""
        if "outcomes" not in metadata:
            return None
        return cls(tuple(Outcome(**outcome) for outcome in metadata["outcomes"].value))


@dataclass(frozen=True)
class ParsedCaptures(Result):
    """Captures parsed in a run, and their items: seen = accepted + quarantined."""

    asset: ClassVar[str] = "items"
    n_captures_parsed: int
    n_seen: int
    n_accepted: int
    n_quarantined: int


@dataclass(frozen=True)
class FetchedListings(Result):
    """Listing days of a fetch, counted by status.

    `skipped`: reason → number of days. `notes`: `day`, `status` and `note` of the first days that
    have something to report.
    """

    asset: ClassVar[str] = "hf_daily_listings"
    n_days: int
    n_days_new: int
    n_days_changed: int
    n_days_unchanged: int
    n_days_empty: int
    n_days_not_open: int
    n_days_failed: int
    n_days_skipped: int
    n_items_fetched: int
    skipped: dict[str, int]
    notes: list[dict[str, str]]

    @property
    def n_by_status(self) -> dict[str, int]:
        """Status → number of days, in a fixed order."""
        prefix = "n_days_"
        return {
            field.name.removeprefix(prefix): getattr(self, field.name)
            for field in fields(self)
            if field.name.startswith(prefix)
        }

    @property
    def failure(self) -> str | None:
        """A sentence when days failed; else None."""
        if not self.n_days_failed:
            return None
        failed = [note for note in self.notes if note["status"] == "failed"]
        first = f" {failed[0]['day']}: {failed[0]['note']}" if failed else ""
        return f"{self.n_days_failed} day(s) could not be fetched.{first}"


@dataclass(frozen=True)
class ArxivResult(Result):
    """The base of arXiv's results: `status` is off, done or failed; `message` is one sentence."""

    status: str
    message: str

    @property
    def failure(self) -> str | None:
        """The message when the source failed; else None."""
        return self.message if self.status == "failed" else None


@dataclass(frozen=True)
class HarvestedAnnouncements(ArxivResult):
    """Windows of a harvest, with their pages and records."""

    asset: ClassVar[str] = "arxiv_announcements"
    n_windows: int = 0
    n_windows_failed: int = 0
    n_pages: int = 0
    n_records: int = 0


@dataclass(frozen=True)
class LookedUpPapers(ArxivResult):
    """Requests of the look-ups, what they asked for, and the papers found."""

    asset: ClassVar[str] = "arxiv_lookups"
    n_requests: int = 0
    n_ids: int = 0
    n_titles: int = 0
    n_found: int = 0
    n_left: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedSnapshot(Result):
    """The snapshot that a run published."""

    asset: ClassVar[str] = "snapshot"
    snapshot_id: str
    content_hash: str
    n_papers: int
    n_listings: int
    n_quarantined: int
    n_expired: int
