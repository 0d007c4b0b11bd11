"""When things run by themselves."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.settings import Settings


def of(refresh: UnresolvedAssetJobDefinition, settings: Settings) -> list[dg.ScheduleDefinition]:
    """The daily refresh, on by default; none where `refresh_cron` is empty."""
    if not settings.refresh_cron:
        return []
    return [
        dg.ScheduleDefinition(
            name="refresh_schedule",
            job=refresh,
            cron_schedule=settings.refresh_cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Fetch what is due, then build, check and publish.",
        )
    ]
