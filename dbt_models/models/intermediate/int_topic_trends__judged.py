"""Population × grain × period × topic: growth and what may be said of it.

The taxonomy's topics and discovered ones are judged apart: neither lends the other its past, its
variance or its share of false discoveries.
"""

import polars as pl

from pipelines.trends import judge
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    counted = [dbt.ref("int_topics__counted"), dbt.ref("int_placed_topics__counted")]
    frames = [as_frame(one).rename({"topic_id": "series_id"}) for one in counted]
    judged = pl.concat([judge(frame) for frame in frames])
    return as_relation(session, judged.rename({"series_id": "topic_id"}))
