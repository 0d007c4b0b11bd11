"""The static site, exported from the dashboard's figures.

The only module of `defs/` that may import `dashboards`.
"""

import logging
from datetime import datetime

import dagster as dg

from dashboards.export import export_site
from pipelines.publishing import build_status
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings

log = logging.getLogger("papertide")


@dg.asset(deps=["snapshot"], group_name="published", kinds={"plotly"})
def site(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The static site: the dashboard's figures as pages that open from disk."""
    log.info("writing the static site")
    reader = Reader(settings)
    pages = export_site(reader, settings.site_dir)
    # The last step of a build: from here on a refresh that finds nothing new does nothing.
    snapshot = reader.snapshot()
    published_at = datetime.fromisoformat(snapshot.package()["created"])
    build_status.note_checked(settings, snapshot.snapshot_id, now=published_at)
    folder = dg.MetadataValue.path(str(settings.site_dir))
    return dg.MaterializeResult(metadata={"n_pages": len(pages), "folder": folder})
