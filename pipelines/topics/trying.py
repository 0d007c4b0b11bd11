"""Trying a phrase out before it becomes a rule: what it would find, and what it would change.

Belongs here: pure answers over a frame of papers. Does not belong here: reading the snapshot,
printing (`cli/topics.py`), the score itself (`scoring.py`).
"""

from __future__ import annotations

import re

import polars as pl

from pipelines.topics.matching import runs_of_words, variants
from pipelines.topics.scoring import THRESHOLD, counted_texts, found_rules, score_papers
from pipelines.topics.taxonomy import Rule, Taxonomy, Topic

_TRIED = "tried"
_MARGIN = 60  # characters shown on both sides of the words


def occurrences(papers: pl.DataFrame, phrase: str) -> pl.DataFrame:
    """Return paper_id, field, matched, n and context: where a normalised phrase stands.

    The context is the paper's own text around the first occurrence in that field.
    """
    alone = Taxonomy((Topic(_TRIED, _TRIED, _TRIED, _TRIED),), (Rule(_TRIED, phrase, "phrase"),))
    found = found_rules(papers, alone)
    texts = counted_texts(papers.join(found, on="paper_id", how="semi"))
    rows = found.join(texts, on=["paper_id", "field"]).select(
        "paper_id", "field", "matched", "n", "text"
    )
    contexts = [_context(text, words) for text, words in rows.select("text", "matched").iter_rows()]
    order = pl.col("field").replace_strict({"title": 0, "abstract": 1, "keywords": 2})
    return (
        rows.drop("text")
        .with_columns(context=pl.Series(contexts, dtype=pl.String))
        .sort("paper_id", order, "matched")
    )


def effect(papers: pl.DataFrame, taxonomy: Taxonomy, rule: Rule) -> pl.DataFrame:
    """Return paper_id, has_now and would_have: what one more rule does to its topic's papers."""
    own = tuple(r for r in taxonomy.rules if r.topic_id == rule.topic_id)
    others = tuple(r for r in own if r.phrase != rule.phrase)
    topics = tuple(t for t in taxonomy.topics if t.topic_id == rule.topic_id)
    now, then = (
        score_papers(papers, Taxonomy(topics, rules)).filter(pl.col("score") >= THRESHOLD)
        for rules in (own, (*others, rule))
    )
    return papers.select(
        "paper_id",
        has_now=pl.col("paper_id").is_in(now["paper_id"].implode()),
        would_have=pl.col("paper_id").is_in(then["paper_id"].implode()),
    )


def related_rules(taxonomy: Taxonomy, phrase: str) -> pl.DataFrame:
    """Return topic_id, phrase, role and relation: rules that are, hold, or stand in a phrase."""
    wordings = set(variants(phrase))
    inside = {run for wording in wordings for run in runs_of_words(wording)}
    rows = []
    for rule in taxonomy.rules:
        own = set(variants(rule.phrase))
        if own & wordings:
            rows.append((rule.topic_id, rule.phrase, rule.role, "same words"))
        elif own & inside:
            rows.append((rule.topic_id, rule.phrase, rule.role, "stands in the phrase"))
        elif any(run in wordings for wording in own for run in runs_of_words(wording)):
            rows.append((rule.topic_id, rule.phrase, rule.role, "contains the phrase"))
    return pl.DataFrame(
        rows, schema=["topic_id", "phrase", "role", "relation"], orient="row"
    ).cast(pl.String)  # fmt: skip


def near_misses(papers: pl.DataFrame, taxonomy: Taxonomy, topic_id: str) -> pl.DataFrame:
    """Return paper_id, score and evidence of papers in which rules were found, but not enough."""
    own = Taxonomy(
        tuple(t for t in taxonomy.topics if t.topic_id == topic_id),
        tuple(r for r in taxonomy.rules if r.topic_id == topic_id),
    )
    scores = score_papers(papers, own).filter(pl.col("score") < THRESHOLD)
    order = ("score", pl.col("evidence").list.len(), "paper_id")
    return scores.sort(*order, descending=[True, True, False]).drop("topic_id")


def _context(text: str, matched: str) -> str:
    """The words as they stand in a text, between » and «, with some of what is around them."""
    pattern = r"[\W_]*".join(re.escape(word) for word in matched.split(" "))
    hit = re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", text, re.IGNORECASE)
    if hit is None:  # letters that lower case or NFKC turned into others
        return text[: 2 * _MARGIN]
    start, end = max(0, hit.start() - _MARGIN), hit.end() + _MARGIN
    return (
        ("…" if start else "")
        + f"{text[start : hit.start()]}»{hit[0]}«{text[hit.end() : end]}"
        + ("…" if end < len(text) else "")
    )
