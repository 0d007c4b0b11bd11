"""The output of `papertide sql`: types, column names, order, files.

Queries run in this process; tests of a full disk start the real command.
"""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.conftest import run_in_process

pytestmark = pytest.mark.warehouse
TYPES = duckdb.sql("select * from test_all_types()").columns


def _no_constant(name: str) -> None:
    pytest.fail(f"{name} is not JSON")


def test_every_type_in_a_table(snapshot_home: Path) -> None:
    done = run_in_process(snapshot_home, "sql", "from test_all_types()")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3


def test_every_type_in_csv(snapshot_home: Path) -> None:
    done = run_in_process(snapshot_home, "sql", "from test_all_types()", "--format", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert len(rows) == 3
    assert list(rows[0]) == TYPES
    assert rows[1]["hugeint"] == str(2**127 - 1)
    assert rows[1]["struct"].startswith("{'a': 42")
    assert rows[1]["int_array"] == "42; 999; -42"


def test_every_type_in_json(snapshot_home: Path) -> None:
    done = run_in_process(snapshot_home, "sql", "from test_all_types()", "--format", "json")
    assert done.returncode == 0, done.stderr
    first, second, _ = json.loads(done.stdout, parse_constant=_no_constant)
    assert list(first) == TYPES
    assert second["bigint"] == 2**63 - 1
    assert second["hugeint"] == str(2**127 - 1)
    assert second["double_array"] == [42.0, None, None, None, None, -42.0]
    assert second["interval"] == "83 years 3 months 999 days 00:16:39.999999"


def test_every_type_in_parquet(snapshot_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.parquet"
    query = "select * replace (42::hugeint as hugeint) from test_all_types()"
    done = run_in_process(snapshot_home, "sql", query, "--format", "parquet", "-o", file)
    assert done.returncode == 0, done.stderr
    back = pl.read_parquet(file, columns=["hugeint", "interval", "union", "int_array"])
    assert back["hugeint"].to_list() == [42, 42, 42]
    assert back["interval"][1] == "83 years 3 months 999 days 00:16:39.999999"
    assert back["union"].to_list() == ["Frank", "5", None]
    assert back["int_array"][1].to_list() == [42, 999, None, None, -42]
    assert duckdb.sql(f"from '{file}'").columns == TYPES


def test_a_number_too_large_for_parquet_leaves_no_file(snapshot_home: Path, tmp_path: Path) -> None:
    query = f"select {2**127 - 1}::hugeint as n"
    options = ("--format", "parquet", "-o", tmp_path / "huge.parquet")
    done = run_in_process(snapshot_home, "sql", query, *options)
    assert done.returncode == 1
    assert "DECIMAL(38,0)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_numbers_and_times_in_json(snapshot_home: Path) -> None:
    query = (
        "select sum(n_authors) as n, 1.50::decimal(9, 2) as d, 'nan'::double as x, "
        "timestamp '2025-01-02 03:04:05' as t, date '2025-01-02' as u, 'NaN 12345678901234567890' "
        "as s, ['inf'::double, 0.5] as l, 18446744073709551616::hugeint as h, "
        "18446744073709551615::hugeint as k from dim_papers"
    )
    done = run_in_process(snapshot_home, "sql", query, "--format", "json")
    (row,) = json.loads(done.stdout, parse_constant=_no_constant)
    assert isinstance(row.pop("n"), int)
    assert row == {
        "d": 1.5, "x": None, "t": "2025-01-02T03:04:05", "u": "2025-01-02",
        "s": "NaN 12345678901234567890", "l": [None, 0.5], "h": "18446744073709551616",
        "k": 18446744073709551615,
    }  # fmt: skip


@pytest.mark.parametrize("style", ["table", "csv", "json", "parquet"])
def test_columns_of_one_name_are_renamed(snapshot_home: Path, tmp_path: Path, style: str) -> None:
    file = tmp_path / "rows"
    query = "select 1 as a, 2 as a, 3 as A, 4 as b"
    done = run_in_process(snapshot_home, "sql", query, "--format", style, "-o", file)
    assert done.returncode == 0, done.stderr
    assert "Renamed duplicate columns: a is now a_1" in done.stderr
    names = {
        "csv": lambda: pl.read_csv(file).columns,
        "json": lambda: list(json.loads(file.read_text())[0]),
        "parquet": lambda: pl.read_parquet(file).columns,
        "table": lambda: file.read_text().splitlines()[0].split(),
    }[style]()
    assert names == ["a", "a_1", "A_2", "b"]


def test_a_join_with_all_columns(snapshot_home: Path) -> None:
    query = "select * from dim_papers p join fct_listings l on p.paper_id = l.paper_id limit 1"
    done = run_in_process(snapshot_home, "sql", query, "--format", "json")
    (row,) = json.loads(done.stdout)
    assert row["paper_id"] == row["paper_id_1"]


@pytest.mark.parametrize("style", ["csv", "json", "parquet"])
def test_order_nulls_and_empty_strings_are_kept(
    snapshot_home: Path, tmp_path: Path, style: str
) -> None:
    file = tmp_path / "rows"
    query = (
        "select i, case when i % 3 = 0 then null when i % 3 = 1 then '' else 'a,\"b\"\nc' end as t "
        "from range(30000) t(i) order by i desc"
    )
    done = run_in_process(snapshot_home, "sql", query, "--format", style, "-o", file)
    assert done.returncode == 0, done.stderr
    back = {
        "csv": lambda: pl.read_csv(file),
        "json": lambda: pl.DataFrame(json.loads(file.read_text())),
        "parquet": lambda: pl.read_parquet(file),
    }[style]()
    assert back["i"].to_list() == list(range(29_999, -1, -1))
    assert back["t"].to_list() == ['a,"b"\nc', "", None] * 10_000


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("explain select 1", "explain_key", id="explain"),
        pytest.param("explain analyze select 1", "explain_key", id="explain analyze"),
        pytest.param("show tables", "dim_papers", id="show"),
        pytest.param("describe dim_papers", "paper_id", id="describe"),
        pytest.param("summarize fct_listings", "paper_id", id="summarize"),
        pytest.param("select 1 as n; -- the end", "n", id="comment after the semicolon"),
        pytest.param("select 1 as n -- the end", "n", id="comment at the end"),
        pytest.param("values (1)", "col0", id="values"),
        pytest.param("select null as n", "n", id="null"),
        pytest.param("select 1::variant as n", "n", id="variant"),
        pytest.param("select n from (select 1 as n) where false", "n", id="no rows"),
        pytest.param(
            "pivot fct_listings on population in ('hf_daily') using count(*)", "hf_daily",
            id="pivot",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("style", ["csv", "parquet"])
def test_accepted_statements(
    snapshot_home: Path, tmp_path: Path, query: str, shown: str, style: str
) -> None:
    file = tmp_path / "rows"
    done = run_in_process(snapshot_home, "sql", query, "--format", style, "-o", file)
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(file) if style == "csv" else pl.read_parquet(file)
    assert shown in [*rows.columns, *rows.to_series(0)]


def test_a_table_is_cut_after_200_rows(snapshot_home: Path) -> None:
    done = run_in_process(snapshot_home, "sql", "from range(1000000000000)")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 201
    assert "Showing the first 200 rows" in done.stderr


def _run_process(home: Path, *arguments: str, **options: object) -> tuple[int, str]:
    """Exit code and stderr of the real command."""
    done = subprocess.run(
        [Path(sys.executable).with_name("papertide"), "sql", *arguments],
        env={**os.environ, "PAPERTIDE_HOME": str(home)},
        stderr=subprocess.PIPE,
        check=False,
        **options,  # type: ignore[call-overload]
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.slow  # starts processes
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("style", ["table", "csv", "json", "parquet"])
def test_a_full_standard_output_is_one_message(snapshot_home: Path, style: str) -> None:
    with Path("/dev/full").open("wb") as full:
        code, message = _run_process(snapshot_home, "select 1", "--format", style, stdout=full)
    assert code == 1
    assert message == "papertide: Can't write to standard output: No space left on device.\n"


@pytest.mark.slow  # starts processes
@pytest.mark.parametrize("style", ["csv", "json", "parquet"])
def test_a_file_that_is_too_large_is_removed(
    snapshot_home: Path, tmp_path: Path, style: str
) -> None:
    file = tmp_path / "papers"

    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    arguments = ("from dim_papers", "--format", style, "-o", str(file))
    code, message = _run_process(snapshot_home, *arguments, preexec_fn=small_files_only)
    assert code == 1
    assert message == f"papertide: Can't write to {file}: File too large.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written(snapshot_home: Path, tmp_path: Path) -> None:
    for path in ("/proc/rows.csv", str(tmp_path), str(tmp_path / "none" / "rows.csv")):
        done = run_in_process(snapshot_home, "sql", "select 1", "-o", path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_links_are_followed_and_devices_kept(snapshot_home: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for path in (str(tmp_path / "link"), "/dev/null"):
        done = run_in_process(snapshot_home, "sql", "select 1 as n", "--format", "csv", "-o", path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == "n\n1\n"
    assert (tmp_path / "link").is_symlink()
    assert Path("/dev/null").is_char_device()
