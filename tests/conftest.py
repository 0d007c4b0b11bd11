"""Shared by several tiers of tests: the corpus, a published demo home, running a command."""

from __future__ import annotations

import io
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

from pipelines.cli import main
from pipelines.settings import PROJECT_ROOT, Settings

TESTS = Path(__file__).parent
# Tests that need no home run while the demo home is built.
ORDER = ("unit", "contracts", "dashboards", "e2e", "warehouse")
Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_configure() -> None:
    """Enable Ctrl-C, here and in the commands that tests start.

    A shell starts background jobs with SIGINT ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that wait for the demo home last."""
    items.sort(key=lambda item: ORDER.index(item.path.relative_to(TESTS).parts[0]))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start building the demo home if a collected test needs it."""
    if any("published_home" in getattr(item, "fixturenames", ()) for item in session.items):
        _demo_home(session.config)


def _demo_home(config: pytest.Config) -> Path:
    """The home of the demo; the first worker that asks for it starts `papertide demo` there."""
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
    """The folder for temporary files that all workers of the session share."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    return base.parent if hasattr(config, "workerinput") else base


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real captures; skips the test if it is absent."""
    named = os.environ.get("PAPERTIDE_CORPUS")
    path = Path(named) if named else PROJECT_ROOT.parent / "shared" / "corpus"
    if not (path / "hf_api").is_dir():
        pytest.skip(f"the corpus is not at {path} (PAPERTIDE_CORPUS names another place)")
    return path


def run_papertide(
    home: Path, *arguments: str | Path, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `papertide …` as a user does: a new process, with this home."""
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


def run_in_process(
    home: Path, *arguments: str | Path, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `papertide …` in this process, which saves the start: not for what ends a process.

    Parquet results start a process: they open the snapshot with other settings, which DuckDB
    refuses while this process has it open.
    """
    if "parquet" in arguments:
        return run_papertide(home, *arguments, stdin=stdin, **environment)
    before = dict(os.environ)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"PAPERTIDE_HOME": str(home), "COLUMNS": "120", **environment}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin or b""), "utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = main.run([*map(str, arguments)])
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
    printed = []
    for stream in (out, err):
        stream.flush()
        printed.append(stream.buffer.getvalue().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(arguments, code, *printed)


@pytest.fixture
def papertide(tmp_path: Path) -> Run:
    """Run the command in a fresh home: `papertide("ingest", path)`."""

    def run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        return run_papertide(tmp_path / "home", *arguments, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def published_home(pytestconfig: pytest.Config) -> Path:
    """A home in which `papertide demo` has run once. Tests must not write to it."""
    home = _demo_home(pytestconfig)
    until = time.monotonic() + 600
    while not (home / "demo.code").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert (home / "demo.code").read_text().strip() == "0", (home / "demo.stderr").read_text()
    return home


@pytest.fixture(scope="module")
def snapshot_home(published_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the published snapshot only, for queries in this process.

    DuckDB refuses to open a file with other settings than an open connection has, and tests of
    other modules may have one to the published home.
    """
    home = tmp_path_factory.mktemp("snapshot")
    shutil.copytree(published_home / "snapshots", home / "snapshots")
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
