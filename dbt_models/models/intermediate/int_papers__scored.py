"""Engagement scores of recent papers, by population and day."""

from pipelines.trends.papers import score_papers
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """Return one row per population, day and paper."""
    dbt.config(materialized="table")
    observations = dbt.ref("int_engagement__observed")
    # Not by announcement day: an announcement may be of a revision.
    counted = dbt.ref("int_population__papers").filter("date_precision = 'day'")
    listings = counted.project("paper_id, population, counted_on as listed_on")
    return as_relation(session, score_papers(as_frame(observations), as_frame(listings)))
