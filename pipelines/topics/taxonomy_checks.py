"""Consistency checks of a taxonomy.

Belongs here: the checks over topics and rules, each with a message and a fix, and
`make_taxonomy`, which applies them. Does not belong here: reading files (`taxonomy_files.py`).

No check compares every pair of rules. To find a phrase inside another one, each run of words of
the longer phrase is looked up among the topic's wordings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from pipelines.topics.taxonomy import USER, Rule, Taxonomy, TaxonomyError, Topic
from pipelines.topics.text_forms import runs_of_words, variants

ROLES = ("phrase", "alias", "title", "negative")

_T = TypeVar("_T")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_RESERVED = re.compile(r"all|no-topic|d-[0-9a-f]{8}")
"""All papers, papers without a topic, and discovered topics."""


class Problem(NamedTuple):
    """An inconsistency: a message with its fix, and the topics or rules it concerns."""

    text: str
    about: tuple[Topic | Rule, ...]


def make_taxonomy(topics: Iterable[Topic], rules: Iterable[Rule]) -> Taxonomy:
    """Return a checked taxonomy of topics and normalised rules, or raise `TaxonomyError`.

    If a user's topics or rules are affected, the message names the first one and its place.
    Otherwise it lists every problem.
    """
    taxonomy = Taxonomy(tuple(topics), tuple(rules))
    problems = [
        *topic_problems(taxonomy.topics),
        *rule_problems(taxonomy.topics, taxonomy.rules),
    ]
    of_user = [
        (part.place, problem.text)
        for problem in problems
        for part in reversed(problem.about)
        if part.origin == USER
    ]
    if of_user:
        place, text = of_user[0]
        raise TaxonomyError(f"{place}: {text}")
    if problems:
        lines = "\n- ".join(problem.text for problem in problems)
        raise TaxonomyError(f"The topic taxonomy is inconsistent:\n- {lines}")
    return taxonomy


def topic_problems(topics: Iterable[Topic]) -> Iterator[Problem]:
    """Yield the problems of the topics themselves."""
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
            yield Problem(f"topic id {topic_id!r} is reserved; choose another.", same)
    for topic in topics:
        if not (topic.name and topic.area and topic.description):
            yield Problem(
                f"topic {topic.topic_id!r} needs a name, an area and a description.", (topic,)
            )
    for name, same in by_name.items():
        if name and len(same) > 1:
            yield Problem(
                f"the name {name!r} is used by {len(same)} topics; names must differ.", same
            )
    yield from _parent_problems(topics)


def rule_problems(topics: Iterable[Topic], rules: Iterable[Rule]) -> Iterator[Problem]:
    """Yield the problems of the rules of these topics."""
    by_id, rules = _grouped((t.topic_id, t) for t in topics), list(rules)
    for rule in rules:
        if rule.topic_id not in by_id:
            yield Problem(
                f"phrase {rule.phrase!r} belongs to unknown topic {rule.topic_id!r}; add the "
                "topic.",
                (rule,),
            )
        if rule.role not in ROLES:
            yield Problem(
                f"phrase {rule.phrase!r} of {rule.topic_id!r} has role {rule.role!r}; use one of "
                f"{', '.join(ROLES)} (or off, in PAPERTIDE_TAXONOMY_DIR).",
                (rule,),
            )
    by_topic: dict[str, list[Rule]] = {topic_id: [] for topic_id in sorted(by_id)}
    for rule in rules:
        by_topic.setdefault(rule.topic_id, []).append(rule)
    for topic_id, own in by_topic.items():
        if not any(not rule.is_negative for rule in own):
            yield Problem(
                f"topic {topic_id!r} has no phrase, so no paper can match it; add one.",
                by_id.get(topic_id, ()),
            )
        yield from _problems_within(topic_id, own)


def wordings_of(phrases: Iterable[str]) -> dict[str, list[str]]:
    """Return wording → the phrases that it is a wording of, in order."""
    owners: dict[str, list[str]] = {}
    for phrase in dict.fromkeys(phrases):
        for wording in variants(phrase):
            owners.setdefault(wording, []).append(phrase)
    return owners


def phrases_inside(outer: str, owners: Mapping[str, list[str]]) -> set[str]:
    """Return the phrases with a wording that occurs, as whole words, in a wording of `outer`."""
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
    """Yield missing, circular and redundant parents."""
    parents = {topic.topic_id: topic.parents for topic in topics}

    def ancestors(topic_id: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Ids of all ancestors of a topic; includes the topic itself in a cycle."""
        if topic_id in seen:
            return {topic_id}
        direct = set(parents.get(topic_id, ()))
        return direct.union(*(ancestors(parent, seen | {topic_id}) for parent in direct))

    for topic in topics:
        own = topic.topic_id
        for parent in topic.parents:
            if parent not in parents:
                yield Problem(
                    f"topic {own!r} has the unknown parent {parent!r}; correct the id.", (topic,)
                )
            elif parent == own or own in ancestors(parent):
                yield Problem(
                    f"topic {own!r} is an ancestor of its parent {parent!r}; remove one of the "
                    "two links.",
                    (topic,),
                )
            elif any(parent in ancestors(other) for other in topic.parents if other != parent):
                yield Problem(
                    f"topic {own!r} already has the ancestor {parent!r} through another parent; "
                    "delete it.",
                    (topic,),
                )


def _problems_within(topic_id: str, own: list[Rule]) -> Iterator[Problem]:
    """Yield repeated, nested and ineffective rules of one topic."""
    anywhere = [rule.phrase for rule in own if rule.role not in ("title", "negative")]
    titles = [rule.phrase for rule in own if rule.role == "title"]
    negatives = [rule.phrase for rule in own if rule.is_negative]
    by_phrase = _grouped((rule.phrase, rule) for rule in own)

    def about(*phrases: str) -> tuple[Rule, ...]:
        return tuple(rule for phrase in phrases for rule in by_phrase[phrase])

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
                "so it has no effect; delete it.",
                about(negative),
            )


def _repeats(topic_id: str, phrases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    owner: dict[str, str] = {}
    for phrase in phrases:
        for wording in variants(phrase):
            if wording not in owner:
                owner[wording] = phrase
            elif owner[wording] == phrase:
                yield f"phrase {phrase!r} occurs twice in {topic_id!r}; delete one.", (phrase,)
                break
            else:
                text = (
                    f"phrases {owner[wording]!r} and {phrase!r} of {topic_id!r} both match "
                    f"{wording!r}; delete one."
                )
                yield text, (owner[wording], phrase)


def _nested(topic_id: str, kind: str, phrases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each phrase that contains another one, which would count the same words twice."""
    owners = wordings_of(phrases)
    position = {phrase: at for at, phrase in enumerate(dict.fromkeys(phrases))}
    for outer in position:
        for inner in sorted(phrases_inside(outer, owners), key=position.__getitem__):
            if not set(variants(outer)) & set(variants(inner)):
                text = (
                    f"{kind} {outer!r} of {topic_id!r} contains {kind} {inner!r}, which already "
                    "matches there; delete one."
                )
                yield text, (outer, inner)
