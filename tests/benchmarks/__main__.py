"""`make bench`: times and memory of whole commands, and ratios against a named baseline.

Each line names its budget. Runs alternate with their baseline, so that a machine that slows down
slows both; medians are compared. Needs the corpus (PAPERTIDE_CORPUS, or ../shared/corpus).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines import items
from pipelines.captures import Archive
from pipelines.publishing.reader import Reader
from pipelines.settings import PROJECT_ROOT, Settings

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
    """The corpus folder; leaves with a sentence where there is none."""
    path = Path(os.environ.get("PAPERTIDE_CORPUS", PROJECT_ROOT.parent / "shared" / "corpus"))
    if not (path / "arxiv").is_dir():
        sys.exit(f"The benchmarks need the corpus; {path} is not there (set PAPERTIDE_CORPUS).")
    return path


def line(what: str, figure: str, budget: str, *, held: bool) -> None:
    """One result."""
    print(f"{what:<46} {figure:<34} budget {budget:<14} {'held' if held else 'MISSED'}", flush=True)


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
    """Taking an arXiv file in, against DuckDB's `read_json` into a table of the same file."""
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
    """What the dashboard asks, at the 95th percentile of repeated runs."""
    reader = Reader(Settings(home=home))
    for what, sql in QUERIES.items():
        times = sorted(timed(lambda sql=sql: reader.query(sql)) for _ in range(rounds * 10))
        p95 = times[int(len(times) * 0.95) - 1] * 1000
        line(f"query: {what}", f"p95 {p95:.0f} ms", "150 ms", held=p95 <= 150)


def main() -> None:
    """Run all, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each alternated pair")
    rounds = parser.parse_args().rounds
    captures = corpus()
    with tempfile.TemporaryDirectory(prefix="papertide-bench-") as name:
        folder = Path(name)
        (folder / "arxiv").mkdir()
        bench_arxiv(folder, captures, rounds)
        bench_demo(folder)
        bench_queries(bench_corpus(folder, captures), rounds)


if __name__ == "__main__":
    main()
