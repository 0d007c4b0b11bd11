"""Counted series with level, changes, verdicts, burst state and first appearance."""

from pipelines.trends.series import judge_series
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """Return the rows of `int_series__counted` with the columns of `judge_series`."""
    dbt.config(materialized="table")
    counted = as_frame(dbt.ref("int_series__counted"))
    min_term_papers = int(dbt.config.meta_get("min_term_papers"))
    return as_relation(session, judge_series(counted, min_term_papers=min_term_papers))
