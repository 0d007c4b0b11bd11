"""The snapshot: what passed every check, copied and pointed to."""

import logging

import dagster as dg

from pipelines.defs.intake import OWNERS
from pipelines.defs.models import dbt_models
from pipelines.defs.resources import Home, Writer
from pipelines.publishing.snapshot import publish

log = logging.getLogger("papertide")

MARTS = [key for key, group in dbt_models.group_names_by_key.items() if group == "marts"]


@dg.asset(deps=MARTS, group_name="published", owners=OWNERS, kinds={"duckdb", "parquet"})
def snapshot(
    context: dg.AssetExecutionContext, home: Home, writer: Writer
) -> dg.MaterializeResult[None]:
    """An immutable copy of the checked marts; readers move to it between queries."""
    log.info("publishing a snapshot")
    published = publish(home.settings)
    package = published.package()
    rows = {r["name"]: r["rows"] for r in package["resources"]}
    return dg.MaterializeResult(
        metadata={
            "snapshot_id": published.snapshot_id,
            "content_hash": package["content_hash"],
            "n_papers": rows["dim_papers"],
            "n_listings": rows["fct_listings"],
            "n_quarantined": rows["rpt_quarantine"],
            "folder": dg.MetadataValue.path(str(published.folder)),
        }
    )
