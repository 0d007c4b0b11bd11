"""Papers of each population and day: upvotes relative to papers of the same age and day."""

from pipelines.trends.papers import score_papers
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    observations = dbt.ref("int_engagement__observed")
    # By the day on which a paper counts: what arXiv announces may be a revision.
    counted = dbt.ref("int_population__papers").filter("date_precision = 'day'")
    listings = counted.project("paper_id, population, counted_on as listed_on")
    return as_relation(session, score_papers(as_frame(observations), as_frame(listings)))
