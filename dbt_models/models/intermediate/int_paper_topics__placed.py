"""Discovered topic of each paper in the newest fit. Rows of unchanged papers are kept."""

import os
from pathlib import Path

import polars as pl

from pipelines.topics.embedding import load_embedder
from pipelines.topics.fitting import PLACED_SCHEMA, place
from pipelines.topics.topic_files import FitFolder
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """Return one row per paper with a topic."""
    dbt.config(materialized="table")
    newest = dbt.ref("int_topic_fits__learned").filter("is_newest").project("learned_from")
    changed = dbt.ref("int_papers__changed").project("paper_id").distinct()
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    keys = [key for (key,) in newest.fetchall()]
    if not keys:
        return as_relation(session, pl.DataFrame(schema=PLACED_SCHEMA))
    before = table_before(session, dbt.this)
    kept = None
    if before is not None and before.height and (before["learned_from"] == keys[0]).all():
        kept = before.join(as_frame(changed), on="paper_id", how="anti")
        papers = papers.join(changed, "paper_id")
    folder = FitFolder(Path(os.environ.get("PAPERTIDE_TOPIC_FITS", "topic_fits")))
    embedder = load_embedder(os.environ.get("PAPERTIDE_FITS_EMBEDDER", ""))
    model_of_fit = folder.read(keys[0]).model
    placed = place(as_frame(papers), model_of_fit, keys[0], kept=kept, embedder=embedder)
    return as_relation(session, placed)
