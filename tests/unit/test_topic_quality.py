"""Coherence and diversity against a plain re-implementation."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp

from pipelines.topics.quality import diversity, npmi_matrix, topic_npmi

pytestmark = pytest.mark.unit


def plain_npmi(topic: list[str], papers: list[set[str]]) -> float:
    """The formula of the docstring, word by word, over sets of words."""
    values = []
    for a, b in combinations(topic, 2):
        p_a = sum(a in paper for paper in papers) / len(papers)
        p_b = sum(b in paper for paper in papers) / len(papers)
        p_ab = sum(a in paper and b in paper for paper in papers) / len(papers)
        if p_ab == 0:
            values.append(-1.0)
        elif p_ab == 1:
            values.append(1.0)
        else:
            values.append(math.log(p_ab / (p_a * p_b)) / -math.log(p_ab))
    return sum(values) / len(values)


@pytest.mark.parametrize("seed", range(5))
def test_npmi_is_that_of_a_plain_implementation(seed: int) -> None:
    draw = np.random.default_rng(seed)
    counts = draw.poisson(draw.uniform(0.02, 2.5, size=12), size=(60, 12))
    words = [f"w{at}" for at in range(12)]
    papers = [{words[at] for at in np.flatnonzero(row)} for row in counts]
    topics = [list(draw.permutation(words)[:n]) for n in (2, 5, 10)]
    found = topic_npmi(topics, sp.csr_matrix(counts.astype(np.float32)), words)
    assert found == pytest.approx([plain_npmi(topic, papers) for topic in topics])


def test_npmi_worked_out_by_hand() -> None:
    """Eight papers: a in 4, b in 2, c in 4; a and b in 2, a and c in 1, b and c in 1 of them."""
    rows = ["ab", "abc", "a", "a", "c", "c", "c", ""]
    counts = sp.csr_matrix([[float(word in row) for word in "abc"] for row in rows])
    # a, b: p = 1/4 against 1/2 · 1/4, so ln 2 / ln 4 = 1/2.
    # a, c: p = 1/8 against 1/2 · 1/2, so ln(1/2) / ln 8 = -1/3.
    # b, c: p = 1/8 against 1/4 · 1/2, so ln 1 / ln 8 = 0.
    assert topic_npmi([["a", "b"], ["a", "c"], ["b", "c"]], counts, "abc") == pytest.approx(
        [1 / 2, -1 / 3, 0]
    )
    assert topic_npmi([["a", "b", "c"]], counts, "abc") == pytest.approx([(1 / 2 - 1 / 3) / 3])


def test_npmi_at_its_limits() -> None:
    counts = sp.csr_matrix([[1, 3, 0, 1], [2, 1, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    words = ["a", "b", "c", "d"]
    together, never, always = topic_npmi([["a", "b"], ["a", "c"], ["d", "d"]], counts, words)
    assert (together, never, always) == pytest.approx((1.0, -1.0, 1.0))


def test_doubt_reduces_co_occurrences() -> None:
    """Of ten papers, four contain a, four b, four c; four contain a and b, one b and c."""
    rows = ["abx", "ab", "ab", "abc", "c", "c", "c", "", "", ""]
    counts = sp.csr_matrix([[float(word in row) for word in "abc"] for row in rows])
    plain, doubted = npmi_matrix(counts), npmi_matrix(counts, doubt=1)
    assert plain[0, 1] == pytest.approx(1)
    # Four co-occurrences become 4 - √4 = 2: ln( 0.2 / 0.16 ) / -ln 0.2.
    assert doubted[0, 1] == pytest.approx(math.log(1.25) / math.log(5))
    # One co-occurrence becomes 0.
    assert plain[1, 2] > -1
    assert doubted[1, 2] == -1
    assert doubted.diagonal().tolist() == [1, 1, 1]


def test_words_in_no_paper_never_co_occur() -> None:
    counts = sp.csr_matrix([[1.0], [0.0]])
    assert topic_npmi([["a", "unheard"], ["a"], []], counts, ["a"]) == [-1.0, None, None]


def test_no_papers_and_no_words_raise_no_error() -> None:
    assert npmi_matrix(sp.csr_matrix((0, 3))).shape == (3, 3)
    assert npmi_matrix(sp.csr_matrix((3, 0))).shape == (0, 0)
    assert topic_npmi([], sp.csr_matrix((0, 0)), []) == []


def test_diversity_is_the_share_of_different_words() -> None:
    assert diversity([["a", "b"], ["b", "c"]]) == pytest.approx(3 / 4)
    assert diversity([["a"], ["b"]]) == 1
    assert diversity([[], []]) is None
