"""Matching texts with the taxonomy's rules: frame in, frame out.

Belongs here: the normal form of a text, the variants of a phrase, and the count of valid
occurrences of each rule in each text. Does not belong here: reading the taxonomy's files
(`taxonomy.py`), scoring papers from several fields (SQL does), Dagster, any state.

How it works. A text is brought to a normal form in which every word stands between single spaces,
and so is every rule, with a leading and a trailing space. A rule then matches whole words only,
and one pass of an Aho-Corasick automaton finds all rules at once, overlapping ones included (two
neighbouring matches share the space between them).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from pipelines.lake.schemas import MATCH_SCHEMA

if TYPE_CHECKING:
    from pipelines.topics.taxonomy import Taxonomy

SLICE_ROWS = 10_000
"""Texts that one thread matches at a time: bounds the memory that exploded matches take."""

FIELD_SEPARATOR = " | "
"""Put this between the parts of a text (keywords, say) that a phrase must not straddle."""

# Every run of characters that are no part of a word, but for a single space, which may stay: most
# gaps are one, and leaving them alone is three times as fast.
_NOT_WORDS = r"[^\p{L}\p{N}|]{2,}|[^\p{L}\p{N}| ]"
_NAMED_BENCHMARK = r"([^ ])bench "
_VOWELS = frozenset("aeiou")
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def normalise(expr: pl.Expr) -> pl.Expr:
    """Return the normal form of a text: words in lower case between single spaces.

    NFKC, then lower case, then every run of characters that are neither letters nor digits becomes
    one space, with one space before and after the whole: ``"Large-Language Models!"`` becomes
    ``" large language models "``. A vertical bar stays, as a word of its own, so that phrases
    cannot straddle two keywords joined with `FIELD_SEPARATOR`. A text without letters or digits
    becomes a single space; null stays null.
    """
    is_ascii = expr.str.len_bytes() == expr.str.len_chars()
    others = pl.when(~is_ascii).then(expr).str.normalize("NFKC")  # slow, and ASCII stays as it is
    words = (
        pl.when(is_ascii)
        .then(expr)
        .otherwise(others)
        .str.to_lowercase()
        .str.replace_all("|", " | ", literal=True)
        .str.replace_all(_NOT_WORDS, " ")
        .str.strip_chars(" ")
    )
    return (
        pl.when(words == "")
        .then(pl.lit(" "))
        .otherwise(pl.concat_str(pl.lit(" "), words, pl.lit(" ")))
    )


def searched_form(expr: pl.Expr) -> pl.Expr:
    """Return the normal form in which rules are looked for: a word that ends in "bench" is two.

    Names of benchmarks are written with a hyphen or without: "MathBench" becomes ``math bench``.
    """
    return normalise(expr).str.replace_all(_NAMED_BENCHMARK, "$1 bench ")


def plural(phrase: str) -> str:
    """Return a normalised phrase with its last word in the regular English plural.

    ``y`` after a consonant becomes ``ies``; ``es`` is added after s, x, z, ch and sh; ``s``
    otherwise. Nonsense plurals ("reasonings") are harmless: they match nothing.
    """
    if len(phrase) > 1 and phrase.endswith("y") and phrase[-2] not in _VOWELS:
        return phrase[:-1] + "ies"
    return phrase + ("es" if phrase.endswith(_SIBILANTS) else "s")


def variants(phrase: str) -> tuple[str, str]:
    """Return the wordings that count as a normalised phrase: itself and its plural."""
    return phrase, plural(phrase)


def runs_of_words(phrase: str) -> Iterator[str]:
    """Yield every run of neighbouring words of a normalised phrase, the whole included."""
    words = phrase.split(" ")
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])


@dataclass(frozen=True)
class Matcher:
    """The rules of a taxonomy in the shape that matching needs."""

    patterns: list[str]
    """Every wording to look for, with its outer spaces; no repeats."""

    wordings: pl.DataFrame
    """Positive wordings: pattern, topic_id, phrase, matched."""

    masks: pl.DataFrame
    """For each negative wording, what it takes away: pattern, topic_id, matched, times."""


@lru_cache(maxsize=8)
def compile_matcher(taxonomy: Taxonomy) -> Matcher:
    """Return the matcher of a taxonomy; the same taxonomy gives the same (cached) matcher."""
    wordings = [
        (f" {wording} ", rule.topic_id, rule.phrase, wording)
        for rule in taxonomy.rules
        if not rule.is_negative
        for wording in variants(rule.phrase)
    ]
    known = {(topic_id, wording) for _, topic_id, _, wording in wordings}
    masks = [
        (f" {negative} ", rule.topic_id, wording, times)
        for rule in taxonomy.rules
        if rule.is_negative
        for negative in variants(rule.phrase)
        for wording, times in Counter(runs_of_words(negative)).items()
        if (rule.topic_id, wording) in known
    ]
    patterns = sorted({row[0] for row in wordings} | {row[0] for row in masks})
    dtype = pl.Enum(patterns)
    return Matcher(
        patterns=patterns,
        wordings=pl.DataFrame(
            wordings,
            schema={
                "pattern": dtype,
                "topic_id": pl.String,
                "phrase": pl.String,
                "matched": pl.String,
            },
            orient="row",
        ),
        masks=pl.DataFrame(
            masks,
            schema={
                "pattern": dtype,
                "topic_id": pl.String,
                "matched": pl.String,
                "times": pl.UInt32,
            },
            orient="row",
        ),
    )


def match_texts(
    texts: pl.DataFrame, taxonomy: Taxonomy, *, slice_rows: int = SLICE_ROWS
) -> pl.DataFrame:
    """Return the rules that match each text, with `MATCH_SCHEMA`.

    `texts` has ``text_hash`` (one row each) and ``text``, which is not yet normalised; null and
    empty texts match nothing. ``phrase`` is the rule, ``matched`` the wording found (the phrase or
    its plural) and ``n`` how often it stands in the text outside the topic's negative phrases,
    always at least 1. Rows are sorted by text_hash, topic_id, phrase and matched.
    """
    matcher = compile_matcher(taxonomy)
    slices = list(texts.select("text_hash", "text").iter_slices(slice_rows))
    at_once = pl.thread_pool_size()
    found = [
        _valid(counts, matcher)
        for start in range(0, len(slices), at_once)
        for counts in pl.collect_all(
            [_count_patterns(part, matcher) for part in slices[start : start + at_once]]
        )
    ]
    matches = pl.concat(found) if found else pl.DataFrame(schema=MATCH_SCHEMA)
    return matches.sort("text_hash", "topic_id", "phrase", "matched")


def _valid(counts: pl.DataFrame, matcher: Matcher) -> pl.DataFrame:
    """Return what is left of each rule's occurrences outside the topic's negatives."""
    keys = ["text_hash", "topic_id", "matched"]
    masked = (
        counts.join(matcher.masks, on="pattern", how="inner")
        .group_by(keys)
        .agg(n_masked=(pl.col("n_found") * pl.col("times")).sum())
    )
    return (
        counts.join(matcher.wordings, on="pattern", how="inner")
        .join(masked, on=keys, how="left")
        .with_columns(pl.col("n_masked").fill_null(0))
        .filter(pl.col("n_found") > pl.col("n_masked"))
        .with_columns(n=pl.col("n_found") - pl.col("n_masked"))
        .select(pl.col(name).cast(dtype) for name, dtype in MATCH_SCHEMA.items())
    )


def _count_patterns(texts: pl.DataFrame, matcher: Matcher) -> pl.LazyFrame:
    """Return text_hash, pattern and n_found: how often each pattern stands in each text."""
    return (
        texts.lazy()  # twice as fast: the normal form is computed once, not at each mention
        .select("text_hash", text=searched_form(pl.col("text")))
        .select(
            "text_hash",
            pattern=pl.col("text").str.extract_many(matcher.patterns, overlapping=True),
        )
        .explode("pattern")
        .drop_nulls("pattern")
        .with_columns(pl.col("pattern").cast(matcher.wordings.schema["pattern"]))
        .group_by("text_hash", "pattern")
        .agg(n_found=pl.len())
    )
