"""Acronyms and what they are spelled out as: "Group Relative Policy Optimization (GRPO)".

Belongs here: finding definitions in texts. Does not belong here: the vocabulary made of them
(`term_learning.py`).

An acronym is accepted if its letters occur in order in the words before it, the first one at the
start of a word. Source: A. S. Schwartz and M. A. Hearst, *A simple algorithm for identifying
abbreviation definitions in biomedical text*, Pacific Symposium on Biocomputing 2003.
"""

from __future__ import annotations

import re

import polars as pl

from pipelines.topics.term_names import singular_forms
from pipelines.topics.text_forms import normalise

MIN_DEFINITION_SHARE = 0.6
"""Least share of an acronym's definitions that agree. Below it the acronym is ambiguous."""

_DEFINITION = r"(?:[A-Za-z0-9]+[ -]){0,7}[A-Za-z0-9]+ \([A-Z][A-Za-z0-9]{1,9}(?:-[A-Z0-9]+)?\)"
"""Words followed by an acronym in parentheses."""


def find_definitions(texts: pl.Series, min_papers: int) -> pl.DataFrame:
    """Return short_form, long_form, long, n, total, is_clear: acronyms with their main long form.

    `n` is the number of papers with this long form, `total` with any; `is_clear` says whether
    enough of them agree. Sorted by short_form.
    """
    definitions = _written_definitions(texts).with_columns(
        (normalise(pl.col(name)).str.strip_chars(" ").alias(f"{name}_form"))
        for name in ("short", "long")
    )
    single = singular_forms([*definitions["short_form"], *definitions["long_form"]])
    return (
        definitions.with_columns(pl.col("short_form", "long_form").replace(single))
        .group_by("short_form", "long_form")
        .agg(pl.col("n").sum(), pl.col("long").sort_by("n", "long").last())
        .sort("n", "long_form", descending=[True, False])
        .group_by("short_form", maintain_order=True)
        .agg(
            pl.col("long_form").first(),
            pl.col("long").first(),
            n=pl.col("n").first(),
            total=pl.col("n").sum(),
        )
        .with_columns(is_clear=pl.col("n") >= MIN_DEFINITION_SHARE * pl.col("total"))
        .filter(pl.col("total") >= min(2, min_papers))
        .sort("short_form")
    )


def _written_definitions(texts: pl.Series) -> pl.DataFrame:
    """short, long, n: every definition as written, with the number of its papers."""
    written = (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), found=pl.col("text").str.extract_all(_DEFINITION))
        .explode("found")
        .drop_nulls("found")
        .group_by("found")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64))
        .sort("found")
        .collect()
    )
    rows = []
    for found, n in written.iter_rows():
        words, _, short = found[:-1].rpartition(" (")
        long = spelled_out(short, words)
        if long:
            rows.append((short, long, n))
    return pl.DataFrame(
        rows, schema={"short": pl.String, "long": pl.String, "n": pl.Int64}, orient="row"
    )


def spelled_out(short: str, words: str) -> str | None:
    """Return the end of `words` that spells an acronym out, or None.

    If the initials of the last words are the acronym, these words. Otherwise the shortest end in
    which the letters and digits of the acronym occur in order, the first one at the start of a
    word, with at most two more words than letters.
    """
    letters = "".join(c for c in short.removesuffix("s").lower() if c.isalnum())
    starts = [m.start() for m in re.finditer(r"[A-Za-z0-9]+", words)]
    text = words.lower()
    if len(letters) <= len(starts):
        initials = starts[-len(letters) :]
        if "".join(text[at] for at in initials) == letters:
            return words[initials[0] :]
    at = len(text)
    for index in range(len(letters) - 1, -1, -1):
        at = text.rfind(letters[index], 0, at)
        while index == 0 and at > 0 and at not in starts:
            at = text.rfind(letters[0], 0, at)
        if at < 0:
            return None
    long = words[at:]
    n_words = sum(start >= at for start in starts)
    is_new = short.lower() not in re.split(r"[ -]", long.lower())
    return long if is_new and n_words <= len(letters) + 2 else None
