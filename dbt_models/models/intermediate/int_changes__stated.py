"""Changes of the judged topics and terms: one row per series, period and horizon."""

from pipelines.trends.statements import state_changes
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """Return the rows of `state_changes`."""
    dbt.config(materialized="table")
    series = dbt.ref("int_series__judged")
    judged = as_frame(series.filter("series_kind in ('taxonomy', 'discovered', 'term')"))
    return as_relation(session, state_changes(judged))
