"""The jobs that build and publish. Jobs of a single source are in its module.

Belongs here: which assets run together. Does not: when they run (`schedules`, `sensors`).
"""

import dagster as dg

from pipelines.defs.publishing import note_failed_build

WRITER = {"papertide/writer": "yes"}  # tag of jobs that hold the writer lock; the queue counts it

FILES = dg.AssetSelection.assets("captures")
LIVE = dg.AssetSelection.assets("hf_daily_listings", "arxiv_lookups")
HARVEST = dg.AssetSelection.assets("arxiv_announcements")
WAREHOUSE = dg.AssetSelection.all() - FILES - LIVE - HARVEST

build_job = dg.define_asset_job(
    "build",
    WAREHOUSE,
    description="Rebuild, check and publish the contents of the lake.",
    hooks={note_failed_build},
    tags=WRITER,
)
main_job = dg.define_asset_job(
    "main",
    WAREHOUSE | FILES,
    description="Ingest files, then build, check and publish.",
    hooks={note_failed_build},
    tags=WRITER,
)
refresh_job = dg.define_asset_job(
    "refresh",
    WAREHOUSE | LIVE,
    description="Fetch what is due, then build what changed, check and publish.",
    hooks={note_failed_build},
    tags=WRITER,
)
