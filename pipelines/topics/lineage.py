"""Lineage: how the topics of a fit relate to those of the previous fit.

Belongs here: comparing two fits, and the event of each topic. Does not belong here: fitting
(`discovered.py`), ids (`topic_ids.py`), storing the lineage of all fits (the warehouse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.topics.words import Floats

PAPER_WEIGHT = 0.5
"""Weight of shared papers in the likeness of two topics; shared words have the rest."""

MIN_LIKENESS = 0.3
"""Least likeness of two topics that count as the same topic."""

MIN_MOVED_SHARE = 0.5
"""A topic was merged into, or split from, the topic with at least this share of its papers."""

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
    """The parts of a fit that are compared."""

    topic_ids: tuple[str, ...]
    words: tuple[str, ...]
    centroids: Floats
    """Topics × words: mean weight of each word in a topic's papers."""
    assignments: pl.DataFrame
    """paper_id, topic_id: one row per paper with a topic."""


def match_topics(previous: TopicSet, current: TopicSet) -> pl.DataFrame:
    """Return the event of each topic, with `LINEAGE_SCHEMA`.

    `event` is one of

    - `continued`: both are the same topic, and the current one inherits the id;
    - `merged`: the previous topic ended, and most of its papers are in the current topic;
    - `died`: the previous topic ended, and no topic has most of its papers; `topic_id` is null;
    - `split`: the topic is new, and most of its papers were in the previous topic;
    - `born`: the topic is new; `previous_topic_id` is null.

    Each previous topic has one row with `continued`, `merged` or `died`, each current topic one row
    with `continued`, `split` or `born`. The likeness of two topics is

        w · |A ∩ B| / |A ∪ B|  +  (1 - w) · cos(a, b)

    with w = `PAPER_WEIGHT`, A and B their papers among those in both fits, a and b their centroids
    over the words in both vocabularies. If the fits share no paper, it is cos(a, b). Topics are
    paired one to one to maximise the sum of likenesses (H. W. Kuhn, *The Hungarian method for the
    assignment problem*, Naval Research Logistics Quarterly 2, 1955); pairs with a likeness below
    `MIN_LIKENESS` are dropped. Rows are sorted by previous_topic_id and topic_id, nulls last.
    """
    shared = _shared_papers(previous, current)
    overlap = _jaccard(shared)
    similarity = _word_similarity(previous, current)
    weight = PAPER_WEIGHT if shared.sum() else 0.0
    likeness = weight * overlap + (1 - weight) * similarity

    def measures(i: int | None, j: int | None) -> tuple[float | None, ...]:
        if i is None or j is None:
            return (None, None, None, None)
        cells = likeness[i, j], similarity[i, j], overlap[i, j]
        return (*(float(cell) for cell in cells), int(shared[i, j]))

    rows = [
        (
            None if i is None else previous.topic_ids[i],
            None if j is None else current.topic_ids[j],
            event,
            *measures(i, j),
        )
        for i, j, event in _events(likeness, shared)
    ]
    return pl.DataFrame(rows, schema=LINEAGE_SCHEMA, orient="row").sort(
        "previous_topic_id", "topic_id", nulls_last=True
    )


def inherited_ids(lineage: pl.DataFrame) -> dict[str, str]:
    """Return current topic id → previous topic id for topics that continued."""
    continued = lineage.filter(pl.col("event") == "continued")
    return dict(continued.select("topic_id", "previous_topic_id").iter_rows())


def _events(likeness: _Matrix, shared: _Matrix) -> list[tuple[int | None, int | None, str]]:
    """Position of the previous topic, position of the current topic, event."""
    from scipy.optimize import linear_sum_assignment  # slow to import; only new fits need it

    pairs = [
        (int(i), int(j))
        for i, j in zip(*linear_sum_assignment(-likeness), strict=True)
        if likeness[i, j] >= MIN_LIKENESS
    ]
    n_previous, n_current = likeness.shape
    events: list[tuple[int | None, int | None, str]] = [(i, j, "continued") for i, j in pairs]
    for i in sorted(set(range(n_previous)) - {i for i, _ in pairs}):
        into = _majority(shared[i])
        events.append((i, into, "died" if into is None else "merged"))
    for j in sorted(set(range(n_current)) - {j for _, j in pairs}):
        origin = _majority(shared[:, j])
        events.append((origin, j, "born" if origin is None else "split"))
    return events


def _shared_papers(previous: TopicSet, current: TopicSet) -> _Matrix:
    """Previous × current topics: number of shared papers."""
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


def _majority(shared: _Matrix) -> int | None:
    """The position with at least `MIN_MOVED_SHARE` of the papers, if there is one."""
    if not shared.sum():
        return None
    at = int(shared.argmax())
    return at if shared[at] >= MIN_MOVED_SHARE * shared.sum() else None


def _positions(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}
