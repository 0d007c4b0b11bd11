"""Words that are names by their spelling: coined words and capitalised words.

Belongs here: recognising and counting them in texts. Does not belong here: acronyms
(`acronyms.py`), phrases (`term_phrases.py`), the vocabulary made of them (`term_learning.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.text_forms import normalise
from pipelines.topics.words import Tokens, singulars

STOP_WORDS = FUNCTION_WORDS | BOILERPLATE
"""Words that are no terms."""

MIN_COINED_SHARE = 0.5
"""Least share of a word's occurrences that are spelled like a name. A title in capitals alone
does not make a name."""

MIN_NAME_SHARE = 0.5
"""Least share of a word's occurrences that are capitalised within a sentence."""

MIN_SINGULAR_SHARE = 0.1
"""A plural counts as its singular if that is in at least this share of as many papers."""

_COMPOUND = r"[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*"
"""A word with hyphens and inner dots: GPT-4o, Qwen2.5-VL-7B, text-to-SQL."""

_AFFIXES = r"^(?:[a-z]+-)+|(?:-(?:[a-z]+|[0-9.]+[BMK]|Instruct|Chat|Base"
_AFFIXES += r"|Based|Generated|Driven|Powered|Guided|Enhanced|Aware|Assisted|Augmented|Free))+$"
"""Parts that do not belong to a name: LLM[-based], [text-to-]SQL, LLaMA[-7B]."""

_COINED = r"[A-Z][a-z0-9]*[A-Z]|[a-z][A-Z]|[A-Za-z]-?[0-9]|[0-9]-?[A-Z]|^[A-Z]-[A-Z][a-z]"
_NOT_COINED = r"^(?:[0-9.-]+[A-Za-z]{0,3}|[A-Za-z]-?[0-9.]+|[IVX]+|[a-z]{1,3}[0-9]+)$"
"""Sizes, ordinals, versions and Roman numerals: 7B, 3D, 2nd, R1, III, top1."""

_CAPITALISED = r"[a-z,] [A-Z][a-z]{2,}\b"
"""A capitalised word that does not start a sentence."""


def coined_words(texts: pl.Series, tokens: Tokens, min_papers: int, limit: float) -> pl.DataFrame:
    """Return form, term, n, others: words spelled like a name, in `min_papers` to `limit` papers.

    `term` is the most common spelling, `n` the number of papers, `others` further forms of the same
    word (U-Net for UNet). Sorted by form.
    """
    return (
        _fold_plurals(_coined_spellings(texts))
        .sort("is_plural", "n", "word", descending=[False, True, False])
        .group_by("form", maintain_order=True)
        .agg(term=pl.col("word").first(), n=pl.col("n").sum(), times=pl.col("times").sum())
        .join(_token_counts(tokens), on="form", how="left")
        .filter((pl.col("times") >= MIN_COINED_SHARE * pl.col("total")).fill_null(value=True))
        .filter(~pl.col("form").is_in(list(STOP_WORDS)))
        .with_columns(joined=pl.col("form").str.replace_all(" ", "", literal=True))
        .sort("n", "form", descending=[True, False])
        .group_by("joined", maintain_order=True)
        .agg(
            pl.col("form", "term").first(),
            n=pl.col("n").sum().cast(pl.Int64),
            others=pl.col("form").slice(1),
        )
        .filter(pl.col("n").is_between(min_papers, limit))
        .select("form", "term", "n", "others")
        .sort("form")
    )


def capitalised_words(
    texts: pl.Series, tokens: Tokens, min_papers: int, limit: float
) -> pl.DataFrame:
    """Return form, term, n: words mostly capitalised within sentences. Sorted by form."""
    return (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), word=pl.col("text").str.extract_all(_CAPITALISED))
        .explode("word")
        .drop_nulls()
        .with_columns(pl.col("word").str.slice(2))
        .group_by("word")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64), times=pl.len())
        .with_columns(form=pl.col("word").str.to_lowercase())
        .collect()
        .join(_token_counts(tokens), on="form")
        .filter(pl.col("n").is_between(min_papers, limit))
        .filter(pl.col("times") >= MIN_NAME_SHARE * pl.col("total"))
        .filter(~pl.col("form").is_in(list(STOP_WORDS)))
        .pipe(_fold_plurals)
        .filter(~pl.col("is_plural"))
        .select("form", term="word", n="n")
        .sort("form")
    )


def singular_forms(forms: Iterable[str]) -> dict[str, str]:
    """Return plural → singular for the forms whose singular is also among them."""
    known = set(forms)
    return {
        form: next(s for s in singulars(form) if s in known)
        for form in sorted(known)
        if any(s in known for s in singulars(form))
    }


def _coined_spellings(texts: pl.Series) -> pl.DataFrame:
    """word, n, times, form: each spelling with its papers, occurrences and normal form."""
    word = pl.col("word")
    return (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), word=pl.col("text").str.extract_all(_COMPOUND))
        .explode("word")
        .filter(word.str.contains(r"[A-Z0-9].*[A-Z0-9]|[a-z][A-Z0-9]"))
        .with_columns(word.str.replace_all(_AFFIXES, ""))
        .filter(word.str.contains(_COINED) & ~word.str.contains(_NOT_COINED))
        .group_by("word")
        .agg(n=pl.col("text").n_unique(), times=pl.len())
        .with_columns(form=normalise(word).str.strip_chars(" "))
        .collect()
    )


def _token_counts(tokens: Tokens) -> pl.DataFrame:
    """form, total: the occurrences of each form."""
    return pl.DataFrame(
        {"form": tokens.forms, "total": np.bincount(tokens.code, minlength=len(tokens.forms))},
        schema={"form": pl.String, "total": pl.Int64},
    )


def _fold_plurals(written: pl.DataFrame) -> pl.DataFrame:
    """The rows with `is_plural`; the form of a plural is replaced with that of its singular."""
    n_papers = dict(written.group_by("form").agg(pl.col("n").sum()).iter_rows())
    # A rare singular is a misspelling: nuScenes is not a plural although some write nuScene.
    single = {
        form: single
        for form, single in singular_forms(n_papers).items()
        if n_papers[single] >= MIN_SINGULAR_SHARE * n_papers[form]
    }
    return written.with_columns(
        pl.col("form").replace(single), is_plural=pl.col("form").is_in(list(single))
    )
