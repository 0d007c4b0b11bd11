"""The pinned dependencies: complete, hashed, and free of places to download from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.settings import PROJECT_ROOT

pytestmark = pytest.mark.contracts

PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def group(name: str) -> list[str]:
    """Requirements of a dependency group, with those of the groups that it includes."""
    found: list[str] = []
    for entry in PROJECT["dependency-groups"][name]:
        found += group(entry["include-group"]) if isinstance(entry, dict) else [entry]
    return found


LOCKS = {
    "requirements.txt": [*PROJECT["project"]["dependencies"], *group("build")],
    "requirements-dev.txt": [
        *PROJECT["project"]["dependencies"],
        *group("dev"),
        *group("e2e"),
    ],
}


def entries(name: str) -> list[str]:
    """Requirements of a lock, each with its continuation lines on one line."""
    text = (PROJECT_ROOT / name).read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def pinned(name: str) -> dict[str, list[Requirement]]:
    """Canonical name → its requirements; several where markers tell platforms apart."""
    found: dict[str, list[Requirement]] = {}
    for line in entries(name):
        requirement = Requirement(line.split(" --hash=")[0].strip())
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    for line in entries(name):
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s*]+( |$)", line), line
        assert re.search(r" --hash=sha256:[0-9a-f]{64}(?= |$)", line), line
        rest = re.sub(r" --hash=sha256:[0-9a-f]{64}(?= |$)", "", line)
        assert "--" not in rest, line


@pytest.mark.parametrize("name", LOCKS)
def test_no_place_to_download_from_is_named(name: str) -> None:
    text = (PROJECT_ROOT / name).read_text(encoding="utf-8")
    found = re.findall(
        r"^.*(?:://|--(?:extra-)?index-url|--find-links|--trusted-host|^-[if] ).*$", text, re.M
    )
    assert not found, found[:3]


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_satisfies_the_project(name: str) -> None:
    locked = pinned(name)
    for text in LOCKS[name]:
        wanted = Requirement(text)
        found = locked.get(canonicalize_name(wanted.name), [])
        assert found, f"{wanted.name} is not in {name}: run `make lock`"
        for requirement in found:
            (version,) = (specifier.version for specifier in requirement.specifier)
            assert wanted.specifier.contains(version, prereleases=True), f"{name}: {requirement}"


def test_tests_run_on_the_versions_that_users_get() -> None:
    users, tests = pinned("requirements.txt"), pinned("requirements-dev.txt")
    differ = {
        name: (str(users[name][0]), str(tests[name][0]) if name in tests else "missing")
        for name in users
        if {str(r.specifier) for r in users[name]}
        != {str(r.specifier) for r in tests.get(name, [])}
    }
    assert not differ, differ


@pytest.mark.parametrize("text", PROJECT["project"]["dependencies"])
def test_dependencies_are_bounded_above(text: str) -> None:
    operators = {specifier.operator for specifier in Requirement(text).specifier}
    assert {">=", "<"} <= operators, text


def test_the_lock_files_are_all_there() -> None:
    assert {p.name for p in Path(PROJECT_ROOT).glob("requirements*.txt")} == set(LOCKS)
