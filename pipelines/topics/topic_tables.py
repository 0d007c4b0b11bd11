"""Tables of a fit: topics, and the topic of each paper with score and evidence.

Belongs here: arrays to frames. Does not belong here: computing topics and scores (`discovered.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipelines.topics.topic_model import ASSIGNMENT_SCHEMA, TOPIC_SCHEMA, TopicModel
from pipelines.topics.words import Floats, Ints, Sparse

N_EVIDENCE = 6
"""Key words shown as evidence for a paper, the heaviest first."""

N_REPRESENTATIVE = 5
"""Representative papers of a topic: those with the highest scores."""

_DIGITS = 6
"""Scores are rounded before they are ranked, so that the last bit does not decide."""


def topic_of_papers(topic_ids: Sequence[str], paper_ids: pl.Series, topic: Ints) -> pl.DataFrame:
    """Return paper_id, topic_id of papers with a topic; `topic` has positions, -1 for none."""
    inside = np.flatnonzero(topic >= 0)
    return pl.DataFrame(
        {
            "paper_id": paper_ids.gather(inside),
            "topic_id": pl.Series(topic_ids, dtype=pl.String).gather(topic[inside]),
        }
    )


def assignments_table(
    model: TopicModel,
    paper_ids: pl.Series,
    counts: Sparse,
    topic: Ints,
    score: Floats,
    margin: Floats,
) -> pl.DataFrame:
    """Return `ASSIGNMENT_SCHEMA`: one row per paper with a topic, in the order of `paper_ids`."""
    inside = topic >= 0
    return (
        topic_of_papers(model.topic_ids, paper_ids, topic)
        .with_columns(
            row=pl.Series(np.flatnonzero(inside)),
            score=pl.Series(score[inside].astype(np.float64)),
            margin=pl.Series(margin[inside].astype(np.float64)),
        )
        .join(_evidence(model, counts, topic), on="row", how="left", maintain_order="left")
        .with_columns(pl.col("evidence").fill_null([]))
        .select(pl.col(name).cast(dtype) for name, dtype in ASSIGNMENT_SCHEMA.items())
    )


def topics_table(model: TopicModel, assignments: pl.DataFrame) -> pl.DataFrame:
    """Return `TOPIC_SCHEMA`: one row per topic, the largest first."""
    described = pl.DataFrame(
        {
            "topic_id": model.topic_ids,
            "label": model.labels,
            "top_words": [list(words) for words in model.top_words],
        },
        schema={name: TOPIC_SCHEMA[name] for name in ("topic_id", "label", "top_words")},
    )
    counted = (
        assignments.sort(-pl.col("score").round(_DIGITS), "paper_id")
        .group_by("topic_id", maintain_order=True)
        .agg(
            n_papers=pl.len(),
            representative_paper_ids=pl.col("paper_id").head(N_REPRESENTATIVE),
        )
    )
    return (
        described.join(counted, on="topic_id", how="inner")
        .select(pl.col(name).cast(dtype) for name, dtype in TOPIC_SCHEMA.items())
        .sort("n_papers", "topic_id", descending=[True, False])
    )


def _evidence(model: TopicModel, counts: Sparse, topic: Ints) -> pl.DataFrame:
    """row, evidence: the key words of a paper's topic that the paper has, the heaviest first."""
    column_of = {word: at for at, word in enumerate(model.vocabulary.words)}
    key_words = sorted(
        (column_of[word], number, rank, word)
        for number, words in enumerate(model.key_words)
        for rank, word in enumerate(words)
    )
    found = counts[:, [column for column, *_ in key_words]].tocoo()
    owner = np.array([number for _, number, *_ in key_words], dtype=np.int64)
    hit = owner[found.col] == topic[found.row] if len(key_words) else np.zeros(0, dtype=bool)
    which = pl.Series(found.col[hit].astype(np.int64))
    ranks = pl.Series([rank for *_, rank, _ in key_words], dtype=pl.Int64)
    words = pl.Series([word for *_, word in key_words], dtype=pl.String)
    return (
        pl.DataFrame(
            {
                "row": pl.Series(found.row[hit].astype(np.int64)),
                "rank": ranks.gather(which),
                "word": words.gather(which),
            }
        )
        .sort("row", "rank")
        .group_by("row", maintain_order=True)
        .agg(evidence=pl.col("word").head(N_EVIDENCE))
    )
