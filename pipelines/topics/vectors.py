"""Vectors of papers, and their clusters.

Belongs here: TF-IDF weights, the decomposition, Ward's method, k-means, the nearest centroid. Does
not belong here: topics made of the clusters (`discovered.py`).

Libraries that only fitting needs are imported inside functions, because importing them takes longer
than assigning a day's papers.
"""

from __future__ import annotations

import warnings

import numpy as np
import scipy.sparse as sp

from pipelines.topics.renewal import (
    MERGE_SHARE,
    SPLIT_SHARE,
    divided,
    scatter,
    ward_groups,
    without_similar,
)
from pipelines.topics.words import Floats, Ints, Sparse, Vocabulary

N_DIMENSIONS = 100
"""Singular vectors that are kept."""

IDF_POWER = 1.5
"""Exponent of the inverse document frequency. Above 1, rare words weigh more than in TF-IDF."""

TOLERANCE = 1e-4
"""Tolerance of the singular values, small enough that clusters do not depend on the start vector. A
randomised decomposition does not achieve this."""

STRETCH = 2.25
"""Exponent of the singular values; 1 is plain latent semantic analysis."""

MIN_PAPERS_PER_TOPIC = 5
"""Least mean number of papers per topic."""

MEAN_PAPERS_PER_TOPIC = 25
"""Least mean number of papers per topic if their number follows from the papers."""

WARD_PAPERS = 4_000
"""Papers clustered by Ward's method, whose time and memory are quadratic."""

MAX_ROUNDS = 100
REFIT_ROUNDS = 2
"""Iterations of k-means from Ward's clusters, and from the previous fit. The latter are few, so
that topics stay close to the previous ones."""


def inverse_frequency(vocabulary: Vocabulary, n_papers: int) -> Floats:
    """Return for each word ( ln( (1 + n_papers) / (1 + papers with it) ) + 1 ) ^ IDF_POWER."""
    with_word = np.array(vocabulary.n_papers, dtype=np.float64)
    return np.asarray((np.log((1 + n_papers) / (1 + with_word)) + 1) ** IDF_POWER, dtype=np.float32)


def weigh(counts: Sparse, idf: Floats) -> Sparse:
    """Return TF-IDF rows of unit length, with the term frequency 1 + ln(occurrences)."""
    weights = counts.copy()
    weights.data = 1 + np.log(weights.data)
    weights = weights @ sp.diags_array(idf, dtype=np.float32)
    length = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1)).ravel())
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    return sp.csr_matrix(sp.diags_array(scale, dtype=np.float32) @ weights, dtype=np.float32)


def directions(weights: Sparse, seed: int) -> Floats:
    """Return words × dimensions: V · S^(STRETCH - 1) of X = U S V'; X times it is U S^STRETCH."""
    smaller = min(weights.shape)
    if not smaller:
        return np.zeros((weights.shape[1], 0), dtype=np.float32)
    if smaller <= 2 * N_DIMENSIONS:
        _, stretch, directions = np.linalg.svd(weights.toarray(), full_matrices=False)
    else:
        from scipy.sparse.linalg import svds

        start = np.random.default_rng(seed).uniform(0.5, 1, smaller).astype(np.float32)
        _, stretch, directions = svds(weights, N_DIMENSIONS, v0=start, tol=TOLERANCE)
    order = np.argsort(-stretch)[:N_DIMENSIONS]
    stretch = stretch[order]
    scale = (stretch / stretch[0] if stretch[0] else stretch) ** (STRETCH - 1)
    return np.ascontiguousarray(directions[order].T * scale, dtype=np.float32)


def unit(rows: Floats) -> Floats:
    """Return the rows scaled to unit length. Rows of zeros stay zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 0))


def cluster(vectors: Floats, start: Floats | None, *, n_topics: int | None) -> Floats:
    """Return centroids of unit length. `vectors` are in the order of their papers' hashes.

    With `n_topics`, there are as many centroids, or fewer if there are few papers. Without, their
    number follows from the papers (`renewal.py`): without `start`, from the divisions of Ward's
    tree; with it, clusters are merged and split after k-means.
    """
    vectors = vectors[np.any(vectors != 0, axis=1)]
    if not len(vectors):
        return np.zeros((0, vectors.shape[1]), dtype=np.float32)
    if n_topics is not None:
        return unit(_fixed_number(vectors, start, n_topics))
    most = max(len(vectors) // MEAN_PAPERS_PER_TOPIC, 1)
    if start is None or len(start) > most:
        some = vectors[:WARD_PAPERS]
        group = ward_groups(some, most=most, least=SPLIT_SHARE * scatter(some))
        return unit(_k_means(vectors, _group_means(some, group), MAX_ROUNDS)[0])
    total = scatter(vectors)
    centroids, group = _k_means(vectors, start, REFIT_ROUNDS)
    sizes = np.bincount(group, minlength=len(centroids)).astype(np.float64)
    merged = without_similar(centroids, sizes, MERGE_SHARE * total)
    _, group = _k_means(vectors, merged, 1)
    split = divided(vectors, group, merged, SPLIT_SHARE * total, most)
    return unit(_k_means(vectors, split, REFIT_ROUNDS)[0])


def _fixed_number(vectors: Floats, start: Floats | None, n_topics: int) -> Floats:
    n_topics = min(n_topics, max(len(vectors) // MIN_PAPERS_PER_TOPIC, 1))
    if start is not None and len(start) == n_topics:
        return _k_means(vectors, start, REFIT_ROUNDS)[0]
    some = vectors[:WARD_PAPERS]
    group = ward_groups(some, most=n_topics)
    return _k_means(vectors, _group_means(some, group), MAX_ROUNDS)[0]


def _group_means(vectors: Floats, group: Ints) -> Floats:
    return unit(np.stack([vectors[group == at].mean(axis=0) for at in range(group.max() + 1)]))


def _k_means(vectors: Floats, start: Floats, rounds: int) -> tuple[Floats, Ints]:
    """Centroids after some rounds of k-means, and the cluster of each vector."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    found = KMeans(len(start), init=start, n_init=1, max_iter=rounds, random_state=0)
    with warnings.catch_warnings():
        # The number of iterations is limited on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found.fit(vectors)
    return found.cluster_centers_, found.labels_.astype(np.int64)


def nearest(vectors: Floats, centroids: Floats) -> tuple[Ints, Floats, Floats]:
    """Return for each vector its topic (-1 for none), the cosine, and the lead over the next."""
    n_papers, n_topics = len(vectors), len(centroids)
    if not n_papers or not n_topics:
        none = np.zeros(n_papers, dtype=np.float32)
        return np.full(n_papers, -1, dtype=np.int64), none, none
    # Not BLAS, where the bits of a row may depend on the other rows.
    cosine = np.einsum("ij,kj->ik", vectors, centroids)
    topic = cosine.argmax(axis=1)
    score = cosine[np.arange(n_papers), topic]
    margin = score
    if n_topics > 1:
        margin = score - np.partition(cosine, n_topics - 2, axis=1)[:, n_topics - 2]
    empty = ~np.any(vectors != 0, axis=1)
    return np.where(empty, -1, topic), score, margin


def without_empty(centroids: Floats, topic: Ints) -> tuple[Floats, Ints]:
    """Return the centroids of topics with papers, and the topics renumbered."""
    used = np.unique(topic[topic >= 0])
    number = np.full(len(centroids) + 1, -1, dtype=np.int64)
    number[used] = np.arange(len(used))
    return centroids[used], number[topic]


def means(weights: Sparse, topic: Ints, n_topics: int) -> Floats:
    """Return topics × words: the mean weights of each topic's papers."""
    inside = np.flatnonzero(topic >= 0)
    size = np.bincount(topic[inside], minlength=n_topics)
    member = sp.csr_matrix(
        (1 / size[topic[inside]], (topic[inside], inside)), shape=(n_topics, weights.shape[0])
    )
    return np.asarray((member @ weights).todense(), dtype=np.float32)
