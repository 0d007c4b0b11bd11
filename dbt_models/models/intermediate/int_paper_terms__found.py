"""Paper × term: how often the paper's text has it. Unchanged papers are not read again."""

import polars as pl

from pipelines.engine import as_relation, table_before
from pipelines.topics.terms import TermVocabulary, update_terms


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    learned = pl.DataFrame(dbt.ref("int_terms__learned"))
    changed = pl.DataFrame(dbt.ref("int_papers__touched"))
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    vocabulary = TermVocabulary(learned.drop("vocabulary_version", "learned_from"))
    before = table_before(session, dbt.this)
    found = update_terms(before, pl.DataFrame(papers), changed, vocabulary)
    return as_relation(session, found)
