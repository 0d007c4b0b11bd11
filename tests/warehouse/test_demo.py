"""The tables of the demo against independent counts of the bundled sample."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from datetime import date
from math import ceil, floor, sqrt
from pathlib import Path
from statistics import mean, median
from typing import Any

import pytest

from pipelines.publishing.reader import Reader
from pipelines.settings import PROJECT_ROOT, Settings
from tests.conftest import run_in_process

pytestmark = pytest.mark.warehouse
Z = 1.959963984540054
Rows = list[dict[str, Any]]


@pytest.fixture
def reader(demo_settings: Settings) -> Reader:
    return Reader(demo_settings)


@pytest.fixture(scope="module")
def sample_days() -> dict[date, list[dict[str, Any]]]:
    """Listing day → items, read from the sample without Papertide's code."""
    days = {}
    for path in sorted((PROJECT_ROOT / "sample" / "hf_api").glob("*.json.gz")):
        days[date.fromisoformat(path.name[:10])] = json.loads(gzip.decompress(path.read_bytes()))
    return days


def quarter(day: date) -> date:
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def wilson(k: int, n: int) -> tuple[float, float]:
    p = k / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def test_the_demo_reports_counts_and_the_site(published_home: Path) -> None:
    messages = (published_home / "demo.stderr").read_text()
    assert "7559 items seen = 7559 accepted + 0 quarantined" in messages
    assert str(published_home / "site" / "index.html") in messages
    assert (published_home / "site" / "index.html").is_file()


def test_every_listing_is_present_once(reader: Reader, sample_days: dict[date, Rows]) -> None:
    listings = reader.query(
        "select arxiv_id, listed_on from fct_listings join dim_papers using (paper_id)"
    )
    expected = {(item["paper"]["id"], day) for day, items in sample_days.items() for item in items}
    assert set(listings.iter_rows()) == expected
    assert listings.height == len(expected) == 7_488


def test_the_search_page_adds_papers_but_no_population(reader: Reader) -> None:
    kinds = reader.query(
        "select listing_kind, n_seen, n_accepted, rules from rpt_capture_reconciliation where source = 'hf_page'"
    )
    assert kinds.select("listing_kind", "n_seen", "n_accepted").rows() == [("search", 71, 71)]
    only_there = reader.query("select count(*) as n from dim_papers where sources = ['hf_page']")[
        "n"
    ][0]
    counted = reader.query(
        "select count(*) as n from bridge_population_papers join dim_papers using (paper_id) where sources = ['hf_page']"
    )["n"][0]
    assert only_there == 69
    assert counted == 0


def test_topic_shares_by_an_independent_count(reader: Reader) -> None:
    """n and N from the bridge tables in plain Python, the interval by the textbook formula."""
    listed = reader.query(
        "select paper_id, listed_on from fct_listings where population = 'hf_daily'"
    )
    topics: dict[str, set[str]] = defaultdict(set)
    for paper, topic in reader.query(
        "select paper_id, topic_id from bridge_paper_topics"
    ).iter_rows():
        topics[paper].add(topic)
    totals: dict[date, set[str]] = defaultdict(set)
    counts: Counter[tuple[date, str]] = Counter()
    for paper, day in listed.iter_rows():
        if paper not in totals[quarter(day)]:
            totals[quarter(day)].add(paper)
            counts.update((quarter(day), topic) for topic in topics[paper])
    trends = reader.query(
        "select period_start_on, topic_id, n_papers, n_total, share, share_low, share_high "
        "from rpt_topic_trends where population = 'hf_daily' and grain = 'quarter'"
    )
    assert trends["period_start_on"].n_unique() == 7
    for start, topic, n, total, share, low, high in trends.iter_rows():
        assert (n, total) == (counts[start, topic], len(totals[start]))
        assert share == pytest.approx(n / total)
        assert (low, high) == pytest.approx(wilson(n, total), abs=1e-12)


def test_author_counts_by_an_independent_count(
    reader: Reader, sample_days: dict[date, Rows]
) -> None:
    papers: dict[date, dict[str, int]] = defaultdict(dict)
    for day, items in sample_days.items():
        for item in items:
            names = [a["name"] for a in item["paper"]["authors"] if a["name"].strip()]
            papers[quarter(day)][item["paper"]["id"]] = len(names)
    rows = reader.query(
        "select * from rpt_author_counts where population = 'hf_daily' and grain = 'quarter' and topic_id = 'all'"
    )
    assert rows.height == 7
    for row in rows.iter_rows(named=True):
        counts = sorted(n for n in papers[row["period_start_on"]].values() if n)
        n = len(counts)
        assert row["n_papers"] == n
        assert row["mean_authors"] == pytest.approx(mean(counts))
        assert row["median_authors"] == median(counts)
        assert row["median_low"] == counts[floor(n / 2 - Z * sqrt(n) / 2) - 1]
        assert row["median_high"] == counts[ceil(n / 2 + Z * sqrt(n) / 2)]
        assert row["p90_authors"] == counts[ceil(0.9 * n) - 1]
        assert row["max_authors"] == counts[-1]
        assert row["n_solo"] == counts.count(1)
        assert row["n_ten_plus"] == sum(c >= 10 for c in counts)
        assert (row["solo_share_low"], row["solo_share_high"]) == pytest.approx(
            wilson(counts.count(1), n)
        )


def test_the_distribution_adds_up(reader: Reader) -> None:
    odd = reader.query(
        """
        select population, grain, period_start_on, topic_id
        from rpt_author_count_distribution
        join rpt_author_counts using (population, grain, period_start_on, topic_id)
        group by all
        having sum(rpt_author_count_distribution.n_papers) <> any_value(rpt_author_counts.n_papers)
            or abs(sum(share) - 1) > 1e-9
        """
    )
    assert odd.is_empty()


@pytest.mark.parametrize(
    ("mart", "column", "names"),
    [
        ("rpt_topic_authors", "author_name", "authors"),
        ("rpt_topic_organizations", "organization", "[organization]"),
    ],
)
def test_the_most_frequent_names_against_a_count_of_papers(
    mart: str, column: str, names: str, reader: Reader
) -> None:
    known = "organization" if column == "organization" else "authors"
    papers = reader.query(
        f"select paper_id, {names} as names, {known} is not null as is_known, list(distinct topic_id) "
        "as topics, min(counted_on) as first, max(counted_on) as last "
        "from bridge_population_papers join dim_papers using (paper_id) "
        "join bridge_paper_topics using (paper_id) "
        f"where population = 'hf_daily' and kind <> 'discovered' group by paper_id, {known}"
    )
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    all_papers: Counter[str] = Counter()
    days: dict[tuple[str, str], list[date]] = defaultdict(list)
    for row in papers.iter_rows(named=True):
        for topic in ["all", *(t for t in row["topics"] if t != "no-topic")]:
            all_papers[topic] += 1
            totals[topic] += row["is_known"]
            for name in {one for one in row["names"] or () if one}:
                counted[topic][name] += 1
                days[topic, name] += [row["first"], row["last"]]
    expected = {}
    for topic, counts in counted.items():
        ranks: dict[int, int] = {}
        for place, n in enumerate(sorted(counts.values(), reverse=True), 1):
            ranks.setdefault(n, place)
        for name, n in counts.items():
            rank = ranks[n]
            if n > 1 and rank <= 25:
                low, high = wilson(n, totals[topic])
                expected[topic, name] = (
                    rank, n, totals[topic], all_papers[topic], pytest.approx(low),
                    pytest.approx(high), min(days[topic, name]), max(days[topic, name]),
                )  # fmt: skip
    rows = reader.query(
        f"select topic_id, {column}, rank, n_papers, n_total, n_topic_papers, share_low, share_high, "
        f"first_counted_on, last_counted_on from {mart} where population = 'hf_daily'"
    ).rows()
    assert len(rows) > 100
    assert {(row[0], row[1]): row[2:] for row in rows} == expected


def test_every_paper_has_a_topic_or_no_topic(reader: Reader) -> None:
    n_papers = reader.query("select count(*) as n from dim_papers")["n"][0]
    assert (
        reader.query(
            "select count(distinct paper_id) as n from bridge_paper_topics where kind <> 'discovered'"
        )["n"][0]
        == n_papers
    )
    both = reader.query(
        "select paper_id from bridge_paper_topics where kind <> 'discovered' "
        "group by 1 having count(*) > 1 and bool_or(topic_id = 'no-topic')"
    )
    assert both.is_empty()
    bare = reader.query(
        "select count(*) as n from bridge_paper_topics where topic_id <> 'no-topic' and len(evidence) = 0"
    )
    assert bare["n"][0] == 0


def test_discovered_topics_have_fits_lineage_and_papers(reader: Reader) -> None:
    fits = reader.query(
        "select boundary_on, previous_boundary_on, count(distinct topic_id) as n_topics, "
        "count(*) filter (where event = 'born') as n_born, min(n_fitted_papers) as n_papers "
        "from rpt_topic_lineage group by 1, 2 order by 1"
    )
    assert fits["boundary_on"].to_list() == [date(2025, 1, 1), date(2025, 7, 1)]
    assert fits["previous_boundary_on"].to_list() == [None, date(2025, 1, 1)]
    assert fits["n_born"][0] == fits["n_topics"][0]
    for n_topics, n_papers in fits.select("n_topics", "n_papers").iter_rows():
        assert 20 <= n_topics <= n_papers // 25
    ended = reader.query("select event from rpt_topic_lineage where event in ('died', 'merged')")
    assert ended.height > 0
    strays = reader.query(
        "select topic_id from dim_topics where kind = 'discovered' "
        "except select topic_id from rpt_topic_lineage where is_newest"
    )
    assert strays.is_empty()
    twice = reader.query(
        "select paper_id from bridge_paper_topics where kind = 'discovered' "
        "group by 1 having count(*) > 1"
    )
    assert twice.is_empty()
    sums = reader.query(
        "select sum(n_papers) as n, any_value(n_total) as n_total from rpt_topic_trends "
        "where kind = 'discovered' group by population, grain, period_start_on"
    )
    assert (sums["n"] <= sums["n_total"]).all()
    nan = reader.query(
        "select count(*) as n from rpt_topic_trends where kind = 'discovered' "
        "and (isnan(share) or isnan(growth) or isnan(level) or isnan(sign_error))"
    )
    assert nan["n"][0] == 0
    represented = reader.query(
        "select topic_id, title from bridge_paper_topics join dim_papers using (paper_id) "
        "where is_representative"
    )
    assert represented.group_by("topic_id").len()["len"].unique().to_list() == [5]


def test_coverage_names_the_missing_weekdays(reader: Reader, sample_days: dict[date, Rows]) -> None:
    missing = reader.query(
        "select listed_on from rpt_coverage where is_expected and not is_captured order by 1"
    )
    assert missing["listed_on"].to_list() == [
        date(2025, 1, 1), date(2025, 1, 16), date(2025, 11, 14),
    ]  # fmt: skip
    assert reader.query("select count(*) as n from rpt_coverage where is_captured")["n"][0] == len(
        sample_days
    )


def test_every_column_is_described(reader: Reader) -> None:
    bare = reader.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and coalesce(comment, '') = ''"
    )
    assert bare.is_empty()


def test_evaluate_writes_its_report(published_home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    done = run_in_process(published_home, "evaluate", "--only", "leakage", "-o", report)
    assert done.returncode == 0, done.stderr
    text = report.read_text()
    assert text.startswith("# Evaluation\n")
    assert "The tested results are the published ones | identical to the bit | yes" in text
    assert "## Selection" not in text
    nowhere = run_in_process(published_home, "evaluate", "-o", tmp_path / "no" / "r.md")
    assert nowhere.returncode == 2
    assert "does not exist. Create it first." in nowhere.stderr
