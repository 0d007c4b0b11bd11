"""One row per fit of discovered topics: its topics, and what became of those of the fit before.

A fit depends on texts dated before its boundary alone, so it is learned once: while those stay as
they are it is read from the lake.
"""

from pipelines.topics.fitting import fits_table, learn_fits
from pipelines.topics.topic_files import FitFolder
from pipelines.warehouse.connections import topic_embedder, topic_fits_folder
from pipelines.warehouse.frames import as_frame, as_relation


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    dated = as_frame(dbt.ref("int_topic_texts__dated"))
    items = dbt.ref("int_items__identified").project("item_id, title, abstract, keywords")

    def read_texts(sample):
        wanted = as_relation(session, sample.select("paper_id", "item_id"))
        return as_frame(items.join(wanted, "item_id"))

    embedder = topic_embedder()
    folder = FitFolder(topic_fits_folder(), embedder.name if embedder else "")
    fits = learn_fits(dated, read_texts, folder, embedder=embedder)
    return as_relation(session, fits_table(fits))
