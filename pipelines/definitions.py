"""The Dagster code location: every asset, check, job and resource, put together here once.

With `cli/`, the only room that knows both houses (pipelines and dashboards).
"""

import logging
import os
from datetime import datetime

import dagster as dg

from dashboards.export import export_site
from pipelines.defs import arxiv, checks, intake, listings, models, publish, schedules, sensors
from pipelines.defs.resources import Home, Writer
from pipelines.publishing import build_status
from pipelines.publishing.reader import Reader
from pipelines.settings import get_settings
from pipelines.warehouse import dbt_project

log = logging.getLogger("papertide")
os.environ.update(dbt_project.environment(get_settings()))


@dg.asset(deps=[publish.snapshot], group_name="published", owners=intake.OWNERS, kinds={"plotly"})
def site(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult[None]:
    """The static site: the dashboard's figures as pages that open from disk."""
    log.info("writing the static site")
    reader = Reader(home.settings)
    pages = export_site(reader, home.settings.site_dir)
    # The last step of the way: from here on a refresh without news has nothing to do.
    snapshot = reader.snapshot()
    published_at = datetime.fromisoformat(snapshot.package()["created"])
    build_status.note_checked(home.settings, snapshot.snapshot_id, now=published_at)
    return dg.MaterializeResult(
        metadata={
            "n_pages": len(pages),
            "folder": dg.MetadataValue.path(str(home.settings.site_dir)),
        }
    )


live = dg.AssetSelection.assets(listings.live_listings, arxiv.live_arxiv)
fetched = live | dg.AssetSelection.assets(listings.daily_listings, arxiv.arxiv_announcements)
everything = dg.AssetSelection.all() - fetched
ingest = dg.AssetSelection.assets(intake.captures, intake.parsed_items)

refresh = dg.define_asset_job(
    "refresh",
    everything - dg.AssetSelection.assets(intake.captures) | live,
    description="Fetch what is due, rebuild what changed, check, publish.",
    hooks={publish.note_refusal},
    tags=sensors.WRITES,
)

defs = dg.Definitions(
    assets=[
        intake.captures,
        listings.live_listings,
        listings.daily_listings,
        arxiv.live_arxiv,
        arxiv.arxiv_announcements,
        intake.parsed_items,
        intake.lake_tables,
        intake.text_features,
        models.dbt_models,
        publish.snapshot,
        site,
    ],
    asset_checks=[
        checks.every_capture_is_parsed,
        checks.audit_candidate,
        checks.snapshot_holds_what_it_says,
    ],
    jobs=[
        dg.define_asset_job("ingest", ingest, description="Take files in and parse them."),
        dg.define_asset_job(
            "build",
            everything - dg.AssetSelection.assets(intake.captures),
            description="Rebuild, check, publish and show what the lake holds.",
            hooks={publish.note_refusal},
            tags=sensors.WRITES,
        ),
        dg.define_asset_job(
            "main",
            everything,
            description="The whole way, files to site.",
            hooks={publish.note_refusal},
            tags=sensors.WRITES,
        ),
        refresh,
        dg.define_asset_job(
            "backfill",
            dg.AssetSelection.assets(listings.daily_listings),
            description="Fetch listing days again, as many as are chosen, in one run.",
        ),
        dg.define_asset_job(
            "harvest",
            dg.AssetSelection.assets(arxiv.arxiv_announcements),
            description="Harvest months of arXiv's sets, as many as are chosen, in one run.",
        ),
    ],
    schedules=schedules.of(get_settings()),
    sensors=sensors.ALL,
    resources={"home": Home(), "writer": Writer()},
    # One process: the steps share a warehouse file and a writer's lock.
    executor=dg.in_process_executor,
)
