"""`make bench`: time and memory of whole commands, and ratios to a named baseline.

Each line shows its budget. Runs alternate with runs of their baseline, so that a slow machine slows
both; medians are compared. Needs the corpus (PAPERTIDE_CORPUS, or ../shared/corpus).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.archive.archive import Archive
from pipelines.lake import items
from pipelines.publishing.reader import Reader
from pipelines.settings import PROJECT_ROOT, Settings
from tests.replay import ReplayServer, SyntheticListings

QUERIES = {
    "topic shares of a quarter": (
        "select topic_name, share, share_low, share_high from rpt_topic_trends where "
        "population = 'hf_daily' and grain = 'quarter' and period_start_on = date '2025-07-01' "
        "order by share desc"
    ),
    "one topic over weeks": (
        "select period_start_on, share from rpt_topic_trends where population = 'hf_daily' and "
        "grain = 'week' and topic_id = 'reinforcement-learning' order by 1"
    ),
    "papers by title": (
        "select title, upvotes from dim_papers where title ilike '%diffusion%' "
        "order by first_listed_on desc nulls last limit 25"
    ),
}


def corpus() -> Path:
    """The corpus folder. Exits with a message if it is absent."""
    path = Path(os.environ.get("PAPERTIDE_CORPUS", PROJECT_ROOT.parent / "shared" / "corpus"))
    if not (path / "arxiv").is_dir():
        sys.exit(f"The benchmarks need the corpus, which is not at {path}. Set PAPERTIDE_CORPUS.")
    return path


def line(name: str, figure: str, budget: str, *, held: bool) -> None:
    """Print one result."""
    print(f"{name:<46} {figure:<34} budget {budget:<14} {'held' if held else 'MISSED'}", flush=True)


def command(home: Path, *arguments: str) -> tuple[float, float]:
    """Wall seconds and peak MiB of a whole command (its largest single process)."""
    start = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("papertide"), *arguments],
        env={**os.environ, "PAPERTIDE_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bench_demo(folder: Path) -> None:
    """`papertide demo` in a fresh home."""
    seconds, peak = command(folder / "demo", "demo")
    line(
        "papertide demo, from empty", f"{seconds:.1f} s, {peak:.0f} MiB", "60 s", held=seconds <= 60
    )


def bench_corpus(folder: Path, captures: Path) -> Path:
    """The whole corpus, from empty to published; returns the home."""
    home = folder / "corpus"
    intake, _ = command(home, "ingest", str(captures))
    build, peak = command(home, "build")
    total = intake + build
    line(
        "whole corpus, from empty to published",
        f"{intake:.1f} + {build:.1f} = {total:.1f} s, {peak:.0f} MiB",
        "120 s, 3 GiB",
        held=total <= 120 and peak <= 3 * 1024,
    )
    return home


def bench_arxiv(folder: Path, captures: Path, rounds: int) -> None:
    """Ingesting an arXiv file, compared with DuckDB's `read_json` of the same file into a table."""
    path = captures / "arxiv" / "arxiv-metadata-2025.jsonl.gz"
    ours, base = [], []

    def baseline() -> None:
        with duckdb.connect(str(folder / "baseline.duckdb"), config={"threads": 2}) as connection:
            connection.execute(
                "create or replace table a as select * from read_json($p)", {"p": str(path)}
            )

    def intake() -> None:
        settings = Settings(home=folder / "arxiv")
        archive = Archive(settings)
        with path.open("rb") as stream:
            received = archive.receive(stream, path.name, {})
        items.load(archive, received.receipt, settings.items_dir)

    for _ in range(rounds):
        base.append(timed(baseline))
        ours.append(timed(intake))
        shutil.rmtree(folder / "arxiv")
        (folder / "baseline.duckdb").unlink()
    ratio = statistics.median(o / b for o, b in zip(ours, base, strict=True))
    line(
        "arXiv file: intake / DuckDB read_json",
        f"{statistics.median(ours):.2f} / {statistics.median(base):.2f} s = {ratio:.2f}",
        "1.5",
        held=ratio <= 1.5,
    )


def bench_queries(home: Path, rounds: int) -> None:
    """Queries of the dashboard: 95th percentile of repeated runs."""
    reader = Reader(Settings(home=home))
    for name, sql in QUERIES.items():
        times = sorted(timed(lambda sql=sql: reader.query(sql)) for _ in range(rounds * 10))
        p95 = times[int(len(times) * 0.95) - 1] * 1000
        line(f"query: {name}", f"p95 {p95:.0f} ms", "150 ms", held=p95 <= 150)


def steps(home: Path) -> dict[str, float]:
    """Seconds of each step of the newest run, from Dagster's records."""
    logs = (home / "dagster" / "history" / "runs").glob("*.db")
    newest = max((p for p in logs if p.stem != "index"), key=lambda p: p.stat().st_mtime)
    with sqlite3.connect(newest) as connection:
        rows = connection.execute(
            "select step_key, dagster_event_type, timestamp from event_logs "
            "where dagster_event_type in ('STEP_START', 'STEP_SUCCESS') order by id"
        ).fetchall()
    began: dict[str, datetime] = {}
    took = {}
    for step, event, at in rows:
        moment = datetime.fromisoformat(at)
        if event == "STEP_START":
            began[step] = moment
        else:
            took[step] = (moment - began[step]).total_seconds()
    return took


ANALYTICS = (
    "int_paper_topics", "int_topic", "int_term", "int_papers__scored", "int_series",
    "rpt_topic", "rpt_term", "rpt_author_counts", "rpt_trending",
)  # fmt: skip
"""Prefixes of the names of models of topics, terms and trends."""


def bench_analytics(folder: Path, captures: Path) -> None:
    """Topics, terms and trends of 100,000 papers: the corpus, and its arXiv file under new ids.

    Measures the seconds of matching, plus those in which at least one of these models ran, in the
    first build from parsed captures.
    """
    twice = folder / "twice"
    shutil.copytree(captures / "hf_api", twice / "hf_api")
    name = "arxiv-metadata-2025.jsonl.gz"
    with gzip.open(captures / "arxiv" / name, "rt") as lines, gzip.open(twice / name, "wt") as out:
        for text in lines:
            out.write(text)
            row = json.loads(text)
            month, _, number = row["id"].partition(".")
            if number.isdigit() and int(number) < 40_000:
                row["id"] = f"{month}.{int(number) + 50_000}"
                row["title"] += " (copy)"
                out.write(json.dumps(row) + "\n")
    home = folder / "analytics"
    command(home, "ingest", str(twice))
    _, peak = command(home, "build")
    results = json.loads((home / "dbt" / "target" / "run_results.json").read_text())["results"]
    spans = [
        (step["started_at"], step["completed_at"])
        for r in results
        for step in r["timing"]
        if step["name"] == "execute"
        and any(part.startswith(ANALYTICS) for part in r["unique_id"].split(".")[2:3])
    ]
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        n = connection.sql("select count(*) from marts.dim_papers").fetchall()[0][0]
    seconds = steps(home)["text_features"] + _covered(spans)
    line(
        f"topics, terms and trends of {n:,} papers",
        f"{seconds:.1f} s, {peak:.0f} MiB",
        "60 s, 3 GiB",
        held=seconds <= 60 and peak <= 3 * 1024,
    )


def _covered(spans: list[tuple[str, str]]) -> float:
    """Seconds covered by at least one of the spans."""
    total, reached = 0.0, datetime.min.replace(tzinfo=UTC)
    for started, ended in sorted(tuple(map(datetime.fromisoformat, span)) for span in spans):
        total += max((ended - max(started, reached)).total_seconds(), 0.0)
        reached = max(reached, ended)
    return total


def bench_refresh(folder: Path) -> None:
    """A day's refresh with 5,000 and with 50,000 papers, and the backfill before it.

    The ratio of both must stay small. Work is the time from the start of a run to the published
    snapshot. Data work is the part of it in DuckDB and Polars; for dbt, the execution times of its
    nodes divided by the number of threads.
    """
    last = datetime.now(UTC).date() - timedelta(days=1)
    while last.isoweekday() > 5:
        last -= timedelta(days=1)
    first = last - timedelta(days=400)
    found = {}
    for n in (5_000, 50_000):
        home = folder / f"refresh-{n}"
        with ReplayServer(SyntheticListings(n, last, first)) as server:
            os.environ["HF_ENDPOINT"] = server.url
            command(home, "backfill", "--since", f"{first}", "--until", f"{last - timedelta(1)}")
            fetched = steps(home)["hf_daily_listings"]
            if n == 50_000:
                pace = 400 / fetched
                line("backfill of 400 days", f"{pace:.0f} days/s", "20 days/s", held=pace >= 20)
            seconds, peak = command(home, "refresh", "--since", f"{last}", "--until", f"{last}")
        took = steps(home)
        work = sum(took.values()) - took.get("site", 0)
        data = work - took["dbt_models"] + _dbt_seconds(home)
        found[n] = data
        line(
            f"a day's refresh on {n:,} papers, whole command",
            f"{seconds:.1f} s, work {work:.1f} s, data {data:.1f} s, {peak:.0f} MiB",
            "30 s, data 10 s",
            held=seconds <= 30 and data <= 10,
        )
    ratio = found[50_000] / found[5_000]
    line("data work, 50,000 papers / 5,000", f"{ratio:.2f}", "1.3", held=ratio <= 1.3)


def _dbt_seconds(home: Path) -> float:
    """Execution times of the newest build's models and tests, divided by dbt's threads."""
    results = json.loads((home / "dbt" / "target" / "run_results.json").read_text())["results"]
    return sum(r["execution_time"] for r in results) / Settings(home=home).threads


def main() -> None:
    """Run all benchmarks, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each alternated pair")
    parser.add_argument(
        "--only",
        choices=("arxiv", "demo", "refresh", "corpus", "analytics"),
        help="run only this one",
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="papertide-bench-") as name:
        folder = Path(name)
        (folder / "arxiv").mkdir()
        if given.only in (None, "arxiv"):
            bench_arxiv(folder, corpus(), given.rounds)
        if given.only in (None, "demo"):
            bench_demo(folder)
        if given.only in (None, "refresh"):
            bench_refresh(folder)
        if given.only in (None, "analytics"):
            bench_analytics(folder, corpus())
        if given.only in (None, "corpus"):
            bench_queries(bench_corpus(folder, corpus()), given.rounds)


if __name__ == "__main__":
    main()
