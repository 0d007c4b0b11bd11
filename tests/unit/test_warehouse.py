"""The candidate: loading the lake, the dbt project, and messages of failed builds."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from pipelines.archive.archive import Archive
from pipelines.errors import BusyError, CaptureError, PapertideError
from pipelines.lake import items
from pipelines.runtime.faults import MachineError
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings
from pipelines.warehouse import candidate, dbt_failure, dbt_project, dbt_runner, loading
from tests.contracts.test_borders import imports
from tests.fixtures.listings import api, item

pytestmark = pytest.mark.unit


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(Settings(home=tmp_path / "home"))
    receipt = archive.receive(io.BytesIO(api(item())), "2025-01-03.json", {}).receipt
    items.load(archive, receipt, archive.home / "lake" / "items")
    return archive


def test_damaged_rows_are_parsed_again(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    (path,) = settings.items_dir.glob("*/items-*.parquet")
    path.write_bytes(b"\0" * path.stat().st_size)  # same size
    assert items.pending(archive, settings.items_dir) == []
    candidate.begin(settings)
    with pytest.raises(CaptureError, match=r"damaged on the disk.*papertide build"):
        loading.load_lake(settings)
    (waiting,) = items.pending(archive, settings.items_dir)
    items.load(archive, waiting, settings.items_dir)
    candidate.begin(settings)
    assert loading.load_lake(settings).n_rows["items"] == 1


def test_the_models_run_once_on_a_loaded_candidate(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    candidate.begin(settings)
    loading.load_lake(settings)
    loading.start_models(settings)
    with pytest.raises(PapertideError, match=r"built before.*papertide build"):
        loading.start_models(settings)
    loading.load_lake(settings)
    loading.start_models(settings)


def test_truncated_rows_wait_to_be_parsed(archive: Archive) -> None:
    items_dir = archive.home / "lake" / "items"
    (path,) = items_dir.glob("*/items-*.parquet")
    path.write_bytes(path.read_bytes()[:-10])
    assert len(items.pending(archive, items_dir)) == 1
    assert items.stamps(items_dir) == {}


def test_only_what_changed_is_loaded_again(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    assert candidate.begin(settings)
    assert loading.load_lake(settings).n_changed_captures == 1
    candidate.adopt(settings)
    assert not candidate.begin(settings)
    assert loading.load_lake(settings).n_changed_captures == 0


def test_one_builder_at_a_time(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    taken = pytest.raises(BusyError, match="Another process is building")
    with candidate.writer_lock(settings), taken, candidate.writer_lock(settings):
        pass


def test_inherited_dbt_variables_do_not_change_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster starts runs with these variables: an unset setting must stay unset."""
    settings = Settings(home=tmp_path)
    for name, value in dbt_project.environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings(home=tmp_path) == settings


# Errors and settings don't decide the rows of a table.
NOT_SOURCES = {"pipelines/errors.py", "pipelines/settings.py"}


def imported_files(paths: Iterable[Path]) -> set[Path]:
    """Files of `pipelines/` that the files import, directly or through others."""
    found: set[Path] = set()
    queue = list(paths)
    while queue:
        for name in imports(queue.pop()):
            path = PROJECT_ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith("pipelines.") and path.is_file() and path not in found:
                found.add(path)
                queue.append(path)
    return found


def test_the_sources_hash_covers_what_python_models_import() -> None:
    needed = imported_files((DBT_PROJECT_DIR / "models").rglob("*.py"))
    assert PROJECT_ROOT / "pipelines" / "warehouse" / "frames.py" in needed
    missing = {
        path.relative_to(PROJECT_ROOT).as_posix()
        for path in needed
        if not any(path.is_relative_to(source) for source in dbt_project.SOURCES)
    }
    assert missing <= NOT_SOURCES, missing


def test_every_source_of_the_hash_exists() -> None:
    assert all(source.exists() for source in dbt_project.SOURCES)


def failed_check(settings: Settings, sql: str) -> str:
    """The message for a failed dbt test with this SQL."""
    with duckdb.connect(str(settings.candidate_path)) as candidate:
        candidate.execute("create or replace table papers as select 'a\x1b[31m' as title, 3 as n")
    result = {
        "status": "fail",
        "unique_id": "test.papertide.holds_papers.1234",
        "message": "Got 1 result, configured to fail if != 0",
        "compiled_code": sql,
        "failures": 1,
    }
    (settings.home / "run_results.json").write_text(json.dumps({"results": [result]}))
    return str(dbt_failure.build_failure(settings.home, settings))


def test_a_broken_rule_is_named(tmp_path: Path) -> None:
    message = failed_check(
        Settings(home=tmp_path), "select 'n < 3' as broken, count(*) as n_rows from papers"
    )
    assert message.endswith("holds_papers: 1 row(s) break the rule n < 3")


def test_a_failed_test_shows_a_row_without_control_characters(tmp_path: Path) -> None:
    message = failed_check(Settings(home=tmp_path), "select title, n from papers")
    assert message.endswith(r"1 row(s), for example title 'a\x1b[31m', n 3")


def test_a_failed_test_that_cannot_run_again_shows_dbts_message(tmp_path: Path) -> None:
    message = failed_check(Settings(home=tmp_path), "select * from gone")
    assert message.endswith("Got 1 result, configured to fail if != 0")


def test_too_little_memory_is_reported(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    words = "Runtime Error in model a\n  Out of Memory Error: failed to allocate 1.0 MiB"
    result = {"status": "error", "unique_id": "model.papertide.a", "message": words}
    (tmp_path / "run_results.json").write_text(json.dumps({"results": [result]}))
    message = dbt_failure.build_failure(tmp_path, settings)
    assert isinstance(message, MachineError)
    assert "PAPERTIDE_MEMORY_LIMIT" in str(message)


def test_a_swallowed_stop_signal_is_recorded() -> None:
    before = signal.getsignal(signal.SIGINT)
    with dbt_runner._stop_signals_recorded() as stops:
        assert stops == []
        with suppress(KeyboardInterrupt):  # as dbt sometimes does
            signal.raise_signal(signal.SIGINT)
    assert stops == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


def test_frames_cause_no_warning_at_exit() -> None:
    code = (
        "import duckdb; from pipelines.warehouse.frames import as_frame; "
        "print(as_frame(duckdb.sql('from range(3)')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "shape: (3, 1)" in done.stdout
    assert not done.stderr
