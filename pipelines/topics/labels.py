"""Top words and labels of topics.

Belongs here: the weight of words per topic, ten top words that are typical of the topic and occur
together, a label of three or four words. Does not belong here: clustering papers (`vectors.py`),
coherence of top words (`quality.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.quality import npmi_matrix
from pipelines.topics.words import Ints, Sparse

N_TOP_WORDS = 10
"""Top words of a topic."""

N_CANDIDATES = 60
"""The heaviest words of a topic, from which its top words are chosen."""

N_BORROWED = 40
"""Words that weigh more in other topics, used if a topic has too few candidates."""

MIN_SHARE = 0.025
"""Least share of a topic's papers with a top word."""

DOUBT = 1.28
"""Standard deviations subtracted from the number of papers with two words: a one-sided 90 % lower
bound. Without it, rare words that co-occurred by chance are chosen."""

LABEL_WORDS = 3
"""A label is complete once it has this many words. The last phrase may add one more."""

HEADS = frozenset(["model", "training", "design", "analysis", "processing", "evaluation", "tuning"])
"""Words of `BOILERPLATE` that may end a phrase: "world model"."""

LABEL_SHARE = 0.05
"""Least share of a topic's papers with a word or phrase of its label."""

N_LABEL_CANDIDATES = 200
"""Words and phrases of a topic from which its label is chosen."""

Weights = NDArray[np.float64]


def topic_weights(counts: Sparse, topic: Ints, n_topics: int) -> Weights:
    """Return topics × words: the c-TF-IDF weight of each word in each topic.

    `topic` has the topic of each row of `counts`, -1 for none. With tf(w, t) the occurrences of a
    word in all papers of a topic,

        weight(w, t) = tf(w, t) / Σ_w tf(w, t) · ln( 1 + A / Σ_t tf(w, t) )

    where A is the mean number of words per topic. Source: M. Grootendorst, *BERTopic: neural topic
    modeling with a class-based TF-IDF procedure*, arXiv 2203.05794, section 3.3, with each
    topic's frequencies divided by their sum.
    """
    inside = np.flatnonzero(topic >= 0)
    member = sp.csr_matrix(
        (np.ones(len(inside)), (topic[inside], inside)), shape=(n_topics, counts.shape[0])
    )
    by_topic = np.asarray((member @ counts).todense(), dtype=np.float64)
    per_topic = by_topic.sum(axis=1, keepdims=True)
    per_word = by_topic.sum(axis=0)
    mean = per_topic.sum() / max(n_topics, 1)
    idf = np.log1p(np.divide(mean, per_word, out=np.zeros_like(per_word), where=per_word > 0))
    return np.asarray(by_topic / np.maximum(per_topic, 1) * idf)


def choose_words(
    weights: Weights, counts: Sparse, topic: Ints, words: Sequence[str], *, n: int = N_TOP_WORDS
) -> list[list[int]]:
    """Return for each topic the columns of up to `n` top words, the heaviest first.

    `words` are single words, the names of the columns of `weights` and `counts`. A word belongs to
    the topic in which it weighs most. The heaviest word of a topic is chosen first; each further
    word maximises

        ( weight / weight of the heaviest )^0.15 · max( 0, mean NPMI with the words chosen so far )

    with co-occurrences reduced by `DOUBT` standard deviations. A topic with fewer than `n` such
    words takes words of other topics by the same rule. Words of `BOILERPLATE`, and words in less
    than `MIN_SHARE` of the topic's papers, are left out.
    """
    n_topics = weights.shape[0]
    allowed = ~np.array([*map(BOILERPLATE.__contains__, words)], dtype=bool)
    owner = weights.argmax(axis=0) if n_topics else np.zeros(len(words), dtype=np.int64)
    shares = _shares(counts, topic, n_topics)
    candidates = []
    for at in range(n_topics):
        usable = np.flatnonzero(allowed & (weights[at] > 0) & (shares[at] >= MIN_SHARE))
        # A stable sort: equal weights stay in the order of the columns, which is alphabetical.
        ranked = usable[np.argsort(-weights[at, usable], kind="stable")]
        own = owner[ranked] == at
        candidates.append(np.concatenate([ranked[own][:N_CANDIDATES], ranked[~own][:N_BORROWED]]))
    columns = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *candidates]))
    npmi = npmi_matrix(counts[:, columns], doubt=DOUBT)
    found = []
    for at, some in enumerate(candidates):
        index = np.searchsorted(columns, some)
        chosen = some[_greedy(weights[at, some], npmi[np.ix_(index, index)], owner[some] == at, n)]
        found.append(sorted(chosen.tolist(), key=lambda column: (-weights[at, column], column)))
    return found


def heaviest(weights: NDArray[np.float64], words: Sequence[str], n: int) -> list[int]:
    """Return the columns of the `n` heaviest words and phrases of one topic.

    Words of `BOILERPLATE`, and phrases that start or end with one, are left out. A phrase may end
    with one of `HEADS`.
    """
    found: list[int] = []
    for at in np.argsort(-weights, kind="stable"):
        if weights[at] <= 0 or len(found) >= n:
            break
        if _is_good(words[at].split(" ")):
            found.append(int(at))
    return found


def make_labels(weights: Weights, counts: Sparse, topic: Ints, words: Sequence[str]) -> list[str]:
    """Return a label for each topic, mostly of three or four words, such as "point cloud, lidar".

    `weights` are topics × single words and phrases. A topic's words are ranked by

        weight^1.5 / ( Σ weights in all topics )^0.5 · (words in the phrase)²

    which favours words that are specific to the topic, and phrases, which are rarer than their
    words but more informative. Words and phrases in less than `LABEL_SHARE` of the topic's papers
    are left out. No word occurs twice in a label. If an earlier topic has the same label, words are
    added until it differs.
    """
    n_parts = np.array([len(parts) for parts in map(str.split, words)], dtype=np.float64)
    total = np.maximum(weights.sum(axis=0), np.finfo(np.float64).tiny)
    labels: list[str] = []
    for row, share in zip(weights, _shares(counts, topic, len(weights)), strict=True):
        ranks = np.where(share >= LABEL_SHARE, row**1.5 / np.sqrt(total) * n_parts**2, 0)
        parts: list[str] = []
        used: set[str] = set()
        for at in np.argsort(-ranks, kind="stable")[:N_LABEL_CANDIDATES]:
            is_full = len(used) >= LABEL_WORDS and ", ".join(parts) not in labels
            if ranks[at] <= 0 or is_full:
                break
            pieces = words[at].split(" ")
            if _is_good(pieces) and not used.intersection(pieces):
                parts.append(words[at])
                used.update(pieces)
        labels.append(", ".join(parts))
    return labels


def _is_good(parts: list[str]) -> bool:
    if len(set(parts)) < len(parts) or any(part in BOILERPLATE for part in parts[:-1]):
        return False
    return parts[-1] not in BOILERPLATE or (len(parts) > 1 and parts[-1] in HEADS)


def _shares(counts: Sparse, topic: Ints, n_topics: int) -> Weights:
    """Topics × words: the share of a topic's papers that contain a word."""
    inside = np.flatnonzero(topic >= 0)
    member = sp.csr_matrix(
        (np.ones(len(inside)), (topic[inside], inside)), shape=(n_topics, counts.shape[0])
    )
    n_papers = np.asarray(member.sum(axis=1))
    with_word = np.asarray((member @ (counts > 0).astype(np.float64)).todense())
    return np.asarray(with_word / np.maximum(n_papers, 1))


def _greedy(weights: Weights, npmi: Weights, own: NDArray[np.bool_], n: int) -> list[int]:
    """Positions of the chosen words: the topic's own first, then others up to `n`."""
    chosen: list[int] = []
    together = np.zeros(len(weights))
    typical = (weights / weights.max()) ** 0.15 if len(weights) else weights
    for allowed in (own, ~own):
        while len(chosen) < n:
            value = typical * np.maximum(together / max(len(chosen), 1), 0) if chosen else typical
            value = np.where(allowed, value, 0.0)
            value[chosen] = 0.0
            if not value.any():
                break
            at = int(value.argmax())
            chosen.append(at)
            together = together + npmi[at]
    return chosen
