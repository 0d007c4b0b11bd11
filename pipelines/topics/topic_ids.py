"""Ids of discovered topics: new ones, and those inherited from the previous fit.

Belongs here: which topic gets which id. Does not belong here: comparing two fits (`lineage.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from pipelines.topics.lineage import TopicSet, inherited_ids, match_topics
from pipelines.topics.topic_model import TopicModel
from pipelines.topics.topic_tables import topic_of_papers
from pipelines.topics.words import Ints


def new_ids(top_words: Sequence[Sequence[str]], taken: Sequence[str] = ()) -> tuple[str, ...]:
    """Return an id for each list of words: `d-` and the first 8 hex digits of their SHA-256.

    If the id is taken, the hash is hashed again.
    """
    ids: list[str] = []
    used = set(taken)
    for words in top_words:
        digest = hashlib.sha256(" ".join(words).encode()).hexdigest()
        while f"d-{digest[:8]}" in used:
            digest = hashlib.sha256(digest.encode()).hexdigest()
        used.add(f"d-{digest[:8]}")
        ids.append(f"d-{digest[:8]}")
    return tuple(ids)


def inherit_ids(
    model: TopicModel,
    paper_ids: pl.Series,
    topic: Ints,
    previous: TopicModel,
    previous_assignments: pl.DataFrame,
) -> tuple[TopicModel, pl.DataFrame]:
    """Return the model with the ids of topics that continue, and the lineage with final ids."""
    # Provisional ids that no topic has, so that a previous id can't be mistaken for a new one.
    provisional = tuple(f"new-{at:06d}" for at in range(len(model.topic_ids)))
    lineage = match_topics(
        TopicSet(
            previous.topic_ids,
            previous.vocabulary.words,
            previous.word_centroids,
            previous_assignments,
            previous.origins,
        ),
        TopicSet(
            provisional,
            model.vocabulary.words,
            model.word_centroids,
            topic_of_papers(provisional, paper_ids, topic),
        ),
    )
    kept = inherited_ids(lineage)
    fresh = [at for at, name in enumerate(provisional) if name not in kept]
    new = new_ids([model.top_words[at] for at in fresh], previous.topic_ids)
    final = {**kept, **{provisional[at]: name for at, name in zip(fresh, new, strict=True)}}
    origin_of = dict(zip(previous.topic_ids, previous.origins, strict=True))
    origins = [
        origin_of[kept[name]] if name in kept else origin
        for name, origin in zip(provisional, model.origins, strict=True)
    ]
    return (
        replace(
            model,
            topic_ids=tuple(final[name] for name in provisional),
            origins=tuple(origins),
        ),
        lineage.with_columns(pl.col("topic_id").replace_strict(final, return_dtype=pl.String)).sort(
            "previous_topic_id", "topic_id", nulls_last=True
        ),
    )
