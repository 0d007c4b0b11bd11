"""Unusual but valid inputs in real builds: no exception, no NaN in a mart, no unfounded verdict.

Inputs: one paper; a topic in every paper; a month without captures; a paper listed on several days;
3,303 authors; titles in other scripts; papers without abstracts.
"""

from __future__ import annotations

import json
import subprocess
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from tests.fixtures.listings import api, item, jsonl, record
from tests.soak.world import run

pytestmark = [pytest.mark.warehouse, pytest.mark.slow]

SCRIPTS = [
    "大規模言語モデルの評価", "대규모 언어 모델의 평가", "تقييم النماذج اللغوية الكبيرة",
    "Оценка больших языковых моделей", "การประเมินแบบจำลองภาษา", "🧪 𝔏𝔞𝔯𝔤𝔢 𝔐𝔬𝔡𝔢𝔩𝔰", "ⅠⅡⅢ ½ ℵ₀", "…",
]  # fmt: skip
MANY_AUTHORS = 3_303
UNREACHABLE = "http://127.0.0.1:9"


def succeeded(process: subprocess.CompletedProcess[str]) -> str:
    assert process.returncode == 0, process.stderr
    assert "Traceback" not in process.stderr
    return process.stderr


def marts(home: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(current(Settings(home=home)).database), read_only=True)
    connection.execute("use marts")
    return connection


def not_finite(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """Table, column and number of rows of every double column with NaN or infinite values."""
    columns = connection.execute(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'marts' and data_type = 'DOUBLE' order by all"
    ).fetchall()
    assert len(columns) > 40
    counted = [
        (table, name, connection.execute(
            f"select count(*) from {table} where not isfinite({name})"
        ).fetchall()[0][0])
        for table, name in columns
    ]  # fmt: skip
    return [row for row in counted if row[2]]


def verdicts(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    rows = connection.execute(f"select distinct verdict from {table}").fetchall()
    return {verdict for (verdict,) in rows}


def test_one_paper(tmp_path: Path) -> None:
    home = tmp_path / "home"
    page = tmp_path / "2025-03-04.json"
    page.write_bytes(api(item("2503.00001", "One Paper", publishedAt="2025-03-03T00:00:00.000Z")))
    succeeded(run(home, UNREACHABLE, "ingest", str(page), "--listing-day", "2025-03-04"))
    assert "1 papers" in succeeded(run(home, UNREACHABLE, "build"))
    with marts(home) as connection:
        assert not_finite(connection) == []
        assert verdicts(connection, "rpt_topic_trends") == {"not_comparable"}
        assert verdicts(connection, "rpt_term_trends") <= {"not_comparable"}
        figures = "select n_papers, mean_authors, median_authors, max_authors from rpt_author_counts where topic_id = 'all'"
        assert set(connection.execute(figures).fetchall()) == {(1, 2.0, 2.0, 2)}


def odd_day(day: date, before: date, number: int) -> bytes:
    """Ten papers about language models; on some days, one more that the day before lists too."""
    papers = [
        item(
            f"{day:%y%m}.{number * 100 + n:05d}",
            f"{SCRIPTS[(number + n) % len(SCRIPTS)]} Language Models {number} {n}",
            publishedAt=f"{day - timedelta(days=1)}T00:00:00.000Z",
            summary="Language models of language models.",
            upvotes=number + n,
        )
        for n in range(10)
    ]
    if number % 3 == 1:
        papers.append(
            item(
                f"{before:%y%m}.{(number - 1) * 100:05d}",
                f"{SCRIPTS[(number - 1) % len(SCRIPTS)]} Language Models {number - 1} 0",
                publishedAt=f"{day - timedelta(days=2)}T00:00:00.000Z",
            )
        )
    if number % 2:
        for paper in papers:
            del paper["paper"]["summary"]
    if number == 5:
        papers[0]["paper"]["authors"] = [{"name": f"Author {n}"} for n in range(MANY_AUTHORS)]
    return json.dumps(papers).encode()


def test_all_unusual_inputs_at_once(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "days"
    folder.mkdir()
    days = [date(2025, 1, 6) + timedelta(days=n) for n in range(180)]
    days = [day for day in days if day.weekday() < 5 and day.month != 4]  # April is missing
    for number, day in enumerate(days):
        (folder / f"{day}.json").write_bytes(odd_day(day, days[number - 1], number))
    # The same paper repeated, under one id and under two.
    (folder / "metadata.jsonl").write_bytes(
        jsonl(*[record("2503.00001"), record("2503.00001"), record("2503.00002")] * 3)
    )
    messages = succeeded(run(home, UNREACHABLE, "ingest", str(folder)))
    assert "0 quarantined" in messages
    succeeded(run(home, UNREACHABLE, "build"))
    with marts(home) as connection:
        assert not_finite(connection) == []
        trends = pl.DataFrame(connection.sql("from rpt_topic_trends where population = 'hf_daily'"))
        in_every_paper = trends.filter(topic_id="large-language-models", grain="month")
        assert in_every_paper["share"].drop_nulls().min() > 0.5
        assert set(in_every_paper["verdict"]) <= {"flat", "unclear", "not_comparable"}
        after_gap = trends.filter(pl.col("period_start_on") == date(2025, 6, 1), grain="month")
        assert set(after_gap["verdict_reason"]) == {"short_history"}
        n_papers = len(days) * 10 + 2
        assert connection.execute("select count(*), count(distinct paper_id) from dim_papers"
                                  ).fetchall() == [(n_papers, n_papers)]  # fmt: skip
        most = connection.execute("select max(n_authors) from dim_papers").fetchall()
        assert most == [(MANY_AUTHORS,)]
        n_relisted = connection.execute(
            "select count(*) from fct_listings where paper_id in (select paper_id from fct_listings "
            "where population = 'hf_daily' group by paper_id having count(*) > 1)"
        ).fetchall()[0][0]
        assert n_relisted > 0
