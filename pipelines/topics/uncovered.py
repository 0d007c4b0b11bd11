"""N-grams that distinguish papers without a topic from the others.

Belongs here: counting and ranking n-grams that no rule matches. Does not belong here: selecting the
papers, printing.
"""

from __future__ import annotations

import polars as pl

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.scoring import scored_texts
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.text_forms import runs_of_words, searched_form, variants

MAX_WORDS = 3
_MAX_CANDIDATES = 40_000  # the n-grams in the most papers inside; only these are counted outside


def distinctive_ngrams(
    inside: pl.DataFrame, outside: pl.DataFrame, taxonomy: Taxonomy, *, min_papers: int = 3
) -> pl.DataFrame:
    """Return ngram, n_inside, share_inside, n_outside, share_outside, the most distinctive first.

    Both frames have paper_id, title, abstract and keywords; counts are document frequencies. An
    n-gram has one to three words. It neither starts nor ends with a function word or boilerplate,
    and contains no wording of a rule. The rank is by

        n_inside · ln( share_inside / share_outside )

    with half a paper added to each count; rows with a negative value are left out.
    """
    counts = _document_counts(inside).filter(pl.col("n") >= min_papers)
    known = {w for rule in taxonomy.rules if not rule.is_negative for w in variants(rule.phrase)}
    kept = [
        ngram
        for ngram in counts.sort("n", descending=True)["ngram"].head(_MAX_CANDIDATES)
        if _is_content(ngram) and not any(run in known for run in runs_of_words(ngram))
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
    """ngram, n: the number of papers that contain each n-gram, or each of `only`."""
    texts = scored_texts(papers).select("paper_id", text=searched_form(pl.col("text")))
    pairs = _ngrams(texts) if only is None else _occurrences_of(only, texts)
    return pairs.drop_nulls("ngram").unique().group_by("ngram").agg(n=pl.len().cast(pl.Int64))


def _ngrams(texts: pl.DataFrame) -> pl.DataFrame:
    """paper_id, ngram: every n-gram of the texts."""
    words = texts.with_columns(w1=pl.col("text").str.strip_chars(" ").str.split(" "))
    words = words.with_row_index("row").explode("w1")
    for size in range(2, MAX_WORDS + 1):
        words = words.with_columns(pl.col("w1").shift(1 - size).over("row").alias(f"w{size}"))
    return pl.concat(
        [
            words.select(
                "paper_id",
                ngram=pl.concat_str([f"w{i}" for i in range(1, size + 1)], separator=" "),
            )
            for size in range(1, MAX_WORDS + 1)
        ]
    )


def _occurrences_of(ngrams: list[str], texts: pl.DataFrame) -> pl.DataFrame:
    """paper_id, ngram: occurrences of these n-grams in the texts."""
    patterns = [f" {ngram} " for ngram in ngrams]
    found = texts.with_columns(
        ngram=pl.col("text").str.extract_many(patterns, overlapping=True)
    ).explode("ngram")
    return found.select("paper_id", pl.col("ngram").str.strip_chars(" "))


def _is_content(ngram: str) -> bool:
    """Whether an n-gram starts and ends with content words, within one field."""
    words = ngram.split(" ")
    empty = FUNCTION_WORDS | BOILERPLATE
    return (
        words[0] not in empty
        and words[-1] not in empty
        and len(ngram) > 2
        and "|" not in ngram
        and not ngram.replace(" ", "").isdigit()
    )
