"""Terms that papers coin: those of the papers before the newest quarter, and the new ones in it.

The first part depends on the older texts alone and is kept while they are the same. The second part
only adds terms, so papers keep the terms of the first.
"""

import hashlib

import polars as pl

from pipelines.topics.term_learning import learn_terms, new_terms
from pipelines.topics.terms import VOCABULARY_SCHEMA, TermVocabulary
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """Return the vocabulary, with the hash of the texts that each part was learned from."""
    dbt.config(materialized="table")
    texts = as_frame(dbt.ref("int_term_texts__chosen")).sort("paper_id")
    is_running = pl.col("is_in_newest_quarter")
    earlier, running = texts.filter(~is_running), texts.filter(is_running)
    sources = {False: _source(earlier), True: _source(texts)}
    before = table_before(session, dbt.this)
    parts = {part: _kept(before, part, source) for part, source in sources.items()}
    if parts[False] is None:
        parts[False] = learn_terms(earlier).terms
    if parts[True] is None:
        parts[True] = new_terms(TermVocabulary(parts[False]), running, earlier)
    terms = pl.concat(
        part.with_columns(is_provisional=pl.lit(number), learned_from=pl.lit(sources[number]))
        for number, part in parts.items()
    )
    version = pl.lit(TermVocabulary(terms).version)
    return as_relation(session, terms.with_columns(vocabulary_version=version).sort("term_id"))


def _source(texts):
    return hashlib.sha256("".join(texts["text_hash"]).encode()).hexdigest()[:16]


def _kept(before, part, source):
    """The part's terms in the last build, or None if they were learned from other texts."""
    if before is None or "is_provisional" not in before.columns:
        return None
    same = before.filter(is_provisional=part)
    if same.is_empty() or (same["learned_from"] != source).any():
        return None
    return same.select(VOCABULARY_SCHEMA.names())
