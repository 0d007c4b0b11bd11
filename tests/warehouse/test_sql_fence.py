"""The fence around `papertide sql`: files, settings, variables, time, memory, Ctrl-C.

Queries run in this process, except where a limit or a signal may end the process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.errors import NoSnapshotError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.conftest import run_in_process, run_papertide

pytestmark = pytest.mark.warehouse
ENDLESS = "from range(1000000000000)"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("select * from sniff_csv('/etc/passwd')", id="sniff"),
        pytest.param("select * from read_blob('/etc/passwd')", id="read bytes"),
        pytest.param("select * from read_json('/etc/passwd')", id="read JSON"),
        pytest.param("select * from parquet_metadata('/tmp/x.parquet')", id="Parquet metadata"),
        pytest.param("select * from read_duckdb('/tmp/x.db')", id="another database"),
        pytest.param("select * from 'http://127.0.0.1/x.parquet'", id="network"),
        pytest.param("from query('copy (select 1) to ''/tmp/x.csv''')", id="nested query"),
        pytest.param("select 1 /* ; */ ; copy (select 1) to '/tmp/x'", id="behind a comment"),
        pytest.param("select 1) to '/tmp/x.csv'; --", id="closes the bracket"),
        pytest.param("select 1'); copy (select 1) to '/tmp/x.csv'; --", id="closes the quotes"),
        pytest.param("call pragma_version()", id="call"),
        pytest.param("prepare p as select 1", id="prepare"),
        pytest.param("execute p", id="execute"),
        pytest.param("import database '/tmp/x'", id="import"),
        pytest.param("create macro m() as 1", id="macro"),
        pytest.param("select getenv('HOME')", id="environment"),
        pytest.param("reset threads", id="reset"),
        pytest.param("pivot fct_listings on population using count(*)", id="open pivot"),
        pytest.param("/* only */ -- a comment", id="only a comment"),
        pytest.param(";", id="only a semicolon"),
        pytest.param("select columns('nothing') from dim_papers", id="no columns"),
        pytest.param("select '\x1b[2J'::int", id="terminal control"),
    ],
)
def test_ways_around_the_fence_are_refused_in_one_line(snapshot_home: Path, query: str) -> None:
    done = run_in_process(snapshot_home, "sql", query)
    assert done.returncode == 1
    assert done.stderr.startswith("papertide: ")
    assert done.stderr.strip().isprintable()
    assert done.stdout == ""


def test_no_log_is_written(snapshot_home: Path, tmp_path: Path) -> None:
    # Some supported versions of DuckDB accept the statement, but write no log.
    query = f"from enable_logging('QueryLog', storage='file', storage_path='{tmp_path}/log')"
    done = run_in_process(snapshot_home, "sql", query)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sql", "source", "rows", "settings", "connection", "text"])
def test_python_variables_are_not_tables(snapshot_home: Path, name: str) -> None:
    done = run_in_process(snapshot_home, "sql", f"select * from {name}")
    assert done.returncode == 1
    assert f"Table with name {name} does not exist" in done.stderr


def test_data_frames_in_scope_are_not_read(snapshot_home: Path) -> None:
    sql = rows = pl.DataFrame({"secret": [1]})
    for name in ("sql", "rows"):
        with pytest.raises(NoSnapshotError, match=f"{name} does not exist"):
            Reader(Settings(home=snapshot_home)).query(f"select * from {name}")
    assert sql.height == rows.height


def test_a_snapshot_is_opened_with_the_fence(snapshot_home: Path) -> None:
    rows = Reader(Settings(home=snapshot_home)).query(
        "select name, value from duckdb_settings() where name in ('allow_persistent_secrets', "
        "'enable_external_access', 'lock_configuration', 'max_temp_directory_size', "
        "'python_enable_replacements', 'temp_directory')"
    )
    assert dict(rows.rows()) == {
        "allow_persistent_secrets": "false",
        "enable_external_access": "false",
        "lock_configuration": "true",
        "max_temp_directory_size": "0 bytes",
        "python_enable_replacements": "false",
        "temp_directory": "",
    }


@pytest.mark.parametrize("timeout", ["0", "-1", "nan"])
def test_a_timeout_must_be_positive(snapshot_home: Path, timeout: str) -> None:
    done = run_in_process(snapshot_home, "sql", "select 1", "--timeout", timeout)
    assert done.returncode == 2
    assert "must be greater than 0 seconds" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"select '\0'", "NUL", id="NUL"),
        pytest.param(b"select '\xff'", "not UTF-8", id="not UTF-8"),
        pytest.param(b"select '" + b"x" * 1_100_000 + b"'", "longer than", id="long"),
        pytest.param(b"", "found none", id="empty"),
        pytest.param(b"select " + b"(" * 1_000_000, "400 levels deep", id="brackets"),
        pytest.param(b"select " + b"- " * 500_000 + b"1", "400 levels deep", id="operators"),
    ],
)
def test_invalid_query_text(snapshot_home: Path, text: bytes, message: str) -> None:
    done = run_in_process(snapshot_home, "sql", "-", stdin=text)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_long_literal_is_accepted(snapshot_home: Path) -> None:
    text = b"select length('" + b"(" * 1_000_000 + b"') as n"
    done = run_in_process(snapshot_home, "sql", "-", "--format", "csv", stdin=text)
    assert done.stdout == "n\n1000000\n"


@pytest.mark.parametrize(
    ("query", "style"),
    [
        pytest.param(ENDLESS, "csv", id="rows in CSV"),
        pytest.param(ENDLESS, "json", id="rows in JSON"),
        pytest.param(ENDLESS, "parquet", id="rows in Parquet"),
        pytest.param(
            f"explain analyze select count(*) {ENDLESS} a, range(99999)", "table", id="explain"
        ),
    ],
)
def test_time_is_limited_in_every_phase(
    snapshot_home: Path, tmp_path: Path, query: str, style: str
) -> None:
    options = ("--timeout", "1", "--format", style, "-o", tmp_path / "rows")
    done = run_papertide(snapshot_home, "sql", query, *options)  # a stopped query may linger
    assert done.returncode == 1
    assert "stopped after 1 s" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_time_is_limited_while_a_query_is_bound(snapshot_home: Path) -> None:
    query = f"summarize select a.* {ENDLESS} a, range(99999)"
    done = run_papertide(snapshot_home, "sql", query, "--timeout", "1")
    assert done.returncode == 1
    assert "stopped after 1 s" in done.stderr


def test_a_value_that_ignores_interrupts_is_abandoned(snapshot_home: Path) -> None:
    query = "select length(repeat('x', 1000000000)) + length(repeat('y', 4000000000))"
    done = run_papertide(snapshot_home, "sql", query, "--timeout", "1")
    assert done.returncode == 1
    assert "stopped after 1 s" in done.stderr or "more memory" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(
            "select count(*) from (select distinct hash(i) from range(100000000) t(i))",
            id="distinct",
        ),
        pytest.param("select list(i) from range(100000000) t(i)", id="one list"),
        pytest.param("select len(range(400000000))", id="one value"),
        pytest.param("select i from range(100000000) t(i) order by hash(i)", id="sort"),
    ],
)
def test_memory_is_limited_and_nothing_spills(snapshot_home: Path, query: str) -> None:
    before = sorted((snapshot_home / "snapshots").rglob("*"))
    options = ("--format", "csv", "--timeout", "50")
    limit = {"PAPERTIDE_READER_MEMORY_LIMIT": "200MB"}
    done = run_papertide(snapshot_home, "sql", query, *options, **limit)
    assert done.returncode == 1
    assert "needs more memory than a reader may use (200MB)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted((snapshot_home / "snapshots").rglob("*")) == before


def _start(home: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [Path(sys.executable).with_name("papertide"), "sql", *arguments],
        env={**os.environ, "PAPERTIDE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_ctrl_c_stops_a_query(snapshot_home: Path) -> None:
    with _start(snapshot_home, ENDLESS, "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"range\n"  # the query is running
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, message = process.communicate(timeout=60)
    assert process.returncode == 1
    assert message.decode().strip().startswith("Stopped.")
    assert len(message.decode().strip().splitlines()) == 1
    assert time.monotonic() - started < 30


def test_a_closed_pipe_is_not_an_error(snapshot_home: Path) -> None:
    with _start(snapshot_home, ENDLESS, "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        message = process.stderr.read()
    assert process.returncode == 0
    assert message == b""
