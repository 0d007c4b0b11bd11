"""Phrases of two or three words that occur together more often than by chance.

Belongs here: counting word sequences and their cohesion. Does not belong here: phrases with known
meaning (`taxonomy.py`), the vocabulary (`term_learning.py`).

The cohesion of a phrase is the normalised pointwise mutual information (NPMI) of its two parts,
over shares of tokens (G. Bouma, GSCL 2009). A phrase of three words can be split in two ways; the
smaller NPMI counts.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.topics.labels import HEADS
from pipelines.topics.term_names import STOP_WORDS
from pipelines.topics.words import Tokens, fold_plurals

MIN_COHESION = 0.35
"""Least NPMI between the two parts of a phrase."""

_DIGIT = re.compile("[0-9]")
_DIMENSIONS = frozenset(["2d", "3d", "4d", "6d"])
"""Words with a digit belong to names (R1, 7B), not to phrases, except for dimensions."""

_OPENERS = frozenset(
    ["cross", "few", "fine", "large", "low", "multi", "non", "pre", "real", "small"]
)
"""Stop words that may start a phrase, as `HEADS` may end one."""


def find_phrases(tokens: Tokens, min_papers: int) -> pl.DataFrame:
    """Return form, term, n: phrases in at least `min_papers` papers. Sorted by form.

    A plural at the end counts as its singular.
    """
    pairs, triples = _with_cohesion(*_count_sequences(_sequences(tokens), min_papers), tokens)
    both = pl.concat([pairs, triples], how="vertical_relaxed").filter(
        pl.col("cohesion") >= MIN_COHESION
    )
    words = pl.Series(tokens.forms, dtype=pl.String)
    forms = [
        " ".join(words[at] for at in (first, second, last) if at is not None)
        for first, second, last in both.select("first", "second", "last").iter_rows()
    ]
    return pl.DataFrame(
        {"form": forms, "term": forms, "n": both["n"]},
        schema={"form": pl.String, "term": pl.String, "n": pl.Int64},
    ).sort("form")


def _sequences(tokens: Tokens) -> pl.LazyFrame:
    """Each token that may start a phrase, with the next two tokens (suffixes 1 and 2).

    text; word: form code; singular: form code with plurals folded; may_continue, may_end: whether
    the token may be in the middle or at the end of a phrase.
    """
    forms = tokens.forms

    def per_token(per_form: NDArray[Any]) -> NDArray[Any]:
        return per_form[tokens.code] if len(forms) else per_form[:0]

    def fits(stop_words: frozenset[str]) -> NDArray[Any]:
        return per_token(np.array([_may_be_part(form, stop_words) for form in forms], dtype=bool))

    frame = pl.DataFrame(
        {
            "text": tokens.text,
            "word": tokens.code,
            "may_start": fits(STOP_WORDS - _OPENERS),
            "may_continue": fits(STOP_WORDS),
            "singular": per_token(fold_plurals(tokens)),
            "may_end": fits(STOP_WORDS - HEADS),
        }
    ).lazy()
    following = {
        f"{name}{step}": pl.col(name).shift(-step)
        for step in (1, 2)
        for name in ("text", "word", "may_continue", "singular", "may_end")
    }
    return frame.with_columns(**following).filter(
        pl.col("may_start") & (pl.col("text") == pl.col("text1"))
    )


def _count_sequences(
    sequences: pl.LazyFrame, min_papers: int
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs (first, last, n, times), triples (with second), and openings of triples.

    `n` is the number of papers, `times` that of occurrences. An opening is the first two words of a
    triple: first, second, times_front.
    """
    counts = {"n": pl.col("text").n_unique().cast(pl.Int64), "times": pl.len()}
    pairs = (
        sequences.filter("may_end1")
        .group_by(first="word", last="singular1")
        .agg(**counts)
        .filter(pl.col("n") >= min_papers)
        .sort("first", "last")
    )
    triples = (
        sequences.filter(
            pl.col("may_continue1") & pl.col("may_end2") & (pl.col("text") == pl.col("text2"))
        )
        .group_by(first="word", second="word1", last="singular2")
        .agg(**counts)
        .filter(pl.col("n") >= min_papers)
        .sort("first", "second", "last")
    )
    openings = (
        sequences.filter("may_continue1")
        .group_by(first="word", second="word1")
        .agg(times_front=pl.len())
        .filter(pl.col("times_front") >= min_papers)
    )
    found = pl.collect_all([pairs, triples, openings])
    return found[0], found[1], found[2]


def _with_cohesion(
    pairs: pl.DataFrame, triples: pl.DataFrame, openings: pl.DataFrame, tokens: Tokens
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """first, last, n, second (null for pairs), cohesion."""
    n_forms, n_tokens = len(tokens.forms), max(len(tokens.code), 1)
    times = np.bincount(tokens.code, minlength=n_forms)
    singular = fold_plurals(tokens)
    times_singular = np.bincount(singular[tokens.code], minlength=n_forms) if n_forms else times
    words = pl.DataFrame({"code": np.arange(n_forms), "x": times, "y": times_singular})
    pairs = pairs.join(words.select("x", first="code"), on="first").join(
        words.select("y", last="code"), on="last"
    )
    triples = (
        triples.join(openings, on=["first", "second"])
        .join(pairs.select("last", second="first", back="times"), on=["second", "last"])
        .join(words.select("x", first="code"), on="first")
        .join(words.select("y", last="code"), on="last")
    )
    smaller = pl.min_horizontal(
        _npmi("times", "times_front", "y", n_tokens), _npmi("times", "x", "back", n_tokens)
    )
    return (
        pairs.select(
            "first", "last", "n", second=None, cohesion=_npmi("times", "x", "y", n_tokens)
        ),
        triples.select("first", "last", "n", "second", cohesion=smaller),
    )


def _npmi(both: str, left: str, right: str, n: int) -> pl.Expr:
    share = pl.col(both) / n
    expected = pl.col(left) * pl.col(right) / n**2
    return (share / expected).log() / -share.log()


def _may_be_part(form: str, stop_words: frozenset[str]) -> bool:
    is_part_of_name = _DIGIT.search(form) is not None and form not in _DIMENSIONS
    return len(form) > 1 and not is_part_of_name and form not in stop_words
