"""When things run by themselves."""

import dagster as dg

from pipelines.errors import SettingsError
from pipelines.settings import Settings


def of(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The daily refresh, on by default; none where `refresh_cron` is empty.

    Raises SettingsError when that is not cron.
    """
    if not settings.refresh_cron:
        return []
    try:
        schedule = dg.ScheduleDefinition(
            name="refresh_schedule",
            job_name="refresh",
            cron_schedule=settings.refresh_cron,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Fetch what is due, then build, check and publish.",
        )
    except dg.DagsterInvalidDefinitionError:
        raise SettingsError(
            f"PAPERTIDE_REFRESH_CRON={settings.refresh_cron!r} can't be used: write cron's five "
            "fields (minute, hour, day, month, weekday), such as '10 */6 * * *', or nothing for "
            "never."
        ) from None
    return [schedule]
