"""`papertide topics …` and a user's own taxonomy, on a published snapshot.

Commands run in this process; `test_tables_and_csv` starts the real one.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.topics.scoring import THRESHOLD, score_papers
from tests.conftest import run_in_process, run_papertide

pytestmark = pytest.mark.warehouse


def test_python_scores_every_paper_as_sql_does(demo_settings: Settings) -> None:
    read = Reader(demo_settings).query
    papers = read("select paper_id, title, abstract, keywords from dim_papers")
    published = read(
        "select paper_id, topic_id, score::bigint as score, evidence, rules_version "
        "from bridge_paper_topics where kind = 'taxonomy' order by paper_id, topic_id"
    )
    taxonomy = in_force.in_force(demo_settings)
    scores = score_papers(papers, taxonomy).filter(pl.col("score") >= THRESHOLD)
    evidence = pl.col("evidence").list.sort()
    assert scores.with_columns(evidence).equals(
        published.drop("rules_version").with_columns(evidence)
    )
    assert published["rules_version"].unique().to_list() == [taxonomy.rules_version]
    assert scores.height > 1000


def test_try_counts_what_the_snapshot_holds(published_home: Path) -> None:
    done = run_in_process(published_home, "topics", "try", "World-Model", "--topic", "world-models",
                         "--format", "json", "--limit", "0")  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["phrase"] == "world model"
    everything, *_ = answer["populations"]
    assert everything["n_papers"] == len(answer["papers"]) > 10
    assert everything["share_low"] < everything["share"] < everything["share_high"]
    assert all("world model" in paper["matched"] for paper in answer["papers"])
    assert answer["topics"][0]["topic_id"] == "world-models"
    effect = {row["papers"]: row["n"] for row in answer["effect"]}
    assert sum(effect.values()) == everything["n_papers"]
    assert effect["new"] == effect["lost"] == 0  # it is already a rule
    assert {"world model": "same words"}.items() <= {
        rule["phrase"]: rule["relation"] for rule in answer["rules"]
    }.items()


def test_tables_and_csv(published_home: Path) -> None:
    table = run_papertide(published_home, "topics", "try", "diffusion", "--limit", "2")
    assert table.returncode == 0, table.stderr
    assert [line for line in table.stdout.splitlines() if line.endswith(":")] == [
        "populations:", "papers:", "topics:", "rules:",
    ]  # fmt: skip
    done = run_in_process(published_home, "topics", "try", "diffusion", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 10
    assert set(rows[0]) == {"paper_id", "title", "field", "matched", "n", "context"}


def test_near_misses_lack_the_topic(published_home: Path) -> None:
    done = run_in_process(published_home, "topics", "near-misses", "segmentation", "--limit", "0",
                         "--format", "json")  # fmt: skip
    missed = {row["paper_id"] for row in json.loads(done.stdout)["papers"]}
    query = "select paper_id from bridge_paper_topics where topic_id = 'segmentation'"
    have = set(Reader(Settings(home=published_home)).query(query)["paper_id"])
    assert not missed & have
    assert f"{len(missed)} paper(s) narrowly miss segmentation." in done.stderr


def test_uncovered_lists_ngrams_that_no_rule_has(published_home: Path) -> None:
    done = run_in_process(published_home, "topics", "uncovered", "--format", "json", "--limit", "0")
    answer = json.loads(done.stdout)
    assert answer["populations"][0]["n_papers"] == len(answer["papers"])
    phrases = {rule.phrase for rule in in_force.in_force(Settings(home=published_home)).rules}
    ngrams = {row["ngram"] for row in answer["ngrams"]}
    assert ngrams
    assert not ngrams & phrases


def test_propose_gives_groups_with_their_evidence(published_home: Path) -> None:
    done = run_in_process(published_home, "topics", "propose", "--format", "json", "--limit", "0",
                         "--min-papers", "5")  # fmt: skip
    assert done.returncode == 0, done.stderr
    proposals = json.loads(done.stdout)["proposals"]
    terms = [row for row in proposals if row["kind"] == "term"]
    assert terms
    assert all(row["growth"] > row["growth_low"] > 1 for row in terms)
    assert all(row["n_papers"] >= 5 and row["examples"] for row in proposals)
    unknown = run_in_process(published_home, "topics", "propose", "--population", "nowhere")
    assert unknown.returncode == 2
    assert "no population 'nowhere'" in unknown.stderr


def test_list_has_every_topic_and_rule(published_home: Path) -> None:
    done = run_in_process(published_home, "topics", "list", "--limit", "0", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    taxonomy = in_force.in_force(Settings(home=published_home))
    assert {row["topic_id"] for row in rows} == {topic.topic_id for topic in taxonomy.topics}
    assert sum(int(row["n_rules"]) for row in rows) == len(taxonomy.rules)
    assert taxonomy.rules_version in done.stderr
    one = run_in_process(published_home, "topics", "list", "--topic", "llm-agents", "--format",
                        "json", "--limit", "0")  # fmt: skip
    answer = json.loads(one.stdout)
    around = {row["topic_id"]: row["is"] for row in answer["topics"]}
    assert around["gui-web-agents"] == "narrower"
    assert around["large-language-models"] == "broader"
    known = Reader(Settings(home=published_home)).query("select topic_id, parents from dim_topics")
    published = {topic_id: "; ".join(parents) for topic_id, parents in known.iter_rows()}
    assert all(published[row["topic_id"]] == row["parents"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["try", "?!"], "has no letter or digit", id="no letters"),
        pytest.param(["try", "x", "--topic", "raag"], "Did you mean rag", id="unknown topic"),
        pytest.param(["near-misses", "raag"], "There is no topic 'raag'", id="unknown topic again"),
    ],
)
def test_wrong_usage_is_one_line(published_home: Path, arguments: list[str], message: str) -> None:
    done = run_in_process(published_home, "topics", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_invalid_user_rule_stops_a_build_before_any_work(demo_home: Path) -> None:
    folder = demo_home / "taxonomy"
    folder.mkdir()
    (folder / "topic_phrases.csv").write_text("topic_id,phrase,role\nnowhere,some words,phrase\n")
    before = sorted(path.name for path in (demo_home / "dagster" / "history").rglob("*"))
    done = run_papertide(demo_home, "build")
    assert done.returncode == 1
    assert "topic_phrases.csv, line 2: phrase 'some words' belongs to unknown topic" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in (demo_home / "dagster" / "history").rglob("*")) == before


@pytest.mark.slow  # two builds
def test_the_next_build_uses_the_users_topics(demo_home: Path) -> None:
    folder = demo_home / "taxonomy"
    folder.mkdir()
    (folder / "topics.csv").write_text(
        "topic_id,name,area,description\nours,Our subject,Ours,Benchmarks by another name.\n"
    )
    rules_csv = folder / "topic_phrases.csv"
    rules_csv.write_text("topic_id,phrase,role\nours,diffusion,title\nquantum,*,off\n")
    stale = run_papertide(demo_home, "topics", "list", "--limit", "1")
    assert "built with different rules" in stale.stderr
    assert run_papertide(demo_home, "build").returncode == 0
    read = Reader(Settings(home=demo_home)).query
    topics = dict(read("select topic_id, origin from dim_topics").iter_rows())
    assert topics["ours"] == "user"
    assert topics["rag"] == topics["no-topic"] == "papertide"
    assert "quantum" not in topics
    evidence = read("select distinct unnest(evidence) from bridge_paper_topics "
                    "where topic_id = 'ours'").to_series()  # fmt: skip
    assert "title: diffusion" in set(evidence) <= {"title: diffusion", "title: diffusions"}
    versions = read("select distinct rules_version from bridge_paper_topics "
                    "where kind <> 'discovered'").to_series()  # fmt: skip
    assert versions.to_list() == [in_force.in_force(Settings(home=demo_home)).rules_version]
