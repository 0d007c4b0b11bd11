"""Terms: names of models, methods and data sets, and set phrases. The vocabulary.

Belongs here: what a term and a vocabulary are. Does not belong here: learning a vocabulary
(`term_learning.py`), finding its terms in texts (`term_matching.py`), the taxonomy, discovered
topics.

A term has one of four kinds:

- `coined`: a word that looks like a name, such as GRPO, DeepSeek, GPT-4o or LoRA;
- `name`: a word that is capitalised within sentences, such as Mamba;
- `acronym`: a coined word that papers spell out; its long form counts as the same term;
- `phrase`: two or three words that occur together more often than by chance, such as "flow
  matching".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import polars as pl

VOCABULARY_SCHEMA = pl.Schema(
    {
        "term_id": pl.String(),
        "term": pl.String(),
        "kind": pl.String(),
        "long_form": pl.String(),
        "n_papers": pl.Int64(),
        "wordings": pl.List(pl.String()),
    }
)


@dataclass(frozen=True)
class TermVocabulary:
    """Terms and the wordings that count as each."""

    terms: pl.DataFrame
    """`VOCABULARY_SCHEMA`, sorted by term_id. No wording belongs to two terms."""

    @cached_property
    def version(self) -> str:
        """The hash of all ids and wordings, which determine matches."""
        rows = sorted((i, sorted(w)) for i, w in self.terms.select("term_id", "wordings").rows())
        return _hash(rows)

    @cached_property
    def term_versions(self) -> pl.DataFrame:
        """term_id and term_version: the hash of the wordings of each term."""
        rows = self.terms.select("term_id", "wordings").rows()
        return pl.DataFrame(
            {"term_id": [i for i, _ in rows], "term_version": [_hash(sorted(w)) for _, w in rows]},
            schema={"term_id": pl.String, "term_version": pl.String},
        )


def _hash(content: object) -> str:
    """The first 12 hex digits of a SHA-256."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
