"""Vectors from elsewhere: the one interface between discovered topics and a user's model.

Belongs here: what an embedding back end must offer. Does not belong here: any back end; Papertide
brings none, and topics are found without one unless PAPERTIDE_TOPIC_EMBEDDER names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipelines.topics.words import Floats


class Embedder(Protocol):
    """Texts to vectors; the same text must always give the same vector."""

    @property
    def name(self) -> str:
        """Model and version; stored with the topics, which only vectors of this name may join."""
        ...

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return texts × dimensions, float32, a row of zeros where there is nothing to say."""
        ...
