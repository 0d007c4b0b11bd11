"""Vocabulary of terms, learned from the papers counted before the newest quarter.

It depends on the texts of these papers only, so the vocabulary of the last build is kept while they
don't change.
"""

import hashlib

import polars as pl

from pipelines.topics.term_learning import learn_terms
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """Return one row per term."""
    dbt.config(materialized="table")
    texts = dbt.ref("int_term_texts__chosen")
    hashes = as_frame(texts.project("paper_id, text_hash")).sort("paper_id")
    source = hashlib.sha256("".join(hashes["text_hash"]).encode()).hexdigest()[:16]
    before = table_before(session, dbt.this)
    if before is not None and before.height and (before["learned_from"] == source).all():
        return as_relation(session, before)
    vocabulary = learn_terms(as_frame(texts).drop("text_hash").sort("paper_id"))
    learned = vocabulary.terms.with_columns(
        vocabulary_version=pl.lit(vocabulary.version), learned_from=pl.lit(source)
    )
    return as_relation(session, learned)
