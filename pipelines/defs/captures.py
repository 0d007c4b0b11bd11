"""Files as a source: the archive of captures, and the job that ingests files.

Belongs here: the asset that receives files. Does not: fetching from a source (`huggingface`,
`arxiv`) or parsing (`lake`).
"""

import logging

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.results import IngestedFiles
from pipelines.intake.facts import overrides
from pipelines.intake.ingest import ingest_paths
from pipelines.settings import Settings

log = logging.getLogger("papertide")


class IngestConfig(dg.Config):
    """Paths to ingest, and facts that override what the files state. Empty: no new files."""

    paths: list[str] = []
    kind: str | None = None
    captured_on: str | None = None
    listing_day: str | None = None
    source: str | None = None
    columns: list[str] = []


@dg.asset(group_name="sources", kinds={"file"})
def captures(
    config: IngestConfig, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """The archive: files and responses of sources as received, each stored once, never changed."""
    given = overrides(
        config.kind, config.captured_on, config.listing_day, config.source, config.columns
    )
    outcomes = tuple(ingest_paths(Archive(settings), config.paths, given))
    for outcome in outcomes:
        if outcome.status == "refused":
            log.warning(outcome.message)
    return dg.MaterializeResult(metadata=IngestedFiles(outcomes).to_metadata())


ingest_job = dg.define_asset_job(
    "ingest",
    dg.AssetSelection.assets("captures", "items"),
    description="Ingest files and parse them.",
)
