"""The taxonomy: topics and the rules that find them, read from the dbt seeds and checked.

Belongs here: what a topic and a rule are, loading the two seed files, every check that a bad edit
should trip. Does not belong here: finding rules in texts (`matching.py`).

A rule is a `phrase` (words that name the topic), an `alias` (an abbreviation or proper name of it)
or a `negative` (words that contain a phrase and mean something else). Phrases and aliases match
alike; a negative takes away the phrases inside it.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.errors import PapertideError
from pipelines.topics.matching import count_inside, normalise, variants

TOPIC_COLUMNS = ("topic_id", "name", "area", "description")
RULE_COLUMNS = ("topic_id", "phrase", "role")
ROLES = ("phrase", "alias", "negative")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_VERSION_LENGTH = 12


class TaxonomyError(PapertideError):
    """The taxonomy's files contradict themselves; the message names the file, line and remedy."""


@dataclass(frozen=True)
class Topic:
    """One subject: a stable id, and the words a reader sees."""

    topic_id: str
    name: str
    area: str
    description: str


@dataclass(frozen=True)
class Rule:
    """One phrase of a topic in normal form, without outer spaces."""

    topic_id: str
    phrase: str
    role: str

    @property
    def is_negative(self) -> bool:
        """Whether the rule takes matches away rather than making them."""
        return self.role == "negative"


@dataclass(frozen=True)
class Taxonomy:
    """Checked topics and rules; equal taxonomies are equal, and hash alike."""

    topics: tuple[Topic, ...]
    rules: tuple[Rule, ...]

    @cached_property
    def rules_version(self) -> str:
        """The first 12 hex digits of a SHA-256 over the sorted normalised rules.

        Names, descriptions and the order of lines do not count: whatever leaves this unchanged
        leaves every match unchanged.
        """
        lines = sorted(f"{rule.topic_id}\t{rule.phrase}\t{rule.role}" for rule in self.rules)
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return digest[:_VERSION_LENGTH]


def load_taxonomy(topics_csv: Path, phrases_csv: Path) -> Taxonomy:
    """Return the taxonomy that two seed files describe.

    Raises `TaxonomyError` naming the file, line and remedy when a file is missing or malformed or
    the rules contradict each other.
    """
    topics = [
        Topic(**{name: value.strip() for name, value in row.items()})
        for _, row in _read_rows(topics_csv, TOPIC_COLUMNS)
    ]
    rows = list(_read_rows(phrases_csv, RULE_COLUMNS))
    phrases = normalise_phrases(row["phrase"] for _, row in rows)
    for (line, row), phrase in zip(rows, phrases, strict=True):
        if not phrase:
            raise TaxonomyError(
                f"{phrases_csv}, line {line}: phrase {row['phrase']!r} of topic "
                f"{row['topic_id']!r} has no letter or digit. Write words, or delete the line."
            )
    rules = [
        Rule(row["topic_id"].strip(), phrase, row["role"].strip())
        for (_, row), phrase in zip(rows, phrases, strict=True)
    ]
    return make_taxonomy(topics, rules)


def make_taxonomy(topics: Iterable[Topic], rules: Iterable[Rule]) -> Taxonomy:
    """Return a checked taxonomy of topics and normalised rules, or raise `TaxonomyError`."""
    taxonomy = Taxonomy(tuple(topics), tuple(rules))
    problems = [*_topic_problems(taxonomy), *_rule_problems(taxonomy)]
    if problems:
        raise TaxonomyError("The topic taxonomy is inconsistent:\n- " + "\n- ".join(problems))
    return taxonomy


def normalise_phrases(phrases: Iterable[str]) -> list[str]:
    """Return phrases in the normal form of texts, without the outer spaces."""
    frame = pl.DataFrame({"phrase": list(phrases)}, schema={"phrase": pl.String})
    return frame.select(normalise(pl.col("phrase")).str.strip_chars(" ")).to_series().to_list()


def _read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV that has exactly these columns and no gaps."""
    try:
        handle = path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise TaxonomyError(f"Cannot read {path}: {error.strerror}.") from error
    with handle:
        reader = csv.DictReader(handle, strict=True)
        if tuple(reader.fieldnames or ()) != columns:
            raise TaxonomyError(
                f"{path}: the columns are {reader.fieldnames}; they must be {list(columns)}."
            )
        for row in reader:
            if None in row or None in row.values():
                raise TaxonomyError(
                    f"{path}, line {reader.line_num}: {len(columns)} values expected. "
                    "Quote a value that holds a comma."
                )
            yield reader.line_num, row


def _topic_problems(taxonomy: Taxonomy) -> Iterator[str]:
    for topic_id, count in Counter(topic.topic_id for topic in taxonomy.topics).items():
        if count > 1:
            yield f"topic {topic_id!r} is defined {count} times; keep one."
        if not _SLUG.fullmatch(topic_id):
            yield f"topic id {topic_id!r} must be lower-case words joined by hyphens."
    for topic in taxonomy.topics:
        if not (topic.name and topic.area and topic.description):
            yield f"topic {topic.topic_id!r} needs a name, an area and a description."
    for name, count in Counter(topic.name for topic in taxonomy.topics).items():
        if name and count > 1:
            yield f"the name {name!r} stands for {count} topics; make them differ."


def _rule_problems(taxonomy: Taxonomy) -> Iterator[str]:
    known = {topic.topic_id for topic in taxonomy.topics}
    for rule in taxonomy.rules:
        if rule.topic_id not in known:
            yield f"phrase {rule.phrase!r} belongs to unknown topic {rule.topic_id!r}; add it."
        if rule.role not in ROLES:
            yield (
                f"phrase {rule.phrase!r} of {rule.topic_id!r} has role {rule.role!r}; "
                f"use one of {', '.join(ROLES)}."
            )
    by_topic: dict[str, list[Rule]] = {topic_id: [] for topic_id in sorted(known)}
    for rule in taxonomy.rules:
        by_topic.setdefault(rule.topic_id, []).append(rule)
    for topic_id, rules in by_topic.items():
        positives = [rule.phrase for rule in rules if not rule.is_negative]
        negatives = [rule.phrase for rule in rules if rule.is_negative]
        if not positives:
            yield f"topic {topic_id!r} has no phrase, so nothing can match it; add one."
        yield from _repeats(topic_id, positives, negatives)
        yield from _nested(topic_id, "phrase", positives)
        yield from _nested(topic_id, "negative", negatives)
        for negative in negatives:
            if not any(_covers(negative, positive) for positive in positives):
                yield (
                    f"negative {negative!r} of {topic_id!r} contains none of the topic's phrases, "
                    "so it changes nothing; delete it."
                )


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
    for outer, inner in itertools.permutations(dict.fromkeys(phrases), 2):
        shares_a_wording = set(variants(outer)) & set(variants(inner))
        if not shares_a_wording and _covers(outer, inner):
            yield (
                f"{kind} {outer!r} of {topic_id!r} contains {kind} {inner!r}, which already "
                "matches there; delete one."
            )


def _covers(outer: str, inner: str) -> bool:
    """Whether some wording of `outer` contains some wording of `inner` as whole words."""
    return any(count_inside(i, o) for o in variants(outer) for i in variants(inner))
