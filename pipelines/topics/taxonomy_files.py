"""The two CSV files of a taxonomy: topics and rules.

Belongs here: reading the files and checking their form. Does not belong here: whether topics and
rules are consistent (`taxonomy_checks.py`), where the files are (`in_force.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from pipelines.topics.taxonomy import BUILT_IN, Rule, Taxonomy, TaxonomyError, Topic
from pipelines.topics.taxonomy_checks import make_taxonomy
from pipelines.topics.text_forms import normalise_phrases

TOPIC_COLUMNS = ("topic_id", "name", "area", "description")
OPTIONAL_TOPIC_COLUMNS = ("parents",)
RULE_COLUMNS = ("topic_id", "phrase", "role")

WHOLE_TOPIC = "*"
"""The phrase that stands for all rules of a topic."""


def load_taxonomy(topics_csv: Path, phrases_csv: Path) -> Taxonomy:
    """Return the checked taxonomy of two files.

    Raises `TaxonomyError` naming the file, line and fix when a file is missing or malformed or the
    rules are inconsistent.
    """
    return make_taxonomy(read_topics(topics_csv), read_rules(phrases_csv))


def read_topics(path: Path, origin: str = BUILT_IN) -> list[Topic]:
    """Return the topics of a file, not yet checked for consistency.

    Ids in the column `parents` are separated by spaces. Raises `TaxonomyError` for a malformed
    file.
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
        for line, row in _read_rows(path, TOPIC_COLUMNS, OPTIONAL_TOPIC_COLUMNS)
    ]


def read_rules(path: Path, origin: str = BUILT_IN) -> list[Rule]:
    """Return the normalised rules of a file, not yet checked for consistency.

    The phrase `WHOLE_TOPIC` is kept as it is. Raises `TaxonomyError` for a malformed file and for
    a phrase without a letter or digit.
    """
    rows = list(_read_rows(path, RULE_COLUMNS))
    phrases = normalise_phrases(row["phrase"] for _, row in rows)
    rules = []
    for (line, row), phrase in zip(rows, phrases, strict=True):
        is_whole_topic = row["phrase"].strip() == WHOLE_TOPIC
        if not phrase and not is_whole_topic:
            raise TaxonomyError(
                f"{path}, line {line}: phrase {row['phrase']!r} of topic {row['topic_id']!r} has "
                "no letter or digit. Write words, or delete the line."
            )
        rules.append(
            Rule(row["topic_id"].strip(), WHOLE_TOPIC if is_whole_topic else phrase,
                 row["role"].strip(), origin, f"{path}, line {line}")
        )  # fmt: skip
    return rules


def _read_rows(
    path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV file; raise `TaxonomyError` unless it has the columns."""
    try:
        handle = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise TaxonomyError(f"Cannot read {path}: {error.strerror}.") from error
    with handle:
        reader = csv.DictReader(handle, strict=True)
        last_line = 0  # of the last row that was read
        try:
            names = reader.fieldnames
            if tuple(names or ()) not in (columns, columns + optional):
                raise TaxonomyError(
                    f"{path}, line 1: the columns are {names}; they must be {list(columns)}. "
                    f"Write {','.join(columns)} as the first line."
                )
            last_line = reader.line_num
            for row in reader:
                if None in row or None in row.values():
                    raise TaxonomyError(
                        f"{path}, line {reader.line_num}: {len(names or ())} values expected. "
                        "Quote values that contain a comma."
                    )
                last_line = reader.line_num
                yield last_line, row
        except csv.Error as error:
            raise TaxonomyError(
                f"{path}, line {last_line + 1}: not valid CSV ({error}). Close the quotes."
            ) from None
        except UnicodeDecodeError:
            raise TaxonomyError(f"{path} is not UTF-8. Save it as UTF-8.") from None
