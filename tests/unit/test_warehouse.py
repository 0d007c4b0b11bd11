"""Bringing the lake into a candidate: what is damaged is parsed again, never published."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pipelines import dbt_project, items, warehouse
from pipelines.captures import Archive
from pipelines.errors import BusyError, CaptureError
from pipelines.settings import Settings
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
    path.write_bytes(b"\0" * path.stat().st_size)  # the size tells nothing
    assert items.pending(archive, settings.items_dir) == []
    warehouse.begin(settings)
    with pytest.raises(CaptureError, match=r"damaged on the disk.*papertide build"):
        warehouse.load_lake(settings)
    (waiting,) = items.pending(archive, settings.items_dir)
    items.load(archive, waiting, settings.items_dir)
    warehouse.begin(settings)
    assert warehouse.load_lake(settings)["items"] == 1


def test_truncated_rows_wait_to_be_parsed(archive: Archive) -> None:
    items_dir = archive.home / "lake" / "items"
    (path,) = items_dir.glob("*/items-*.parquet")
    path.write_bytes(path.read_bytes()[:-10])
    assert len(items.pending(archive, items_dir)) == 1
    assert items.stamps(items_dir) == {}


def test_only_what_changed_is_loaded_again(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    assert warehouse.begin(settings)
    assert warehouse.load_lake(settings)["touched_captures"] == 1
    warehouse.adopt(settings)
    assert not warehouse.begin(settings)
    assert warehouse.load_lake(settings)["touched_captures"] == 0


def test_one_builder_at_a_time(archive: Archive) -> None:
    settings = Settings(home=archive.home)
    taken = pytest.raises(BusyError, match="Another process is building")
    with warehouse.writer_lock(settings), taken, warehouse.writer_lock(settings):
        pass


def test_a_process_that_inherits_what_dbt_reads_reads_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that Dagster starts are such: what is not set must not come to be set to nothing."""
    settings = Settings(home=tmp_path)
    for name, value in dbt_project.environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings(home=tmp_path) == settings
