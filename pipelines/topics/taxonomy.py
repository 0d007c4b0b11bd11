"""Topics, rules and the taxonomy: the data classes.

Belongs here: what a topic and a rule are, and the versions of a taxonomy. Does not belong here:
checks (`taxonomy_checks.py`), CSV files (`taxonomy_files.py`), a user's changes
(`user_taxonomy.py`), finding rules in texts (`matching.py`).

A rule has one of four roles. A `phrase` names the topic. An `alias` is an abbreviation or proper
name of the topic. A `title` rule counts in titles only. A `negative` contains a phrase of the topic
but means something else: it cancels the phrases inside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from pipelines.errors import PapertideError

BUILT_IN, USER = "papertide", "user"
"""Origins of topics and rules."""

# Part of every version: increase it when the same rules match different words.
_MATCHING = "2"
_VERSION_LENGTH = 12


class TaxonomyError(PapertideError):
    """The taxonomy is invalid. The message names the file, the line and the fix."""


@dataclass(frozen=True)
class Topic:
    """One subject: a stable id, its display texts and its origin."""

    topic_id: str
    name: str
    area: str
    description: str
    parents: tuple[str, ...] = ()
    """Ids of broader topics. A paper of the topic is not counted for them."""

    origin: str = BUILT_IN
    place: str = field(default="", compare=False)
    """`file, line n` of the definition."""


@dataclass(frozen=True)
class Rule:
    """One phrase of a topic in the searched form, without outer spaces."""

    topic_id: str
    phrase: str
    role: str
    origin: str = BUILT_IN
    place: str = field(default="", compare=False)

    @property
    def is_negative(self) -> bool:
        """Whether the rule cancels matches."""
        return self.role == "negative"


@dataclass(frozen=True)
class Taxonomy:
    """Topics and rules. Hashable; compared by value."""

    topics: tuple[Topic, ...]
    rules: tuple[Rule, ...]

    @cached_property
    def rules_version(self) -> str:
        """The first 12 hex digits of a SHA-256 over the sorted normalised rules.

        Two taxonomies with the same version match the same words. Names, descriptions, origins and
        the order of lines do not change it.
        """
        lines = sorted(f"{rule.topic_id}\t{rule.phrase}\t{rule.role}" for rule in self.rules)
        digest = hashlib.sha256("\n".join([_MATCHING, *lines]).encode()).hexdigest()
        return digest[:_VERSION_LENGTH]

    @cached_property
    def contents_hash(self) -> str:
        """A SHA-256 over everything that the tables show of topics and rules."""
        topics = sorted(repr((t.topic_id, t.name, t.area, t.description, t.parents, t.origin))
                        for t in self.topics)  # fmt: skip
        rules = sorted(repr((r.topic_id, r.phrase, r.role, r.origin)) for r in self.rules)
        return hashlib.sha256("\n".join([_MATCHING, *topics, *rules]).encode()).hexdigest()

    def only(self, topic_id: str) -> Taxonomy:
        """Return the taxonomy of one topic with its rules."""
        return Taxonomy(
            tuple(t for t in self.topics if t.topic_id == topic_id),
            tuple(r for r in self.rules if r.topic_id == topic_id),
        )

    def parents_of(self, topic_id: str) -> list[Topic]:
        """Return the direct parents of a topic."""
        parents = {parent for t in self.topics if t.topic_id == topic_id for parent in t.parents}
        return [topic for topic in self.topics if topic.topic_id in parents]

    def children_of(self, topic_id: str) -> list[Topic]:
        """Return the direct children of a topic."""
        return [topic for topic in self.topics if topic_id in topic.parents]
