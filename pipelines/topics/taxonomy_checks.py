"""What a taxonomy must hold: every contradiction that an edit can bring in, in words.

Belongs here: the checks over topics and rules, each a sentence with its remedy. Does not belong
here: reading files, or what a rule is (`taxonomy.py`).

No check compares each rule with each other: a phrase that stands in another is found by looking up
every run of the other's words among the topic's wordings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pipelines.topics.matching import runs_of_words, variants

if TYPE_CHECKING:
    from pipelines.topics.taxonomy import Rule, Topic

ROLES = ("phrase", "alias", "negative")


def topic_problems(topics: Iterable[Topic]) -> Iterator[str]:
    """Yield what is wrong with the topics themselves."""
    topics = list(topics)
    for topic_id, count in Counter(topic.topic_id for topic in topics).items():
        if count > 1:
            yield f"topic {topic_id!r} is defined {count} times; keep one."
        if not is_slug(topic_id):
            yield f"topic id {topic_id!r} must be lower-case words joined by hyphens."
    for topic in topics:
        if not (topic.name and topic.area and topic.description):
            yield f"topic {topic.topic_id!r} needs a name, an area and a description."
    for name, count in Counter(topic.name for topic in topics).items():
        if name and count > 1:
            yield f"the name {name!r} stands for {count} topics; make them differ."


def rule_problems(topic_ids: Iterable[str], rules: Iterable[Rule]) -> Iterator[str]:
    """Yield what is wrong with the rules of these topics."""
    known, rules = set(topic_ids), list(rules)
    for rule in rules:
        if rule.topic_id not in known:
            yield f"phrase {rule.phrase!r} belongs to unknown topic {rule.topic_id!r}; add it."
        if rule.role not in ROLES:
            yield (
                f"phrase {rule.phrase!r} of {rule.topic_id!r} has role {rule.role!r}; "
                f"use one of {', '.join(ROLES)}."
            )
    by_topic: dict[str, list[Rule]] = {topic_id: [] for topic_id in sorted(known)}
    for rule in rules:
        by_topic.setdefault(rule.topic_id, []).append(rule)
    for topic_id, own in by_topic.items():
        positives = [rule.phrase for rule in own if not rule.is_negative]
        negatives = [rule.phrase for rule in own if rule.is_negative]
        if not positives:
            yield f"topic {topic_id!r} has no phrase, so nothing can match it; add one."
        yield from _repeats(topic_id, positives, negatives)
        yield from _nested(topic_id, "phrase", positives)
        yield from _nested(topic_id, "negative", negatives)
        owners = wordings_of(positives)
        for negative in negatives:
            if not phrases_inside(negative, owners):
                yield (
                    f"negative {negative!r} of {topic_id!r} contains none of the topic's phrases, "
                    "so it changes nothing; delete it."
                )


def is_slug(text: str) -> bool:
    """Whether a text is lower-case ASCII words joined by single hyphens."""
    return all(
        word and word.isascii() and word.isalnum() and word == word.lower()
        for word in text.split("-")
    )


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


def _repeats(topic_id: str, positives: list[str], negatives: list[str]) -> Iterator[str]:
    owner: dict[str, str] = {}
    for phrase in positives + negatives:
        for wording in variants(phrase):
            if wording not in owner:
                owner[wording] = phrase
            elif owner[wording] == phrase:
                yield f"phrase {phrase!r} is written twice in {topic_id!r}; delete one."
                break
            else:
                yield (
                    f"phrases {owner[wording]!r} and {phrase!r} of {topic_id!r} both match "
                    f"{wording!r}; delete one."
                )


def _nested(topic_id: str, kind: str, phrases: list[str]) -> Iterator[str]:
    """Yield each phrase that contains another, which would count the same words twice."""
    owners = wordings_of(phrases)
    place = {phrase: at for at, phrase in enumerate(dict.fromkeys(phrases))}
    for outer in place:
        for inner in sorted(phrases_inside(outer, owners), key=place.__getitem__):
            if not set(variants(outer)) & set(variants(inner)):
                yield (
                    f"{kind} {outer!r} of {topic_id!r} contains {kind} {inner!r}, which already "
                    "matches there; delete one."
                )
