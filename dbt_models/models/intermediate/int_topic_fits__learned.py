"""One row per fit of discovered topics: its topics, and their lineage from the previous fit.

A fit depends only on texts dated before its boundary. It is learned once, stored in the lake, and
learned again only if these texts change.
"""

import os
from pathlib import Path

from pipelines.topics.embedding import load_embedder
from pipelines.topics.fitting import fits_table, learn_fits
from pipelines.topics.topic_files import FitFolder
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """Return one row per fit."""
    dbt.config(materialized="table")
    dated = as_frame(dbt.ref("int_topic_texts__dated"))
    items = dbt.ref("int_items__identified").project("item_id, title, abstract, keywords")

    def read_texts(sample):
        wanted = as_relation(session, sample.select("paper_id", "item_id"))
        return as_frame(items.join(wanted, "item_id"))

    embedder = load_embedder(os.environ.get("PAPERTIDE_FITS_EMBEDDER", ""))
    path = Path(os.environ.get("PAPERTIDE_TOPIC_FITS", "topic_fits"))
    folder = FitFolder(path, embedder.name if embedder else "")
    fits = learn_fits(dated, read_texts, folder, embedder=embedder)
    return as_relation(session, fits_table(fits))
