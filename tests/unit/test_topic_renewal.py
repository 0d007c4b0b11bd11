"""The number of clusters: divisions of Ward's tree, mergers and splits."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.topics.renewal import (
    SPLIT_SHARE,
    divided,
    scatter,
    ward_groups,
    without_similar,
)
from pipelines.topics.vectors import cluster
from pipelines.topics.words import Floats

pytestmark = pytest.mark.unit


def groups(*sizes: int, seed: int = 1) -> Floats:
    """Vectors near the axes of a space, `sizes` on each axis, in random order."""
    draw = np.random.default_rng(seed)
    rows = np.repeat(np.eye(len(sizes) + 3)[: len(sizes)], sizes, axis=0)
    rows = rows + draw.normal(0, 0.02, rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(draw.permutation(rows), dtype=np.float32)


def test_a_division_explains_the_fall_of_the_scatter() -> None:
    """Ward's formula against the scatters before and after, and the height in the tree."""
    a, b = groups(30), groups(0, 50)[:, :4]
    both = np.concatenate([a, b])
    explained = scatter(both) - scatter(a) - scatter(b)
    means = np.stack([a.mean(axis=0), b.mean(axis=0)])
    sizes = np.array([30.0, 50.0])
    assert len(without_similar(means, sizes, explained * 0.99)) == 2
    assert len(without_similar(means, sizes, explained * 1.01)) == 1
    assert ward_groups(both, most=9, least=explained * 1.01).max() == 0
    assert ward_groups(both, most=9, least=explained * 0.99).max() == 1
    # The same division, seen in half of the papers.
    assert ward_groups(both, most=9, least=explained * 1.99, weight=2).max() == 1


@pytest.mark.parametrize("n_groups", [1, 3, 6])
def test_a_first_fit_has_as_many_topics_as_there_are_groups(n_groups: int) -> None:
    sizes = [200 // n_groups] * n_groups
    found = cluster(groups(*sizes), None, n_topics=None)
    # One group alone has no division but noise, of which each explains a large share.
    assert len(found) == n_groups if n_groups > 1 else len(found) <= 200 // 25


def test_the_number_of_topics_follows_the_papers() -> None:
    first = cluster(groups(100, 100, 100, 0), None, n_topics=None)
    assert len(first) == 3
    more = groups(100, 100, 100, 100)
    assert len(cluster(more, first, n_topics=None)) == 4
    fewer = groups(150, 150, 0, 0)
    assert len(cluster(fewer, cluster(more, first, n_topics=None), n_topics=None)) <= 3


def test_equal_papers_are_one_topic() -> None:
    same = np.tile(np.array([[0.6, 0.8]], dtype=np.float32), (100, 1))
    assert len(cluster(same, None, n_topics=None)) == 1
    assert len(cluster(same, np.eye(2, dtype=np.float32), n_topics=None)) == 1


def test_nothing_is_divided_beyond_the_most_topics() -> None:
    vectors = groups(40, 40)
    one = vectors.mean(axis=0, keepdims=True)
    group = np.zeros(80, dtype=np.int64)
    least = SPLIT_SHARE * scatter(vectors) * 100
    assert len(divided(vectors, group, one, least, 9)) == 2
    assert len(divided(vectors, group, one, least, 1)) == 1


def test_a_smaller_set_than_the_previous_starts_afresh() -> None:
    start = np.eye(30, dtype=np.float32)
    vectors = np.eye(30, dtype=np.float32)[np.arange(60) % 3]
    assert 1 <= len(cluster(vectors, start, n_topics=None)) <= 3
