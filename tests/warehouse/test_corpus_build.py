"""A build of the whole corpus, twice: the figures that its README states."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from tests.conftest import run_papertide

pytestmark = [pytest.mark.warehouse, pytest.mark.slow]

PAGE_PAPERS = [
    "2407.02880", "2503.15617", "2503.21377", "2504.03302", "2504.10188", "2507.00789",
    "2507.01467", "2507.07995", "2507.16880", "2509.09429", "2510.14230",
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Path:
    folder = tmp_path_factory.mktemp("corpus-home")
    for command in (["ingest", str(corpus)], ["build"]):
        done = run_papertide(folder, *command)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def reader(home: Path) -> Reader:
    return Reader(Settings(home=home))


def test_every_capture_reconciles(reader: Reader) -> None:
    rows = reader.query(
        "select source, format, listing_kind, sum(n_seen)::bigint as seen, "
        "sum(n_accepted)::bigint as accepted from rpt_capture_reconciliation group by all"
    )
    assert set(rows.iter_rows()) == {
        ("hf_api", "daily_papers_json", "daily", 6_373 + 2_988, 6_373 + 2_988),
        ("hf_api", "daily_papers_json", "unknown", 62, 0),
        ("hf_page", "listing_html", "daily", 13, 13),
        ("hf_page", "listing_text", "search", 71, 71),
        ("arxiv", "arxiv_snapshot", "announcement", 74_234, 74_234),
        ("arxiv", "arxiv_atom", "search", 2, 2),
    }
    broken = reader.query(
        "select capture_id from rpt_capture_reconciliation "
        "where n_seen <> n_accepted + n_quarantined or n_item_rows <> n_accepted"
    )
    assert broken.is_empty()


def test_listings_of_the_daily_population(reader: Reader) -> None:
    rows = reader.query(
        "select count(*) as n_listings, count(*) filter (where listed_on = date '2025-06-03') as n_day, "
        "count(distinct listed_on) as n_days from fct_listings where population = 'hf_daily'"
    )
    assert rows.rows() == [(7_490, 62, 415)]


def test_papers_by_source(reader: Reader) -> None:
    """51,603 ids occur in the lists, the page's HTML and the arXiv file; one of the two papers of
    the Atom answer occurs in none of them."""
    rows = reader.query(
        """
        with ids as (
            select arxiv_id, list_contains(sources, 'hf_api') or list_contains(sources, 'hf_page') as is_listed,
                exists (from fct_listings where fct_listings.paper_id = dim_papers.paper_id) as is_counted
            from dim_papers
            where arxiv_id is not null
        )
        select count(*) as n, count(distinct arxiv_id) as n_distinct,
            count(*) filter (where is_listed or is_counted) as n_listed_or_announced
        from ids
        """
    )
    assert rows.rows() == [(51_604, 51_604, 51_603)]


def test_titles_of_the_page_are_matched(reader: Reader) -> None:
    matched = reader.query(
        "select substr(paper_id, 7) as id, match_evidence from rpt_title_matches where outcome = 'matched' order by 1"
    )
    assert matched["id"].to_list() == PAGE_PAPERS
    assert all("same normalised title" in evidence for evidence in matched["match_evidence"])
    others = reader.query(
        "select outcome, count(*) from rpt_title_matches where outcome <> 'matched' group by 1"
    )
    assert others.rows() == [("unmatched", 60)]


def test_two_ids_are_two_papers(reader: Reader) -> None:
    pairs = reader.query(
        "select arxiv_id from dim_papers where arxiv_id in "
        "('2506.03038', '2505.17997', '2507.12759', '2510.09354')"
    )
    assert pairs.height == 4


def test_the_largest_collaboration_keeps_all_authors(reader: Reader) -> None:
    giant = reader.query(
        "select n_authors, len(authors) as n_names, "
        "(select count(*) from bridge_paper_authors b where b.paper_id = p.paper_id) as n_rows "
        "from dim_papers p order by n_authors desc limit 1"
    )
    assert giant.rows() == [(3_303, 3_303, 3_303)]


def test_dates_that_contradict_the_id_are_not_used(reader: Reader) -> None:
    old = reader.query(
        "select arxiv_id, published_on::varchar as day, published_on_basis as basis from dim_papers where arxiv_id = '2210.12590'"
    )
    assert old.rows() == [("2210.12590", "2022-10-01", "arxiv_id_month_v1_contradicts_id")]


def test_ingesting_everything_again_changes_no_row(home: Path, corpus: Path) -> None:
    before = _parquet_hashes(home)
    again = run_papertide(home, "ingest", corpus)
    assert "already in the archive, unchanged" in again.stderr
    assert "new capture(s)" not in again.stderr
    assert run_papertide(home, "build").returncode == 0
    assert _parquet_hashes(home) == before
    assert len(before) == 23


def _parquet_hashes(home: Path) -> dict[str, str]:
    folder = current(Settings(home=home)).folder / "parquet"
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.parquet")}
