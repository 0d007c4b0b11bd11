"""What the current snapshot offers to choose from: populations, periods and topics.

Belongs here: the values that filters list and that an address is checked against. Does not: the
chosen values (`view`) or the query that reads them (`queries`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from dashboards.populations import is_category

GRAINS = ("week", "month", "quarter")
TAXONOMY, DISCOVERED = "taxonomy", "discovered"
KINDS = {TAXONOMY: "Taxonomy", DISCOVERED: "Discovered"}


@dataclass(frozen=True)
class Period:
    """A period of a population and its coverage."""

    start: date
    end: date
    n_total: int
    is_partial: bool
    is_sufficient: bool
    complete_share: float | None = None
    """Share of its lists that were captured in full; null where there are no lists."""
    text_share: float | None = None
    """Share of its papers with more text than a title."""

    @property
    def is_comparable(self) -> bool:
        """True when the period is neither partial nor insufficient."""
        return self.is_sufficient and not self.is_partial


@dataclass(frozen=True)
class TopicChoice:
    """A topic that a filter offers."""

    topic_id: str
    name: str
    area: str
    kind: str
    description: str | None
    parents: Sequence[str] = ()


@dataclass(frozen=True)
class Choices:
    """Periods by (population, grain), oldest first, and topics by name."""

    periods: Mapping[tuple[str, str], tuple[Period, ...]] = field(default_factory=dict)
    topics: tuple[TopicChoice, ...] = ()

    @property
    def populations(self) -> tuple[str, ...]:
        """Populations that have periods; the daily list comes first."""
        found = {population for population, _ in self.periods}
        return tuple(sorted(found, key=lambda name: (name != "hf_daily", name)))

    @property
    def whole_populations(self) -> tuple[str, ...]:
        """Populations that are not a part of another one."""
        return tuple(name for name in self.populations if not is_category(name))

    def grains(self, population: str) -> tuple[str, ...]:
        """Grains of a population, finest first."""
        return tuple(grain for grain in GRAINS if (population, grain) in self.periods)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of topics in the snapshot, the taxonomy first."""
        found = {topic.kind for topic in self.topics}
        return tuple(kind for kind in KINDS if kind in found)

    def of_kind(self, kind: str) -> tuple[TopicChoice, ...]:
        """Topics of a kind, by name."""
        return tuple(topic for topic in self.topics if topic.kind == kind)

    def areas(self, kind: str) -> tuple[str, ...]:
        """Areas of a kind's topics, by name."""
        return tuple(sorted({topic.area for topic in self.of_kind(kind)}))

    def neighbours(
        self, topic: TopicChoice
    ) -> tuple[tuple[TopicChoice, ...], tuple[TopicChoice, ...]]:
        """Parents and children of a topic."""
        parents = (other for other in self.topics if other.topic_id in topic.parents)
        children = (other for other in self.topics if topic.topic_id in other.parents)
        return tuple(parents), tuple(children)

    def topic(self, topic_id: str | None) -> TopicChoice | None:
        """The topic with an id; None if it is unknown."""
        return next((topic for topic in self.topics if topic.topic_id == topic_id), None)
