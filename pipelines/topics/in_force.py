"""The taxonomy in force: the built-in taxonomy with the user's additions and removals.

Belongs here: the folders that both are read from, and the rows that the warehouse loads. Does not
belong here: what a taxonomy may contain (`taxonomy_checks.py`), how a user's files change it
(`user_taxonomy.py`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.topics.taxonomy import USER, Taxonomy, TaxonomyError
from pipelines.topics.taxonomy_files import load_taxonomy, read_rules, read_topics
from pipelines.topics.user_taxonomy import apply_user_changes

TOPICS, PHRASES = "topics.csv", "topic_phrases.csv"
Text = str | list[str]
BUILT_IN_DIR = DBT_PROJECT_DIR / "seeds"


def in_force(settings: Settings) -> Taxonomy:
    """Return the checked taxonomy that a build uses now.

    Raises `TaxonomyError` naming the file, line and fix when a file can't be used, and
    `SettingsError` when PAPERTIDE_TAXONOMY_DIR is not a folder.
    """
    if settings.taxonomy_dir and not settings.taxonomy_dir.is_dir():
        raise SettingsError(
            f"PAPERTIDE_TAXONOMY_DIR={str(settings.taxonomy_dir)!r} is not a folder. Create it, "
            "or unset the variable."
        )
    folder = settings.user_taxonomy_dir
    return _loaded(folder, _contents(BUILT_IN_DIR), _contents(folder))


def topic_rows(taxonomy: Taxonomy) -> list[tuple[Text, ...]]:
    """Return the rows of `raw.topics`, in its column order."""
    return [
        (t.topic_id, t.name, t.area, t.description, list(t.parents), t.origin,
         taxonomy.rules_version)
        for t in taxonomy.topics
    ]  # fmt: skip


def rule_rows(taxonomy: Taxonomy) -> list[tuple[Text, ...]]:
    """Return the rows of `raw.topic_rules`: topic_id, phrase, role, origin."""
    return [(r.topic_id, r.phrase, r.role, r.origin) for r in taxonomy.rules]


def _contents(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of each of the two files that exists."""
    found = []
    for name in (TOPICS, PHRASES):
        path = folder / name
        if path.is_file():
            try:
                found.append((name, path.read_bytes()))
            except OSError as error:
                raise TaxonomyError(
                    f"Cannot read {path}: {error.strerror}. Fix its permissions, or move it away."
                ) from None
    return tuple(found)


@lru_cache(maxsize=2)
def _loaded(
    folder: Path, _built_in: tuple[tuple[str, bytes], ...], of_user: tuple[tuple[str, bytes], ...]
) -> Taxonomy:
    """The taxonomy; cached by the contents of the files, so that an edit is seen."""
    taxonomy = load_taxonomy(BUILT_IN_DIR / TOPICS, BUILT_IN_DIR / PHRASES)
    if not of_user:
        return taxonomy
    names = [name for name, _ in of_user]
    topics = read_topics(folder / TOPICS, USER) if TOPICS in names else []
    rules = read_rules(folder / PHRASES, USER) if PHRASES in names else []
    return apply_user_changes(taxonomy, topics, rules)
