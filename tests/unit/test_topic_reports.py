"""Tables of `papertide topics`: shares, examples, overlaps, effects, lists."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.topics import reports
from pipelines.topics.taxonomy import Rule, Taxonomy, Topic

pytestmark = pytest.mark.unit

TAXONOMY = Taxonomy(
    (Topic("rag", "RAG", "Area", "Retrieval."), Topic("vision", "Vision", "Area", "Images.")),
    (Rule("rag", "retrieval", "title"), Rule("vision", "image", "title")),
)
HITS = pl.DataFrame({"paper_id": ["a", "b"]})


def test_shares_are_per_population_with_their_interval() -> None:
    members = pl.DataFrame(
        {"population": ["all", "all", "all", "all", "hf"], "paper_id": ["a", "b", "c", "d", "a"]}
    )
    rows = reports.shares(members, HITS, lambda hits, n: (hits - n, hits + n)).rows()
    assert rows == [("all", 2, 4, 0.5, -2.0, 6.0), ("hf", 1, 1, 1.0, 0.0, 2.0)]


def test_examples_are_one_row_per_paper_with_titles_first() -> None:
    found = pl.DataFrame(
        [
            ("a", "abstract", "x", 9, "1"),
            ("b", "title", "x", 1, "2"),
            ("b", "abstract", "x", 2, "3"),
        ],
        schema=["paper_id", "field", "matched", "n", "context"],
        orient="row",
    )
    papers = pl.DataFrame({"paper_id": ["a", "b"], "title": ["A", "B"]})
    assert reports.examples(found, papers).select("paper_id", "field", "n", "context").rows() == [
        ("b", "title", 3, "2"),
        ("a", "abstract", 9, "1"),
    ]


def test_overlaps_count_the_topics_of_papers_found() -> None:
    known = pl.DataFrame({"paper_id": ["a", "b", "c"], "topic_id": ["rag", "rag", "vision"]})
    assert reports.overlaps(known, HITS).rows() == [("rag", 2, 1.0)]


def test_effect_counts_cover_every_matched_paper() -> None:
    papers = pl.DataFrame(
        {
            "paper_id": ["a", "b"],
            "title": ["Retrieval and search", "Search alone"],
            "abstract": ["", ""],
            "keywords": [[], []],
        },
        schema_overrides={"keywords": pl.List(pl.String)},
    )
    counts = reports.effect_counts(papers, TAXONOMY, Rule("rag", "search", "title"))
    assert dict(counts.select("papers", "n").iter_rows()) == {
        "already have it": 1, "new": 1, "lost": 0, "matched, but below the threshold": 0,
    }  # fmt: skip


def test_topics_without_papers_or_rules_are_listed() -> None:
    counts = pl.DataFrame({"topic_id": ["vision"], "n_papers": [7], "rules_version": ["v"]})
    rows = reports.topics(TAXONOMY, counts).select("topic_id", "n_papers", "n_rules").rows()
    assert rows == [("vision", 7, 1), ("rag", 0, 1)]
    assert reports.rules(TAXONOMY, "rag")["phrase"].to_list() == ["retrieval"]
