"""Proposals for new topics: groups of papers that no narrow topic describes.

Belongs here: which terms and clusters are proposed, and the evidence for each. Does not belong
here: finding terms (`terms.py`) and clusters (`discovered.py`), reading the snapshot, printing.

`papertide topics uncovered` sees papers without any topic only. A new subject usually has a broad
topic already (each paper on agent skills has *LLM agents*), so a proposal is compared with narrow
topics, and its broad topic is named.
"""

from __future__ import annotations

from typing import Final

import polars as pl

BROAD: Final = 0.05
"""Least share of the papers that a broad topic has."""

MAX_OVERLAP: Final = 0.25
"""Most overlap (Jaccard) of a proposal with a topic."""

MAX_CONTAINED: Final = 0.5
"""Most papers of a proposal, as a share, that have one narrow topic."""

MIN_INSIDE: Final = 0.5
"""Least share of a cluster's papers that have its broad topic."""

N_EXAMPLES: Final = 3
_DIMENSIONS: Final = r"(?i)\b[1-6]d\b"
_Z: Final = 1.96

SCHEMA: Final = pl.Schema(
    {
        "kind": pl.String(),
        "name": pl.String(),
        "n_papers": pl.Int64(),
        "n_recent": pl.Int64(),
        "growth": pl.Float64(),
        "growth_low": pl.Float64(),
        "broad_topic": pl.String(),
        "share_inside": pl.Float64(),
        "closest_topic": pl.String(),
        "overlap": pl.Float64(),
        "examples": pl.List(pl.String()),
    }
)


def propose(
    papers: pl.DataFrame,
    paper_topics: pl.DataFrame,
    groups: pl.DataFrame,
    *,
    days: int,
    min_papers: int,
) -> pl.DataFrame:
    """Return the proposals, with `SCHEMA`: rising terms, then clusters inside broad topics.

    `papers` has paper_id (unique), title and counted_on; `paper_topics` has paper_id and topic_id
    of the taxonomy; `groups` has kind (`term` or `cluster`), name and paper_id. Papers outside
    `papers` are ignored.

    A group is proposed if it has at least `min_papers` papers, no topic overlaps it by more than
    `MAX_OVERLAP` (Jaccard), and no narrow topic has more than `MAX_CONTAINED` of its papers. A term
    must also be rising (growth_low above 1) and have no digit, because *GPT-4* is a version and
    not a subject; *3D* is allowed. At least `MIN_INSIDE` of a cluster must be in one broad topic.
    A topic is broad from a share of `BROAD` of the papers. Terms are sorted by growth_low, clusters
    by size.

    `growth` compares the share of the newest `days` days with the share before, with half a paper
    added to each count; `growth_low` is its lower 95 % limit. Both are those of a ratio of
    proportions, by the normal approximation of its logarithm (Agresti, *Categorical Data Analysis*,
    3rd ed., section 3.1).
    """
    members = groups.unique().join(papers, on="paper_id", how="inner")
    subject = pl.col("name").str.replace_all(_DIMENSIONS, "")
    members = members.filter((pl.col("kind") != "term") | ~subject.str.contains(r"\d"))
    newest = pl.lit(papers["counted_on"].max(), dtype=pl.Date)
    is_recent = pl.col("counted_on") > newest - pl.duration(days=days)
    topics = paper_topics.join(papers, on="paper_id", how="semi").unique()
    proposals = (
        _growth(members, papers, is_recent)
        .filter(pl.col("n_papers") >= min_papers)
        .join(_comparison(members, topics, papers.height), on=["kind", "name"], how="left")
        .with_columns(pl.col("overlap", "share_inside", "contained").fill_null(0.0))
        .filter(
            (pl.col("overlap") <= MAX_OVERLAP) & (pl.col("contained") <= MAX_CONTAINED),
            pl.when(pl.col("kind") == "term")
            .then(pl.col("growth_low") > 1)
            .otherwise(pl.col("share_inside") >= MIN_INSIDE),
        )
        .join(_examples(members), on=["kind", "name"])
    )
    is_term = pl.col("kind") == "term"
    rank = pl.when(is_term).then(-pl.col("growth_low")).otherwise(-pl.col("n_papers"))
    return proposals.sort(~is_term, rank, "name").select(
        pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()
    )


def _growth(members: pl.DataFrame, papers: pl.DataFrame, is_recent: pl.Expr) -> pl.DataFrame:
    """Return kind, name, n_papers, n_recent, growth and growth_low of each group."""
    recent = papers.filter(is_recent).height + 1
    earlier = papers.height - papers.filter(is_recent).height + 1
    new, old = pl.col("n_recent") + 0.5, pl.col("n_papers") - pl.col("n_recent") + 0.5
    log_growth = (new / recent).log() - (old / earlier).log()
    error = (1 / new - 1 / recent + 1 / old - 1 / earlier).sqrt()
    return (
        members.group_by("kind", "name")
        .agg(n_papers=pl.len().cast(pl.Int64), n_recent=is_recent.sum().cast(pl.Int64))
        .with_columns(growth=log_growth.exp(), growth_low=(log_growth - _Z * error).exp())
    )


def _comparison(members: pl.DataFrame, topics: pl.DataFrame, n_papers: int) -> pl.DataFrame:
    """Return each group's closest topic and broad topic.

    Columns: kind, name, closest_topic, overlap (Jaccard), broad_topic and share_inside (null if
    none), and contained, the largest share of the group's papers that have one narrow topic.
    """
    sizes = topics.group_by("topic_id").agg(n_topic=pl.len())
    groups = members.group_by("kind", "name").agg(n_group=pl.len())
    share = pl.col("n_both") / pl.col("n_group")
    is_broad = pl.col("n_topic") >= BROAD * n_papers
    pairs = (
        members.join(topics, on="paper_id")
        .group_by("kind", "name", "topic_id")
        .agg(n_both=pl.len())
        .join(sizes, on="topic_id")
        .join(groups, on=["kind", "name"])
        .with_columns(
            overlap=pl.col("n_both") / (pl.col("n_topic") + pl.col("n_group") - pl.col("n_both")),
            share_broad=pl.when(is_broad).then(share),
            share_narrow=pl.when(~is_broad).then(share),
        )
        .sort("topic_id")
    )
    return pairs.group_by("kind", "name").agg(
        closest_topic=pl.col("topic_id").sort_by("overlap", descending=True).first(),
        overlap=pl.col("overlap").max(),
        broad_topic=pl.col("topic_id")
        .filter(pl.col("share_broad").is_not_null())
        .sort_by(pl.col("share_broad").drop_nulls(), descending=True)
        .first(),
        share_inside=pl.col("share_broad").max(),
        contained=pl.col("share_narrow").max(),
    )


def _examples(members: pl.DataFrame) -> pl.DataFrame:
    """Return kind, name and examples: titles of the newest papers of each group."""
    return (
        members.sort("counted_on", "paper_id", descending=[True, False])
        .group_by("kind", "name", maintain_order=True)
        .agg(examples=pl.col("title").head(N_EXAMPLES))
    )
