"""Packages import one way. Checked on the source, without importing it."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_ROOT

pytestmark = pytest.mark.contracts

FOR_DASHBOARDS = {
    "pipelines.errors",
    "pipelines.publishing.build_status",
    "pipelines.publishing.freshness",
    "pipelines.publishing.reader",
    "pipelines.publishing.snapshot",
    "pipelines.runtime.text",
    "pipelines.settings",
}
# What each package of `pipelines/` may import of the others. `schemas` is
# `lake/schemas.py`, a leaf: the columns of every table that is written outside dbt.
LEAVES = {"errors", "settings", "schemas"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "schemas": set(),
    "settings": {"errors"},
    "runtime": {"errors", "settings"},
    "parsing": {"errors", "schemas"},
    "topics": {"errors", "schemas"},
    "trends": {"errors", "schemas"},
    "archive": LEAVES | {"parsing", "runtime"},
    "sources": LEAVES | {"archive", "parsing", "runtime"},
    "intake": LEAVES | {"archive", "parsing", "runtime"},
    "lake": LEAVES | {"archive", "parsing", "runtime"},
    "warehouse": LEAVES | {"lake", "runtime", "topics", "trends"},
    "publishing": LEAVES | {"archive", "runtime", "sources", "warehouse"},
    "audit": LEAVES | {"publishing", "runtime", "warehouse"},
    "delivery": LEAVES | {"publishing", "runtime"},
    "evaluation": LEAVES | {"parsing", "publishing", "runtime", "topics", "trends"},
    "tools": LEAVES | {"runtime"},
    "defs": LEAVES
    | {"archive", "audit", "delivery", "intake", "lake", "publishing", "runtime", "sources"}
    | {"topics", "warehouse"},
}
UNBOUND = {"cli", "definitions"}  # put the parts together; nothing else imports them
ALSO_ALLOWED = {"pipelines/topics/in_force.py": {"settings"}}  # the folder of a user's topics
KNOWS_DASHBOARDS = ("pipelines/cli/", "pipelines/defs/site.py")
KNOWS_DAGSTER = ("pipelines/definitions.py", "pipelines/cli/", "pipelines/defs/")
PURE_PACKAGES = ("parsing", "topics", "trends")
OUTSIDE_WORLD = {
    "dagster", "dagster_dbt", "duckdb", "filelock", "http", "os", "pathlib", "requests", "shutil",
    "socket", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
READS_FILES = {
    "pipelines/topics/in_force.py": {"pathlib"},  # it knows where the files are
    "pipelines/topics/taxonomy_files.py": {"pathlib"},  # reads the two CSV files
    "pipelines/topics/topic_files.py": {"pathlib"},  # it writes and reads fits
}
PURE_MODULES = {"urllib.parse"}  # it splits addresses and opens none
CLOCK = {"now", "today", "utcnow"}


def modules(folder: str) -> list[Path]:
    """Python files below a folder of the project."""
    return sorted((PROJECT_ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever in it.

    `from pipelines import settings` counts as `pipelines.settings`.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}, line {node.lineno}: a relative import"
            module = node.module or ""
            inside = PROJECT_ROOT / module.replace(".", "/")
            for alias in node.names:
                is_module = (inside / f"{alias.name}.py").exists() or (inside / alias.name).is_dir()
                yield f"{module}.{alias.name}" if is_module else module


def offences(paths: list[Path], is_offence: object) -> list[str]:
    """`file: import` for each import that the rule forbids."""
    assert callable(is_offence)
    return [
        f"{name_of(path)}: {name}" for path in paths for name in imports(path) if is_offence(name)
    ]


def below(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_dashboards_read_snapshots_and_nothing_else() -> None:
    found = offences(
        modules("dashboards"), lambda name: below(name, "pipelines") and name not in FOR_DASHBOARDS
    )
    assert not found, found


def test_pipelines_do_not_import_dashboards() -> None:
    paths = [p for p in modules("pipelines") if not name_of(p).startswith(KNOWS_DASHBOARDS)]
    found = offences(paths, lambda name: below(name, "dashboards"))
    assert not found, found


def is_dagster(name: str) -> bool:
    return below(name, "dagster") or below(name, "dagster_dbt")


def package_of(name: str) -> str | None:
    """The package of `pipelines/` that a module is in; None outside."""
    if name.startswith("pipelines.lake.schemas"):
        return "schemas"
    parts = name.split(".")
    return parts[1] if parts[0] == "pipelines" and len(parts) > 1 else None


def test_packages_import_one_way() -> None:
    found = []
    for path in modules("pipelines"):
        ours = package_of(name_of(path).removesuffix(".py").replace("/", "."))
        if ours is None or ours in UNBOUND or ours == "__init__":
            continue
        allowed = MAY_IMPORT[ours] | ALSO_ALLOWED.get(name_of(path), set()) | {ours, None}
        found += offences([path], lambda name, allowed=allowed: package_of(name) not in allowed)
    assert not found, found


def test_the_import_order_has_no_cycle() -> None:
    order = graphlib.TopologicalSorter(MAY_IMPORT).static_order()  # raises CycleError
    assert set(order) == set(MAY_IMPORT)


def test_few_modules_are_loose() -> None:
    loose = {path.name for path in (PROJECT_ROOT / "pipelines").glob("*.py")}
    assert loose == {"__init__.py", "definitions.py", "errors.py", "settings.py"}


def test_only_the_edge_imports_dagster() -> None:
    paths = [p for p in modules("pipelines") if not name_of(p).startswith(KNOWS_DAGSTER)]
    found = offences(paths + modules("dashboards"), is_dagster)
    assert not found, found


@pytest.mark.parametrize("package", PURE_PACKAGES)
def test_pure_packages_do_not_reach_outside(package: str) -> None:
    for path in modules(f"pipelines/{package}"):
        excused = READS_FILES.get(name_of(path), set())
        named = [name for name in imports(path) if name not in PURE_MODULES]
        found = [name for name in named if name.split(".")[0] in OUTSIDE_WORLD - excused]
        assert not found, f"{name_of(path)} imports {found}"


@pytest.mark.parametrize("package", ["parsing", "trends"])
def test_pure_packages_use_neither_clock_nor_disk(package: str) -> None:
    for path in modules(f"pipelines/{package}"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = f"{name_of(path)}, line {node.lineno}"
            if isinstance(node.func, ast.Name):
                assert node.func.id not in {"open", "print", "input"}, place
            elif isinstance(node.func, ast.Attribute):
                assert node.func.attr not in CLOCK, place


def test_imports_finds_every_form_of_import(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "import dagster as dg\nfrom pipelines import warehouse\n"
        "def f():\n    from pipelines.publishing.reader import Reader\n"
    )
    assert list(imports(source)) == [
        "dagster", "pipelines.warehouse", "pipelines.publishing.reader",
    ]  # fmt: skip
