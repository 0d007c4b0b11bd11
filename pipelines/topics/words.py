"""Words of papers: tokens, a vocabulary, and counts per paper.

Belongs here: the text of a paper, splitting it into words, the vocabulary of words and two-word
phrases, counts. Does not belong here: weights and clusters (`vectors.py`), labels (`labels.py`),
terms (`terms.py`).

Texts are in the normal form of `text_forms.py`. A *word* has at least two characters, is not a
number, and is not an English function word. A plural counts as its singular if that is in use. A
*phrase* is two adjacent words with no punctuation between them except a hyphen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.text_forms import FIELD_SEPARATOR, SLICE_ROWS, normalise

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]
Sparse: TypeAlias = Any  # scipy.sparse.csr_matrix, which has no types

RARE_SINGULAR = 0.05
"""A plural counts as its singular if the singular occurs at least this share as often."""

_BREAKS = r"[(),;:!?\[\]]|\.(?:\s|$)"
"""Punctuation that separates phrases."""

_PLURAL_EXCEPTIONS = ("ss", "us", "is", "ics")


@dataclass(frozen=True)
class Tokens:
    """The words of texts in reading order, encoded as numbers."""

    n_texts: int
    text: Ints
    """The text of each token, from 0, ascending."""
    code: Ints
    """The surface form of each token: an index into `forms`."""
    forms: list[str]
    """Surface forms, sorted."""


@dataclass(frozen=True)
class Vocabulary:
    """The words and phrases that are counted, in the order of the columns of a count matrix."""

    words: tuple[str, ...]
    """Sorted single words, then phrases ("language reasoning")."""
    n_single: int
    """Number of single words in `words`."""
    forms: tuple[str, ...]
    """Sorted surface forms of single words: each word, and its plurals."""
    form_word: tuple[int, ...]
    """The word that each form counts as."""
    n_papers: tuple[int, ...]
    """The number of papers with each word, among those the vocabulary was learned from."""


def text_of_papers() -> pl.Expr:
    """Return the text of a paper: title and abstract, or title and keywords without an abstract.

    Keywords were generated from the abstract, so they add nothing to it.
    """
    return pl.concat_str(
        pl.col("title"),
        pl.coalesce(
            "abstract", pl.col("keywords").cast(pl.List(pl.String)).list.join(FIELD_SEPARATOR)
        ),
        separator=FIELD_SEPARATOR,
        ignore_nulls=True,
    )


def tokenise(texts: pl.Series, *, slice_rows: int = SLICE_ROWS) -> Tokens:
    """Return the tokens of texts, separators included. Null texts have none."""
    parts = [_tokenise_slice(part) for part in texts.to_frame("text").iter_slices(slice_rows)]
    forms = sorted({form for _, _, local in parts for form in local})
    index = {form: at for at, form in enumerate(forms)}
    starts = np.cumsum([0, *(part.height for part in texts.to_frame().iter_slices(slice_rows))])
    return Tokens(
        n_texts=len(texts),
        text=_joined([text + start for (text, _, _), start in zip(parts, starts, strict=False)]),
        code=_joined(
            [
                np.array([index[form] for form in local], dtype=np.int64)[code]
                for _, code, local in parts
            ]
        ),
        forms=forms,
    )


def part_of(tokens: Tokens, texts: Ints) -> Tokens:
    """Return the tokens of some texts, given by ascending positions. `forms` stays the same."""
    number = np.full(tokens.n_texts, -1, dtype=np.int64)
    number[texts] = np.arange(len(texts))
    text = number[tokens.text]
    kept = text >= 0
    return Tokens(len(texts), text[kept], tokens.code[kept], tokens.forms)


def learn_vocabulary(tokens: Tokens, *, min_papers: int, max_share: float) -> Vocabulary:
    """Return the words and phrases in at least `min_papers` and at most `max_share` of the texts.

    Both words of a phrase must be in the vocabulary.
    """
    n_forms = len(tokens.forms)
    folded = fold_plurals(tokens)
    is_word = np.array([_is_word(form) for form in tokens.forms], dtype=bool)
    # Rare forms can't reach `min_papers`; skipping them saves most of the counting.
    is_common = np.bincount(folded[tokens.code], minlength=n_forms) >= min_papers
    counted = (is_word & is_common)[folded[tokens.code]]
    n_papers = _n_texts(tokens.text[counted], folded[tokens.code[counted]], n_forms)
    most = max(max_share * tokens.n_texts, min_papers)
    kept = (n_papers >= min_papers) & (n_papers <= most)
    single = np.flatnonzero(kept)
    number = np.full(len(tokens.forms), -1, dtype=np.int64)
    number[single] = np.arange(len(single))
    words = [tokens.forms[at] for at in single]
    form_word = number[folded]
    pairs, n_pairs = _frequent_pairs(
        tokens.text, form_word[tokens.code], min_papers=min_papers, most=most
    )
    used = np.flatnonzero(form_word >= 0)
    return Vocabulary(
        words=(*words, *(f"{words[a]} {words[b]}" for a, b in pairs)),
        n_single=len(words),
        forms=tuple(tokens.forms[at] for at in used),
        form_word=tuple(int(form_word[at]) for at in used),
        n_papers=(*(int(n) for n in n_papers[single]), *(int(n) for n in n_pairs)),
    )


def count_words(tokens: Tokens, vocabulary: Vocabulary) -> Sparse:
    """Return texts × words: the occurrences of each word and phrase in each text.

    A CSR matrix of float32 with sorted indices.
    """
    known = dict(zip(vocabulary.forms, vocabulary.form_word, strict=True))
    word = np.array([known.get(form, -1) for form in tokens.forms], dtype=np.int64)
    code = word[tokens.code] if len(tokens.forms) else tokens.code
    n_single, n_words = vocabulary.n_single, len(vocabulary.words)
    single = code >= 0
    adjacent = single[1:] & single[:-1] & (tokens.text[1:] == tokens.text[:-1])
    pair = _match_pairs(code[:-1][adjacent], code[1:][adjacent], vocabulary)
    text = np.concatenate([tokens.text[single], tokens.text[:-1][adjacent][pair >= 0]])
    column = np.concatenate([code[single], n_single + pair[pair >= 0]])
    cell, times = np.unique(text * max(n_words, 1) + column, return_counts=True)
    row, column = np.divmod(cell, max(n_words, 1))
    return sp.csr_matrix((times.astype(np.float32), (row, column)), shape=(tokens.n_texts, n_words))


def _tokenise_slice(texts: pl.DataFrame) -> tuple[Ints, Ints, list[str]]:
    words = (
        texts.lazy()
        .select(
            text_at=pl.int_range(pl.len(), dtype=pl.Int64),
            word=normalise(pl.col("text").str.replace_all(_BREAKS, FIELD_SEPARATOR)),
        )
        .with_columns(pl.col("word").str.strip_chars(" ").str.split(" "))
        .explode("word")
        .filter(pl.col("word") != "")
        .collect()
    )
    forms = words["word"].unique().sort()
    codes = words["word"].cast(pl.Enum(forms)).to_physical()
    return (
        words["text_at"].to_numpy(),
        codes.to_numpy().astype(np.int64),
        forms.to_list(),
    )


def _is_word(form: str) -> bool:
    return len(form) > 1 and not form.isdigit() and form not in FUNCTION_WORDS


def fold_plurals(tokens: Tokens) -> Ints:
    """Return the form that each form counts as: itself, or its singular if that is in use."""
    times = np.bincount(tokens.code, minlength=len(tokens.forms))
    index = {form: at for at, form in enumerate(tokens.forms)}
    folded = np.arange(len(tokens.forms), dtype=np.int64)
    for at, form in enumerate(tokens.forms):
        for singular in singulars(form):
            to = index.get(singular)
            if to is not None and times[to] >= RARE_SINGULAR * times[at]:
                folded[at] = to
                break
    return folded


def singulars(form: str) -> tuple[str, ...]:
    """Return the words whose regular English plural a form may be, the most likely first."""
    if len(form) < 4 or not form.endswith("s") or form.endswith(_PLURAL_EXCEPTIONS):
        return ()
    if form.endswith("ies"):
        return (form[:-3] + "y", form[:-1])
    return (form[:-1], form[:-2]) if form.endswith("es") else (form[:-1],)


def _frequent_pairs(
    text: Ints, code: Ints, *, min_papers: int, most: float
) -> tuple[list[tuple[int, int]], Ints]:
    """The pairs of adjacent words in `min_papers` to `most` texts, and the number of texts."""
    at = (code[1:] >= 0) & (code[:-1] >= 0) & (text[1:] == text[:-1])
    frequent = (
        pl.DataFrame({"text": text[:-1][at], "a": code[:-1][at], "b": code[1:][at]})
        .lazy()
        .unique()
        .group_by("a", "b")
        .agg(n=pl.len())
        .filter(pl.col("n").is_between(min_papers, most))
        .sort("a", "b")
        .collect()
    )
    return list(frequent.select("a", "b").iter_rows()), frequent["n"].to_numpy().astype(np.int64)


def _match_pairs(first: Ints, second: Ints, vocabulary: Vocabulary) -> Ints:
    """The number of the phrase of each pair of words, or -1."""
    n_single = max(vocabulary.n_single, 1)
    number = {word: at for at, word in enumerate(vocabulary.words[: vocabulary.n_single])}
    known = np.array(
        [
            number[a] * n_single + number[b]
            for a, _, b in (p.partition(" ") for p in vocabulary.words[vocabulary.n_single :])
        ],
        dtype=np.int64,
    )
    if not len(known) or not len(first):
        return np.full(len(first), -1, dtype=np.int64)
    # Phrases are in the order of their words' numbers, so `known` is sorted.
    pairs = first * n_single + second
    at = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
    return np.where(known[at] == pairs, at, -1)


def _n_texts(text: Ints, code: Ints, n_codes: int) -> Ints:
    """The number of texts with each code."""
    counted = (
        pl.DataFrame({"text": text, "code": code}).lazy().unique().group_by("code").len().collect()
    )
    n_texts = np.zeros(n_codes, dtype=np.int64)
    n_texts[counted["code"].to_numpy()] = counted["len"].to_numpy()
    return n_texts


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
