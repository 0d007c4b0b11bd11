"""A paper's score for each topic, from the rules found in its title, abstract and keywords.

Belongs here: the same sum as `int_paper_topics__scored` takes in SQL, for rules that are tried out
before a build. Does not belong here: finding rules in a text (`matching.py`), what is published.
A test compares both over every paper of a snapshot.
"""

from __future__ import annotations

import polars as pl

from pipelines.topics.matching import FIELD_SEPARATOR, match_texts
from pipelines.topics.taxonomy import Taxonomy

THRESHOLD = 2
"""A paper has a topic from this score on: `topic_score_threshold` of the dbt project."""

SCORE_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "topic_id": pl.String(),
        "score": pl.Int64(),
        "evidence": pl.List(pl.String()),
    }
)


def counted_texts(papers: pl.DataFrame) -> pl.DataFrame:
    """Return paper_id, field, text and is_alone: the texts of papers that topics are found in.

    `papers` has paper_id, title, abstract and keywords. Keywords count where there is no abstract;
    is_alone says that there is none.
    """
    bare = pl.col("abstract").is_null()
    fields = {
        "title": pl.col("title"),
        "abstract": pl.col("abstract"),
        "keywords": pl.when(bare).then(pl.col("keywords").list.join(FIELD_SEPARATOR)),
    }
    return pl.concat(
        papers.select("paper_id", pl.lit(field).alias("field"), text=text, is_alone=bare)
        for field, text in fields.items()
    ).drop_nulls("text")


def found_rules(papers: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return paper_id, field, is_alone, topic_id, phrase, role, matched, n: the rules that count.

    A rule of the role `title` counts in titles only.
    """
    texts = counted_texts(papers).with_row_index("row").with_columns(
        text_hash=pl.col("row").cast(pl.String)
    )  # fmt: skip
    roles = pl.DataFrame(
        [(rule.topic_id, rule.phrase, rule.role) for rule in taxonomy.rules],
        schema={"topic_id": pl.String, "phrase": pl.String, "role": pl.String},
        orient="row",
    )
    return (
        match_texts(texts, taxonomy)
        .join(texts.select("text_hash", "paper_id", "field", "is_alone"), on="text_hash")
        .join(roles, on=["topic_id", "phrase"])
        .filter((pl.col("field") == "title") | (pl.col("role") != "title"))
        .drop("text_hash")
    )


def score_papers(papers: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """Return the score and the evidence of every paper × topic of which a rule was found.

    The sum is that of docs/methodology.md, *Topics*; rows are sorted by paper and topic.
    """
    is_sure = pl.col("matched").str.contains(" ", literal=True) | (pl.col("role") == "alias")
    in_title, in_abstract = pl.col("field") == "title", pl.col("field") == "abstract"
    is_enough = is_sure | (pl.col("role") == "title") | pl.col("is_alone")
    words = pl.col("n").filter(in_abstract & ~is_sure).sum()
    return (
        found_rules(papers, taxonomy)
        .group_by("paper_id", "topic_id")
        .agg(
            title=pl.when(in_title)
            .then(pl.when(is_enough).then(3).otherwise(1))
            .max()
            .fill_null(0),
            keywords=(pl.col("field") == "keywords").any().cast(pl.Int64) * 2,
            abstract=pl.col("n").filter(in_abstract & is_sure).sum() + (words + 1) // 2,
            evidence=pl.concat_str("field", pl.lit(": "), "matched").unique().sort(),
        )
        .with_columns(
            score=pl.col("title") + pl.col("keywords") + pl.col("abstract").clip(upper_bound=3)
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCORE_SCHEMA.items())
        .sort("paper_id", "topic_id")
    )
