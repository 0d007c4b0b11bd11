"""Discovered topics: groups of papers that the texts themselves form.

Belongs here: fitting topics to papers, placing papers that come later.
Does not belong here: cutting texts into words (`words.py`), vectors and groups (`vectors.py`),
choosing a topic's words (`labels.py`), comparing fits (`lineage.py`), files (`topic_files.py`), the
taxonomy (`taxonomy.py`), Dagster, the warehouse.

How it works. Papers become rows of TF-IDF weights; a truncated singular value decomposition keeps
their main directions, stretched by a power of the singular values; Ward's method groups some
thousand papers, and k-means starts from those groups (or from the fit before). No step draws at
random but the vector that the decomposition starts from, which it forgets, and papers are sorted
first, so the same papers give the same topics in whatever order they come.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from pipelines.errors import PapertideError
from pipelines.topics.embedding import Embedder
from pipelines.topics.labels import choose_words, heaviest, make_labels, topic_weights
from pipelines.topics.lineage import LINEAGE_SCHEMA, TopicSet, inherited_ids, match_topics
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

N_TOPICS = 40
MIN_PAPERS_PER_WORD = 10
MAX_SHARE_PER_WORD = 0.5
"""Words in fewer papers, or in more than this share of them, say nothing about topics."""

MAX_FIT_PAPERS = 30_000
"""Papers that topics are learned from; of more, those with the smallest hashes of their ids."""

N_KEY_WORDS = 30
"""Words and phrases of a topic that are looked for in a paper as evidence."""

N_EVIDENCE = 6
"""Of those found, the heaviest that are shown."""

N_REPRESENTATIVE = 5
"""Papers that stand for a topic."""

FORMAT = 1
"""Of the facts; what reads them compares it."""

TOPIC_SCHEMA = pl.Schema(
    {
        "topic_id": pl.String(),
        "label": pl.String(),
        "top_words": pl.List(pl.String()),
        "n_papers": pl.Int64(),
        "representative_paper_ids": pl.List(pl.String()),
    }
)
ASSIGNMENT_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "topic_id": pl.String(),
        "score": pl.Float64(),
        "margin": pl.Float64(),
        "evidence": pl.List(pl.String()),
    }
)


class TopicModelError(PapertideError):
    """A stored model cannot be used; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class TopicModel:
    """What placing papers takes: vocabulary, directions, centroids, and the words of topics."""

    vocabulary: Vocabulary
    idf: Floats
    """Weight of each word."""
    basis: Floats
    """Words × dimensions; empty where an embedder gives the vectors."""
    centroids: Floats
    """Topics × dimensions, of unit length."""
    word_centroids: Floats
    """Topics × words: mean TF-IDF weights, by which fits are compared."""
    topic_ids: tuple[str, ...]
    labels: tuple[str, ...]
    top_words: tuple[tuple[str, ...], ...]
    key_words: tuple[tuple[str, ...], ...]
    """The heaviest words and phrases of each topic, looked for as evidence."""
    embedder: str | None

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of a SHA-256 over everything in the model."""
        digest = hashlib.sha256(model_facts(self).encode())
        for array in (self.idf, self.basis, self.centroids, self.word_centroids):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Fit:
    """Topics fitted to papers."""

    model: TopicModel
    topics: pl.DataFrame
    """`TOPIC_SCHEMA`, the largest topic first."""
    assignments: pl.DataFrame
    """`ASSIGNMENT_SCHEMA`, sorted by paper_id."""
    lineage: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINEAGE_SCHEMA))
    """`LINEAGE_SCHEMA`; empty for a first fit."""


def fit(
    papers: pl.DataFrame,
    *,
    n_topics: int = N_TOPICS,
    previous: tuple[TopicModel, pl.DataFrame] | None = None,
    restart: bool = False,
    embedder: Embedder | None = None,
    seed: int = 0,
) -> Fit:
    """Return topics of papers, their tables, and their lineage from the fit before.

    `papers` has paper_id, title, abstract and keywords (a list), of which the last two may be
    null; a repeated paper_id counts once. `previous` is the model and the assignments of the fit
    before: k-means starts from its centroids if it has as many topics as this fit would, and
    unless `restart`; and topics that continue keep their ids in any case. Few papers make fewer
    topics than `n_topics`, and none makes none.

    The score of a paper is the cosine between it and the centroid of its topic, its margin what
    the score is ahead of the next topic's (of the score itself where there is one topic). A paper
    that shares no word with others has no topic and no row. `representative_paper_ids` are those
    with the highest scores.
    """
    papers = _in_order(papers)
    with threadpool_limits(limits=1):  # sums in one order, whatever the machine
        texts = papers.select(text_of_papers()).to_series()
        tokens = tokenise(texts)
        sample = by_hash(papers["paper_id"])[:MAX_FIT_PAPERS]
        vocabulary = learn_vocabulary(
            tokens if len(sample) == papers.height else part_of(tokens, np.sort(sample)),
            min_papers=_least_papers(len(sample)),
            max_share=MAX_SHARE_PER_WORD,
        )
        counts = count_words(tokens, vocabulary)
        idf = inverse_frequency(vocabulary, len(sample))
        weights = weigh(counts, idf)
        basis = np.zeros((len(vocabulary.words), 0), dtype=np.float32)
        if embedder is None:
            basis = directions(weights[np.sort(sample)], seed)
        vectors = _vectors(texts, weights, basis, embedder)
        centroids = cluster(
            vectors[sample],
            _starting_points(previous, vocabulary, basis, embedder)
            if previous is not None and not restart
            else None,
            n_topics=n_topics,
        )
        topic, score, margin = nearest(vectors, centroids)
        centroids, topic = without_empty(centroids, topic)
        model = _describe(
            TopicModel(
                vocabulary=vocabulary,
                idf=idf,
                basis=basis,
                centroids=centroids,
                word_centroids=means(weights, topic, len(centroids)),
                topic_ids=(),
                labels=(),
                top_words=(),
                key_words=(),
                embedder=embedder.name if embedder else None,
            ),
            counts,
            topic,
        )
        lineage = pl.DataFrame(schema=LINEAGE_SCHEMA)
        if previous is not None:
            model, lineage = _inherit(model, papers["paper_id"], topic, previous)
    assignments = _assignments(model, papers["paper_id"], counts, topic, score, margin)
    return Fit(model, _topics(model, assignments), assignments, lineage)


def assign(
    model: TopicModel, papers: pl.DataFrame, *, embedder: Embedder | None = None
) -> pl.DataFrame:
    """Return the topics of papers by an earlier fit, with `ASSIGNMENT_SCHEMA`.

    `papers` as for `fit`. The papers of that fit get the rows that it gave them. Raises
    `TopicModelError` if the embedder is not the one that the model was fitted with.
    """
    name = embedder.name if embedder else None
    if name != model.embedder:
        raise TopicModelError(
            f"The topics were fitted with {model.embedder or 'no embedding model'}, and papers "
            f"come with {name or 'none'}: pass the same, or fit anew."
        )
    papers = _in_order(papers)
    with threadpool_limits(limits=1):
        texts = papers.select(text_of_papers()).to_series()
        counts = count_words(tokenise(texts), model.vocabulary)
        vectors = _vectors(texts, weigh(counts, model.idf), model.basis, embedder)
        topic, score, margin = nearest(vectors, model.centroids)
    return _assignments(model, papers["paper_id"], counts, topic, score, margin)


def model_facts(model: TopicModel) -> str:
    """Return everything in a model but its arrays, as JSON."""
    vocabulary = model.vocabulary
    return json.dumps(
        {
            "format": FORMAT,
            "embedder": model.embedder,
            "topic_ids": model.topic_ids,
            "labels": model.labels,
            "top_words": model.top_words,
            "key_words": model.key_words,
            "n_single": vocabulary.n_single,
            "words": vocabulary.words,
            "n_papers": vocabulary.n_papers,
            "forms": vocabulary.forms,
            "form_word": vocabulary.form_word,
        },
        ensure_ascii=False,
    )


def _vectors(texts: pl.Series, weights: Sparse, basis: Floats, embedder: Embedder | None) -> Floats:
    """A vector of unit length for each text: of its words, or a user's model's."""
    raw = np.asarray(weights @ basis) if embedder is None else embedder.embed(texts.to_list())
    return unit(raw)


def _in_order(papers: pl.DataFrame) -> pl.DataFrame:
    columns = papers.select(
        pl.col("paper_id", "title", "abstract").cast(pl.String),
        pl.col("keywords").cast(pl.List(pl.String)),
    )
    # Rows of one paper are told apart by their texts, so that their order does not matter either.
    keywords = pl.col("keywords").list.join("|")
    return columns.sort("paper_id", "title", "abstract", keywords, nulls_last=True).unique(
        "paper_id", keep="first", maintain_order=True
    )


def _least_papers(n_papers: int) -> int:
    """In how many papers a word must stand: 2 of few, `MIN_PAPERS_PER_WORD` of many."""
    return int(np.clip(n_papers // 200, 2, MIN_PAPERS_PER_WORD))


def by_hash(paper_ids: pl.Series) -> Ints:
    """Positions of papers by the hashes of their ids, the smallest first.

    A paper's place among the others does not change when more come, so a sample of the first stays
    much the same from fit to fit.
    """
    hashes = [hashlib.sha256(paper_id.encode()).digest() for paper_id in paper_ids]
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    return np.array(order, dtype=np.int64)


def _starting_points(
    previous: tuple[TopicModel, pl.DataFrame],
    vocabulary: Vocabulary,
    basis: Floats,
    embedder: Embedder | None,
) -> Floats | None:
    """The previous centroids in this fit's dimensions; None where they have no place in it."""
    model = previous[0]
    if model.embedder != (embedder.name if embedder else None):
        return None
    if embedder is not None:
        return model.centroids
    column = {word: at for at, word in enumerate(vocabulary.words)}
    both = [(i, column[w]) for i, w in enumerate(model.vocabulary.words) if w in column]
    old, new = [i for i, _ in both], [j for _, j in both]
    points = unit(model.word_centroids[:, old] @ basis[new])
    return points if np.all(np.any(points != 0, axis=1)) else None


def _describe(model: TopicModel, counts: Sparse, topic: Ints) -> TopicModel:
    """The model with ids, labels and top words for its topics."""
    words, n_single = model.vocabulary.words, model.vocabulary.n_single
    weights = topic_weights(counts, topic, len(model.centroids))
    chosen = choose_words(weights[:, :n_single], counts[:, :n_single], topic, words[:n_single])
    top_words = tuple(tuple(words[at] for at in mine) for mine in chosen)
    return replace(
        model,
        topic_ids=_new_ids(top_words, ()),
        labels=tuple(make_labels(weights, counts, topic, words)),
        top_words=top_words,
        key_words=tuple(
            tuple(words[at] for at in heaviest(row, words, N_KEY_WORDS)) for row in weights
        ),
    )


def _new_ids(top_words: Sequence[Sequence[str]], taken: Sequence[str]) -> tuple[str, ...]:
    """An id for each list of words: `d-` and 8 hex digits of its hash, or of a further hash."""
    ids: list[str] = []
    used = set(taken)
    for words in top_words:
        digest = hashlib.sha256(" ".join(words).encode()).hexdigest()
        while f"d-{digest[:8]}" in used:
            digest = hashlib.sha256(digest.encode()).hexdigest()
        used.add(f"d-{digest[:8]}")
        ids.append(f"d-{digest[:8]}")
    return tuple(ids)


def _inherit(
    model: TopicModel,
    paper_ids: pl.Series,
    topic: Ints,
    previous: tuple[TopicModel, pl.DataFrame],
) -> tuple[TopicModel, pl.DataFrame]:
    """The model with the ids of topics that continue, and the lineage under those ids."""
    before, before_assignments = previous
    # Provisional ids that are no topic's, so that an old id can't be mistaken for a new one.
    provisional = tuple(f"new-{at:06d}" for at in range(len(model.topic_ids)))
    lineage = match_topics(
        TopicSet(
            before.topic_ids, before.vocabulary.words, before.word_centroids, before_assignments
        ),
        TopicSet(
            provisional,
            model.vocabulary.words,
            model.word_centroids,
            _placed(provisional, paper_ids, topic),
        ),
    )
    kept = inherited_ids(lineage)
    fresh = [at for at, name in enumerate(provisional) if name not in kept]
    new = _new_ids([model.top_words[at] for at in fresh], before.topic_ids)
    final = {**kept, **{provisional[at]: name for at, name in zip(fresh, new, strict=True)}}
    return (
        replace(model, topic_ids=tuple(final[name] for name in provisional)),
        lineage.with_columns(pl.col("topic_id").replace_strict(final, return_dtype=pl.String)).sort(
            "previous_topic_id", "topic_id", nulls_last=True
        ),
    )


def _placed(topic_ids: Sequence[str], paper_ids: pl.Series, topic: Ints) -> pl.DataFrame:
    """paper_id, topic_id of the papers that have a topic."""
    inside = np.flatnonzero(topic >= 0)
    return pl.DataFrame(
        {
            "paper_id": paper_ids.gather(inside),
            "topic_id": pl.Series(topic_ids, dtype=pl.String).gather(topic[inside]),
        }
    )


def _assignments(
    model: TopicModel,
    paper_ids: pl.Series,
    counts: Sparse,
    topic: Ints,
    score: Floats,
    margin: Floats,
) -> pl.DataFrame:
    placed = _placed(model.topic_ids, paper_ids, topic)
    inside = topic >= 0
    evidence = _evidence(model, counts, topic)
    return (
        placed.with_columns(
            row=pl.Series(np.flatnonzero(inside)),
            score=pl.Series(score[inside].astype(np.float64)),
            margin=pl.Series(margin[inside].astype(np.float64)),
        )
        .join(evidence, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("evidence").fill_null([]))
        .select(pl.col(name).cast(dtype) for name, dtype in ASSIGNMENT_SCHEMA.items())
    )


def _evidence(model: TopicModel, counts: Sparse, topic: Ints) -> pl.DataFrame:
    """row, evidence: the key words of a paper's topic that stand in the paper, heaviest first."""
    place = {word: at for at, word in enumerate(model.vocabulary.words)}
    owned = [
        (place[word], number, rank, word)
        for number, words in enumerate(model.key_words)
        for rank, word in enumerate(words)
    ]
    owned.sort()
    columns = [column for column, *_ in owned]
    found = counts[:, columns].tocoo()
    owner = np.array([number for _, number, *_ in owned], dtype=np.int64)
    hit = owner[found.col] == topic[found.row] if len(owned) else np.zeros(0, dtype=bool)
    which = pl.Series(found.col[hit].astype(np.int64))
    return (
        pl.DataFrame(
            {
                "row": pl.Series(found.row[hit].astype(np.int64)),
                "rank": pl.Series([rank for *_, rank, _ in owned], dtype=pl.Int64).gather(which),
                "word": pl.Series([word for *_, word in owned], dtype=pl.String).gather(which),
            }
        )
        .sort("row", "rank")
        .group_by("row", maintain_order=True)
        .agg(evidence=pl.col("word").head(N_EVIDENCE))
    )


def _topics(model: TopicModel, assignments: pl.DataFrame) -> pl.DataFrame:
    described = pl.DataFrame(
        {
            "topic_id": model.topic_ids,
            "label": model.labels,
            "top_words": [list(words) for words in model.top_words],
        },
        schema={name: TOPIC_SCHEMA[name] for name in ("topic_id", "label", "top_words")},
    )
    # Scores are compared to six digits, so that a last digit doesn't change who stands for a topic.
    counted = (
        assignments.sort(-pl.col("score").round(6), "paper_id")
        .group_by("topic_id", maintain_order=True)
        .agg(
            n_papers=pl.len(),
            representative_paper_ids=pl.col("paper_id").head(N_REPRESENTATIVE),
        )
    )
    return (
        described.join(counted, on="topic_id", how="inner")
        .select(pl.col(name).cast(dtype) for name, dtype in TOPIC_SCHEMA.items())
        .sort("n_papers", "topic_id", descending=[True, False])
    )
