"""Topic models behind one interface: discovered topics, NMF and LDA.

Belongs here: running a method on papers and returning its top words and clusters. Does not belong
here: measuring them (`discovered.py`), discovered topics (`pipelines/topics/discovered.py`).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from threadpoolctl import threadpool_limits

from pipelines.topics.discovered import fit
from pipelines.topics.labels import N_TOP_WORDS
from pipelines.topics.words import text_of_papers

RAW_WORDS: Final = r"(?u)\b\w\w+\b"
"""Words for the measures of all methods, as in scikit-learn: at least two characters, lower
case, plurals not folded."""

OURS: Final = "discovered topics"
NMF_OF_TFIDF: Final = "TF-IDF and NMF"
FAST: Final = (OURS, NMF_OF_TFIDF)
"""Methods that fit twenty thousand papers within seconds."""

MIN_PAPERS_PER_WORD: Final = 10
LDA_PASSES: Final = 3


@dataclass(frozen=True)
class Found:
    """The topics that a method found."""

    words: list[list[str]]
    """Top words of each topic."""
    topics: pl.DataFrame
    """paper_id, topic: one row per paper with a topic."""
    seconds: float
    """CPU time."""


def _ours(papers: pl.DataFrame, n_topics: int, seed: int) -> tuple[list[list[str]], pl.DataFrame]:
    fitted = fit(papers, n_topics=n_topics, seed=seed)
    words = [list(words) for words in fitted.model.top_words]
    return words, fitted.assignments.select("paper_id", topic="topic_id")


def _nmf(papers: pl.DataFrame, n_topics: int, seed: int) -> tuple[list[list[str]], pl.DataFrame]:
    counts, names = _count(papers)
    method = NMF(n_topics, init="nndsvd", random_state=seed, max_iter=100, tol=1e-3)
    with warnings.catch_warnings():
        # The number of iterations is limited on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
        return _read(papers, method, weights, names)


def _lda(papers: pl.DataFrame, n_topics: int, seed: int) -> tuple[list[list[str]], pl.DataFrame]:
    counts, names = _count(papers)
    method = LatentDirichletAllocation(
        n_topics, learning_method="online", max_iter=LDA_PASSES, random_state=seed
    )
    return _read(papers, method, counts, names)


METHODS: Final[Mapping[str, Callable[..., tuple[list[list[str]], pl.DataFrame]]]] = {
    OURS: _ours,
    NMF_OF_TFIDF: _nmf,
    "LDA": _lda,
}


def find(method: str, papers: pl.DataFrame, *, n_topics: int, seed: int) -> Found:
    """Return the topics of papers by one of `METHODS`, computed on one thread."""
    with threadpool_limits(limits=1):
        started = time.process_time()
        words, topics = METHODS[method](papers, n_topics, seed)
        return Found(words, topics, time.process_time() - started)


def raw_counts(papers: pl.DataFrame, words: list[str]) -> Any:
    """Return papers × words: 1 if the paper contains the word."""
    return CountVectorizer(token_pattern=RAW_WORDS, vocabulary=words, binary=True).transform(
        _texts(papers)
    )


def _count(papers: pl.DataFrame) -> tuple[Any, list[str]]:
    min_papers = min(MIN_PAPERS_PER_WORD, max(papers.height // 20, 1))
    counter = CountVectorizer(
        token_pattern=RAW_WORDS, stop_words="english", min_df=min_papers, max_df=0.5
    )
    return counter.fit_transform(_texts(papers)), counter.get_feature_names_out().tolist()


def _read(
    papers: pl.DataFrame, method: Any, weights: Any, names: list[str]
) -> tuple[list[list[str]], pl.DataFrame]:
    """The words with the largest weights, and the topic with the largest share of each paper."""
    shares = method.fit_transform(weights)
    order = np.argsort(-method.components_, axis=1, kind="stable")[:, :N_TOP_WORDS]
    words = [[names[at] for at in row] for row in order]
    topics = papers.select("paper_id").with_columns(topic=pl.Series(shares.argmax(axis=1)))
    return words, topics.with_columns(pl.col("topic").cast(pl.String))


def _texts(papers: pl.DataFrame) -> list[str]:
    return papers.select(text_of_papers()).to_series().fill_null("").to_list()
