"""Finding the taxonomy's rules in texts: frame in, frame out.

Belongs here: the number of valid occurrences of each rule in each text. Does not belong here:
normal forms (`text_forms.py`), the taxonomy's files (`taxonomy_files.py`), scores of papers
(`scoring.py`), state.

Texts and rules are brought to the same normal form, with single spaces around every word. A rule
therefore matches whole words only. One pass of an Aho-Corasick automaton finds all rules,
overlapping ones included.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from pipelines.lake.schemas import MATCH_SCHEMA
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.text_forms import SLICE_ROWS, runs_of_words, searched_form, variants


@dataclass(frozen=True)
class Matcher:
    """A taxonomy's rules, compiled for matching."""

    patterns: list[str]
    """All distinct wordings to search for, with outer spaces."""

    wordings: pl.DataFrame
    """Positive wordings: pattern, topic_id, phrase, matched."""

    masks: pl.DataFrame
    """Wordings that each negative wording cancels: pattern, topic_id, matched, times."""


@lru_cache(maxsize=8)
def compile_matcher(taxonomy: Taxonomy) -> Matcher:
    """Return the matcher of a taxonomy. Cached."""
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

    `texts` has ``text_hash`` (unique) and ``text``, not normalised. Null and empty texts match
    nothing. ``phrase`` is the rule, ``matched`` the wording found (the phrase or its plural) and
    ``n`` the number of its occurrences outside the topic's negative phrases, at least 1. Rows are
    sorted by text_hash, topic_id, phrase and matched.
    """
    matcher = compile_matcher(taxonomy)
    slices = list(texts.select("text_hash", "text").iter_slices(slice_rows))
    batch = pl.thread_pool_size()
    found = [
        _subtract_negatives(counts, matcher)
        for start in range(0, len(slices), batch)
        for counts in pl.collect_all(
            [_count_patterns(part, matcher) for part in slices[start : start + batch]]
        )
    ]
    matches = pl.concat(found) if found else pl.DataFrame(schema=MATCH_SCHEMA)
    return matches.sort("text_hash", "topic_id", "phrase", "matched")


def _subtract_negatives(counts: pl.DataFrame, matcher: Matcher) -> pl.DataFrame:
    """Return the occurrences of each rule minus those inside the topic's negatives."""
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
    """Return text_hash, pattern and n_found, the occurrences of each pattern in each text."""
    return (
        texts.lazy()  # twice as fast: computes the normal form once, not once per use
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
