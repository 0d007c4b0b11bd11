"""What several tiers of tests share: the corpus, a published demo home, running the command."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.settings import PROJECT_ROOT, Settings

TESTS = Path(__file__).parent
# What needs no home runs while the demo home is built.
ORDER = ("unit", "contracts", "dashboards", "e2e", "warehouse")
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_configure() -> None:
    """Heed Ctrl-C, as do the commands that tests start: a shell's background job begins without."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for the demo home come last."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(TESTS).parts[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start building the demo home where a test is known to want one."""
    if any("published_home" in getattr(item, "fixturenames", ()) for item in session.items):
        _demo_home(session.config)


def _demo_home(config: pytest.Config) -> Path:
    """The home in which the demo runs, or has run; the first of all workers starts it."""
    home = _shared(config) / "published-home"
    with suppress(FileExistsError):
        home.mkdir()
        command = '"$0" demo 2>"$1/demo.stderr"; echo $? >"$1/demo.code"'
        subprocess.Popen(
            ["sh", "-c", command, Path(sys.executable).with_name("papertide"), home],
            env={**os.environ, "PAPERTIDE_HOME": str(home), "COLUMNS": "120"},
            stdout=subprocess.DEVNULL,
        )
    return home


def _shared(config: pytest.Config) -> Path:
    """The folder of temporary files that all workers of the session see."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    return base.parent if hasattr(config, "workerinput") else base


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
def published_home(pytestconfig: pytest.Config) -> Path:
    """A home in which `papertide demo` has run once; nobody may write to it."""
    home = _demo_home(pytestconfig)
    until = time.monotonic() + 600
    while not (home / "demo.code").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert (home / "demo.code").read_text().strip() == "0", (home / "demo.stderr").read_text()
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
