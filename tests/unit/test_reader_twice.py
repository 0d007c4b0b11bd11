"""A snapshot can be opened several times in one process, with the same access restrictions."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import POINTER
from pipelines.settings import Settings

pytestmark = pytest.mark.unit


def test_two_readers_in_one_process(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    folder = settings.snapshots_dir / "one"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "papertide.duckdb")) as connection:
        connection.execute("create schema marts; create table marts.t as select 1 as a")
    (settings.snapshots_dir / POINTER).write_text("one\n")
    readers = [Reader(settings), Reader(settings)]
    assert [reader.query("select a from t").item() for reader in readers] == [1, 1]
    for reader in readers:
        with pytest.raises(duckdb.Error):
            reader.query(f"select * from read_text('{folder / 'papertide.duckdb'}')")
        with pytest.raises(duckdb.Error):
            reader.query("set enable_external_access = true")
