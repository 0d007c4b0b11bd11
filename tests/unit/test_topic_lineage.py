"""Lineage of topics from one fit to the next."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import polars as pl
import pytest

from pipelines.topics import lineage
from pipelines.topics.lineage import (
    LINEAGE_SCHEMA,
    MIN_LIKENESS,
    MIN_ORIGIN_SIMILARITY,
    TopicSet,
    inherited_ids,
    match_topics,
    origins_of,
)

pytestmark = pytest.mark.unit


def topic_set(papers: dict[str, str], centroids: dict[str, list[float]], words: str) -> TopicSet:
    """Topics of a mapping topic → paper ids in one string, with centroids over one-letter words."""
    rows = [(paper, topic) for topic, members in papers.items() for paper in members]
    schema = {"paper_id": pl.String, "topic_id": pl.String}
    return TopicSet(
        tuple(papers),
        tuple(words),
        np.array([centroids[topic] for topic in papers], dtype=np.float32).reshape(
            len(papers), len(words)
        ),
        pl.DataFrame(rows, schema=schema, orient="row"),
    )


def events(found: pl.DataFrame) -> set[tuple[str | None, str | None, str]]:
    return set(found.select("previous_topic_id", "topic_id", "event").iter_rows())


def test_topics_continue_in_any_order() -> None:
    before = topic_set({"x": "abc", "y": "def"}, {"x": [1, 0], "y": [0, 1]}, "pq")
    after = topic_set({"2": "def", "1": "abcg"}, {"1": [0.1, 1], "2": [1, 0]}, "qp")
    found = match_topics(before, after)
    assert found.schema == LINEAGE_SCHEMA
    assert events(found) == {("x", "1", "continued"), ("y", "2", "continued")}
    assert inherited_ids(found) == {"1": "x", "2": "y"}
    row = found.row(0, named=True)
    assert row["paper_overlap"] == 1  # the paper g is in one fit only
    assert row["word_similarity"] == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert row["likeness"] == pytest.approx((row["paper_overlap"] + row["word_similarity"]) / 2)
    assert row["n_shared_papers"] == 3


def test_two_topics_that_become_one_merge() -> None:
    before = topic_set({"x": "abcdef", "y": "ghi"}, {"x": [1, 0], "y": [0, 1]}, "pq")
    after = topic_set({"1": "abcdefghi"}, {"1": [1, 0.4]}, "pq")
    assert events(match_topics(before, after)) == {("x", "1", "continued"), ("y", "1", "merged")}


def test_a_topic_that_becomes_two_splits() -> None:
    before = topic_set({"x": "abcdefghi"}, {"x": [1, 0.4]}, "pq")
    after = topic_set({"1": "abcdef", "2": "ghi"}, {"1": [1, 0], "2": [0, 1]}, "pq")
    assert events(match_topics(before, after)) == {("x", "1", "continued"), ("x", "2", "split")}


def test_topics_come_and_go() -> None:
    before = topic_set({"x": "abc", "y": "def"}, {"x": [1, 0, 0, 0], "y": [0, 1, 0, 0]}, "pqrs")
    after = topic_set(
        {"1": "abc", "2": "ghi", "3": "d", "4": "e", "5": "f"},
        {
            "1": [1, 0, 0, 0],
            "2": [0, 0, 1, 0],
            "3": [0, 0, 0, 1],
            "4": [0, 0, 0, 1],
            "5": [0, 0, 0, 1],
        },
        "pqrs",
    )
    found = events(match_topics(before, after))
    assert ("x", "1", "continued") in found
    assert ("y", None, "died") in found  # its papers went three ways
    assert (None, "2", "born") in found  # all its papers are new
    # All that is left of these was in y, so they split from it.
    assert {("y", "3", "split"), ("y", "4", "split"), ("y", "5", "split")} <= found


def test_without_common_papers_words_alone_decide() -> None:
    before = topic_set({"x": "abc"}, {"x": [1, 0]}, "pq")
    after = topic_set({"1": "def"}, {"1": [1, 0]}, "pq")
    found = match_topics(before, after)
    assert found.row(0, named=True)["likeness"] == pytest.approx(1)
    assert events(found) == {("x", "1", "continued")}


def test_a_topic_with_half_its_papers_and_other_words_is_another_one() -> None:
    """Likeness .5 · 4/6 + .5 · .6 = .63 is not enough; with similar words it is."""
    before = topic_set({"x": "abcde"}, {"x": [1, 0]}, "pq")
    rest = {"1": "abcd", "2": "e"}
    far = topic_set({**rest, "1": "abcdf"}, {"1": [0.5, 0.87], "2": [0, 1]}, "pq")
    close = topic_set({**rest, "1": "abcdf"}, {"1": [1, 0.1], "2": [0, 1]}, "pq")
    assert ("x", "1", "continued") in events(match_topics(before, close))
    found = match_topics(before, far)
    assert events(found) == {("x", None, "died"), ("x", "1", "split"), ("x", "2", "split")}


def test_a_topic_that_was_replaced_died_and_the_other_was_born() -> None:
    """All papers went to one topic of other words, and no other topic had a part of either."""
    before = topic_set({"x": "abc", "y": "def"}, {"x": [1, 0, 0], "y": [0, 1, 0]}, "pqr")
    after = topic_set({"1": "abc", "2": "def"}, {"1": [1, 0, 0], "2": [0, 0, 1]}, "pqr")
    assert events(match_topics(before, after)) == {
        ("x", "1", "continued"),
        ("y", None, "died"),
        (None, "2", "born"),
    }


def test_two_topics_that_become_a_new_one_both_merge() -> None:
    before = topic_set({"x": "abc", "y": "def"}, {"x": [1, 0], "y": [0, 1]}, "pq")
    after = topic_set({"1": "abcdef"}, {"1": [1, 1]}, "pq")
    assert events(match_topics(before, after)) == {
        ("x", "1", "merged"),
        ("y", "1", "merged"),
        (None, "1", "born"),
    }


def test_a_slow_drift_ends_an_id() -> None:
    """Each step is small, but the third is far from the words at birth."""
    angles = np.radians([0, 25, 50, 75])
    steps = [
        topic_set({"x": "abcdef"}, {"x": [float(np.cos(a)), float(np.sin(a))]}, "pq")
        for a in angles
    ]
    origins = origins_of(steps[0].words, steps[0].centroids)
    assert origins == ((("p", 1.0),),)
    kept = []
    for before, after in pairwise(steps):
        row = match_topics(replace(before, origins=origins), after).row(0, named=True)
        kept.append(row["event"] == "continued")
        if kept[-1]:
            assert row["likeness"] >= MIN_LIKENESS
            assert row["origin_similarity"] >= MIN_ORIGIN_SIMILARITY
        assert ("x", "x", "continued") in events(match_topics(before, after))  # by the step alone
    assert kept == [True, True, False]


@pytest.mark.parametrize(("old", "new"), [("", ""), ("x", ""), ("", "1")])
def test_fits_without_topics(old: str, new: str) -> None:
    before = topic_set(dict.fromkeys(old, "ab"), {name: [1.0] for name in old}, "p")
    after = topic_set(dict.fromkeys(new, "ab"), {name: [1.0] for name in new}, "p")
    found = match_topics(before, after)
    ends: set[tuple[str | None, str | None, str]] = {("x", None, "died")}
    begins: set[tuple[str | None, str | None, str]] = {(None, "1", "born")}
    assert events(found) == (ends if old else begins if new else set())
    assert found.schema == LINEAGE_SCHEMA


@pytest.mark.parametrize("seed", range(5))
def test_the_assignment_is_the_best_of_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MIN_LIKENESS", 0.3)  # random topics are not much alike
    monkeypatch.setattr(lineage, "MIN_ORIGIN_SIMILARITY", 0.0)
    draw = np.random.default_rng(seed)
    n = 5
    old, new = draw.random((n, 6)), draw.random((n, 6))
    names = "abcdefghijklmnopqrstuvwxyz"
    before = topic_set(
        {f"o{i}": names[4 * i : 4 * i + 4] for i in range(n)},
        {f"o{i}": list(old[i]) for i in range(n)},
        "uvwxyz",
    )
    shuffled = draw.permutation(list(names[:20]))
    papers = {f"n{i}": "".join(shuffled[4 * i : 4 * i + 4]) for i in range(n)}
    after = topic_set(papers, {f"n{i}": list(new[i]) for i in range(n)}, "uvwxyz")

    def likeness(i: int, j: int) -> float:
        a, b = set(names[4 * i : 4 * i + 4]), set(papers[f"n{j}"])
        cosine = old[i] @ new[j] / np.linalg.norm(old[i]) / np.linalg.norm(new[j])
        return 0.5 * len(a & b) / len(a | b) + 0.5 * float(cosine)

    best = max(
        permutations(range(n)), key=lambda order: sum(likeness(i, j) for i, j in enumerate(order))
    )
    expected = {f"n{j}": f"o{i}" for i, j in enumerate(best) if likeness(i, j) >= 0.3}
    assert expected
    assert inherited_ids(match_topics(before, after)) == expected
