"""`papertide sql` and `status`: formats, refused statements, exit codes.

Commands run in this process; `test_the_question_of_the_readme` starts the real one.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import run_in_process, run_papertide

pytestmark = pytest.mark.warehouse
QUESTION = (
    "select topic_name, n_papers, share, share_low, share_high from marts.rpt_topic_trends "
    "where population='hf_daily' and grain='quarter' order by share desc limit 10"
)


def test_the_question_of_the_readme(published_home: Path) -> None:
    done = run_papertide(published_home, "sql", QUESTION, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert done.returncode == 0
    assert len(rows) == 10
    assert rows[0]["topic_name"] == "Large language models"
    assert all(float(r["share_low"]) < float(r["share"]) < float(r["share_high"]) for r in rows)


@pytest.mark.parametrize("style", ["table", "csv", "json", "parquet"])
def test_formats_hold_the_same_rows(snapshot_home: Path, tmp_path: Path, style: str) -> None:
    file = tmp_path / f"rows.{style}"
    query = "select paper_id, n_authors, authors from dim_papers order by paper_id limit 3"
    done = run_in_process(snapshot_home, "sql", query, "--format", style, "-o", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    read = {
        "csv": lambda: pl.read_csv(file)["paper_id"].to_list(),
        "json": lambda: [row["paper_id"] for row in json.loads(file.read_text())],
        "parquet": lambda: pl.read_parquet(file)["paper_id"].to_list(),
        "table": lambda: [line.split()[0] for line in file.read_text().splitlines()[1:4]],
    }[style]()
    assert len(read) == 3
    assert read == sorted(read)
    assert all(paper.startswith("arxiv:") for paper in read)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param("select * from read_csv('/etc/passwd')", "disabled", id="read a file"),
        pytest.param("select * from read_text('/etc/hostname')", "disabled", id="read text"),
        pytest.param("select * from glob('/*')", "disabled", id="list a folder"),
        pytest.param("select * from '/etc/passwd.csv'", "", id="file as table"),
        pytest.param("copy (select 1) to '/tmp/out.csv'", "Only queries that read", id="write"),
        pytest.param("attach '/tmp/other.db'", "Only queries that read", id="attach"),
        pytest.param("install httpfs", "Only queries that read", id="install"),
        pytest.param("load httpfs", "Only queries that read", id="load"),
        pytest.param("set threads = 64", "Only queries that read", id="set"),
        pytest.param("pragma threads = 64", "Only queries that read", id="pragma"),
        pytest.param("drop table marts.dim_papers", "Only queries that read", id="drop"),
        pytest.param("create table x as select 1", "Only queries that read", id="create"),
        pytest.param("export database '/tmp/x'", "Only queries that read", id="export"),
        pytest.param("select 1; select 2", "one statement", id="two statements"),
        pytest.param("", "one statement", id="empty"),
        pytest.param("selekt 1", "syntax error", id="typo"),
        pytest.param("select * from nowhere", "nowhere", id="unknown table"),
    ],
)
def test_refused_statements(snapshot_home: Path, query: str, message: str) -> None:
    done = run_in_process(snapshot_home, "sql", query)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.startswith("papertide: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_formulas_are_escaped_in_csv_only(snapshot_home: Path) -> None:
    query = "select '=cmd()' as a, -1 as b, ['+1', 'x'] as c"
    as_csv = run_in_process(snapshot_home, "sql", query, "--format", "csv").stdout
    as_json = run_in_process(snapshot_home, "sql", query, "--format", "json").stdout
    assert as_csv == "a,b,c\n'=cmd(),-1,'+1; x\n"
    assert json.loads(as_json) == [{"a": "=cmd()", "b": -1, "c": ["+1", "x"]}]


def test_status_as_text_and_as_json(published_home: Path) -> None:
    text = run_in_process(published_home, "status")
    figures = json.loads(run_in_process(published_home, "status", "--json").stdout)
    assert text.returncode == 0
    assert "7,555" in text.stdout
    assert figures["n_papers"] == 7_555
    assert figures["n_captures_not_published"] == 0
    assert {row["population"] for row in figures["coverage"]} == {"hf_daily"}
    assert all(r["n_seen"] == r["n_accepted"] + r["n_quarantined"] for r in figures["captures"])


@pytest.mark.parametrize("command", [["status"], ["sql", "select 1"], ["export-site", "site"]])
def test_without_a_snapshot_commands_fail_with_a_message(
    tmp_path: Path, command: list[str]
) -> None:
    done = run_in_process(tmp_path / "empty", *command)
    assert done.returncode == 1
    assert "Nothing is published" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nosuch"], id="unknown command"),
        pytest.param(["ingest"], id="no path"),
        pytest.param(["ingest", ".", "--kind", "hourly"], id="unknown kind"),
        pytest.param(["ingest", ".", "--listing-day", "Feb 30"], id="not a date"),
        pytest.param(["ingest", ".", "--captured-on", "yesterday"], id="not a time"),
        pytest.param(["sql", "select 1", "--format", "xls"], id="unknown format"),
    ],
)
def test_wrong_usage_is_code_2(tmp_path: Path, arguments: list[str]) -> None:
    done = run_in_process(tmp_path / "home", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_invalid_setting_is_named(tmp_path: Path) -> None:
    done = run_in_process(tmp_path, "status", PAPERTIDE_THREADS="many")
    assert done.returncode == 2
    assert "PAPERTIDE_THREADS='many'" in done.stderr
