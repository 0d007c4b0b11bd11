"""Proposals for new topics: which groups are proposed, and with what evidence."""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.topics import proposals

pytestmark = pytest.mark.unit

LAST = date(2026, 6, 30)
N_PAPERS = 400
"""Paper 0 is the newest; each is a day older than the one before."""

PAPERS = pl.DataFrame(
    {
        "paper_id": [str(i) for i in range(N_PAPERS)],
        "title": [f"Paper {i}" for i in range(N_PAPERS)],
        "counted_on": [LAST - timedelta(days=i) for i in range(N_PAPERS)],
    }
)
AGENTS = range(0, 400, 2)
"""The papers of a broad topic: every second one."""

NARROW = range(100, 112)
TOPICS = pl.DataFrame(
    [(str(i), "agents") for i in AGENTS] + [(str(i), "retrieval") for i in NARROW],
    schema=["paper_id", "topic_id"],
    orient="row",
)


def proposed(*groups: tuple[str, str, range], days: int = 100) -> pl.DataFrame:
    rows = [(kind, name, str(i)) for kind, name, papers in groups for i in papers]
    frame = pl.DataFrame(rows, schema=["kind", "name", "paper_id"], orient="row")
    return proposals.propose(PAPERS, TOPICS, frame, days=days, min_papers=10)


def test_a_rising_term_inside_a_broad_topic_is_proposed_with_its_evidence() -> None:
    found = proposed(("term", "agent harness", range(0, 40, 2)))
    (row,) = found.rows(named=True)
    assert found.schema == proposals.SCHEMA
    assert (row["n_papers"], row["n_recent"], row["broad_topic"]) == (20, 20, "agents")
    assert (row["share_inside"], row["closest_topic"], row["overlap"]) == (1.0, "agents", 0.1)
    assert row["examples"] == ["Paper 0", "Paper 2", "Paper 4"]


def test_growth_is_a_ratio_of_shares_with_its_lower_limit() -> None:
    """Of 100 recent papers 20 have the term, of 300 earlier ones 5."""
    (row,) = proposed(("term", "a", range(20)), ("term", "a", range(200, 205))).rows(named=True)
    growth = (20.5 / 101) / (5.5 / 301)
    error = math.sqrt(1 / 20.5 - 1 / 101 + 1 / 5.5 - 1 / 301)
    assert row["growth"] == pytest.approx(growth)
    assert row["growth_low"] == pytest.approx(growth * math.exp(-1.96 * error))


@pytest.mark.parametrize(
    ("kind", "name", "papers"),
    [
        pytest.param("term", "falling", range(300, 340), id="a term that falls"),
        pytest.param("term", "rare", range(9), id="too few papers"),
        pytest.param("term", "search", range(94, 112), id="most papers have a narrow topic"),
        pytest.param("term", "agent", range(0, 400, 2), id="an existing topic"),
        pytest.param("term", "GPT-6", range(30), id="a version"),
        pytest.param("cluster", "outside", range(1, 101, 2), id="a cluster in no broad topic"),
    ],
)
def test_not_proposed(kind: str, name: str, papers: range) -> None:
    assert proposed((kind, name, papers)).is_empty()


def test_a_dimension_is_not_a_version() -> None:
    assert proposed(("term", "3D agent", range(30)))["name"].to_list() == ["3D agent"]


def test_terms_come_first_by_growth_and_clusters_by_size() -> None:
    found = proposed(
        ("cluster", "small", range(0, 60, 2)),
        ("cluster", "large", range(0, 90, 2)),
        ("term", "slow", range(0, 160, 4)),
        ("term", "fast", range(0, 60, 2)),
    )
    assert found["name"].to_list() == ["fast", "slow", "large", "small"]


def test_no_papers_and_no_groups() -> None:
    groups = pl.DataFrame({"kind": ["term"], "name": ["a"], "paper_id": ["1"]})
    nothing = proposals.propose(PAPERS.clear(), TOPICS, groups, days=1, min_papers=1)
    assert nothing.is_empty()
    assert nothing.schema == proposals.SCHEMA
    assert proposals.propose(PAPERS, TOPICS, groups.clear(), days=1, min_papers=1).is_empty()
