"""Fits of discovered topics as files: JSON, NumPy arrays and Parquet.

Belongs here: writing and reading models and fits. Does not belong here: their contents
(`topic_model.py`), which fits there are (`fitting.py`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.topics.topic_model import FORMAT, Fit, TopicModel, TopicModelError, model_facts
from pipelines.topics.words import Vocabulary

FIT_MODULES = (
    "boilerplate", "discovered", "embedding", "fitting", "function_words", "label_phrases",
    "labels", "lineage", "quality", "renewal", "text_forms", "topic_files", "topic_ids",
    "topic_model", "topic_tables", "vectors", "words",
)  # fmt: skip
"""Modules of this package that determine a fit: `fitting`, this one, and all that they import. A
test compares the list with the imports."""

_ARRAYS, _FACTS = "arrays.npz", "model.json"
_TABLES = ("topics", "assignments", "lineage")
_CHECKSUMS = "sealed.json"
_LIBRARIES = ("numpy", "polars", "scikit-learn", "scipy")


class FitFolder:
    """Stored fits: one folder per fit, named by its key, with checksums of its files."""

    def __init__(self, folder: Path, embedder: str = "") -> None:
        self._folder = folder
        self._embedder = embedder

    @cached_property
    def version(self) -> str:
        """A SHA-256 over the code of `FIT_MODULES`, library versions and the embedding model."""
        digest = hashlib.sha256(str([version(name) for name in _LIBRARIES]).encode())
        digest.update(self._embedder.encode())
        for name in FIT_MODULES:
            digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
        return digest.hexdigest()

    def get(self, key: str) -> Fit | None:
        """Return the fit of a key; None if it is missing or damaged."""
        try:
            return self.read(key)
        except TopicModelError:
            return None

    def read(self, key: str) -> Fit:
        """Return the fit of a key. Raises `TopicModelError` if it is missing or damaged."""
        folder = self._folder / key
        try:
            if json.loads((folder / _CHECKSUMS).read_text(encoding="utf-8")) != _hashes(folder):
                raise TopicModelError(
                    f"The stored topics in {folder} are damaged. Run `papertide build` again."
                )
            tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in _TABLES}
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise TopicModelError(f"Cannot read the topics in {folder}: {error}.") from error
        return Fit(load_model(folder), **tables)

    def keep(self, key: str, fitted: Fit) -> None:
        """Store a fit atomically: files are written to another folder, which is then renamed."""
        work = self._folder / f".writing-{key}"
        for folder in (work, self._folder / key):
            _remove(folder)
        save_model(fitted.model, work)
        for name in _TABLES:
            getattr(fitted, name).write_parquet(work / f"{name}.parquet")
        (work / _CHECKSUMS).write_text(json.dumps(_hashes(work)), encoding="utf-8")
        work.rename(self._folder / key)

    def keep_only(self, keys: Sequence[str]) -> None:
        """Remove the fits of other keys and incomplete folders."""
        for path in self._folder.glob("*"):
            if path.is_dir() and path.name not in keys:
                _remove(path)


def _hashes(folder: Path) -> dict[str, str]:
    """File name → SHA-256 of every file except the checksums."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != _CHECKSUMS
    }


def _remove(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def save_model(model: TopicModel, folder: Path) -> None:
    """Write a model to a folder as JSON and NumPy arrays. Equal models give equal bytes."""
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
    """Return the model that `save_model` wrote. Raises `TopicModelError`."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise TopicModelError(f"Cannot read the topics in {folder}: {error}. Fit again.") from error
    if facts.get("format") != FORMAT:
        raise TopicModelError(
            f"The topics in {folder} have format {facts.get('format')}, not {FORMAT}. Fit again."
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
        origins=tuple(
            tuple((word, weight) for word, weight in origin) for origin in facts["origins"]
        ),
        embedder=facts["embedder"],
        **arrays,
    )
