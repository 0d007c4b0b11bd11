"""Terms of each paper, with the number of mentions. Rows of unchanged papers are kept."""

from pipelines.topics.term_matching import kept_terms, update_terms
from pipelines.topics.terms import TermVocabulary
from pipelines.warehouse.frames import as_frame, as_relation, table_before


def model(dbt, session):
    """Return one row per paper and term."""
    dbt.config(materialized="table")
    learned = as_frame(dbt.ref("int_terms__learned"))
    changed = dbt.ref("int_papers__changed").project("paper_id").distinct()
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    vocabulary = TermVocabulary(learned.drop("vocabulary_version", "learned_from"))
    kept = kept_terms(table_before(session, dbt.this), as_frame(changed), vocabulary)
    if kept is not None:
        papers = papers.join(changed, "paper_id")
    return as_relation(session, update_terms(kept, as_frame(papers), vocabulary))
