"""Analyses of rules over a few papers, and the n-grams of papers without a topic."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.topics.rule_analysis import effect, near_misses, occurrences, related_rules
from pipelines.topics.scoring import score_papers
from pipelines.topics.taxonomy import Rule, Taxonomy, Topic
from pipelines.topics.taxonomy_checks import make_taxonomy
from pipelines.topics.uncovered import distinctive_ngrams

pytestmark = pytest.mark.unit


def papers(*rows: tuple[str, str, str | None, list[str] | None]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        schema={
            "paper_id": pl.String, "title": pl.String, "abstract": pl.String,
            "keywords": pl.List(pl.String),
        },
        orient="row",
    )  # fmt: skip


def taxonomy(*rules: tuple[str, str]) -> Taxonomy:
    return make_taxonomy(
        [Topic("t", "T", "Area", "About it.")], [Rule("t", phrase, role) for phrase, role in rules]
    )


SOME = papers(
    ("a", "World-Models for all", "Nothing.", None),
    ("b", "Other", "One world model; two World  models.", ["world model"]),
    ("c", "Other", None, ["world model", "x"]),
    ("d", "Other", "Here is a world model.", None),
    ("e", "Survey of modelling", "A survey. Surveys.", None),
    ("f", "Underworld modeling", "worldmodel", None),
)


def test_occurrences_are_the_matches_with_their_context() -> None:
    found = occurrences(SOME, "world model")
    assert found.select("paper_id", "field", "matched", "n").rows() == [
        ("a", "title", "world models", 1),
        ("b", "abstract", "world model", 1),
        ("b", "abstract", "world models", 1),
        ("c", "keywords", "world model", 1),
        ("d", "abstract", "world model", 1),
    ]
    assert found["context"].to_list() == [
        "»World-Models« for all",
        "One »world model«; two World  models.",
        "One world model; two »World  models«.",
        "»world model« | x",
        "Here is a »world model«.",
    ]


def test_a_context_is_cut_on_both_sides() -> None:
    (context,) = occurrences(papers(("a", "x" * 99 + " gan " + "y" * 99, None, None)), "gan")[
        "context"
    ]
    assert context == "…" + "x" * 59 + " »gan« " + "y" * 59 + "…"


def test_effect_of_one_more_rule() -> None:
    rules = taxonomy(("world model", "phrase"))
    new = effect(SOME, rules, Rule("t", "survey", "title"))
    assert new.filter(pl.col("has_now"))["paper_id"].to_list() == ["a", "b", "c"]
    assert new.filter(pl.col("would_have"))["paper_id"].to_list() == ["a", "b", "c", "e"]
    lost = effect(SOME, rules, Rule("t", "world models for", "negative"))
    assert lost.filter(pl.col("would_have"))["paper_id"].to_list() == ["b", "c"]


def test_near_misses_score_below_the_threshold() -> None:
    found = near_misses(SOME, taxonomy(("world model", "phrase"), ("survey", "phrase")), "t")
    assert found.rows() == [("d", 1, ["abstract: world model"])]


def test_related_rules_by_kind() -> None:
    rules = taxonomy(("agent", "title"), ("ai agent", "phrase"), ("ai agents to agent", "negative"))
    assert related_rules(rules, "ai agents").select("phrase", "relation").rows() == [
        ("agent", "inside the phrase"),
        ("ai agent", "same words"),
        ("ai agents to agent", "contains the phrase"),
    ]
    assert related_rules(rules, "other").is_empty()


def test_scores_add_up_as_the_methodology_says() -> None:
    rules = taxonomy(
        ("gan", "phrase"), ("image generator", "phrase"), ("survey", "title"), ("vae", "alias")
    )
    given = papers(
        ("title word alone", "GAN", "nothing", None),
        ("title word confirmed", "GAN", "a gan", None),
        ("title word, no abstract", "GAN", None, None),
        ("title rule", "A survey", "nothing", None),
        ("title rule elsewhere", "x", "survey survey survey", None),
        ("two words twice", "x", "gan and gan", None),
        ("two words thrice", "x", "gan, gan, gan", None),
        ("phrase and word", "x", "an image generator, a gan", None),
        ("many", "Image generators", "image generator " * 9, None),
        ("a name twice", "x", "a vae, two vaes", None),
        ("a name in the title", "VAE", "nothing", None),
        ("keywords", "x", None, ["gan"]),
        ("keywords and an abstract", "x", "y", ["gan"]),
    )
    assert dict(score_papers(given, rules).select("paper_id", "score").iter_rows()) == {
        "title word alone": 1,
        "title word confirmed": 2,
        "title word, no abstract": 3,
        "title rule": 3,
        "two words twice": 1,
        "two words thrice": 2,
        "phrase and word": 2,
        "many": 6,
        "a name twice": 2,
        "a name in the title": 3,
        "keywords": 2,
    }


def test_distinctive_ngrams_are_frequent_inside_only_and_match_no_rule() -> None:
    inside = papers(*((f"i{n}", "Tidal pool ecology with gan", None, None) for n in range(4)))
    outside = papers(*((f"o{n}", "Ecology of a gan", None, None) for n in range(8)))
    found = distinctive_ngrams(inside, outside, taxonomy(("gan", "phrase")))
    assert found["ngram"].to_list() == [
        "pool",
        "pool ecology",
        "tidal",
        "tidal pool",
        "tidal pool ecology",
    ]
    assert found.row(0, named=True) == {
        "ngram": "pool", "n_inside": 4, "share_inside": 1.0, "n_outside": 0, "share_outside": 0.0,
    }  # fmt: skip
