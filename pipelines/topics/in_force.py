"""The taxonomy in force: ours, with what the user's own folder adds to it and switches off.

Belongs here: where both are read from, and the rows that the warehouse gets of them. Does not
belong here: what a taxonomy is, or may hold (`topics/`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.topics.taxonomy import (
    THEIRS,
    Taxonomy,
    TaxonomyError,
    load_taxonomy,
    read_rules,
    read_topics,
)
from pipelines.topics.user_taxonomy import with_users

TOPICS, PHRASES = "topics.csv", "topic_phrases.csv"
Text = str | list[str]
OURS_DIR = DBT_PROJECT_DIR / "seeds"


def in_force(settings: Settings) -> Taxonomy:
    """The checked taxonomy that a build uses now.

    Raises TaxonomyError naming the file, line and next step when a file can't be used, and
    SettingsError when the folder that was named is none.
    """
    if settings.taxonomy_dir and not settings.taxonomy_dir.is_dir():
        raise SettingsError(
            f"PAPERTIDE_TAXONOMY_DIR={str(settings.taxonomy_dir)!r} can't be used: there is no "
            "such folder. Make it, or leave the variable out."
        )
    return _loaded(settings.user_taxonomy_dir, _stamp(OURS_DIR), _stamp(settings.user_taxonomy_dir))


def topic_rows(taxonomy: Taxonomy) -> list[tuple[Text, ...]]:
    """What `raw.topics` holds, in the order of its columns."""
    return [
        (t.topic_id, t.name, t.area, t.description, list(t.parents), t.origin,
         taxonomy.rules_version)
        for t in taxonomy.topics
    ]  # fmt: skip


def rule_rows(taxonomy: Taxonomy) -> list[tuple[Text, ...]]:
    """What `raw.topic_rules` holds: topic_id, phrase, role, origin."""
    return [(r.topic_id, r.phrase, r.role, r.origin) for r in taxonomy.rules]


def _stamp(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """The two files' bytes, as far as they are there and can be read."""
    found = []
    for name in (TOPICS, PHRASES):
        path = folder / name
        if path.is_file():
            try:
                found.append((name, path.read_bytes()))
            except OSError as error:
                raise TaxonomyError(
                    f"{path} can't be read: {error.strerror}. Mend its rights, or move it away."
                ) from None
    return tuple(found)


@lru_cache(maxsize=2)
def _loaded(
    folder: Path, _ours: tuple[tuple[str, bytes], ...], theirs: tuple[tuple[str, bytes], ...]
) -> Taxonomy:
    """By the files' contents, so that a change of them is seen."""
    taxonomy = load_taxonomy(OURS_DIR / TOPICS, OURS_DIR / PHRASES)
    if not theirs:
        return taxonomy
    names = [name for name, _ in theirs]
    topics = read_topics(folder / TOPICS, THEIRS) if TOPICS in names else []
    rules = read_rules(folder / PHRASES, THEIRS) if PHRASES in names else []
    return with_users(taxonomy, topics, rules)
