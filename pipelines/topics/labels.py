"""The words that stand for a topic, and its label.

Belongs here: weighing words by topic, choosing ten that are typical of it, not of others, and
found together, and a label of three or four words. Does not belong here: how papers came into
topics (`discovered.py`), measuring the outcome (`quality.py`).
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
"""Words that describe a topic."""

N_CANDIDATES = 60
"""Words of a topic among which its top words are chosen, the heaviest first."""

N_BORROWED = 40
"""Words of other topics from which a topic with too few of its own may borrow."""

MIN_SHARE = 0.025
"""A top word stands in at least this share of its topic's papers."""

DOUBT = 1.28
"""Standard deviations that are taken off how often two words met: what is left is exceeded nine
times in ten. Otherwise rare words are chosen that met by chance, and in other papers do not."""

LABEL_WORDS = 3
"""A label ends once it has this many words; its last phrase may bring one more."""

HEADS = frozenset(["model", "training", "design", "analysis", "processing", "evaluation", "tuning"])
"""Words of `BOILERPLATE` that make a good end of a phrase: "world model"."""

LABEL_SHARE = 0.05
"""A word or phrase of a label stands in at least this share of its topic's papers."""

N_LABEL_CANDIDATES = 200
"""Words and phrases of a topic among which its label is sought."""

Weights = NDArray[np.float64]


def topic_weights(counts: Sparse, topic: Ints, n_topics: int) -> Weights:
    """Return topics × words: how typical each word is of each topic (c-TF-IDF).

    `topic` holds the topic of each row of `counts`, -1 for none. With tf(w, t) the occurrences of
    a word in all papers of a topic,

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
    """Return for each topic the columns of up to `n` top words, the most typical first.

    `words` are single words, naming the columns of `weights` and `counts`. A word goes to the
    topic in which it weighs most. A topic's first word is its heaviest; each further one has the
    largest

        ( weight / weight of the heaviest )^0.15 · max( 0, mean NPMI with the words chosen so far )

    with NPMI as if any two words had met `DOUBT` standard deviations less often than they did. A
    topic that has fewer than `n` such words borrows from others by the same rule. Words of
    `BOILERPLATE`, and those in less than `MIN_SHARE` of the topic's papers, are left out.
    """
    n_topics = weights.shape[0]
    allowed = np.array([word not in BOILERPLATE for word in words], dtype=bool)
    owner = weights.argmax(axis=0) if n_topics else np.zeros(len(words), dtype=np.int64)
    shares = _shares(counts, topic, n_topics)
    candidates = []
    for at in range(n_topics):
        held = np.flatnonzero(allowed & (weights[at] > 0) & (shares[at] >= MIN_SHARE))
        # Equal weights are ordered by column, that is by the alphabet.
        falling = held[np.argsort(-weights[at, held], kind="stable")]
        own = owner[falling] == at
        candidates.append(np.concatenate([falling[own][:N_CANDIDATES], falling[~own][:N_BORROWED]]))
    columns = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *candidates]))
    npmi = npmi_matrix(counts[:, columns], doubt=DOUBT)
    found = []
    for at, mine in enumerate(candidates):
        place = np.searchsorted(columns, mine)
        chosen = mine[_greedy(weights[at, mine], npmi[np.ix_(place, place)], owner[mine] == at, n)]
        found.append(sorted(chosen.tolist(), key=lambda column: (-weights[at, column], column)))
    return found


def heaviest(weights: NDArray[np.float64], words: Sequence[str], n: int) -> list[int]:
    """Return the columns of the `n` heaviest words and phrases of one topic.

    Left out are words of `BOILERPLATE` and phrases that start or end with one, but for a few that
    make a good end ("world model").
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

    which prefers what sets the topic apart, and phrases, which are rarer than their words by nature
    yet say more. What stands in less than `LABEL_SHARE` of the topic's papers is left out. Nothing
    repeats a word of the label. A label that an earlier topic has goes on until it is another, if
    words remain.
    """
    n_parts = np.array([word.count(" ") + 1 for word in words], dtype=np.float64)
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
    """Topics × words: the share of a topic's papers that hold a word."""
    inside = np.flatnonzero(topic >= 0)
    member = sp.csr_matrix(
        (np.ones(len(inside)), (topic[inside], inside)), shape=(n_topics, counts.shape[0])
    )
    n_papers = np.asarray(member.sum(axis=1))
    held = np.asarray((member @ (counts > 0).astype(np.float64)).todense())
    return np.asarray(held / np.maximum(n_papers, 1))


def _greedy(weights: Weights, npmi: Weights, own: NDArray[np.bool_], n: int) -> list[int]:
    """Positions of the chosen words: own ones first, others if these do not reach `n`."""
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
