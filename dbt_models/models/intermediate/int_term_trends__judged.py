"""Population × grain × period × term: growth and what may be said of it.

A term is followed because it became frequent; tested it is only once it was: what is not frequent
yet would be picked out by its growth to come.
"""

from pipelines.trends import judge
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    counted = dbt.ref("int_terms__counted")
    frame = as_frame(counted).rename({"term_id": "series_id"})
    judged = judge(frame, least_seen=int(dbt.config.meta_get("min_term_papers")))
    return as_relation(session, judged.rename({"series_id": "term_id"}))
