"""What papers without a topic talk about: the n-grams that tell them from the others.

Belongs here: counting and ranking n-grams that no rule matches. Does not belong here: which papers
have no topic, printing.
"""

from __future__ import annotations

import polars as pl

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.matching import runs_of_words, searched_form, variants
from pipelines.topics.scoring import counted_texts
from pipelines.topics.taxonomy import Taxonomy

MAX_WORDS = 3
_EDGE = 40_000  # n-grams that are counted outside as well: those in most papers inside


def telling_ngrams(
    inside: pl.DataFrame, outside: pl.DataFrame, taxonomy: Taxonomy, *, min_papers: int = 3
) -> pl.DataFrame:
    """Return ngram, n_inside, share_inside, n_outside and share_outside, the most telling first.

    Document frequencies, over papers with paper_id, title, abstract and keywords. An n-gram of one
    to three words neither begins nor ends with a function word or with boilerplate, and holds no
    wording of a rule. It is the more telling, the larger is n_inside · ln(share_inside /
    share_outside), with half a paper added to each count: frequent inside, and more so than
    outside.
    """
    counts = _document_counts(inside).filter(pl.col("n") >= min_papers)
    known = {w for rule in taxonomy.rules if not rule.is_negative for w in variants(rule.phrase)}
    kept = [
        ngram
        for ngram in counts.sort("n", descending=True)["ngram"].head(_EDGE)
        if _is_telling(ngram) and not any(run in known for run in runs_of_words(ngram))
    ]
    others = _document_counts(outside, kept)
    n_in, n_out = max(inside.height, 1), max(outside.height, 1)
    ratio = (pl.col("n_inside") + 0.5) / (n_in + 1) / ((pl.col("n_outside") + 0.5) / (n_out + 1))
    return (
        counts.filter(pl.col("ngram").is_in(kept))
        .join(others, on="ngram", how="left", suffix="_out")
        .select(
            "ngram",
            n_inside="n",
            share_inside=pl.col("n") / n_in,
            n_outside=pl.col("n_out").fill_null(0),
            share_outside=pl.col("n_out").fill_null(0) / n_out,
        )
        .with_columns(weight=pl.col("n_inside") * ratio.log())
        .filter(pl.col("weight") > 0)
        .sort("weight", "ngram", descending=[True, False])
        .drop("weight")
    )


def _document_counts(papers: pl.DataFrame, only: list[str] | None = None) -> pl.DataFrame:
    """ngram, n: in how many papers each n-gram (or each of these) stands."""
    texts = counted_texts(papers).select("paper_id", text=searched_form(pl.col("text")))
    if only is not None:
        patterns = [f" {ngram} " for ngram in only]
        found = texts.with_columns(
            ngram=pl.col("text").str.extract_many(patterns, overlapping=True)
        ).explode("ngram")
        pairs = found.select("paper_id", pl.col("ngram").str.strip_chars(" "))
    else:
        words = texts.with_columns(w1=pl.col("text").str.strip_chars(" ").str.split(" "))
        words = words.with_row_index("row").explode("w1")
        for size in range(2, MAX_WORDS + 1):
            words = words.with_columns(pl.col("w1").shift(1 - size).over("row").alias(f"w{size}"))
        grams = [
            words.select(
                "paper_id",
                ngram=pl.concat_str([f"w{i}" for i in range(1, size + 1)], separator=" "),
            )
            for size in range(1, MAX_WORDS + 1)
        ]
        pairs = pl.concat(grams)
    return pairs.drop_nulls("ngram").unique().group_by("ngram").agg(n=pl.len().cast(pl.Int64))


def _is_telling(ngram: str) -> bool:
    words = ngram.split(" ")
    empty = FUNCTION_WORDS | BOILERPLATE
    return (
        words[0] not in empty
        and words[-1] not in empty
        and len(ngram) > 2
        and "|" not in words
        and not all(word.isdigit() for word in words)
    )
