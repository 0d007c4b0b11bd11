"""The topic score of a paper, from the rules found in its title, abstract and keywords.

Belongs here: the score of rules before a build. `int_paper_topics__scored` computes the same score
in SQL for the tables; a test compares both over every paper of a snapshot. Does not belong here:
finding rules in a text (`matching.py`).
"""

from __future__ import annotations

import polars as pl

from pipelines.topics.matching import match_texts
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.text_forms import FIELD_SEPARATOR

THRESHOLD = 2
"""Least score of a paper that has the topic: `topic_score_threshold` of the dbt project."""

SCORE_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "topic_id": pl.String(),
        "score": pl.Int64(),
        "evidence": pl.List(pl.String()),
    }
)


def scored_texts(papers: pl.DataFrame) -> pl.DataFrame:
    """Return paper_id, field, text and has_no_abstract: the texts that topics are found in.

    `papers` has paper_id, title, abstract and keywords. Keywords are used if there is no abstract.
    """
    has_no_abstract = pl.col("abstract").is_null()
    fields = {
        "title": pl.col("title"),
        "abstract": pl.col("abstract"),
        "keywords": pl.when(has_no_abstract).then(pl.col("keywords").list.join(FIELD_SEPARATOR)),
    }
    return pl.concat(
        papers.select(
            "paper_id", pl.lit(field).alias("field"), text=text, has_no_abstract=has_no_abstract
        )
        for field, text in fields.items()
    ).drop_nulls("text")


def found_rules(papers: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return paper_id, field, has_no_abstract, topic_id, phrase, role, matched and n.

    One row per paper, field and wording found. Rules with the role `title` count in titles only.
    """
    texts = scored_texts(papers).with_row_index("row").with_columns(
        text_hash=pl.col("row").cast(pl.String)
    )  # fmt: skip
    roles = pl.DataFrame(
        [(rule.topic_id, rule.phrase, rule.role) for rule in taxonomy.rules],
        schema={"topic_id": pl.String, "phrase": pl.String, "role": pl.String},
        orient="row",
    )
    return (
        match_texts(texts, taxonomy)
        .join(texts.select("text_hash", "paper_id", "field", "has_no_abstract"), on="text_hash")
        .join(roles, on=["topic_id", "phrase"])
        .filter((pl.col("field") == "title") | (pl.col("role") != "title"))
        .drop("text_hash")
    )


def score_papers(papers: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return `SCORE_SCHEMA`: score and evidence of every paper and topic with a matching rule.

    docs/methodology.md, *Topics*, defines the score. Rows are sorted by paper and topic.
    """
    is_specific = pl.col("matched").str.contains(" ", literal=True) | (pl.col("role") == "alias")
    in_title, in_abstract = pl.col("field") == "title", pl.col("field") == "abstract"
    is_full_title = is_specific | (pl.col("role") == "title") | pl.col("has_no_abstract")
    n_single_words = pl.col("n").filter(in_abstract & ~is_specific).sum()
    return (
        found_rules(papers, taxonomy)
        .group_by("paper_id", "topic_id")
        .agg(
            title=pl.when(in_title)
            .then(pl.when(is_full_title).then(3).otherwise(1))
            .max()
            .fill_null(0),
            keywords=(pl.col("field") == "keywords").any().cast(pl.Int64) * 2,
            abstract=pl.col("n").filter(in_abstract & is_specific).sum()
            + (n_single_words + 1) // 2,
            evidence=pl.concat_str("field", pl.lit(": "), "matched").unique().sort(),
        )
        .with_columns(
            score=pl.col("title") + pl.col("keywords") + pl.col("abstract").clip(upper_bound=3)
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_SCHEMA.items())
        .sort("paper_id", "topic_id")
    )
