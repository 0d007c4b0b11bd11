"""The Dagster code location: everything below `defs/`, with resources, executor and policies.

Belongs here: what is set once for all assets. Does not: assets, jobs, schedules or sensors.
Importing this module reads no settings and parses nothing; loading `defs` does.
"""

from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipelines.defs.resources import resources
from pipelines.settings import Settings, load_settings

# Assets that every refresh is expected to materialize. The others follow from them.
WATCHED = {dg.AssetKey("hf_daily_listings"), dg.AssetKey("snapshot")}


@dg.definitions
def defs() -> dg.Definitions:
    """The code location, with settings from the environment."""
    return load(load_settings())


def load(settings: Settings) -> dg.Definitions:
    """All definitions of `defs/`. Parses the dbt project first when its files changed."""
    folder = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(
        folder.map_asset_specs(func=lambda spec: with_policies(spec, settings)),
        dg.Definitions(resources=resources(settings), executor=dg.in_process_executor),
    )


def load_ingest(settings: Settings) -> dg.Definitions:
    """Only what the job `ingest` needs. It loads in a fraction of the time: no dbt."""
    from pipelines.defs import captures, lake

    return dg.Definitions(
        assets=[captures.captures, lake.parsed_items],
        asset_checks=[lake.every_capture_is_parsed],
        jobs=[captures.ingest_job],
        resources=resources(settings),
        executor=dg.in_process_executor,
    )


def with_policies(spec: dg.AssetSpec, settings: Settings) -> dg.AssetSpec:
    """The spec with its freshness policy, if it has one.

    There are no automation conditions: a build is one run that fetches, checks and publishes as a
    whole, so a schedule and the inbox sensor start it (ADR 0023).
    """
    if spec.key not in WATCHED or not settings.stale_after_hours:
        return spec
    window = timedelta(hours=settings.stale_after_hours)
    return spec.replace_attributes(freshness_policy=dg.FreshnessPolicy.time_window(window))
