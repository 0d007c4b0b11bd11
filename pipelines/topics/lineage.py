"""Lineage: which topic of a new fit is which topic of the fit before.

Belongs here: comparing two fits and naming what became of each topic. Does not belong here: how
topics are found (`discovered.py`), keeping the lineage of all fits (the warehouse does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.topics.words import Floats

PAPER_WEIGHT = 0.5
"""Weight of shared papers in the likeness of two topics; the rest is that of shared words."""

MIN_LIKENESS = 0.3
"""Topics less alike than this are not the same topic."""

MIN_MOVED_SHARE = 0.5
"""A topic merged into, or split from, the one that holds at least this share of its papers."""

LINEAGE_SCHEMA = pl.Schema(
    {
        "previous_topic_id": pl.String(),
        "topic_id": pl.String(),
        "event": pl.String(),
        "likeness": pl.Float64(),
        "word_similarity": pl.Float64(),
        "paper_overlap": pl.Float64(),
        "n_shared_papers": pl.Int64(),
    }
)

_Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class TopicSet:
    """One fit as lineage sees it."""

    topic_ids: tuple[str, ...]
    words: tuple[str, ...]
    centroids: Floats
    """Topics × words: the mean weight of each word in a topic's papers."""
    assignments: pl.DataFrame
    """paper_id, topic_id: one row per paper with a topic."""


def match_topics(previous: TopicSet, current: TopicSet) -> pl.DataFrame:
    """Return what became of each topic, with `LINEAGE_SCHEMA`.

    `event` is one of

    - `continued`: the two are one topic, and the new one should bear the old one's id;
    - `merged`: the previous topic ended, and most of its papers are in this topic;
    - `died`: the previous topic ended, and its papers went many ways; `topic_id` is null;
    - `split`: the topic is new, and most of its papers were in this previous topic;
    - `born`: the topic is new; `previous_topic_id` is null.

    Each previous topic has one row as `continued`, `merged` or `died`, each current topic one as
    `continued`, `split` or `born`. The likeness of two topics is

        w · |A ∩ B| / |A ∪ B|  +  (1 - w) · cos(a, b)

    with w = `PAPER_WEIGHT`, A and B their papers among those in both fits, a and b their centroids
    over the words in both vocabularies; without a paper in both fits it is cos(a, b). The
    one-to-one assignment with the largest sum of likenesses (H. W. Kuhn, *The Hungarian method for
    the assignment problem*, Naval Research Logistics Quarterly 2, 1955) is kept where the likeness
    is at least `MIN_LIKENESS`. Rows are sorted by previous_topic_id and topic_id, nulls last.
    """
    from scipy.optimize import linear_sum_assignment  # slow to load, and needed by new fits only

    shared = _shared_papers(previous, current)
    overlap = _jaccard(shared)
    similarity = _word_similarity(previous, current)
    weight = PAPER_WEIGHT if shared.sum() else 0.0
    likeness = weight * overlap + (1 - weight) * similarity
    kept = [
        (int(i), int(j))
        for i, j in zip(*linear_sum_assignment(-likeness), strict=True)
        if likeness[i, j] >= MIN_LIKENESS
    ]
    events: list[tuple[int | None, int | None, str]] = [(i, j, "continued") for i, j in kept]
    for i in sorted(set(range(len(previous.topic_ids))) - {i for i, _ in kept}):
        into = _holder(shared[i])
        events.append((i, into, "died" if into is None else "merged"))
    for j in sorted(set(range(len(current.topic_ids))) - {j for _, j in kept}):
        origin = _holder(shared[:, j])
        events.append((origin, j, "born" if origin is None else "split"))
    rows = [
        (
            None if i is None else previous.topic_ids[i],
            None if j is None else current.topic_ids[j],
            event,
            *(
                (None, None, None, None)
                if i is None or j is None
                else (
                    float(likeness[i, j]),
                    float(similarity[i, j]),
                    float(overlap[i, j]),
                    int(shared[i, j]),
                )
            ),
        )
        for i, j, event in events
    ]
    return pl.DataFrame(rows, schema=LINEAGE_SCHEMA, orient="row").sort(
        "previous_topic_id", "topic_id", nulls_last=True
    )


def inherited_ids(lineage: pl.DataFrame) -> dict[str, str]:
    """Return current topic id → previous topic id, for the topics that continued."""
    continued = lineage.filter(pl.col("event") == "continued")
    return dict(continued.select("topic_id", "previous_topic_id").iter_rows())


def _shared_papers(previous: TopicSet, current: TopicSet) -> _Matrix:
    """Previous × current topics: papers in both, among papers that both fits placed."""
    shared = np.zeros((len(previous.topic_ids), len(current.topic_ids)))
    counted = (
        previous.assignments.select("paper_id", previous="topic_id")
        .join(current.assignments.select("paper_id", current="topic_id"), on="paper_id")
        .group_by("previous", "current")
        .len()
    )
    row, column = _positions(previous.topic_ids), _positions(current.topic_ids)
    for old, new, n in counted.iter_rows():
        shared[row[old], column[new]] = n
    return shared


def _jaccard(shared: _Matrix) -> _Matrix:
    union = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _word_similarity(previous: TopicSet, current: TopicSet) -> _Matrix:
    column = _positions(current.words)
    both = [(i, column[word]) for i, word in enumerate(previous.words) if word in column]
    old = _unit(previous.centroids[:, [i for i, _ in both]])
    new = _unit(current.centroids[:, [j for _, j in both]])
    return np.asarray(old @ new.T)


def _unit(rows: Floats) -> _Matrix:
    wide = rows.astype(np.float64)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(np.divide(wide, length, out=np.zeros_like(wide), where=length > 0))


def _holder(shared: _Matrix) -> int | None:
    """The position that holds enough of the papers, if one does."""
    if not shared.sum():
        return None
    at = int(shared.argmax())
    return at if shared[at] >= MIN_MOVED_SHARE * shared.sum() else None


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}
