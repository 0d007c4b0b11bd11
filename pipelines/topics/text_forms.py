"""Normal forms of texts and phrases, and the wordings that count as one phrase.

Belongs here: normalisation, plurals, runs of words. Does not belong here: rules and topics
(`taxonomy.py`), finding phrases in texts (`matching.py`), splitting texts into words (`words.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

SLICE_ROWS = 10_000
"""Texts that one thread processes at a time. Bounds the memory of exploded matches."""

FIELD_SEPARATOR = " | "
"""Separates parts of a text, such as keywords. No phrase matches across it."""

# Runs of non-word characters, except single spaces. Most gaps are a single space, and skipping
# them makes the replacement three times as fast.
_NON_WORD = r"[^\p{L}\p{N}|]{2,}|[^\p{L}\p{N}| ]"
_BENCHMARK_NAME = r"([^ ])bench "
_VOWELS = frozenset("aeiou")
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def normalise(expr: pl.Expr) -> pl.Expr:
    """Return the normal form of a text: lower-case words, each between single spaces.

    Applies NFKC and lower case, then replaces every run of characters that are neither letters nor
    digits with one space, and adds one space at both ends: ``"Large-Language Models!"`` becomes
    ``" large language models "``. A vertical bar stays as a separate word, so that phrases do not
    match across `FIELD_SEPARATOR`. A text without letters or digits becomes a single space. Null
    stays null.
    """
    is_ascii = expr.str.len_bytes() == expr.str.len_chars()
    others = pl.when(~is_ascii).then(expr).str.normalize("NFKC")  # slow, and a no-op for ASCII
    words = (
        pl.when(is_ascii)
        .then(expr)
        .otherwise(others)
        .str.to_lowercase()
        .str.replace_all("|", " | ", literal=True)
        .str.replace_all(_NON_WORD, " ")
        .str.strip_chars(" ")
    )
    return (
        pl.when(words == "")
        .then(pl.lit(" "))
        .otherwise(pl.concat_str(pl.lit(" "), words, pl.lit(" ")))
    )


def searched_form(expr: pl.Expr) -> pl.Expr:
    """Return the normal form in which rules are searched: "MathBench" becomes ``math bench``.

    Benchmark names are written with and without a hyphen, so a word that ends in "bench" is split.
    """
    return normalise(expr).str.replace_all(_BENCHMARK_NAME, "$1 bench ")


def normalise_phrases(phrases: Iterable[str]) -> list[str]:
    """Return phrases in the searched form, without the outer spaces."""
    frame = pl.DataFrame({"phrase": list(phrases)}, schema={"phrase": pl.String})
    return frame.select(searched_form(pl.col("phrase")).str.strip_chars(" ")).to_series().to_list()


def plural(phrase: str) -> str:
    """Return a normalised phrase with its last word in the regular English plural.

    ``y`` after a consonant becomes ``ies``; ``es`` follows s, x, z, ch and sh; otherwise ``s``.
    Wrong plurals ("reasonings") are harmless because they match nothing.
    """
    if len(phrase) > 1 and phrase.endswith("y") and phrase[-2] not in _VOWELS:
        return phrase[:-1] + "ies"
    return phrase + ("es" if phrase.endswith(_SIBILANTS) else "s")


def variants(phrase: str) -> tuple[str, str]:
    """Return the wordings that count as a normalised phrase: itself and its plural."""
    return phrase, plural(phrase)


def runs_of_words(phrase: str) -> Iterator[str]:
    """Yield every run of consecutive words of a normalised phrase, including the whole phrase."""
    words = phrase.split(" ")
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])
