"""Top words and labels of topics.

Belongs here: the weight of words per topic, ten top words that are typical of the topic and occur
together, a label of one or two phrases. Does not belong here: clustering papers (`vectors.py`),
coherence of top words (`quality.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.label_phrases import Phrases
from pipelines.topics.quality import npmi_matrix
from pipelines.topics.words import Ints, Sparse, singulars

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

LABEL_PHRASES = 2
"""Most phrases of a label, unless another topic has the same."""

HEADS = frozenset(["model", "training", "design", "analysis", "processing", "evaluation", "tuning"])
"""Words of `BOILERPLATE` that may end a phrase: "world model"."""

LABEL_SHARE = 0.04
"""Least share of a topic's papers with a phrase of its label."""

LABEL_PURITY = 0.12
"""Least share of the papers with a phrase of a label that are in the topic. A phrase that is spread
over all topics, such as "synthetic data", names none of them."""

SECOND_SHARE = 0.4
"""A second phrase is added if its cosine, over the papers without the first, is at least this share
of the first one's."""

ELSEWHERE = 0.5
"""Factor for a phrase that describes another topic better."""

SINGLE_WORD = 0.4
SINGLE_WORD_PURITY = 0.35
SINGLE_WORD_SHARE = 0.15
"""Factor, least purity and least share of a topic's papers of single words, which are less
informative than phrases."""

N_LABEL_CANDIDATES = 60
"""Words and phrases of a topic that are read in texts for its label."""

N_READ_PAPERS = 80
"""Papers of a topic in which the use of a phrase is read."""

GENERIC_WORDS = frozenset(
    [
        "million", "billion", "trillion", "ai", "agi", "genai", "ml", "dl", "nlp", "dnn", "cnn",
        "lm", "llm", "lmm", "lvlm", "mllm", "plm", "slm", "vlm", "gpt", "chatgpt", "survey",
        "review", "bench", "benchmark",
    ]
)  # fmt: skip
"""Words that never name a subject: numbers, whole fields, classes of models, and benchmarks."""

GENERIC_PHRASES = frozenset(
    [
        "artificial intelligence", "computer vision", "data point", "deep learning", "deep neural",
        "final answer", "foundation model", "human evaluation", "human expert", "inference speed",
        "inference time", "language model", "machine learning", "natural language",
        "neural network", "open source", "representation learning", "supervised learning",
        "training data",
    ]
)  # fmt: skip
"""Phrases of the vocabulary that name no subject within machine learning."""

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


def make_labels(
    weights: Weights, counts: Sparse, topic: Ints, words: Sequence[str], phrases: Phrases
) -> list[str]:
    """Return a label for each topic of one or two noun phrases: "point clouds, LiDAR odometry".

    `weights` are topics × single words and phrases, `phrases` reads their uses in the texts. The
    phrase with the largest

        n(phrase, topic) / √( n(phrase) · n(topic) )

    is first, with numbers of papers: the cosine of "has the phrase" and "is in the topic" (A.
    Ochiai, 1957), times `SINGLE_WORD` for a single word, and times `ELSEWHERE` for one that has a
    larger cosine with another topic. The second has the largest value over the papers without the
    first. If an earlier topic has the same label, a third is added. A topic without a complete
    phrase gets its heaviest words.
    """
    has = sp.csc_matrix(counts > 0)
    n_with = np.maximum(np.asarray(has.sum(axis=0)).ravel(), 1)
    value, factor = _label_values(counts, topic, n_with, words, len(weights))
    labels: list[str] = []
    for at in range(len(weights)):
        inside = topic == at
        read = _Reader(phrases, has, inside, words)
        first = read.best(value[at] * factor[at], 0.0, may_be_single=True)
        if first is None:
            labels.append(_plain_label(weights[at], words, labels))
            continue
        parts = [first]
        while len(parts) < LABEL_PHRASES or _joined(read, parts) in labels:
            named = [part for part in parts if words[part].count(" ")]
            left = inside & ~_with_any(has, named)
            n_left = np.asarray(has.T @ left.astype(np.float64)).ravel()
            rest = n_left / np.sqrt(n_with * max(left.sum(), 1))
            # A single word is incomplete: any second phrase improves the label.
            least = SECOND_SHARE * float(value[at, parts[0]]) if named else 0.0
            following = read.best(rest * factor[at], least, may_be_single=False)
            if following is None:
                break
            parts.append(following)
        labels.append(_joined(read, parts))
    return labels


def _plain_label(weights: Weights, words: Sequence[str], taken: Sequence[str]) -> str:
    """The two heaviest phrases or words that share no word; more if another topic has these.

    For topics in whose texts no phrase is complete, such as a few titles. "" without such words.
    """
    parts: list[str] = []
    used: set[str] = set()
    for at in heaviest(weights, words, N_LABEL_CANDIDATES):
        pieces = words[at].split(" ")
        is_usable = _may_label(words[at]) and not any(map(str.isdigit, words[at]))
        if is_usable and not used.intersection(pieces):
            parts.append(words[at])
            used.update(pieces)
        if len(parts) >= LABEL_PHRASES and ", ".join(parts) not in taken:
            break
    return ", ".join(parts)


def _label_values(
    counts: Sparse, topic: Ints, n_with: Ints, words: Sequence[str], n_topics: int
) -> tuple[Weights, Weights]:
    """Topics × words: the cosine of a word and a topic, and its factor, 0 if it may not be used."""
    size = np.bincount(topic[topic >= 0], minlength=n_topics)[:, None]
    n_here = _shares(counts, topic, n_topics) * size
    value = n_here / np.sqrt(n_with * np.maximum(size, 1))
    is_usable = (n_here >= LABEL_SHARE * size) & (n_here >= LABEL_PURITY * n_with)
    of_word = [(SINGLE_WORD, 1.0)[" " in one] * _may_label(one) for one in (*words,)]
    factor = is_usable * np.array(of_word)
    factor[value < value.max(axis=0, initial=0)] *= ELSEWHERE
    return value, factor


def _joined(read: _Reader, parts: Sequence[int]) -> str:
    return ", ".join(read.spelled[part] for part in parts)


def _with_any(has: Sparse, columns: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each paper has one of the words."""
    return np.asarray(has[:, list(columns)].sum(axis=1)).ravel() > 0


class _Reader:
    """Reads the candidates of one topic in its texts, each at most once."""

    def __init__(
        self, phrases: Phrases, has: Sparse, inside: NDArray[np.bool_], words: Sequence[str]
    ) -> None:
        self._phrases, self._has, self._inside, self._words = phrases, has, inside, words
        self._used: set[str] = set()
        self._whole: dict[int, str | None] = {}
        self.spelled: dict[int, str] = {}

    def best(self, value: Weights, least: float, *, may_be_single: bool) -> int | None:
        """Return the column of the best phrase that repeats no word of those returned before."""
        for column in np.argsort(-value, kind="stable")[:N_LABEL_CANDIDATES]:
            if value[column] <= least:
                return None
            at = int(column)
            if at not in self._whole:
                rows = self._has.indices[self._has.indptr[at] : self._has.indptr[at + 1]]
                some = rows[self._inside[rows]][:N_READ_PAPERS]
                self._whole[at] = self._phrases.whole(self._words[at], some.tolist())
            whole = self._whole[at]
            if whole is None or not self._may_add(at, whole, may_be_single=may_be_single):
                continue
            self._used.update(stems(whole))
            self.spelled[at] = whole
            return at
        return None

    def _may_add(self, at: int, whole: str, *, may_be_single: bool) -> bool:
        pieces = stems(whole)
        if self._used.intersection(pieces) or not _may_label(" ".join(pieces)):
            return False
        if len(pieces) == 1:
            return may_be_single and self._is_specific(at)
        return whole.split(" ")[0] not in BOILERPLATE

    def _is_specific(self, at: int) -> bool:
        rows = self._has.indices[self._has.indptr[at] : self._has.indptr[at + 1]]
        n_here = self._inside[rows].sum()
        return bool(
            n_here >= SINGLE_WORD_PURITY * len(rows)
            and n_here >= SINGLE_WORD_SHARE * self._inside.sum()
        )


def stems(phrase: str) -> list[str]:
    """Return the words of a phrase in lower case, without a plural ending."""
    parts = re.split(r"[\s\-‐‑–]+", phrase.lower())
    return [(singulars(part) or (part,))[0] for part in parts]


def _may_label(phrase: str) -> bool:
    """Whether the words of a phrase may name a subject."""
    parts = phrase.split(" ")
    if GENERIC_WORDS.intersection(parts) or any(generic in phrase for generic in GENERIC_PHRASES):
        return False
    return _is_good(parts[-2:])


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
