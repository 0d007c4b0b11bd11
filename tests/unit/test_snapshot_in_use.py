"""A snapshot that another program has open for writing is reported as in use, not as damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import SettingsError, SnapshotInUseError
from pipelines.publishing.reader import open_snapshot
from pipelines.publishing.snapshot import DATABASE, Snapshot
from pipelines.settings import Settings, load_settings

pytestmark = pytest.mark.unit

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Snapshot, int]]:
    """A snapshot, and the id of a process that holds its database."""
    with duckdb.connect(str(tmp_path / DATABASE)) as connection:
        connection.execute("create schema marts")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / DATABASE)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield Snapshot("x", tmp_path), process.pid
        process.communicate(b"\n")


def test_the_message_names_the_process(held: tuple[Snapshot, int], tmp_path: Path) -> None:
    snapshot, pid = held
    with pytest.raises(SnapshotInUseError, match=f"in use by the process {pid}") as caught:
        open_snapshot(snapshot, Settings(home=tmp_path))
    assert "read-only" in str(caught.value)
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("name", ["[2026] papers", "a?b", "x%41y", "a*b"])
def test_a_home_that_libraries_read_as_a_pattern_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERTIDE_HOME", str(tmp_path / name))
    with pytest.raises(SettingsError, match="PAPERTIDE_HOME to a folder without"):
        load_settings()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["my papers", "Übersicht", "it's", "C# {x}", "a&b"])
def test_other_names_of_homes_are_accepted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERTIDE_HOME", str(tmp_path / name))
    assert load_settings().home == (tmp_path / name).resolve()
