"""The wordings that docs/style.md rules out stay out of everything a person reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_ROOT

pytestmark = pytest.mark.contracts

GUIDE = PROJECT_ROOT / "docs" / "style.md"
FOLDERS = ("pipelines", "dashboards", "dbt_models", "tests", "sample", "docs", ".ci")
SUFFIXES = {".py", ".sql", ".yml", ".md", ".html", ".js", ".css", ".toml", ".service", ".timer"}
STOP_WORDS = PROJECT_ROOT / "pipelines" / "topics" / "function_words.py"  # a list of words
ROOT_FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "pyproject.toml")


def banned() -> list[str]:
    """The wordings in the first column of the guide's glossary."""
    table = GUIDE.read_text(encoding="utf-8").partition("| --- | --- |\n")[2]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return [wording.strip() for cell in cells for wording in cell.split(",")]


def pattern(wordings: list[str]) -> re.Pattern[str]:
    """Any of the wordings as whole words, across a line break too; `_` ends a word."""
    forms = [
        r"[\s#]+".join(map(re.escape, wording.split())).replace(r"\*", r"\w*")
        for wording in wordings
    ]
    return re.compile(rf"(?<!there )(?<![^\W_])(?:{'|'.join(forms)})(?![^\W_])", re.IGNORECASE)


def texts() -> list[Path]:
    found = [path for folder in FOLDERS for path in (PROJECT_ROOT / folder).rglob("*")]
    found += [PROJECT_ROOT / name for name in ROOT_FILES]
    return sorted(
        path
        for path in found
        if path.is_file()
        and path not in {GUIDE, STOP_WORDS, Path(__file__).resolve()}
        and (path.suffix in SUFFIXES or path.name in {"Makefile", "run", "Dockerfile"})
    )


def offences(path: Path) -> list[str]:
    """`file:line: wording` for each banned wording in a file."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(PROJECT_ROOT)
    return [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {' '.join(match.group().split())}"
        for match in pattern(banned()).finditer(text)
        if "None" not in match.group()  # Python's own `is None`
    ]


def test_banned_wordings_are_absent() -> None:
    found = [offence for path in texts() for offence in offences(path)]
    assert not found, f"{len(found)} wordings that docs/style.md rules out:\n" + "\n".join(found)


@pytest.mark.parametrize("text", ["It is Told.", "was_told = 1", "put up\n    # with", "mended"])
def test_the_pattern_finds_a_wording_however_it_is_written(text: str) -> None:
    assert pattern(banned()).search(text)


def test_the_pattern_leaves_other_words_alone() -> None:
    assert not pattern(banned()).search("recommended, amend, mushroom, untoldness")
