"""Population × grain × period × term: growth and what may be said of it."""

import polars as pl

from pipelines.engine import as_relation
from pipelines.trends import judge


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    counted = dbt.ref("int_terms__counted")
    frame = pl.DataFrame(counted).rename({"term_id": "series_id"})
    return as_relation(session, judge(frame).rename({"series_id": "term_id"}))
