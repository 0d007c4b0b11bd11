"""Tables of `papertide topics`, as pure functions of frames.

Belongs here: shares, examples, overlaps and lists of topics. Does not: matching phrases
(`rule_analysis`), reading the snapshot, printing.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipelines.topics import rule_analysis
from pipelines.topics.taxonomy import Rule, Taxonomy

Interval = Callable[[float, float], tuple[float, float]]


def shares(members: pl.DataFrame, hits: pl.DataFrame, interval: Interval) -> pl.DataFrame:
    """population, n_papers, n_total, share, share_low, share_high.

    `members` has population and paper_id, `hits` the paper_id of papers found; `interval` returns
    the bounds of a share from n_papers and n_total.
    """
    counts = (
        members.with_columns(hit=pl.col("paper_id").is_in(hits["paper_id"].implode()))
        .group_by("population")
        .agg(n_papers=pl.col("hit").sum().cast(pl.Int64), n_total=pl.len().cast(pl.Int64))
        .sort(
            pl.col("population").str.contains(".", literal=True), -pl.col("n_total"), "population"
        )
    )
    bounds = [interval(k, n) for k, n in counts.select("n_papers", "n_total").iter_rows()]
    return counts.with_columns(
        share=pl.col("n_papers") / pl.col("n_total"),
        share_low=pl.Series([low for low, _ in bounds], dtype=pl.Float64),
        share_high=pl.Series([high for _, high in bounds], dtype=pl.Float64),
    )


def examples(occurrences: pl.DataFrame, papers: pl.DataFrame) -> pl.DataFrame:
    """paper_id, title, field, matched, n, context: one row per paper, matches in titles first.

    The field, match and context are those of the paper's first occurrence.
    """
    total = occurrences.group_by("paper_id").agg(n=pl.col("n").sum())
    return (
        occurrences.unique("paper_id", keep="first", maintain_order=True)
        .drop("n")
        .join(total, on="paper_id")
        .join(papers.select("paper_id", "title"), on="paper_id")
        .sort(pl.col("field") != "title", "n", "paper_id", descending=[False, True, False])
        .select("paper_id", "title", "field", "matched", "n", "context")
    )


def overlaps(paper_topics: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """topic_id, n_papers, share: topics that the papers found already have."""
    return (
        paper_topics.join(hits, on="paper_id", how="semi")
        .group_by("topic_id")
        .agg(n_papers=pl.len().cast(pl.Int64))
        .with_columns(share=pl.col("n_papers") / max(hits.height, 1))
        .sort("n_papers", "topic_id", descending=[True, False])
    )


def effect_counts(matched: pl.DataFrame, taxonomy: Taxonomy, rule: Rule) -> pl.DataFrame:
    """topic_id, papers, n: how one more rule changes which matched papers have its topic."""
    effect = rule_analysis.effect(matched, taxonomy, rule)
    has, would = pl.col("has_now"), pl.col("would_have")
    counts = {
        "already have it": has & would, "new": ~has & would, "lost": has & ~would,
        "matched, but below the threshold": ~has & ~would,
    }  # fmt: skip
    rows = [(rule.topic_id, name, effect.filter(test).height) for name, test in counts.items()]
    return pl.DataFrame(rows, schema=["topic_id", "papers", "n"], orient="row")


def rules(taxonomy: Taxonomy, topic_id: str | None = None) -> pl.DataFrame:
    """topic_id, phrase, role, origin of all rules, or of one topic's."""
    rows = [
        (rule.topic_id, rule.phrase, rule.role, rule.origin)
        for rule in taxonomy.rules
        if topic_id in (None, rule.topic_id)
    ]
    return pl.DataFrame(rows, schema=["topic_id", "phrase", "role", "origin"], orient="row")


def related_topics(taxonomy: Taxonomy, topic_id: str) -> pl.DataFrame:
    """topic_id, is (broader or narrower), name: parents and children of a topic."""
    rows = [(t.topic_id, "broader", t.name) for t in taxonomy.parents_of(topic_id)]
    rows += [(t.topic_id, "narrower", t.name) for t in taxonomy.children_of(topic_id)]
    return pl.DataFrame(rows, schema=["topic_id", "is", "name"], orient="row")


def topics(taxonomy: Taxonomy, counts: pl.DataFrame) -> pl.DataFrame:
    """topic_id, name, area, parents, origin, n_papers, rules_version, n_rules, largest first.

    `counts` has topic_id, n_papers and rules_version.
    """
    listed = pl.DataFrame(
        [(t.topic_id, t.name, t.area, list(t.parents), t.origin) for t in taxonomy.topics],
        schema={
            "topic_id": pl.String, "name": pl.String, "area": pl.String,
            "parents": pl.List(pl.String), "origin": pl.String,
        },
        orient="row",
    )  # fmt: skip
    n_rules = rules(taxonomy).group_by("topic_id").agg(n_rules=pl.len())
    return (
        listed.join(counts, on="topic_id", how="left")
        .join(n_rules, on="topic_id", how="left")
        .with_columns(pl.col("n_papers", "n_rules").fill_null(0))
        .sort("n_papers", "topic_id", descending=[True, False])
    )
