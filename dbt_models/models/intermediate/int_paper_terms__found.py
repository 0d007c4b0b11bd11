"""Paper × term: how often the paper's text has it. Unchanged papers are not read again."""

import polars as pl

from pipelines.engine import as_relation, table_before
from pipelines.topics.terms import TermVocabulary, terms_of_papers


def model(dbt, session):
    """What dbt calls."""
    dbt.config(materialized="table")
    learned = pl.DataFrame(dbt.ref("int_terms__learned"))
    touched = dbt.ref("int_papers__touched")
    papers = dbt.ref("int_papers__merged").project("paper_id, title, abstract, keywords")
    version = learned["vocabulary_version"].first() or ""
    vocabulary = TermVocabulary(learned.drop("vocabulary_version", "learned_from"))
    before = table_before(session, dbt.this)
    kept = None
    if before is not None and (before["vocabulary_version"] == version).all():
        changed = pl.DataFrame(touched)
        kept = before.join(changed, on="paper_id", how="anti")
        wanted = pl.DataFrame(papers).join(changed, on="paper_id", how="semi")
    else:
        wanted = pl.DataFrame(papers)
    found = terms_of_papers(wanted, vocabulary).select(
        "paper_id", "term_id", n_mentions="n", vocabulary_version=pl.lit(version)
    )
    rows = found if kept is None else pl.concat([kept.select(found.columns), found])
    return as_relation(session, rows.sort("paper_id", "term_id"))
