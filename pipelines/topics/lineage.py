"""Lineage: how the topics of a fit relate to those of the previous fit.

Belongs here: comparing two fits, and the event of each topic. Does not belong here: fitting
(`discovered.py`), ids (`topic_ids.py`), storing the lineage of all fits (the warehouse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.topics.words import Floats

PAPER_WEIGHT = 0.5
"""Weight of shared papers in the likeness of two topics; shared words have the rest."""

MIN_LIKENESS = 0.65
"""Least likeness to the previous fit of a topic that keeps its id. Measured on 851 topics of six
fits to the archive, each repeated without a tenth of its papers: 99 % of topics are at least .69
like themselves, and no topic is more than .52 like another one."""

MIN_ORIGIN_SIMILARITY = 0.6
"""Least similarity to its words at birth of a topic that keeps its id, so that small steps don't
add up to another subject. In the same fits every topic is at least .67 similar to itself, and 95 %
are at most .58 similar to the most similar other one."""

MIN_MOVED_SHARE = 0.5
"""A topic was merged into, or split from, the topic with at least this share of its papers."""

MIN_PART_SHARE = 0.2
"""Least share of the papers of a topic that counts as one of its parts."""

N_ORIGIN_WORDS = 200
"""Words of a topic at birth that are remembered: those with the largest mean weights."""

LINEAGE_SCHEMA = pl.Schema(
    {
        "previous_topic_id": pl.String(),
        "topic_id": pl.String(),
        "event": pl.String(),
        "likeness": pl.Float64(),
        "word_similarity": pl.Float64(),
        "paper_overlap": pl.Float64(),
        "origin_similarity": pl.Float64(),
        "n_shared_papers": pl.Int64(),
    }
)

Origin: TypeAlias = tuple[tuple[str, float], ...]
"""The words of a topic at birth with their mean weights, the heaviest first."""

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
    origins: tuple[Origin, ...] = ()
    """Words of each topic at birth; if empty, its present words count as such."""


def match_topics(previous: TopicSet, current: TopicSet) -> pl.DataFrame:
    """Return the event of each topic, with `LINEAGE_SCHEMA`.

    `event` is one of

    - `continued`: both are the same topic, and the current one inherits the id;
    - `merged`: the previous topic ended; most of its papers are in the current topic, together with
      those of another previous topic;
    - `died`: the previous topic ended in another way; `topic_id` is null;
    - `split`: the topic is new; most of its papers were in the previous topic, of which another
      current topic also has a part;
    - `born`: the topic is new in another way; `previous_topic_id` is null.

    Each previous topic has one row with `continued`, `merged` or `died`, each current topic one row
    with `continued`, `split` or `born`. The likeness of two topics is

        w · |A ∩ B| / |A ∪ B|  +  (1 - w) · cos(a, b)

    with w = `PAPER_WEIGHT`, A and B their papers among those in both fits, a and b their centroids
    over the words in both vocabularies. If the fits share no paper, it is cos(a, b). Topics are
    paired one to one to maximise the sum of likenesses (H. W. Kuhn, *The Hungarian method for the
    assignment problem*, Naval Research Logistics Quarterly 2, 1955). A pair continues if its
    likeness is at least `MIN_LIKENESS`, and the similarity of the current topic to the previous
    one's words at birth at least `MIN_ORIGIN_SIMILARITY`. Rows are sorted by previous_topic_id and
    topic_id, nulls last.
    """
    shared = _shared_papers(previous, current)
    overlap = _jaccard(shared)
    similarity = _word_similarity(previous, current)
    to_origin = _origin_similarity(previous, current)
    weight = PAPER_WEIGHT if shared.sum() else 0.0
    likeness = weight * overlap + (1 - weight) * similarity

    def measures(i: int | None, j: int | None) -> tuple[float | None, ...]:
        if i is None or j is None:
            return (None, None, None, None, None)
        cells = likeness[i, j], similarity[i, j], overlap[i, j], to_origin[i, j]
        return (*(float(cell) for cell in cells), int(shared[i, j]))

    pairs = _continued(likeness, to_origin)
    rows = [
        (
            None if i is None else previous.topic_ids[i],
            None if j is None else current.topic_ids[j],
            event,
            *measures(i, j),
        )
        for i, j, event in _events(pairs, shared)
    ]
    return pl.DataFrame(rows, schema=LINEAGE_SCHEMA, orient="row").sort(
        "previous_topic_id", "topic_id", nulls_last=True
    )


def inherited_ids(lineage: pl.DataFrame) -> dict[str, str]:
    """Return current topic id → previous topic id for topics that continued."""
    continued = lineage.filter(pl.col("event") == "continued")
    return dict(continued.select("topic_id", "previous_topic_id").iter_rows())


def origins_of(words: Sequence[str], centroids: Floats) -> tuple[Origin, ...]:
    """Return the `N_ORIGIN_WORDS` heaviest words of each row of topics × words, with weights."""
    found = []
    for row in centroids.astype(np.float64):
        heaviest = np.argsort(-row, kind="stable")[:N_ORIGIN_WORDS]
        found.append(tuple((words[at], float(row[at])) for at in heaviest if row[at] > 0))
    return tuple(found)


def _continued(likeness: _Matrix, to_origin: _Matrix) -> list[tuple[int, int]]:
    """The pairs of previous and current topics that are the same topic."""
    from scipy.optimize import linear_sum_assignment  # slow to import; only new fits need it

    return [
        (int(i), int(j))
        for i, j in zip(*linear_sum_assignment(-likeness), strict=True)
        if likeness[i, j] >= MIN_LIKENESS and to_origin[i, j] >= MIN_ORIGIN_SIMILARITY
    ]


def _events(
    pairs: list[tuple[int, int]], shared: _Matrix
) -> list[tuple[int | None, int | None, str]]:
    """Position of the previous topic, position of the current topic, event."""
    n_previous, n_current = shared.shape
    # A topic that continues is a part of its counterpart, whatever the numbers of papers.
    parts = shared.copy()
    for i, j in pairs:
        parts[i, j] = np.inf
    merged = {}
    ended = sorted(set(range(n_previous)) - {i for i, _ in pairs})
    for i in ended:
        into = _majority(shared[i])
        if into is not None and _has_other_part(parts[:, into], shared[:, into], i):
            merged[i] = into
    events: list[tuple[int | None, int | None, str]] = [(i, j, "continued") for i, j in pairs]
    events += [(i, merged.get(i), "merged" if i in merged else "died") for i in ended]
    for j in sorted(set(range(n_current)) - {j for _, j in pairs}):
        origin = _majority(shared[:, j])
        is_split = (
            origin is not None
            and merged.get(origin) != j
            and shared[origin, j] >= MIN_PART_SHARE * shared[origin].sum()
            and _has_other_part(parts[origin], shared[origin], j)
        )
        events.append((origin if is_split else None, j, "split" if is_split else "born"))
    return events


def _has_other_part(parts: _Matrix, shared: _Matrix, position: int) -> bool:
    """Whether another position than this one has a part of the papers."""
    others = np.delete(parts, position)
    return bool(np.any(others >= max(MIN_PART_SHARE * shared.sum(), 1)))


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


def _origin_similarity(previous: TopicSet, current: TopicSet) -> _Matrix:
    """Previous × current topics: cosine of the words at birth and the heaviest words now."""
    before = previous.origins or origins_of(previous.words, previous.centroids)
    now = origins_of(current.words, current.centroids)
    column = _positions(sorted({word for origin in (*before, *now) for word, _ in origin}))
    old, new = (
        np.zeros((len(origins), len(column)), dtype=np.float64) for origins in (before, now)
    )
    for rows, origins in ((old, before), (new, now)):
        for at, origin in enumerate(origins):
            for word, weight in origin:
                rows[at, column[word]] = weight
    return np.asarray(_unit(old) @ _unit(new).T)


def _unit(rows: Floats | _Matrix) -> _Matrix:
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
