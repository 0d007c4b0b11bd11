"""A user's own taxonomy beside ours: topics and rules added, rules and topics of ours switched off.

Belongs here: how a user's two files change our taxonomy, and what they may not do. Does not belong
here: what a taxonomy must hold (`taxonomy_checks.py`), where the files are (`in_force.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from pipelines.topics.taxonomy import Rule, Taxonomy, TaxonomyError, Topic, make_taxonomy

OFF = "off"
WHOLE_TOPIC = "*"


def with_users(ours: Taxonomy, topics: Iterable[Topic], rules: Iterable[Rule]) -> Taxonomy:
    """Return our taxonomy as a user's topics and rules change it.

    A user's topic is added. A rule of a user's is added to the topic that it names, ours or the
    user's. A line with the role `off` takes one of our rules away, or with the phrase `*` a whole
    topic of ours. Raises `TaxonomyError` naming the file, line and next step.
    """
    topics, rules = list(topics), list(rules)
    known = {topic.topic_id for topic in ours.topics}
    for topic in topics:
        if topic.topic_id in known:
            raise TaxonomyError(
                f"{topic.place}: topic {topic.topic_id!r} is one of Papertide's. Choose another "
                "id; to change its rules, name it in topic_phrases.csv."
            )
    off = [rule for rule in rules if rule.role == OFF]
    for rule in off:
        _require_ours(rule, ours)
    for rule in rules:
        if rule.phrase == WHOLE_TOPIC and rule.role != OFF:
            raise TaxonomyError(
                f"{rule.place}: the phrase '*' stands for a whole topic and goes with the role "
                "off only. Write words."
            )
    no_topics = {rule.topic_id for rule in off if rule.phrase == WHOLE_TOPIC}
    no_rules = {(rule.topic_id, rule.phrase) for rule in off}
    for rule in rules:
        if rule.topic_id in no_topics and rule.role != OFF:
            raise TaxonomyError(
                f"{rule.place}: topic {rule.topic_id!r} is switched off by another line. Delete "
                "one of the two."
            )
    kept = [
        replace(topic, parents=tuple(p for p in topic.parents if p not in no_topics))
        for topic in ours.topics
        if topic.topic_id not in no_topics
    ]
    return make_taxonomy(
        [*kept, *topics],
        [
            *(
                rule
                for rule in ours.rules
                if rule.topic_id not in no_topics and (rule.topic_id, rule.phrase) not in no_rules
            ),
            *(rule for rule in rules if rule.role != OFF),
        ],
    )


def _require_ours(rule: Rule, ours: Taxonomy) -> None:
    """A line that switches off must name what is there."""
    known = {topic.topic_id for topic in ours.topics}
    if rule.topic_id not in known:
        raise TaxonomyError(
            f"{rule.place}: there is no topic {rule.topic_id!r} of Papertide's to switch off"
            f"{_perhaps(rule.topic_id, known)}. `papertide topics list` shows the ids."
        )
    phrases = {r.phrase for r in ours.rules if r.topic_id == rule.topic_id}
    if rule.phrase != WHOLE_TOPIC and rule.phrase not in phrases:
        raise TaxonomyError(
            f"{rule.place}: topic {rule.topic_id!r} has no rule {rule.phrase!r} to switch off"
            f"{_perhaps(rule.phrase, phrases)}. `papertide topics list --topic {rule.topic_id}` "
            "shows its rules."
        )


def _perhaps(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f" (perhaps {near[0]!r})" if near else ""
