"""Paper × topic of the newest fit. While that stays, unchanged papers are not read again."""

import polars as pl

from pipelines.topics.fitting import PLACED_SCHEMA, place
from pipelines.topics.topic_files import FitFolder
from pipelines.warehouse.connections import topic_embedder, topic_fits_folder
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    newest = dbt.ref("int_topic_fits__learned").filter("is_newest").project("learned_from")
    changed = dbt.ref("int_papers__touched")
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    keys = [key for (key,) in newest.fetchall()]
    if not keys:
        return as_relation(session, pl.DataFrame(schema=PLACED_SCHEMA))
    before = table_before(session, dbt.this)
    kept = None
    if before is not None and before.height and (before["learned_from"] == keys[0]).all():
        kept = before.join(as_frame(changed), on="paper_id", how="anti")
        papers = papers.join(changed, "paper_id")
    fitted = FitFolder(topic_fits_folder()).read(keys[0])
    texts = as_frame(papers)
    placed = place(texts, fitted.model, keys[0], kept=kept, embedder=topic_embedder())
    return as_relation(session, placed)
