"""The schedules that the settings ask for."""

import dagster as dg

from pipelines.errors import SettingsError
from pipelines.settings import Settings, load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Schedules; they depend on settings, so they are made when definitions are loaded."""
    return dg.Definitions(schedules=schedules(load_settings()))


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The refresh, and arXiv's harvest if it is on; none when `refresh_cron` is empty.

    Raises SettingsError when `refresh_cron` is not a cron expression.
    """
    if not settings.refresh_cron:
        return []
    jobs = ["harvest", "refresh"] if settings.harvested_sets else ["refresh"]
    try:
        return [
            dg.ScheduleDefinition(
                name=f"{job}_schedule",
                job_name=job,
                cron_schedule=settings.refresh_cron,
                execution_timezone="UTC",
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
            for job in jobs
        ]
    except dg.DagsterInvalidDefinitionError:
        raise SettingsError(
            f"PAPERTIDE_REFRESH_CRON={settings.refresh_cron!r} is invalid: write five cron "
            "fields (minute, hour, day, month, weekday), for example '10 */6 * * *'. Leave it "
            "empty to turn the schedule off."
        ) from None
