"""What several tiers of tests share: the corpus, a published demo home, running the command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from pipelines.settings import PROJECT_ROOT, Settings

TESTS = Path(__file__).parent
# One worker builds the demo home while the others run what needs none; browsers come last.
ORDER = ("warehouse", "unit", "contracts", "dashboards", "e2e")
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, those that wait for their home last."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(TESTS).parts[0]))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real captures; tests that need it skip where it is absent."""
    named = os.environ.get("PAPERTIDE_CORPUS")
    path = Path(named) if named else PROJECT_ROOT.parent / "shared" / "corpus"
    if not (path / "hf_api").is_dir():
        pytest.skip(f"the corpus is not at {path} (PAPERTIDE_CORPUS names another place)")
    return path


def run_papertide(
    home: Path, *arguments: str | Path, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`papertide …` as a user runs it, in a home of its own."""
    done = subprocess.run(
        [Path(sys.executable).with_name("papertide"), *map(str, arguments)],
        env={**os.environ, "PAPERTIDE_HOME": str(home), "COLUMNS": "120", **environment},
        input=stdin,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode()
    )


@pytest.fixture
def papertide(tmp_path: Path) -> Run:
    """Run the command in a fresh home: `papertide("ingest", path)`."""

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        return run_papertide(tmp_path / "home", *arguments, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def published_home(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A home in which `papertide demo` has run once; nobody may write to it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    home = shared / "published-home"
    with FileLock(shared / "published-home.lock"):
        if not (home / "snapshots" / "CURRENT").exists():
            done = run_papertide(home, "demo")
            assert done.returncode == 0, done.stderr
            (home / "demo.stderr").write_text(done.stderr)
    return home


@pytest.fixture
def demo_home(published_home: Path, tmp_path: Path) -> Path:
    """A copy of the published home that a test may change."""
    home = tmp_path / "home"
    shutil.copytree(published_home, home)
    return home


@pytest.fixture
def demo_settings(published_home: Path) -> Settings:
    """Settings of the published home, for reading."""
    return Settings(home=published_home)
