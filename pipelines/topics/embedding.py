"""A user's embedding model for discovered topics.

Belongs here: the interface of such a model, and loading one by name. Does not belong here: a model.
Papertide ships none; without PAPERTIDE_TOPIC_EMBEDDER topics are found from word counts.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from pipelines.errors import PapertideError

if TYPE_CHECKING:  # importing it loads SciPy
    from pipelines.topics.words import Floats


class Embedder(Protocol):
    """Maps texts to vectors. Must be deterministic."""

    @property
    def name(self) -> str:
        """Model and version. Stored with the topics, which can only be used with this model."""
        ...

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return texts × dimensions, float32; a row of zeros for a text without content."""
        ...


@lru_cache(maxsize=2)
def load_embedder(function: str) -> Embedder | None:
    """Return the model that a function `module:function` creates; None for an empty name.

    Cached, because loading a model may take long. Raises `PapertideError` if the function can't be
    imported, fails, or does not return an `Embedder`.
    """
    if not function:
        return None
    module, _, path = function.partition(":")
    try:
        factory = importlib.import_module(module)
        for part in path.split("."):
            factory = getattr(factory, part)
        embedder = factory()  # type: ignore[operator]
    except Exception as error:
        raise PapertideError(
            f"Cannot load PAPERTIDE_TOPIC_EMBEDDER={function}: {type(error).__name__}: {error}. "
            "Name a function without arguments (module:function) of an installed module, or unset "
            "the variable."
        ) from error
    if not isinstance(getattr(embedder, "name", None), str) or not callable(
        getattr(embedder, "embed", None)
    ):
        raise PapertideError(
            f"PAPERTIDE_TOPIC_EMBEDDER={function} returns a {type(embedder).__name__}, which lacks "
            "`name` and `embed`; see pipelines/topics/embedding.py."
        )
    return cast(Embedder, embedder)
