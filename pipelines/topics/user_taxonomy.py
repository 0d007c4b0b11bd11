"""A user's changes to the built-in taxonomy.

Belongs here: how a user's two files add topics and rules and switch built-in ones off. Does not
belong here: what a taxonomy may contain (`taxonomy_checks.py`), where the files are
(`in_force.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from pipelines.topics.taxonomy import Rule, Taxonomy, TaxonomyError, Topic
from pipelines.topics.taxonomy_checks import make_taxonomy
from pipelines.topics.taxonomy_files import WHOLE_TOPIC

OFF = "off"
"""The role of a line that switches a built-in rule or topic off."""


def apply_user_changes(
    built_in: Taxonomy, topics: Iterable[Topic], rules: Iterable[Rule]
) -> Taxonomy:
    """Return the built-in taxonomy with a user's topics and rules applied.

    A topic is added. A rule is added to the topic that it names. A line with the role `off` removes
    a built-in rule, or a whole built-in topic if its phrase is `*`. Raises `TaxonomyError` naming
    the file, line and fix.
    """
    topics, rules = list(topics), list(rules)
    _check(built_in, topics, rules)
    off = [rule for rule in rules if rule.role == OFF]
    topics_off = {rule.topic_id for rule in off if rule.phrase == WHOLE_TOPIC}
    rules_off = {(rule.topic_id, rule.phrase) for rule in off}
    kept_topics = [
        replace(topic, parents=tuple(p for p in topic.parents if p not in topics_off))
        for topic in built_in.topics
        if topic.topic_id not in topics_off
    ]
    kept_rules = [
        rule
        for rule in built_in.rules
        if rule.topic_id not in topics_off and (rule.topic_id, rule.phrase) not in rules_off
    ]
    return make_taxonomy(
        [*kept_topics, *topics], [*kept_rules, *(rule for rule in rules if rule.role != OFF)]
    )


def _check(built_in: Taxonomy, topics: list[Topic], rules: list[Rule]) -> None:
    known = {topic.topic_id for topic in built_in.topics}
    for topic in topics:
        if topic.topic_id in known:
            raise TaxonomyError(
                f"{topic.place}: {topic.topic_id!r} is a built-in topic. Choose another id; to "
                "change the built-in topic's rules, name it in topic_phrases.csv."
            )
    off = [rule for rule in rules if rule.role == OFF]
    for rule in off:
        _check_exists(rule, built_in)
    for rule in rules:
        if rule.phrase == WHOLE_TOPIC and rule.role != OFF:
            raise TaxonomyError(
                f"{rule.place}: the phrase '*' means a whole topic and is valid with the role off "
                "only. Write words."
            )
    topics_off = {rule.topic_id for rule in off if rule.phrase == WHOLE_TOPIC}
    for rule in rules:
        if rule.topic_id in topics_off and rule.role != OFF:
            raise TaxonomyError(
                f"{rule.place}: topic {rule.topic_id!r} is switched off by another line. Delete "
                "one of the two."
            )


def _check_exists(rule: Rule, built_in: Taxonomy) -> None:
    """Raise `TaxonomyError` unless a line that switches off names a built-in rule or topic."""
    known = {topic.topic_id for topic in built_in.topics}
    if rule.topic_id not in known:
        raise TaxonomyError(
            f"{rule.place}: there is no built-in topic {rule.topic_id!r} to switch off"
            f"{_suggestion(rule.topic_id, known)}. `papertide topics list` shows the ids."
        )
    phrases = {r.phrase for r in built_in.rules if r.topic_id == rule.topic_id}
    if rule.phrase != WHOLE_TOPIC and rule.phrase not in phrases:
        raise TaxonomyError(
            f"{rule.place}: topic {rule.topic_id!r} has no rule {rule.phrase!r} to switch off"
            f"{_suggestion(rule.phrase, phrases)}. `papertide topics list --topic {rule.topic_id}` "
            "shows its rules."
        )


def _suggestion(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
