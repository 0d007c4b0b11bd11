"""Analyses of rules over a frame of papers, for editing the taxonomy.

Belongs here: occurrences of a phrase, the effect of one more rule, related rules, near misses. Does
not belong here: reading the snapshot, printing (`cli/topics.py`), the score (`scoring.py`).
"""

from __future__ import annotations

import re

import polars as pl

from pipelines.topics.scoring import THRESHOLD, found_rules, score_papers, scored_texts
from pipelines.topics.taxonomy import Rule, Taxonomy, Topic
from pipelines.topics.text_forms import runs_of_words, variants

_TRIAL = "trial"
_MARGIN = 60  # characters shown on both sides of a match


def occurrences(papers: pl.DataFrame, phrase: str) -> pl.DataFrame:
    """Return paper_id, field, matched, n and context of every match of a normalised phrase.

    The context is the original text around the first match in the field.
    """
    trial = Taxonomy((Topic(_TRIAL, _TRIAL, _TRIAL, _TRIAL),), (Rule(_TRIAL, phrase, "phrase"),))
    found = found_rules(papers, trial)
    texts = scored_texts(papers.join(found, on="paper_id", how="semi"))
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
    """Return paper_id, has_now and would_have: topic membership without and with one more rule."""
    now = taxonomy.only(rule.topic_id)
    others = tuple(r for r in now.rules if r.phrase != rule.phrase)
    then = Taxonomy(now.topics, (*others, rule))
    papers_now, papers_then = (
        score_papers(papers, rules).filter(pl.col("score") >= THRESHOLD)["paper_id"]
        for rules in (now, then)
    )
    return papers.select(
        "paper_id",
        has_now=pl.col("paper_id").is_in(papers_now.implode()),
        would_have=pl.col("paper_id").is_in(papers_then.implode()),
    )


def related_rules(taxonomy: Taxonomy, phrase: str) -> pl.DataFrame:
    """Return topic_id, phrase, role and relation of rules that share words with a phrase.

    `relation` is `same words`, `inside the phrase` or `contains the phrase`.
    """
    wordings = set(variants(phrase))
    inside = {run for wording in wordings for run in runs_of_words(wording)}
    rows = []
    for rule in taxonomy.rules:
        own = set(variants(rule.phrase))
        if own & wordings:
            rows.append((rule.topic_id, rule.phrase, rule.role, "same words"))
        elif own & inside:
            rows.append((rule.topic_id, rule.phrase, rule.role, "inside the phrase"))
        elif any(run in wordings for wording in own for run in runs_of_words(wording)):
            rows.append((rule.topic_id, rule.phrase, rule.role, "contains the phrase"))
    return pl.DataFrame(
        rows, schema=["topic_id", "phrase", "role", "relation"], orient="row"
    ).cast(pl.String)  # fmt: skip


def near_misses(papers: pl.DataFrame, taxonomy: Taxonomy, topic_id: str) -> pl.DataFrame:
    """Return paper_id, score and evidence of papers with a score below the topic's threshold."""
    scores = score_papers(papers, taxonomy.only(topic_id)).filter(pl.col("score") < THRESHOLD)
    order = ("score", pl.col("evidence").list.len(), "paper_id")
    return scores.sort(*order, descending=[True, True, False]).drop("topic_id")


def _context(text: str, matched: str) -> str:
    """The first match in a text, between » and «, with the text around it."""
    pattern = r"[\W_]*".join(re.escape(word) for word in matched.split(" "))
    hit = re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", text, re.IGNORECASE)
    if hit is None:  # normalisation changed the characters
        return text[: 2 * _MARGIN]
    start, end = max(0, hit.start() - _MARGIN), hit.end() + _MARGIN
    return (
        ("…" if start else "")
        + f"{text[start : hit.start()]}»{hit[0]}«{text[hit.end() : end]}"
        + ("…" if end < len(text) else "")
    )
