"""Quality of topics: coherence and diversity of their top words.

Belongs here: measures over top words and the papers' word counts. Does not belong here: choosing
the words (`labels.py`), measures of clusterings (scikit-learn has them).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.topics.words import Sparse


def topic_npmi(
    topics: Sequence[Sequence[str]], counts: Sparse, words: Sequence[str]
) -> list[float | None]:
    """Return the coherence of each topic: the mean NPMI over all pairs of its words.

    `counts` is papers × words; `words` are its columns. With p(a) the share of papers that contain
    a word, and p(a, b) the share that contain both,

        NPMI(a, b) = ln( p(a, b) / (p(a) p(b)) ) / -ln p(a, b)

    which is -1 for words that never co-occur, 0 for independent words, and 1 for words that only
    occur together. None for a topic with fewer than two words. A word without a column is in no
    paper.

    Source: G. Bouma, *Normalized (pointwise) mutual information in collocation extraction*,
    Proceedings of GSCL 2009, section 3; used for topics by J. H. Lau, D. Newman and T. Baldwin,
    *Machine reading tea leaves*, EACL 2014.
    """
    column = {word: at for at, word in enumerate(words)}
    used = sorted({column[word] for topic in topics for word in topic if word in column})
    index = {at: i for i, at in enumerate(used)}
    npmi = npmi_matrix(counts[:, used])
    found: list[float | None] = []
    for topic in topics:
        at = [index[column[word]] if word in column else None for word in topic]
        pairs = [
            -1.0 if a is None or b is None else float(npmi[a, b]) for a, b in combinations(at, 2)
        ]
        found.append(sum(pairs) / len(pairs) if pairs else None)
    return found


def npmi_matrix(counts: Sparse, *, doubt: float = 0.0) -> NDArray[np.float64]:
    """Return the NPMI of all pairs of columns of a papers × words matrix; the diagonal is 1.

    With `doubt`, two words that co-occur in n papers count as co-occurring in n - `doubt` · √n, a
    lower bound of a Poisson count. This discounts co-occurrences by chance.
    """
    n_papers, n_words = counts.shape
    if not n_papers or not n_words:
        return np.full((n_words, n_words), -1.0)
    present = sp.csc_matrix(counts > 0, dtype=np.float64)
    together = np.asarray((present.T @ present).todense())
    alone = together.diagonal() / n_papers
    both = np.maximum(together - doubt * np.sqrt(together), 0) / n_papers
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(both / np.outer(alone, alone)) / -np.log(both)
    npmi[both == 0] = -1.0
    npmi[both == 1] = 1.0
    np.fill_diagonal(npmi, 1.0)
    return np.asarray(npmi)


def diversity(topics: Sequence[Sequence[str]]) -> float | None:
    """Return the share of distinct words among the top words of all topics; None without words.

    Source: A. B. Dieng, F. J. R. Ruiz and D. M. Blei, *Topic modeling in embedding spaces*,
    Transactions of the ACL 8 (2020), section 6, here over the words given, not the top 25.
    """
    words = [word for topic in topics for word in topic]
    return len(set(words)) / len(words) if words else None
