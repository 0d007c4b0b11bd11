"""Data classes of discovered topics: a model, and a fit with its tables.

Belongs here: what a fit contains, and the version of a model. Does not belong here: fitting
(`discovered.py`), files (`topic_files.py`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.errors import PapertideError
from pipelines.topics.lineage import LINEAGE_SCHEMA, Origin
from pipelines.topics.words import Floats, Vocabulary

FORMAT = 2
"""Format of `model_facts`."""

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
    """A stored model can't be used. The message states the reason and the fix."""


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Everything needed to assign papers to topics."""

    vocabulary: Vocabulary
    idf: Floats
    """Weight of each word."""
    basis: Floats
    """Words × dimensions; empty if an embedder computes the vectors."""
    centroids: Floats
    """Topics × dimensions, of unit length."""
    word_centroids: Floats
    """Topics × words: mean TF-IDF weights, used to compare fits."""
    topic_ids: tuple[str, ...]
    labels: tuple[str, ...]
    top_words: tuple[tuple[str, ...], ...]
    key_words: tuple[tuple[str, ...], ...]
    """The heaviest words and phrases of each topic. Those in a paper are its evidence."""
    origins: tuple[Origin, ...]
    """The words of each topic when its id was new, to which later fits are compared."""
    embedder: str | None

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of a SHA-256 over the whole model."""
        digest = hashlib.sha256(model_facts(self).encode())
        for array in (self.idf, self.basis, self.centroids, self.word_centroids):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Fit:
    """A model and the tables of the papers that it was fitted to."""

    model: TopicModel
    topics: pl.DataFrame
    """`TOPIC_SCHEMA`, the largest topic first."""
    assignments: pl.DataFrame
    """`ASSIGNMENT_SCHEMA`, sorted by paper_id."""
    lineage: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINEAGE_SCHEMA))
    """`LINEAGE_SCHEMA`; empty for a first fit."""


def model_facts(model: TopicModel) -> str:
    """Return everything in a model except its arrays, as JSON."""
    vocabulary = model.vocabulary
    return json.dumps(
        {
            "format": FORMAT,
            "embedder": model.embedder,
            "topic_ids": model.topic_ids,
            "labels": model.labels,
            "top_words": model.top_words,
            "key_words": model.key_words,
            "origins": model.origins,
            "n_single": vocabulary.n_single,
            "words": vocabulary.words,
            "n_papers": vocabulary.n_papers,
            "forms": vocabulary.forms,
            "form_word": vocabulary.form_word,
        },
        ensure_ascii=False,
    )
