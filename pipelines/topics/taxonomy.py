"""The taxonomy: topics and the rules that find them, read from two files or made in code.

Belongs here: what a topic and a rule are, loading the two files of a taxonomy. Does not belong
here: what is wrong with a taxonomy (`taxonomy_checks.py`), a user's changes to ours
(`user_taxonomy.py`), finding rules in texts (`matching.py`).

A rule is a `phrase` (words that name the topic), an `alias` (an abbreviation or proper name of it),
a `title` (words that name the topic where they stand in a title, and say little elsewhere) or a
`negative` (words that contain a phrase and mean something else). Phrases and aliases match alike; a
negative takes away the phrases inside it.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.errors import PapertideError
from pipelines.topics.matching import searched_form
from pipelines.topics.taxonomy_checks import rule_problems, topic_problems

TOPIC_COLUMNS = ("topic_id", "name", "area", "description")
MORE_TOPIC_COLUMNS = ("parents",)
"""Columns that a file of topics may leave out."""

RULE_COLUMNS = ("topic_id", "phrase", "role")
OURS, THEIRS = "papertide", "user"

# Part of every version: raise it when the same rules come to match other words.
_MATCHING = "2"
_VERSION_LENGTH = 12


class TaxonomyError(PapertideError):
    """The taxonomy's files contradict themselves; the message names the file, line and remedy."""


@dataclass(frozen=True)
class Topic:
    """One subject: a stable id, the words a reader sees, and whose it is."""

    topic_id: str
    name: str
    area: str
    description: str
    parents: tuple[str, ...] = ()
    """Ids of the topics that it is a part of; they get no papers by it."""

    origin: str = OURS
    place: str = field(default="", compare=False)
    """`file, line n` where it is written."""


@dataclass(frozen=True)
class Rule:
    """One phrase of a topic in normal form, without outer spaces."""

    topic_id: str
    phrase: str
    role: str
    origin: str = OURS
    place: str = field(default="", compare=False)

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

        Names, descriptions, whose a rule is and the order of lines do not count: whatever leaves
        this unchanged leaves every match unchanged.
        """
        lines = sorted(f"{rule.topic_id}\t{rule.phrase}\t{rule.role}" for rule in self.rules)
        digest = hashlib.sha256("\n".join([_MATCHING, *lines]).encode()).hexdigest()
        return digest[:_VERSION_LENGTH]

    @cached_property
    def contents_hash(self) -> str:
        """A SHA-256 that changes with anything a table shows of the topics and rules."""
        topics = sorted(repr((t.topic_id, t.name, t.area, t.description, t.parents, t.origin))
                        for t in self.topics)  # fmt: skip
        rules = sorted(repr((r.topic_id, r.phrase, r.role, r.origin)) for r in self.rules)
        return hashlib.sha256("\n".join([_MATCHING, *topics, *rules]).encode()).hexdigest()

    def parents_of(self, topic_id: str) -> list[Topic]:
        """The topics right over a topic."""
        over = {parent for t in self.topics if t.topic_id == topic_id for parent in t.parents}
        return [topic for topic in self.topics if topic.topic_id in over]

    def children_of(self, topic_id: str) -> list[Topic]:
        """The topics right under a topic."""
        return [topic for topic in self.topics if topic_id in topic.parents]


def load_taxonomy(topics_csv: Path, phrases_csv: Path) -> Taxonomy:
    """Return the taxonomy that two files describe.

    Raises `TaxonomyError` naming the file, line and remedy when a file is missing or malformed or
    the rules contradict each other.
    """
    return make_taxonomy(read_topics(topics_csv), read_rules(phrases_csv))


def make_taxonomy(topics: Iterable[Topic], rules: Iterable[Rule]) -> Taxonomy:
    """Return a checked taxonomy of topics and normalised rules, or raise `TaxonomyError`.

    What a user wrote is told first, by its place; our own contradictions are all told at once.
    """
    taxonomy = Taxonomy(tuple(topics), tuple(rules))
    problems = [
        *topic_problems(taxonomy.topics),
        *rule_problems(taxonomy.topics, taxonomy.rules),
    ]
    theirs = [
        (part.place, problem.text)
        for problem in problems
        for part in reversed(problem.about)
        if part.origin == THEIRS
    ]
    if theirs:
        place, text = theirs[0]
        raise TaxonomyError(f"{place}: {text}")
    if problems:
        lines = "\n- ".join(problem.text for problem in problems)
        raise TaxonomyError(f"The topic taxonomy is inconsistent:\n- {lines}")
    return taxonomy


def read_topics(path: Path, origin: str = OURS) -> list[Topic]:
    """Return the topics that a file lists, unchecked; raises `TaxonomyError` for its form.

    `parents` holds ids with spaces between them.
    """
    return [
        Topic(
            topic_id=row["topic_id"].strip(),
            name=row["name"].strip(),
            area=row["area"].strip(),
            description=row["description"].strip(),
            parents=tuple(row.get("parents", "").split()),
            origin=origin,
            place=f"{path}, line {line}",
        )
        for line, row in _read_rows(path, TOPIC_COLUMNS, MORE_TOPIC_COLUMNS)
    ]


def read_rules(path: Path, origin: str = OURS) -> list[Rule]:
    """Return the rules that a file lists, normalised, unchecked; raises `TaxonomyError`.

    A phrase of a single `*`, which stands for all of a topic's, stays as it is.
    """
    rows = list(_read_rows(path, RULE_COLUMNS))
    phrases = normalise_phrases(row["phrase"] for _, row in rows)
    rules = []
    for (line, row), phrase in zip(rows, phrases, strict=True):
        is_all = row["phrase"].strip() == "*"
        if not phrase and not is_all:
            raise TaxonomyError(
                f"{path}, line {line}: phrase {row['phrase']!r} of topic {row['topic_id']!r} has "
                "no letter or digit. Write words, or delete the line."
            )
        rules.append(
            Rule(row["topic_id"].strip(), "*" if is_all else phrase, row["role"].strip(),
                 origin, f"{path}, line {line}")
        )  # fmt: skip
    return rules


def normalise_phrases(phrases: Iterable[str]) -> list[str]:
    """Return phrases in the form in which texts are searched, without the outer spaces."""
    frame = pl.DataFrame({"phrase": list(phrases)}, schema={"phrase": pl.String})
    return frame.select(searched_form(pl.col("phrase")).str.strip_chars(" ")).to_series().to_list()


def _read_rows(
    path: Path, columns: tuple[str, ...], more: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV that has these columns, perhaps `more`, and no gaps."""
    try:
        handle = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise TaxonomyError(f"Cannot read {path}: {error.strerror}.") from error
    with handle:
        reader = csv.DictReader(handle, strict=True)
        last = 0  # line of the last row that could be read
        try:
            names = reader.fieldnames
            if tuple(names or ()) not in (columns, columns + more):
                raise TaxonomyError(
                    f"{path}, line 1: the columns are {names}; they must be {list(columns)}. "
                    f"Write {','.join(columns)} as the first line."
                )
            last = reader.line_num
            for row in reader:
                if None in row or None in row.values():
                    raise TaxonomyError(
                        f"{path}, line {reader.line_num}: {len(names or ())} values expected. "
                        "Quote a value that holds a comma."
                    )
                last = reader.line_num
                yield last, row
        except csv.Error as error:
            raise TaxonomyError(
                f"{path}, line {last + 1}: not CSV ({error}). Close the quotes."
            ) from None
        except UnicodeDecodeError:
            raise TaxonomyError(f"{path} is not UTF-8. Save it as UTF-8.") from None
