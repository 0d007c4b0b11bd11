"""Words of papers: from titles and abstracts to a vocabulary and counts.

Belongs here: which text of a paper is read, how it is cut into words, which words and pairs of
words make a vocabulary, and how often each stands in each paper. Does not belong here: weights,
clusters, labels (`discovered.py`, `labels.py`), and terms that people coin (`terms.py`).

The form of texts is that of `matching.py`. A *word* has at least two characters, one of them a
letter, and is no English function word. A plural counts as its singular where that is in use. A
*phrase* is two words that stand side by side with no punctuation but a hyphen between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.matching import FIELD_SEPARATOR, SLICE_ROWS, normalise

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]
Sparse: TypeAlias = Any  # scipy.sparse.csr_matrix, which has no types

RARE_SINGULAR = 0.05
"""A plural counts as its singular if that occurs at least this share as often."""

_BREAKS = r"[(),;:!?\[\]]|\.(?:\s|$)"
"""Punctuation that no phrase straddles."""

_PLURAL_EXCEPTIONS = ("ss", "us", "is", "ics")


@dataclass(frozen=True)
class Tokens:
    """The words of texts in reading order, as numbers."""

    n_texts: int
    text: Ints
    """The text that each token stands in, from 0, ascending."""
    code: Ints
    """The surface form of each token, an index into `forms`."""
    forms: list[str]
    """Surface forms, sorted."""


@dataclass(frozen=True)
class Vocabulary:
    """The words and phrases that are counted; columns of a count matrix in this order."""

    words: tuple[str, ...]
    """Single words, sorted, and behind them phrases ("language reasoning")."""
    n_single: int
    """How many of `words` are single."""
    forms: tuple[str, ...]
    """Surface forms of single words, sorted: each word, and plurals that count as one."""
    form_word: tuple[int, ...]
    """For each form the word that it counts as."""
    n_papers: tuple[int, ...]
    """In how many of the papers it was learned from each word stands."""


def text_of_papers() -> pl.Expr:
    """Return the text of a paper: title and abstract, or title and keywords without an abstract.

    A model drew the keywords from the abstract, so beside it they would say the same twice.
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
    """Return the words of texts, separators included; null texts have none."""
    parts = [_tokenise_slice(part) for part in texts.to_frame("text").iter_slices(slice_rows)]
    forms = sorted({form for _, _, local in parts for form in local})
    place = {form: at for at, form in enumerate(forms)}
    starts = np.cumsum([0, *(part.height for part in texts.to_frame().iter_slices(slice_rows))])
    return Tokens(
        n_texts=len(texts),
        text=_joined([text + start for (text, _, _), start in zip(parts, starts, strict=False)]),
        code=_joined(
            [
                np.array([place[form] for form in local], dtype=np.int64)[code]
                for _, code, local in parts
            ]
        ),
        forms=forms,
    )


def part_of(tokens: Tokens, texts: Ints) -> Tokens:
    """Return the tokens of some texts, given by ascending position; forms stay."""
    number = np.full(tokens.n_texts, -1, dtype=np.int64)
    number[texts] = np.arange(len(texts))
    text = number[tokens.text]
    kept = text >= 0
    return Tokens(len(texts), text[kept], tokens.code[kept], tokens.forms)


def learn_vocabulary(tokens: Tokens, *, min_papers: int, max_share: float) -> Vocabulary:
    """Return the words and phrases in at least `min_papers` texts and at most this share of them.

    Phrases obey the same limits, and both of their words must be in the vocabulary.
    """
    n_forms = len(tokens.forms)
    folded = fold_plurals(tokens)
    is_word = np.array([_is_word(form) for form in tokens.forms], dtype=bool)
    # What occurs less often than it must, or is no word, need not be counted paper by paper.
    often = np.bincount(folded[tokens.code], minlength=n_forms) >= min_papers
    counted = (is_word & often)[folded[tokens.code]]
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
    """Return texts × words: how often each word and phrase of the vocabulary stands in each text.

    A CSR matrix of float32 with sorted indices.
    """
    known = dict(zip(vocabulary.forms, vocabulary.form_word, strict=True))
    word = np.array([known.get(form, -1) for form in tokens.forms], dtype=np.int64)
    code = word[tokens.code] if len(tokens.forms) else tokens.code
    n_single, n_words = vocabulary.n_single, len(vocabulary.words)
    single = code >= 0
    beside = single[1:] & single[:-1] & (tokens.text[1:] == tokens.text[:-1])
    pair = _match_pairs(code[:-1][beside], code[1:][beside], vocabulary)
    text = np.concatenate([tokens.text[single], tokens.text[:-1][beside][pair >= 0]])
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
    """Return for each form the one that it counts as: itself, or its singular if that is in use."""
    times = np.bincount(tokens.code, minlength=len(tokens.forms))
    place = {form: at for at, form in enumerate(tokens.forms)}
    folded = np.arange(len(tokens.forms), dtype=np.int64)
    for at, form in enumerate(tokens.forms):
        for singular in singulars(form):
            to = place.get(singular)
            if to is not None and times[to] >= RARE_SINGULAR * times[at]:
                folded[at] = to
                break
    return folded


def singulars(form: str) -> tuple[str, ...]:
    """Return the words of which a form may be the regular English plural, likeliest first."""
    if len(form) < 4 or not form.endswith("s") or form.endswith(_PLURAL_EXCEPTIONS):
        return ()
    if form.endswith("ies"):
        return (form[:-3] + "y", form[:-1])
    return (form[:-1], form[:-2]) if form.endswith("es") else (form[:-1],)


def _frequent_pairs(
    text: Ints, code: Ints, *, min_papers: int, most: float
) -> tuple[list[tuple[int, int]], Ints]:
    beside = (code[1:] >= 0) & (code[:-1] >= 0) & (text[1:] == text[:-1])
    frequent = (
        pl.DataFrame({"text": text[:-1][beside], "a": code[:-1][beside], "b": code[1:][beside]})
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
    """For each pair of words the number of its phrase, or -1."""
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
    # Phrases stand in the order of their words' numbers, so `known` is sorted.
    wanted = first * n_single + second
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, at, -1)


def _n_texts(text: Ints, code: Ints, n_codes: int) -> Ints:
    """For each code the number of texts that it stands in."""
    counted = (
        pl.DataFrame({"text": text, "code": code}).lazy().unique().group_by("code").len().collect()
    )
    n_texts = np.zeros(n_codes, dtype=np.int64)
    n_texts[counted["code"].to_numpy()] = counted["len"].to_numpy()
    return n_texts


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
