"""Models of discovered topics as files: JSON and NumPy arrays, no pickles.

Belongs here: writing a model down and reading it. Does not belong here: what is in it
(`discovered.py`), where it is kept.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pipelines.topics.discovered import FORMAT, TopicModel, TopicModelError, model_facts
from pipelines.topics.words import Vocabulary

_ARRAYS, _FACTS = "arrays.npz", "model.json"


def save_model(model: TopicModel, folder: Path) -> None:
    """Write a model below a folder, as JSON and NumPy arrays; equal models give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FACTS).write_text(model_facts(model), encoding="utf-8")
    np.savez(
        folder / _ARRAYS,
        idf=model.idf,
        basis=model.basis,
        centroids=model.centroids,
        word_centroids=model.word_centroids,
    )


def load_model(folder: Path) -> TopicModel:
    """Return the model that `save_model` wrote, or raise `TopicModelError`."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise TopicModelError(f"Cannot read the topics in {folder}: {error}. Fit anew.") from error
    if facts.get("format") != FORMAT:
        raise TopicModelError(
            f"The topics in {folder} have format {facts.get('format')}, not {FORMAT}. Fit anew."
        )
    return TopicModel(
        vocabulary=Vocabulary(
            words=tuple(facts["words"]),
            n_single=facts["n_single"],
            forms=tuple(facts["forms"]),
            form_word=tuple(facts["form_word"]),
            n_papers=tuple(facts["n_papers"]),
        ),
        topic_ids=tuple(facts["topic_ids"]),
        labels=tuple(facts["labels"]),
        top_words=tuple(tuple(words) for words in facts["top_words"]),
        key_words=tuple(tuple(words) for words in facts["key_words"]),
        embedder=facts["embedder"],
        **arrays,
    )
