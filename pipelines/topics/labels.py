"""The words that stand for a topic, and its label.

Belongs here: weighing words by topic, choosing ten that are typical, shared with no other topic
and found together, and a label of three or four words. Does not belong here: how papers came into
topics (`discovered.py`), measuring the outcome (`quality.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.quality import npmi_matrix
from pipelines.topics.words import Ints, Sparse

N_TOP_WORDS = 10
"""Words that describe a topic."""

N_CANDIDATES = 60
"""Words of a topic among which its top words are chosen, the heaviest first."""

MIN_SHARE = 0.03
"""A top word stands in at least this share of its topic's papers."""

LABEL_WORDS = 3
"""A label ends once it has this many words; its last phrase may bring one more."""

BOILERPLATE = frozenset(
    """
    ability able academic accurate accurately achieve achieved achieves achieving across actual
    addition additional additionally address addresses addressing advance advanced advancement
    advances advancing advantage aim aims al align allow allowing allows already also
    alternative among analyses analysis analyze application applications applied apply applying
    approach approaches approximately area argue art aspect aspects assess assessment available
    average avoid aware away base based baseline baselines benefit best better bridge bring
    broad broader build building called capabilities capability capable capture captures
    capturing case cases challenge challenges challenging change changes choose clear close
    code codes com combine combined combines combining common commonly comparable compared
    comparison competitive complementary complete complex complexity component components
    comprehensive compute condition conduct conducted consider consistent consistently
    construct contain containing contains context contrast contribute contribution
    contributions conventional core corresponding cost create created creating critical cross
    crucial current currently degree deliver demand demonstrate demonstrated demonstrates
    demonstrating depend depending derive derived description design designed despite detail
    detailed details determine develop developed developing development difference different
    difficult difficulty dimension direction directly distinct diverse does downstream draw
    dual due dynamically easily effect effective effectively effectiveness effects efficiency
    efficient efficiently eg element emerge emerged emerging empirical employ employed
    employing employs enable enabled enables enabling end enhance enhanced enhances enhancing
    ensure ensures ensuring especially essential establish et etc evaluate evaluated evaluating
    evaluation evaluations evidence example exhibit exhibits existing experience experiment
    experimental experiments explicit explicitly explore exploring extend extended extends
    extensive extensively extract facilitate factor factors fail far feasible feature features
    field finally finding findings fine focus focuses following form forms formulate framework
    frameworks free fully function functions fundamental furthermore future gain gains gap
    general generally generate generated generating github given global goal good grained great
    greater greatly group growing guide guided handle help high higher highlight highlighting
    highlights highly hold http https hugging huggingface identified identify identifying ii
    iii impact implement implementation importance important improve improved improvement
    improvements improves improving include includes including incorporate incorporating
    increase increased increasing increasingly individual inherent input inputs insight
    insights inspired instead integrate integrated integrates integrating integration introduce
    introduced introduces introducing investigate involve io issue issues jointly just key
    known lack large largely largescale latest lead leading leads learn level levels leverage
    leverages leveraging like limit limitation limitations limited limiting limits little long
    low lower main maintain maintaining major make makes making match means measure mechanism
    mechanisms meet method methodologies methodology methods minimal mitigate model models
    modern module modules moreover multi multiple natural nature necessary need needed needs
    new non notably novel number numerous objective observation observe obtain obtained
    obtaining offer offering offers open opens opportunity optimal order org original
    outperform outperforming outperforms output outputs overall overcome page pair paper papers
    paradigm particular particularly pattern percentage perform performance performed
    performing performs perspective pipeline play plays point points poor popular possible
    potential potentially powerful practical pre precise predict present presented presents
    previous previously primarily prior problem problems process processes produce produces
    producing progress project promising property propose proposed proposes proposing prove
    provide provided provides providing public publicly quality range rapid rapidly rate rather
    ratio reach reached reaching ready real realistic recent recently reduce reduced reduces
    reducing regarding related relationship release released relevant reliability reliable
    relies rely relying remain remains remarkable report represent representing require
    required requirement requires requiring research researchers respect respectively result
    resulting results reveal reveals rich robust robustness role sample scalable scale scenario
    scenarios score scores second select selected selecting self sensitive serve set setting
    settings several short show showed showing shown shows significant significantly similar
    simple simply simultaneously single size small solution solutions solve solving sota source
    specialized specific specifically stage standard start state step strategies strategy
    strong structure struggle studies study sub substantial substantially success suffer
    suggest suitable suite superior support supporting surpass surpasses surpassing systematic
    systematically tackle tailored target task tasks technique techniques term terms test
    testing themselves thereby therefore thorough thoroughly time times total towards
    traditional traditionally train trained training tuned tuning type types typically
    ultimately underlying understand unified unique unlike use used useful user users uses
    using usually utilize utilized utilizes utilizing validate valuable value variation variety
    various vary varying version via view way wide widely work works world www year years yet
    yield yields
    """.split()
)
"""Words that say how papers are written, not what they are about; no top words."""

HEADS = frozenset(
    ["model", "training", "code", "design", "testing", "analysis", "processing", "evaluation"]
)
"""Such words that make a good end of a phrase: "world model"."""

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
    topic in which it weighs most, and to no other. A topic's first word is its heaviest; each
    further one has the largest

        sqrt( weight / weight of the heaviest ) · max( 0, mean NPMI with the words chosen so far )

    Words of `BOILERPLATE`, and those in less than `MIN_SHARE` of the topic's papers, are left out.
    """
    n_topics = weights.shape[0]
    allowed = np.array([word not in BOILERPLATE for word in words], dtype=bool)
    owner = weights.argmax(axis=0) if n_topics else np.zeros(len(words), dtype=np.int64)
    shares = _shares(counts, topic, n_topics)
    candidates = []
    for at in range(n_topics):
        mine = np.flatnonzero(
            allowed & (owner == at) & (weights[at] > 0) & (shares[at] >= MIN_SHARE)
        )
        # Equal weights are ordered by column, that is by the alphabet.
        candidates.append(mine[np.argsort(-weights[at, mine], kind="stable")][:N_CANDIDATES])
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *candidates])
    npmi = npmi_matrix(counts[:, columns])
    ends = np.cumsum([0, *(len(mine) for mine in candidates)])
    return [
        mine[_greedy(weights[at, mine], npmi[start:end, start:end], n)].tolist()
        for at, (mine, start, end) in enumerate(zip(candidates, ends, ends[1:], strict=False))
    ]


def make_label(weights: NDArray[np.float64], words: Sequence[str]) -> str:
    """Return a label of three or four words, such as "point cloud, lidar".

    `weights` are those of one topic over single words and phrases. The heaviest come first;
    nothing repeats a word of the label.
    """
    label: list[str] = []
    used: set[str] = set()
    # A phrase is rarer than its words by nature, yet says more.
    n_parts = np.array([word.count(" ") + 1 for word in words], dtype=np.float64)
    for at in np.argsort(-weights * n_parts**2, kind="stable"):
        parts = words[at].split(" ")
        if weights[at] <= 0 or len(used) >= LABEL_WORDS:
            break
        if _is_good(parts) and not used.intersection(parts):
            label.append(words[at])
            used.update(parts)
    return ", ".join(label)


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


def _greedy(weights: Weights, npmi: Weights, n: int) -> list[int]:
    """Positions of the chosen words; `weights` fall."""
    chosen: list[int] = []
    together = np.zeros(len(weights))
    typical = np.sqrt(weights / weights[0]) if len(weights) else weights
    while len(chosen) < min(n, len(weights)):
        value = typical * np.maximum(together / max(len(chosen), 1), 0) if chosen else typical
        value[chosen] = -1.0
        at = int(value.argmax())
        if value[at] <= 0:
            break
        chosen.append(at)
        together = together + npmi[at]
    return chosen
