"""Discovered topics: clusters of papers, learned from the texts alone.

Belongs here: fitting topics to papers, and assigning later papers to them. Does not belong here:
splitting texts into words (`words.py`), vectors and clustering (`vectors.py`), top words and labels
(`labels.py`), ids (`topic_ids.py`), when topics are fitted (`fitting.py`), the taxonomy
(`taxonomy.py`).

Papers become rows of TF-IDF weights. A truncated singular value decomposition keeps the main
directions, scaled by a power of the singular values. Ward's method clusters a sample; k-means
starts from these clusters, or from the previous fit. The result does not depend on the order of the
papers. The only random input is the start vector of the decomposition, which does not change the
result beyond its tolerance.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from pipelines.topics.embedding import Embedder
from pipelines.topics.label_phrases import Phrases
from pipelines.topics.labels import choose_words, heaviest, make_labels, topic_weights
from pipelines.topics.lineage import LINEAGE_SCHEMA, origins_of
from pipelines.topics.topic_ids import inherit_ids, new_ids
from pipelines.topics.topic_model import Fit, TopicModel, TopicModelError
from pipelines.topics.topic_tables import assignments_table, topics_table
from pipelines.topics.vectors import (
    cluster,
    directions,
    inverse_frequency,
    means,
    nearest,
    unit,
    weigh,
    without_empty,
)
from pipelines.topics.words import (
    Floats,
    Ints,
    Sparse,
    Vocabulary,
    count_words,
    learn_vocabulary,
    part_of,
    text_of_papers,
    tokenise,
)

MIN_PAPERS_PER_WORD = 10
MAX_SHARE_PER_WORD = 0.5
"""Words in fewer papers, or in a larger share of them, are left out."""

MAX_FIT_PAPERS = 30_000
"""Topics are learned from at most this many papers: those with the smallest hashes of their ids."""

N_KEY_WORDS = 30
"""Words and phrases of a topic that are used as evidence in papers."""


@dataclass(frozen=True)
class _Vectors:
    """Papers as counts, weights and vectors, and how they were computed."""

    texts: pl.Series
    vocabulary: Vocabulary
    counts: Sparse
    weights: Sparse
    idf: Floats
    basis: Floats
    vectors: Floats
    sample: Ints
    """Positions of the papers that topics are learned from."""


def fit(
    papers: pl.DataFrame,
    *,
    n_topics: int | None = None,
    previous: tuple[TopicModel, pl.DataFrame] | None = None,
    restart: bool = False,
    embedder: Embedder | None = None,
    seed: int = 0,
) -> Fit:
    """Return the topics of papers, their tables, and their lineage from the previous fit.

    `papers` has paper_id, title, abstract and keywords (a list); the last two may be null. A
    repeated paper_id counts once. `previous` is the model and the assignments of the previous fit:
    its topics pass on their ids, and unless `restart` k-means starts from its centroids, provided
    that the number of topics is the same. Few papers give fewer topics than `n_topics`.

    The score of a paper is the cosine of its vector and the centroid of its topic. The margin is
    the difference to the score of the second-best topic, or the score itself if there is one topic.
    A paper that shares no word with others has no topic and no row.
    """
    papers = _in_order(papers)
    with threadpool_limits(limits=1):  # the order of summation must not depend on the machine
        found = _vectorise(papers, embedder, seed)
        start = None
        if previous is not None and not restart:
            start = _starting_points(previous[0], found, embedder)
        centroids = cluster(found.vectors[found.sample], start, n_topics=n_topics)
        topic, score, margin = nearest(found.vectors, centroids)
        centroids, topic = without_empty(centroids, topic)
        model = _described_model(found, centroids, topic, embedder)
        lineage = pl.DataFrame(schema=LINEAGE_SCHEMA)
        if previous is not None:
            model, lineage = inherit_ids(model, papers["paper_id"], topic, *previous)
    assignments = assignments_table(model, papers["paper_id"], found.counts, topic, score, margin)
    return Fit(model, topics_table(model, assignments), assignments, lineage)


def assign(
    model: TopicModel, papers: pl.DataFrame, *, embedder: Embedder | None = None
) -> pl.DataFrame:
    """Return the topics of papers by an earlier fit, with `ASSIGNMENT_SCHEMA`.

    `papers` as for `fit`. Papers of that fit get the same rows again. Raises `TopicModelError` if
    the embedder differs from the one that the model was fitted with.
    """
    name = embedder.name if embedder else None
    if name != model.embedder:
        raise TopicModelError(
            f"The topics were fitted with the embedding model {model.embedder or 'none'}, but "
            f"papers are assigned with {name or 'none'}. Use the same model, or fit again."
        )
    papers = _in_order(papers)
    with threadpool_limits(limits=1):
        texts = papers.select(text_of_papers()).to_series()
        counts = count_words(tokenise(texts), model.vocabulary)
        vectors = _text_vectors(texts, weigh(counts, model.idf), model.basis, embedder)
        topic, score, margin = nearest(vectors, model.centroids)
    return assignments_table(model, papers["paper_id"], counts, topic, score, margin)


def by_hash(paper_ids: pl.Series) -> Ints:
    """Return the positions of papers in the order of the SHA-256 of their ids.

    The relative order of papers does not change when others are added, so the first n stay mostly
    the same from fit to fit.
    """
    hashes = [hashlib.sha256(paper_id.encode()).digest() for paper_id in paper_ids]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return np.array(order, dtype=np.int64)


def _vectorise(papers: pl.DataFrame, embedder: Embedder | None, seed: int) -> _Vectors:
    texts = papers.select(text_of_papers()).to_series()
    tokens = tokenise(texts)
    sample = by_hash(papers["paper_id"])[:MAX_FIT_PAPERS]
    vocabulary = learn_vocabulary(
        tokens if len(sample) == papers.height else part_of(tokens, np.sort(sample)),
        min_papers=_min_papers_per_word(len(sample)),
        max_share=MAX_SHARE_PER_WORD,
    )
    counts = count_words(tokens, vocabulary)
    idf = inverse_frequency(vocabulary, len(sample))
    weights = weigh(counts, idf)
    basis = np.zeros((len(vocabulary.words), 0), dtype=np.float32)
    if embedder is None:
        basis = directions(weights[np.sort(sample)], seed)
    vectors = _text_vectors(texts, weights, basis, embedder)
    return _Vectors(texts, vocabulary, counts, weights, idf, basis, vectors, sample)


def _text_vectors(
    texts: pl.Series, weights: Sparse, basis: Floats, embedder: Embedder | None
) -> Floats:
    """A vector of unit length for each text, from its words or from a user's model."""
    raw = np.asarray(weights @ basis) if embedder is None else embedder.embed(texts.to_list())
    return unit(raw)


def _in_order(papers: pl.DataFrame) -> pl.DataFrame:
    """One row per paper_id, sorted. Repeated rows are ordered by text, so the result is unique."""
    columns = papers.select(
        pl.col("paper_id", "title", "abstract").cast(pl.String),
        pl.col("keywords").cast(pl.List(pl.String)),
    )
    keywords = pl.col("keywords").list.join("|")
    return columns.sort("paper_id", "title", "abstract", keywords, nulls_last=True).unique(
        "paper_id", keep="first", maintain_order=True
    )


def _min_papers_per_word(n_papers: int) -> int:
    """`MIN_PAPERS_PER_WORD`, less for few papers, but at least 2."""
    return int(np.clip(n_papers // 200, 2, MIN_PAPERS_PER_WORD))


def _starting_points(
    previous: TopicModel, found: _Vectors, embedder: Embedder | None
) -> Floats | None:
    """The previous centroids in this fit's dimensions; None if they can't be expressed in them."""
    if previous.embedder != (embedder.name if embedder else None):
        return None
    if embedder is not None:
        return previous.centroids
    column = {word: at for at, word in enumerate(found.vocabulary.words)}
    both = [(i, column[w]) for i, w in enumerate(previous.vocabulary.words) if w in column]
    old, new = [i for i, _ in both], [j for _, j in both]
    points = unit(previous.word_centroids[:, old] @ found.basis[new])
    return points if np.all(np.any(points != 0, axis=1)) else None


def _described_model(
    found: _Vectors, centroids: Floats, topic: Ints, embedder: Embedder | None
) -> TopicModel:
    """The model, with new ids, labels, top words and key words."""
    words, n_single = found.vocabulary.words, found.vocabulary.n_single
    weights = topic_weights(found.counts, topic, len(centroids))
    counts = found.counts[:, :n_single]
    chosen = choose_words(weights[:, :n_single], counts, topic, words[:n_single])
    top_words = tuple(tuple(words[at] for at in columns) for columns in chosen)
    phrases = Phrases(found.texts.to_list(), found.vocabulary)
    word_centroids = means(found.weights, topic, len(centroids))
    return TopicModel(
        vocabulary=found.vocabulary,
        idf=found.idf,
        basis=found.basis,
        centroids=centroids,
        word_centroids=word_centroids,
        topic_ids=new_ids(top_words),
        labels=tuple(make_labels(weights, found.counts, topic, words, phrases)),
        top_words=top_words,
        key_words=tuple(
            tuple(words[at] for at in heaviest(row, words, N_KEY_WORDS)) for row in weights
        ),
        origins=origins_of(words, word_centroids),
        embedder=embedder.name if embedder else None,
    )
