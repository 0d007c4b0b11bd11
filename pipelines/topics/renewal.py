"""The number of clusters: which are merged, which are split, and how many a first fit has.

Belongs here: the rule that a cluster must explain a share of the scatter. Does not belong here:
vectors and k-means (`vectors.py`), which topics keep their ids (`lineage.py`).

The *scatter* of papers is the sum of their squared distances to their mean. Dividing a cluster in
two explains a part of it: with n and m papers and means a and b, n·m / (n + m) · |a - b|². Ward's
method merges the pair for which this is smallest (J. H. Ward, *Hierarchical grouping to optimize an
objective function*, JASA 58, 1963). A share of the scatter does not depend on the number of papers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.topics.words import Floats, Ints

SPLIT_SHARE = 0.003
"""A division that explains at least this share of the scatter makes two topics. On samples of 1,322
to 10,000 papers of the archive, dated before six quarters, this gives 37 to 48 topics."""

MERGE_SHARE = 0.0015
"""Two topics are merged if their division explains less. Half of `SPLIT_SHARE`, so that topics that
were just split are not merged by the next few papers."""

SPLIT_PAPERS = 1_000
"""Papers of a topic in which divisions are searched."""


def scatter(vectors: Floats) -> float:
    """Return the sum of squared distances of vectors to their mean."""
    wide = vectors.astype(np.float64)
    return float(np.square(wide - wide.mean(axis=0)).sum())


def ward_groups(vectors: Floats, *, most: int, least: float = 0.0, weight: float = 1.0) -> Ints:
    """Return the group of each vector, from 0: at most `most` groups of Ward's tree.

    Only divisions that explain more than `least` are used. `weight` is the number of papers that
    each vector represents. There are fewer groups if many vectors are equal.
    """
    if len(vectors) < 2 or most < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    from scipy.cluster.hierarchy import fcluster, linkage

    tree = linkage(vectors.astype(np.float64), "ward")
    # The height of a merger in the tree is sqrt( 2 · what the division explains ).
    n_divisions = int((weight * np.square(tree[:, 2]) / 2 > least).sum())
    group = fcluster(tree, min(n_divisions + 1, most), "maxclust") - 1
    return np.asarray(group, dtype=np.int64)


def without_similar(centroids: Floats, sizes: NDArray[np.float64], least: float) -> Floats:
    """Return the centroids after merging, one by one, the pair whose division explains least."""
    points, sizes = centroids.astype(np.float64), sizes.astype(np.float64)
    while len(points) > 1:
        apart = np.square(points[:, None, :] - points[None, :, :]).sum(axis=2)
        explained = np.outer(sizes, sizes) / np.maximum(sizes[:, None] + sizes, 1) * apart
        np.fill_diagonal(explained, np.inf)
        a, b = divmod(int(explained.argmin()), len(points))
        if explained[a, b] > least:
            break
        both = max(sizes[a] + sizes[b], 1.0)
        points[a] = (sizes[a] * points[a] + sizes[b] * points[b]) / both
        sizes[a] += sizes[b]
        points, sizes = np.delete(points, b, axis=0), np.delete(sizes, b)
    return points.astype(np.float32)


def divided(vectors: Floats, group: Ints, centroids: Floats, least: float, most: int) -> Floats:
    """Return the centroids, with those of groups that have a division explaining `least` replaced.

    `vectors` are in the order of their papers' hashes, so the sample of a group is a random one.
    Nothing is divided if that gave more than `most` centroids.
    """
    points = []
    for at, centroid in enumerate(centroids):
        own = vectors[group == at]
        some = own[:SPLIT_PAPERS]
        weight = len(own) / max(len(some), 1)
        parts = ward_groups(some, most=len(some), least=least, weight=weight)
        if len(parts) and parts.max():
            points += [some[parts == part].mean(axis=0) for part in range(parts.max() + 1)]
        else:
            points.append(centroid)
    return centroids if len(points) > most else np.stack(points).astype(np.float32)
