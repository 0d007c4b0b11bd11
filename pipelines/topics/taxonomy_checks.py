"""What a taxonomy must hold: every contradiction that an edit can bring in, in words.

Belongs here: the checks over topics and rules, each a sentence with its remedy. Does not belong
here: reading files, or what a rule is (`taxonomy.py`).

No check compares each rule with each other: a phrase that stands in another is found by looking up
every run of the other's words among the topic's wordings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipelines.topics.matching import runs_of_words, variants

if TYPE_CHECKING:
    from pipelines.topics.taxonomy import Rule, Topic

ROLES = ("phrase", "alias", "title", "negative")

_T = TypeVar("_T")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_RESERVED = re.compile(r"all|no-topic|d-[0-9a-f]{8}")
"""All papers, the papers without a topic, and topics that are discovered."""


class Problem(NamedTuple):
    """A contradiction: a sentence with its remedy, and the topics or rules that it is about."""

    text: str
    about: tuple[Topic | Rule, ...]


def topic_problems(topics: Iterable[Topic]) -> Iterator[Problem]:
    """Yield what is wrong with the topics themselves."""
    topics = list(topics)
    by_id, by_name = (
        _grouped((t.topic_id, t) for t in topics),
        _grouped((t.name, t) for t in topics),
    )
    for topic_id, same in by_id.items():
        if len(same) > 1:
            yield Problem(f"topic {topic_id!r} is defined {len(same)} times; keep one.", same)
        if not _SLUG.fullmatch(topic_id):
            yield Problem(
                f"topic id {topic_id!r} must be lower-case words joined by hyphens.", same
            )
        if _RESERVED.fullmatch(topic_id):
            yield Problem(
                f"topic id {topic_id!r} is kept for Papertide's own use; choose another.", same
            )
    for topic in topics:
        if not (topic.name and topic.area and topic.description):
            yield Problem(
                f"topic {topic.topic_id!r} needs a name, an area and a description.", (topic,)
            )
    for name, same in by_name.items():
        if name and len(same) > 1:
            yield Problem(
                f"the name {name!r} stands for {len(same)} topics; make them differ.", same
            )
    yield from _parent_problems(topics)


def rule_problems(topics: Iterable[Topic], rules: Iterable[Rule]) -> Iterator[Problem]:
    """Yield what is wrong with the rules of these topics."""
    by_id, rules = _grouped((t.topic_id, t) for t in topics), list(rules)
    for rule in rules:
        if rule.topic_id not in by_id:
            yield Problem(
                f"phrase {rule.phrase!r} belongs to unknown topic {rule.topic_id!r}; add it.",
                (rule,),
            )
        if rule.role not in ROLES:
            yield Problem(
                f"phrase {rule.phrase!r} of {rule.topic_id!r} has role {rule.role!r}; "
                f"use one of {', '.join(ROLES)}, or off in a file of your own.",
                (rule,),
            )
    by_topic: dict[str, list[Rule]] = {topic_id: [] for topic_id in sorted(by_id)}
    for rule in rules:
        by_topic.setdefault(rule.topic_id, []).append(rule)
    for topic_id, own in by_topic.items():
        if not any(not rule.is_negative for rule in own):
            yield Problem(
                f"topic {topic_id!r} has no phrase, so nothing can match it; add one.",
                by_id.get(topic_id, ()),
            )
        yield from _problems_within(topic_id, own)


def wordings_of(phrases: Iterable[str]) -> dict[str, list[str]]:
    """Return each wording of the phrases with the phrases that it is a wording of, in order."""
    owners: dict[str, list[str]] = {}
    for phrase in dict.fromkeys(phrases):
        for wording in variants(phrase):
            owners.setdefault(wording, []).append(phrase)
    return owners


def phrases_inside(outer: str, owners: Mapping[str, list[str]]) -> set[str]:
    """Return the phrases of which some wording stands, as whole words, in a wording of `outer`."""
    return {
        phrase
        for wording in variants(outer)
        for run in runs_of_words(wording)
        for phrase in owners.get(run, ())
    }


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, tuple[_T, ...]]:
    groups: dict[str, tuple[_T, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups


def _parent_problems(topics: list[Topic]) -> Iterator[Problem]:
    """Yield parents that are not there, and circles; a parent of a parent need not be named."""
    parents = {topic.topic_id: topic.parents for topic in topics}

    def above(topic_id: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """All that stand over a topic; itself among them where they run in a circle."""
        if topic_id in seen:
            return {topic_id}
        direct = set(parents.get(topic_id, ()))
        return direct.union(*(above(parent, seen | {topic_id}) for parent in direct))

    for topic in topics:
        own = topic.topic_id
        for parent in topic.parents:
            if parent not in parents:
                yield Problem(
                    f"topic {own!r} has the parent {parent!r}, which is no topic; mend its id.",
                    (topic,),
                )
            elif parent == own or own in above(parent):
                yield Problem(
                    f"topic {own!r} stands over its own parent {parent!r}; take one of the two "
                    "away.",
                    (topic,),
                )
            elif any(parent in above(other) for other in topic.parents if other != parent):
                yield Problem(
                    f"topic {own!r} has the parent {parent!r} already through another; delete it.",
                    (topic,),
                )


def _problems_within(topic_id: str, own: list[Rule]) -> Iterator[Problem]:
    anywhere = [rule.phrase for rule in own if rule.role not in ("title", "negative")]
    titles = [rule.phrase for rule in own if rule.role == "title"]
    negatives = [rule.phrase for rule in own if rule.is_negative]
    places = _grouped((rule.phrase, rule) for rule in own)

    def about(*phrases: str) -> tuple[Rule, ...]:
        return tuple(rule for phrase in phrases for rule in places[phrase])

    for text, phrases in _repeats(topic_id, [*anywhere, *titles, *negatives]):
        yield Problem(text, about(*phrases))
    for kind, group in (("phrase", anywhere), ("title", titles), ("negative", negatives)):
        for text, phrases in _nested(topic_id, kind, group):
            yield Problem(text, about(*phrases))
    owners = wordings_of([*anywhere, *titles])
    for negative in negatives:
        if not phrases_inside(negative, owners):
            yield Problem(
                f"negative {negative!r} of {topic_id!r} contains none of the topic's phrases, "
                "so it changes nothing; delete it.",
                about(negative),
            )


def _repeats(topic_id: str, phrases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    owner: dict[str, str] = {}
    for phrase in phrases:
        for wording in variants(phrase):
            if wording not in owner:
                owner[wording] = phrase
            elif owner[wording] == phrase:
                yield f"phrase {phrase!r} is written twice in {topic_id!r}; delete one.", (phrase,)
                break
            else:
                text = (
                    f"phrases {owner[wording]!r} and {phrase!r} of {topic_id!r} both match "
                    f"{wording!r}; delete one."
                )
                yield text, (owner[wording], phrase)


def _nested(topic_id: str, kind: str, phrases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each phrase that contains another, which would count the same words twice."""
    owners = wordings_of(phrases)
    place = {phrase: at for at, phrase in enumerate(dict.fromkeys(phrases))}
    for outer in place:
        for inner in sorted(phrases_inside(outer, owners), key=place.__getitem__):
            if not set(variants(outer)) & set(variants(inner)):
                text = (
                    f"{kind} {outer!r} of {topic_id!r} contains {kind} {inner!r}, which already "
                    "matches there; delete one."
                )
                yield text, (outer, inner)
