"""The snapshot: what passed every check, copied and pointed to; and the note of what did not."""

import logging

import dagster as dg

from pipelines.defs.intake import OWNERS
from pipelines.defs.models import dbt_models
from pipelines.defs.resources import Home, Writer
from pipelines.publishing import build_status, retention
from pipelines.publishing.publication import publish
from pipelines.settings import get_settings
from pipelines.warehouse import candidate

log = logging.getLogger("papertide")

AFTERWARDS = ("site", "snapshot_snapshot_holds_what_it_says")  # steps that publish nothing
MARTS = [key for key, group in dbt_models.group_names_by_key.items() if group == "marts"]


@dg.asset(deps=MARTS, group_name="published", owners=OWNERS, kinds={"duckdb", "parquet"})
def snapshot(
    context: dg.AssetExecutionContext, home: Home, writer: Writer
) -> dg.MaterializeResult[None]:
    """An immutable copy of the checked marts; readers move to it between queries."""
    log.info("publishing a snapshot")
    published = publish(home.settings)
    candidate.adopt(home.settings)
    expired = retention.expire(home.settings)
    package = published.package()
    rows = {r["name"]: r["rows"] for r in package["resources"]}
    return dg.MaterializeResult(
        metadata={
            "snapshot_id": published.snapshot_id,
            "content_hash": package["content_hash"],
            "n_papers": rows["dim_papers"],
            "n_listings": rows["fct_listings"],
            "n_quarantined": rows["rpt_quarantine"],
            "n_expired": len(expired),
            "folder": dg.MetadataValue.path(str(published.folder)),
        }
    )


@dg.failure_hook
def note_refusal(context: dg.HookContext) -> None:
    """Readers and monitoring are told that a build published nothing, and why.

    Dagster leaves hooks out of a run that raises, as the command line's does: that notes it itself.
    """
    if context.op.name not in AFTERWARDS:
        build_status.note_failed_build(get_settings(), context.op_exception)
