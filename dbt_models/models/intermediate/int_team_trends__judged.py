"""Population × grain × period × topic: growth of the shares of solo and ten-plus papers."""

from pipelines.trends.teams import judge_teams
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    summed = dbt.ref("int_author_counts__summed")
    return as_relation(session, judge_teams(as_frame(summed)))
