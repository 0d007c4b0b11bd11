"""The evaluation of a taxonomy with user changes: which topics are scored, which rules timed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from pipelines.evaluation import taxonomy
from pipelines.evaluation.evidence import Evidence
from pipelines.topics.in_force import BUILT_IN_DIR, TOPICS
from pipelines.topics.matching import match_texts
from pipelines.topics.taxonomy import Taxonomy
from pipelines.topics.taxonomy_files import read_topics
from tests.unit.evaluated import evidence

pytestmark = pytest.mark.unit

SOME = ["topic-0", "topic-1", "topic-2"]


@pytest.fixture(scope="module")
def made() -> Evidence:
    return evidence()


@pytest.fixture
def papers(made: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fifty labelled papers: `topic-0` is core in all; the known `topic-1` in none."""
    papers = made.papers["paper_id"].to_list()[:50]
    rows = {
        "LABELLED": ["paper_id,source,set", *(f"{paper},hf_daily,test" for paper in papers)],
        "LABELS": [
            "paper_id,topic_id,grade,first_reading,second_reading",
            *(f"{paper},topic-0,2,2,2" for paper in papers),
        ],
    }
    for name, lines in rows.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        monkeypatch.setattr(taxonomy, name, tmp_path / name)
    monkeypatch.setattr(taxonomy, "NEVER_GIVEN", {"test": ("topic-1",)})
    return papers


def row(made: Evidence, given: dict[str, list[str]], in_force: list[str]) -> dict[str, object]:
    """The scores of all papers, where rules gave these papers to topics."""
    links = [(paper, topic) for topic, papers in given.items() for paper in papers]
    part = taxonomy.evaluate(
        replace(
            made,
            topics=pl.DataFrame(links, schema=["paper_id", "topic_id"], orient="row"),
            trends=made.trends.filter(pl.col("series_id").is_in([*in_force, "no-topic"])),
        )
    )
    assert part.tables[0].caption.endswith(f"{len(set(in_force) & {*SOME[:2]})} topics")
    return part.tables[0].rows.row(0, named=True)


def test_a_users_own_topic_is_not_wrong(made: Evidence, papers: list[str]) -> None:
    found = row(made, {"topic-0": papers[:40], "topic-2": papers}, SOME)
    assert (found["assigned"], found["core"]) == (40, 50)
    assert str(found["precision"]).startswith("1.000 [")
    assert str(found["recall"]).startswith("0.800 [")


def test_a_known_topic_that_is_in_no_label_is_wrong(made: Evidence, papers: list[str]) -> None:
    found = row(made, {"topic-0": papers[:40], "topic-1": papers[:10]}, SOME)
    assert found["assigned"] == 50
    assert str(found["precision"]).startswith("0.800 [")


def test_a_topic_that_is_switched_off_is_not_missed(made: Evidence, papers: list[str]) -> None:
    found = row(made, {"topic-1": papers[:10]}, SOME[1:])
    assert (found["assigned"], found["core"], found["recall"]) == (10, 0, "–")
    on = row(made, {"topic-1": papers[:10]}, SOME)
    assert str(on["recall"]).startswith("0.000 [")


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's folder with one topic and one rule."""
    (tmp_path / "topics.csv").write_text("topic_id,name,area,description\nours,Ours,Mine,Mine.\n")
    (tmp_path / "topic_phrases.csv").write_text("topic_id,phrase,role\nours,words of mine,phrase\n")
    monkeypatch.setenv("PAPERTIDE_TAXONOMY_DIR", str(tmp_path))


@pytest.mark.usefixtures("own_rules")
def test_the_rules_in_force_are_timed(made: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[Taxonomy] = []

    def spy(texts: pl.DataFrame, rules: Taxonomy) -> pl.DataFrame:
        timed.append(rules)
        return match_texts(texts, rules)

    monkeypatch.setattr(taxonomy, "match_texts", spy)
    (speed,) = taxonomy._speed(made)
    assert len(timed) == 2
    assert all(rules.topics[-1].topic_id == "ours" for rules in timed)
    assert speed.result.endswith(f"{len(timed[0].rules):,} rules")


def test_development_papers_decide_no_criterion(
    made: Evidence, papers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{paper},hf_daily,development" for paper in papers]
    taxonomy.LABELLED.write_text("\n".join(["paper_id,source,set", *lines]) + "\n")
    monkeypatch.setattr(taxonomy, "NEVER_GIVEN", {"test": ("topic-1",)})
    links = [(paper, topic) for topic in SOME for paper in papers]
    part = taxonomy.evaluate(
        replace(made, topics=pl.DataFrame(links, schema=["paper_id", "topic_id"], orient="row"))
    )
    assert "50 development papers, 1 topics" in part.tables[0].caption
    assert part.tables[0].rows.row(0, named=True)["assigned"] == 50
    assert not any(c.statement.startswith(("Precision", "Recall")) for c in part.criteria)


def test_labels_are_of_built_in_topics_and_labelled_papers() -> None:
    papers, labels = pl.read_csv(taxonomy.LABELLED), pl.read_csv(taxonomy.LABELS)
    ours = {topic.topic_id for topic in read_topics(BUILT_IN_DIR / TOPICS)}
    assert papers["paper_id"].is_unique().all()
    assert labels.join(papers, on="paper_id", how="anti").is_empty()
    for name, never in taxonomy.NEVER_GIVEN.items():
        known = set(labels.join(papers.filter(set=name), on="paper_id")["topic_id"])
        assert known
        assert ours >= {*never, *known}
        assert not set(never) & known
