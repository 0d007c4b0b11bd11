"""Computing only what changed gives the tables that computing everything gives, hash for hash."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from tests.conftest import run_papertide
from tests.fixtures.listings import api, card, item, jsonl, page, record
from tests.unit.topic_papers import make_papers

pytestmark = pytest.mark.warehouse

TITLE = "A Title That Stands Alone At First"


def hashes(home: Path) -> dict[str, str]:
    """Mart → hash of its Parquet file in the current snapshot."""
    package = current(Settings(home=home)).package()
    return {resource["name"]: resource["hash"] for resource in package["resources"]}


def run(home: Path, *arguments: str | Path) -> str:
    done = run_papertide(home, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def day(folder: Path, listed_on: str, *items: dict[str, object]) -> Path:
    path = folder / f"{listed_on}.json"
    path.write_bytes(api(*items))
    return path


def listed(arxiv_id: str, on: str, **paper: object) -> dict[str, object]:
    submitted = {"submittedOnDailyAt": f"{on}T10:00:00.000Z", "publishedAt": f"{on}T01:00:00.000Z"}
    return item(arxiv_id, **{**submitted, **paper})


Change = list[list[str | Path]]


@pytest.fixture
def changes(tmp_path: Path) -> list[Change]:
    """Commands to run before each build; each list changes the data in a different way."""
    folder = tmp_path / "received"
    (folder / "again").mkdir(parents=True)
    late = [listed("2412.00001", "2024-12-31", upvotes=9), listed("2412.00002", "2024-12-31")]
    team = [{"name": "A B"}, {"name": "C D"}, {"name": "E F"}]
    text = page(card(TITLE, 3, "Dec 30, 2024"), card("Another One", 2, "Jun 1, 2023"))
    (folder / "page.txt").write_bytes(text)
    (folder / "dump.jsonl").write_bytes(jsonl(record("2412.00002"), record("2412.00009")))
    return [
        # A title without an id; days at the end of a month and a year.
        [["ingest", folder / "page.txt", day(folder, "2024-12-31", late[0]),
          day(folder, "2024-11-05", listed("2411.00001", "2024-11-05"))]],
        # The same day again, grown, with other counters; a new day in another month; an id for the
        # title.
        [["ingest", day(folder / "again", "2024-12-31", *late),
          day(folder, "2025-01-02", listed("2501.00001", "2025-01-02")),
          day(folder, "2024-12-30", listed("2412.00003", "2024-12-30", title=TITLE, authors=team))]],
        # An arXiv file that changes texts, dates and the other population; a day that is corrected
        # to a search page: its papers stay, its listings and their trends go.
        [["ingest", folder / "dump.jsonl"],
         ["accept", "rpt_trending_papers", "--why", "it was a search page"],
         ["ingest", folder / "2025-01-02.json", "--kind", "search"]],
    ]  # fmt: skip


@pytest.mark.slow
def test_incremental_builds_equal_one_full_build(tmp_path: Path, changes: list[Change]) -> None:
    home, whole = tmp_path / "home", tmp_path / "whole"
    seen = []
    for number, commands in enumerate(changes):
        for command in commands:
            run(home, *command)
        output = run(home, "build")
        assert ("the warehouse's copy" in output) == (number > 0), output
        seen.append(hashes(home))
    shutil.copytree(home / "captures", whole / "captures")
    run(whole, *changes[-1][-1])
    assert "a new warehouse" in run(whole, "build")
    assert seen[-1] == hashes(whole)
    # Each step changes tables, so the equality is not trivial.
    for before, after in pairwise(seen):
        changed = {name for name, found in after.items() if found != before[name]}
        assert changed >= {"dim_papers", "fct_listings", "rpt_topic_trends", "rpt_coverage"}
    assert seen[1]["rpt_title_matches"] != seen[0]["rpt_title_matches"]


@pytest.mark.slow
def test_topics_are_fitted_once_and_later_papers_are_placed(tmp_path: Path) -> None:
    """Fits of incremental and full builds agree; papers after a boundary cause no new fit."""
    home, whole, folder = tmp_path / "home", tmp_path / "whole", tmp_path / "received"
    folder.mkdir()

    def dump(name: str, papers: pl.DataFrame, on: str) -> Path:
        lines = [
            record(f"25{on[5:7]}.{paper_id[1:]:>05}", title=title, abstract=abstract, update_date=on,
                   versions=[], categories="cs.LG")
            for paper_id, title, abstract, _ in papers.iter_rows()
        ]  # fmt: skip
        path = folder / f"{name}.jsonl"
        path.write_bytes(jsonl(*lines))
        return path

    def fits() -> dict[str, int]:
        found = (home / "lake" / "topics").glob("*/model.json")
        return {path.parent.name: path.stat().st_mtime_ns for path in found}

    papers = make_papers(1_400)
    run(home, "ingest", dump("old", papers[:1_000], "2025-06-20"))
    run(home, "build")
    assert fits() == {}  # the half-year has not ended
    run(home, "ingest", dump("new", papers[1_000:1_200], "2025-07-03"))
    run(home, "build")
    kept = fits()
    assert len(kept) == 1
    seen = hashes(home)
    # New papers, and a revision of an old one; the fit used its earlier text.
    revised = papers[:1].with_columns(title=pl.lit("Revised in capitals and words"))
    run(home, "ingest", dump("newer", papers[1_200:], "2025-07-04"))
    lines = jsonl(record("2506.00000", title=revised["title"][0], update_date="2025-07-05"))
    (folder / "revised.jsonl").write_bytes(lines)
    run(home, "ingest", folder / "revised.jsonl")
    assert "the warehouse's copy" in run(home, "build")
    assert fits() == kept
    assert hashes(home)["bridge_paper_topics"] != seen["bridge_paper_topics"]
    assert hashes(home)["rpt_topic_lineage"] == seen["rpt_topic_lineage"]
    shutil.copytree(home / "captures", whole / "captures")
    assert "a new warehouse" in run(whole, "build")
    assert hashes(home) == hashes(whole)
    reader = Reader(Settings(home=whole))
    rows = reader.query(
        "select count(*) as n, count(distinct paper_id) as n_papers, "
        "count(*) filter (where is_representative) as n_representative "
        "from bridge_paper_topics where kind = 'discovered'"
    ).row(0, named=True)
    topics = reader.query("select topic_id from dim_topics where kind = 'discovered'").height
    assert rows["n"] == rows["n_papers"] >= 1_350
    assert rows["n_representative"] == 5 * topics > 0
    trends = reader.query(
        "select sum(n_papers) as n, any_value(n_total) as n_total from rpt_topic_trends "
        "where kind = 'discovered' and grain = 'month' group by population, period_start_on"
    )
    assert trends.height
    assert (trends["n"] <= trends["n_total"]).all()


@pytest.mark.slow
def test_a_removed_capture_is_removed_from_the_tables(demo_home: Path, tmp_path: Path) -> None:
    before = hashes(demo_home)
    extra = day(tmp_path, "2025-07-02", listed("2507.00001", "2025-07-02"))
    run(demo_home, "ingest", extra)
    assert "the warehouse's copy" in run(demo_home, "build")
    assert hashes(demo_home)["dim_papers"] != before["dim_papers"]
    receipts = [p for p in (demo_home / "captures").glob("*/*.json") if str(extra) in p.read_text()]
    assert len(receipts) == 1
    receipts[0].unlink()
    shutil.rmtree(demo_home / "lake" / "items" / receipts[0].stem)
    run(demo_home, "accept", "2025-07-02", "--why", "its capture is gone for good")
    assert "the warehouse's copy" in run(demo_home, "build")
    assert hashes(demo_home) == before
