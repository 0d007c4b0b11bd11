"""Population × day × paper: how fast it gathers upvotes, comments and stars."""

import polars as pl

from pipelines.engine import as_relation
from pipelines.trends.papers import score_papers


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    observations = dbt.ref("fct_engagement")
    listings = dbt.ref("fct_listings")
    return as_relation(session, score_papers(pl.DataFrame(observations), pl.DataFrame(listings)))
