"""The taxonomy's checks, each tripped once, and the seeds that ship."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import PapertideError
from pipelines.topics.taxonomy import Taxonomy, TaxonomyError
from pipelines.topics.taxonomy_files import load_taxonomy
from pipelines.topics.text_forms import normalise_phrases

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TOPICS_CSV = ROOT / "dbt_models" / "seeds" / "topics.csv"
PHRASES_CSV = ROOT / "dbt_models" / "seeds" / "topic_phrases.csv"
FIXTURES = ROOT / "tests" / "fixtures"

TOPICS = (
    "topic_id,name,area,description\nrag,RAG,Text,Looking up.\nworld-models,Worlds,RL,Dreams.\n"
)
PHRASES = "topic_id,phrase,role\nrag,retrieval-augmented,phrase\nworld-models,world model,phrase\n"


def load(tmp_path: Path, topics: str = TOPICS, phrases: str = PHRASES) -> Taxonomy:
    (tmp_path / "topics.csv").write_text(topics, encoding="utf-8")
    (tmp_path / "topic_phrases.csv").write_text(phrases, encoding="utf-8")
    return load_taxonomy(tmp_path / "topics.csv", tmp_path / "topic_phrases.csv")


@pytest.fixture(scope="module")
def shipped() -> Taxonomy:
    return load_taxonomy(TOPICS_CSV, PHRASES_CSV)


def test_phrases_are_normalised(tmp_path: Path) -> None:
    assert [rule.phrase for rule in load(tmp_path).rules] == ["retrieval augmented", "world model"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param("nope,phrase one,phrase", "unknown topic 'nope'", id="unknown topic"),
        pytest.param("rag,phrase one,phrases", "role 'phrases'", id="unknown role"),
        pytest.param("rag,?!,phrase", "line 4: phrase '?!'", id="empty after normalisation"),
        pytest.param("rag,Retrieval augmented,alias", "occurs twice", id="repeated phrase"),
        pytest.param("rag,retrieval augmenteds,phrase", "both match", id="plural of a phrase"),
        pytest.param(
            "rag,retrieval augmented generation,phrase", "already matches", id="nested phrase"
        ),
        pytest.param("rag,rage,negative", "contains none", id="idle negative"),
        pytest.param("rag,retrieval-augmented,negative", "occurs twice", id="negated phrase"),
        pytest.param(
            "rag,not retrieval augmented,negative\nrag,is not retrieval augmented,negative",
            "contains negative 'not retrieval augmented'",
            id="nested negative",
        ),
        pytest.param("rag,one,phrase,more", "3 values expected", id="too many values"),
        pytest.param("rag,one", "3 values expected", id="too few values"),
    ],
)
def test_bad_phrases(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(PapertideError) as error:
        load(tmp_path, phrases=f"{PHRASES}{lines}\n")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("rag,Again,Text,Twice.", "defined 2 times", id="repeated id"),
        pytest.param("Bad_Id,Bad,Text,Bad.", "joined by hyphens", id="not a slug"),
        pytest.param("all,All,Text,All papers.", "is reserved", id="all papers"),
        pytest.param("no-topic,None,Text,None.", "is reserved", id="no topic"),
        pytest.param("d-00000001,D,Text,Found.", "is reserved", id="discovered"),
        pytest.param("new-one,RAG,Text,Same name.", "names must differ", id="repeated name"),
        pytest.param("new-one,,Text,No name.", "needs a name", id="no name"),
        pytest.param("new-one,New,Text,No phrase.", "has no phrase", id="no phrase"),
    ],
)
def test_bad_topics(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load(tmp_path, topics=f"{TOPICS}{line}\n")


def with_parents(**parents: str) -> str:
    """The two topics and their parents, as the file writes them."""
    head, rag, worlds = TOPICS.splitlines()
    return f"{head},parents\n{rag},{parents.get('rag', '')}\n{worlds},{parents.get('worlds', '')}\n"


def test_topics_have_parents(tmp_path: Path) -> None:
    taxonomy = load(tmp_path, topics=with_parents(rag=" world-models "))
    assert [topic.topic_id for topic in taxonomy.parents_of("rag")] == ["world-models"]
    assert [topic.topic_id for topic in taxonomy.children_of("world-models")] == ["rag"]
    assert not taxonomy.parents_of("world-models")
    assert taxonomy.rules_version == load(tmp_path).rules_version


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        pytest.param(with_parents(rag="text"), "the unknown parent 'text'", id="no such topic"),
        pytest.param(with_parents(rag="rag"), "an ancestor of its parent 'rag'", id="itself"),
        pytest.param(
            with_parents(rag="world-models", worlds="rag"), "is an ancestor of its parent",
            id="a circle",
        ),
        pytest.param(
            f"{with_parents(worlds='rag')}third,Third,RL,More.,rag world-models\n",
            "already has the ancestor 'rag' through another", id="twice",
        ),
    ],
)  # fmt: skip
def test_bad_parents(tmp_path: Path, topics: str, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load(tmp_path, topics=topics, phrases=f"{PHRASES}third,third thing,phrase\n"
             if "third," in topics else PHRASES)  # fmt: skip


def test_missing_file_and_wrong_columns(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"Cannot read .*nowhere"):
        load_taxonomy(tmp_path / "nowhere.csv", PHRASES_CSV)
    with pytest.raises(TaxonomyError, match="they must be"):
        load(tmp_path, phrases=PHRASES.replace("role", "kind"))


def test_a_phrase_may_belong_to_several_topics(tmp_path: Path) -> None:
    assert len(load(tmp_path, phrases=f"{PHRASES}rag,world model,phrase\n").rules) == 3


def test_version_follows_rules_only(tmp_path: Path) -> None:
    version = load(tmp_path).rules_version
    head, *lines = PHRASES.splitlines()
    shuffled = "\n".join([head, *reversed(lines)]).upper().replace(head.upper(), head).lower()
    assert len(version) == 12
    assert load(tmp_path, phrases=shuffled).rules_version == version
    assert load(tmp_path, topics=TOPICS.replace("Dreams", "Models")).rules_version == version
    assert load(tmp_path, phrases=f"{PHRASES}rag,rag,alias\n").rules_version != version


def test_shipped_taxonomy_is_valid_and_broad(shipped: Taxonomy) -> None:
    areas = Counter(topic.area for topic in shipped.topics)
    assert len(shipped.topics) >= 80
    assert 10 <= len(areas) <= 20
    assert min(areas.values()) >= 2
    assert len({rule.role for rule in shipped.rules}) == 4


def test_shipped_phrases_are_written_in_normal_form() -> None:
    with PHRASES_CSV.open(encoding="utf-8", newline="") as handle:
        phrases = [row["phrase"] for row in csv.DictReader(handle)]
    assert phrases == normalise_phrases(phrases)


def test_labels_name_known_topics_and_papers(shipped: Taxonomy) -> None:
    with (FIXTURES / "topic_labelled_papers.csv").open(encoding="utf-8", newline="") as handle:
        papers = {row["paper_id"]: row["source"] for row in csv.DictReader(handle)}
    with (FIXTURES / "topic_labels.csv").open(encoding="utf-8", newline="") as handle:
        labels = [(row["paper_id"], row["topic_id"]) for row in csv.DictReader(handle)]
    assert Counter(papers.values()) == {"hf_api": 50, "arxiv": 50}
    assert len(labels) == len(set(labels))
    assert {paper_id for paper_id, _ in labels} <= set(papers)
    assert {topic_id for _, topic_id in labels} <= {topic.topic_id for topic in shipped.topics}
