"""Finding the terms of a vocabulary in texts and papers.

Belongs here: matching, and updating the terms of papers that changed. Does not belong here:
learning terms (`term_learning.py`), counting them by period (SQL).
"""

from __future__ import annotations

import polars as pl

from pipelines.topics.terms import TermVocabulary
from pipelines.topics.text_forms import SLICE_ROWS, normalise
from pipelines.topics.words import text_of_papers

TERM_MATCH_SCHEMA = pl.Schema({"text_hash": pl.String(), "term_id": pl.String(), "n": pl.Int64()})
PAPER_TERM_SCHEMA = pl.Schema(
    {"paper_id": pl.String(), "term_id": pl.String(), "term": pl.String(), "n": pl.Int64()}
)


def match_terms(
    texts: pl.DataFrame, vocabulary: TermVocabulary, *, slice_rows: int = SLICE_ROWS
) -> pl.DataFrame:
    """Return the terms in each text, with `TERM_MATCH_SCHEMA`, sorted by text_hash and term_id.

    `texts` has ``text_hash`` (unique) and ``text``, not normalised. Null and empty texts match
    nothing. ``n`` counts occurrences, including those inside a longer term.
    """
    return _match(texts, "text_hash", vocabulary, slice_rows).cast(TERM_MATCH_SCHEMA)


def terms_of_papers(papers: pl.DataFrame, vocabulary: TermVocabulary) -> pl.DataFrame:
    """Return the terms of each paper, with `PAPER_TERM_SCHEMA`, sorted by paper_id and term_id.

    `papers` has one row per paper, with paper_id, title, abstract and keywords (a list).
    """
    texts = papers.select("paper_id", text=text_of_papers())
    return (
        _match(texts, "paper_id", vocabulary, SLICE_ROWS)
        .join(vocabulary.terms.select("term_id", "term"), on="term_id", maintain_order="left")
        .select(pl.col(name).cast(dtype) for name, dtype in PAPER_TERM_SCHEMA.items())
    )


def kept_terms(
    before: pl.DataFrame | None, changed: pl.DataFrame, vocabulary: TermVocabulary
) -> pl.DataFrame | None:
    """Return the rows of `update_terms` that are still valid; None if all papers must be read.

    `before` is the last result of `update_terms` (None on the first build). `changed` has the
    paper_id of every paper that was added, changed or removed since. Rows of other papers are valid
    as long as the vocabulary is the same.
    """
    if (
        before is None
        or before.is_empty()
        or (before["vocabulary_version"] != vocabulary.version).any()
    ):
        return None
    return before.join(changed, on="paper_id", how="anti")


def update_terms(
    kept: pl.DataFrame | None, papers: pl.DataFrame, vocabulary: TermVocabulary
) -> pl.DataFrame:
    """Return paper_id, term_id, n_mentions and vocabulary_version, sorted.

    The result has the kept rows and those of `papers`; no paper may be in both.
    """
    found = terms_of_papers(papers, vocabulary).select(
        "paper_id",
        "term_id",
        n_mentions="n",
        vocabulary_version=pl.lit(vocabulary.version, pl.String),
    )
    rows = found if kept is None else pl.concat([kept.select(found.columns), found])
    return rows.sort("paper_id", "term_id")


def _match(
    texts: pl.DataFrame, key: str, vocabulary: TermVocabulary, slice_rows: int
) -> pl.DataFrame:
    """key, term_id, n."""
    wordings = (
        vocabulary.terms.select("term_id", wording="wordings").explode("wording").sort("wording")
    )
    patterns = [f" {wording} " for wording in wordings["wording"]]
    pattern_type = pl.Enum(patterns)
    ids = wordings.select("term_id", pattern=pl.Series(patterns, dtype=pattern_type))
    found = [
        part.lazy()
        .select(key, text=normalise(pl.col("text")))
        .select(key, pattern=pl.col("text").str.extract_many(patterns, overlapping=True))
        .explode("pattern")
        .drop_nulls("pattern")
        .with_columns(pl.col("pattern").cast(pattern_type))
        .join(ids.lazy(), on="pattern")
        .group_by(key, "term_id")
        .agg(n=pl.len().cast(pl.Int64))
        .collect()
        for part in texts.select(key, "text").iter_slices(slice_rows)
        if patterns
    ]
    empty = pl.DataFrame(schema={key: pl.String(), "term_id": pl.String(), "n": pl.Int64()})
    return pl.concat([empty, *found]).sort(key, "term_id")
