"""The taxonomy: topics and the rules that find them, read from the dbt seeds and checked.

Belongs here: what a topic and a rule are, loading the two files of a taxonomy. Does not belong here:
what is wrong with a taxonomy (`taxonomy_checks.py`), finding rules in texts (`matching.py`).

A rule is a `phrase` (words that name the topic), an `alias` (an abbreviation or proper name of it)
or a `negative` (words that contain a phrase and mean something else). Phrases and aliases match
alike; a negative takes away the phrases inside it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.errors import PapertideError
from pipelines.topics.matching import normalise
from pipelines.topics.taxonomy_checks import rule_problems, topic_problems

TOPIC_COLUMNS = ("topic_id", "name", "area", "description")
RULE_COLUMNS = ("topic_id", "phrase", "role")

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
    topic_ids = [topic.topic_id for topic in taxonomy.topics]
    problems = [*topic_problems(taxonomy.topics), *rule_problems(topic_ids, taxonomy.rules)]
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
