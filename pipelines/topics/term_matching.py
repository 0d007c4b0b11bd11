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
FOUND_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "term_id": pl.String(),
        "n_mentions": pl.Int64(),
        "term_version": pl.String(),
    }
)
"""Output of `update_terms`."""


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
) -> pl.DataFrame:
    """Return the rows of the last build that are still valid, with `FOUND_SCHEMA`.

    `before` has the rows of the last build (None on the first one). `changed` has the paper_id of
    every paper that was added, changed or removed since. Rows of other papers are valid as long as
    the wordings of their term are the same.
    """
    if before is None or "term_version" not in before.columns:
        return pl.DataFrame(schema=FOUND_SCHEMA)
    return (
        before.select(FOUND_SCHEMA.names())
        .join(vocabulary.term_versions, on=["term_id", "term_version"], how="semi")
        .join(changed, on="paper_id", how="anti")
    )


def unread_terms(kept: pl.DataFrame, vocabulary: TermVocabulary) -> TermVocabulary:
    """Return the terms without kept rows: all papers must be read for them."""
    return TermVocabulary(vocabulary.terms.join(kept, on="term_id", how="anti"))


def update_terms(
    kept: pl.DataFrame, changed: pl.DataFrame, others: pl.DataFrame, vocabulary: TermVocabulary
) -> pl.DataFrame:
    """Return the terms of all papers, with `FOUND_SCHEMA`, sorted by paper_id and term_id.

    Rows are the kept ones, those of the `changed` papers, and those of the `others` for the terms
    of `unread_terms`.
    """
    found = pl.concat(
        [
            terms_of_papers(changed, vocabulary),
            terms_of_papers(others, unread_terms(kept, vocabulary)),
        ]
    )
    rows = found.rename({"n": "n_mentions"}).join(vocabulary.term_versions, on="term_id")
    return pl.concat([kept, rows.select(FOUND_SCHEMA.names())]).sort("paper_id", "term_id")


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
