"""Terms of each paper, with mentions. Unchanged papers are read for new terms only."""

from pipelines.topics.term_matching import kept_terms, unread_terms, update_terms
from pipelines.topics.terms import VOCABULARY_SCHEMA, TermVocabulary
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """Return the rows of `update_terms`."""
    dbt.config(materialized="table")
    learned = dbt.ref("int_terms__learned").project(", ".join(VOCABULARY_SCHEMA))
    vocabulary = TermVocabulary(as_frame(learned))
    changed = dbt.ref("int_papers__changed").project("paper_id").distinct()
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    kept = kept_terms(table_before(session, dbt.this), as_frame(changed), vocabulary)
    is_read_whole = not unread_terms(kept, vocabulary).terms.is_empty()
    others = papers.join(changed, "paper_id", how="anti") if is_read_whole else papers.limit(0)
    read = papers.join(changed, "paper_id")
    return as_relation(session, update_terms(kept, as_frame(read), as_frame(others), vocabulary))
