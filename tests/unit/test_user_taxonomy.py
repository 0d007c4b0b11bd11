"""A user's own topics and rules beside ours: added, switched off, each mistake in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.topics.taxonomy import TaxonomyError

pytestmark = pytest.mark.unit

TOPIC = "topic_id,name,area,description\nour-robots,Our robots,Ours,What our robots do.\n"
PHRASES = "topic_id,phrase,role\nour-robots,warehouse robot,phrase\n"


def settings_with(tmp_path: Path, topics: str | None = TOPIC, phrases: str = PHRASES) -> Settings:
    folder = tmp_path / "home" / "taxonomy"
    folder.mkdir(parents=True)
    if topics is not None:
        (folder / "topics.csv").write_text(topics, encoding="utf-8")
    (folder / "topic_phrases.csv").write_text(phrases, encoding="utf-8")
    return Settings(home=tmp_path / "home")


def test_without_a_folder_ours_is_in_force(tmp_path: Path) -> None:
    taxonomy = in_force.in_force(Settings(home=tmp_path))
    assert {topic.origin for topic in taxonomy.topics} == {"papertide"}
    assert {rule.origin for rule in taxonomy.rules} == {"papertide"}


def test_a_topic_and_rules_are_added_and_say_whose_they_are(tmp_path: Path) -> None:
    ours = in_force.in_force(Settings(home=tmp_path / "none"))
    settings = settings_with(tmp_path, phrases=f"{PHRASES}rag,Our-Lookup,alias\n")
    taxonomy = in_force.in_force(settings)
    assert len(taxonomy.topics) == len(ours.topics) + 1
    theirs = [(r.topic_id, r.phrase) for r in taxonomy.rules if r.origin == "user"]
    assert theirs == [("our-robots", "warehouse robot"), ("rag", "our lookup")]
    assert taxonomy.rules_version != ours.rules_version
    rows = in_force.topic_rows(taxonomy)
    assert rows[-1] == (
        "our-robots", "Our robots", "Ours", "What our robots do.", [], "user",
        taxonomy.rules_version,
    )  # fmt: skip


def test_rules_and_topics_of_ours_are_switched_off(tmp_path: Path) -> None:
    ours = in_force.in_force(Settings(home=tmp_path / "none"))
    phrase = next(r.phrase for r in ours.rules if r.topic_id == "rag")
    lines = f"topic_id,phrase,role\nrag,{phrase},off\nquantum,*,off\n"
    taxonomy = in_force.in_force(settings_with(tmp_path, None, lines))
    assert ("rag", phrase) not in {(r.topic_id, r.phrase) for r in taxonomy.rules}
    assert "quantum" not in {topic.topic_id for topic in taxonomy.topics}
    assert "quantum" not in {rule.topic_id for rule in taxonomy.rules}


def test_a_topic_has_parents_of_ours_until_they_are_switched_off(tmp_path: Path) -> None:
    topics = f"{TOPIC.splitlines()[0]},parents\n{TOPIC.splitlines()[1]},robotics\n"
    taxonomy = in_force.in_force(settings_with(tmp_path, topics))
    under = {topic.topic_id for topic in taxonomy.children_of("robotics")}
    assert {"our-robots", "manipulation"} <= under
    off = "topic_id,phrase,role\nrobotics,*,off\n"
    alone = in_force.in_force(settings_with(tmp_path / "other", None, off))
    assert not alone.parents_of("manipulation")


def test_the_name_of_a_topic_changes_the_tables_but_no_match(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    before = in_force.in_force(settings)
    path = settings.user_taxonomy_dir / "topics.csv"
    path.write_text(TOPIC.replace("Our robots", "Robots of ours"), encoding="utf-8")
    after = in_force.in_force(settings)
    assert after.rules_version == before.rules_version
    assert after.contents_hash != before.contents_hash


@pytest.mark.parametrize(
    ("topics", "phrases", "file", "line", "says"),
    [
        pytest.param(
            TOPIC.replace("on\n", "on,parents\n").replace("do.\n", "do.,robotic\n"), PHRASES,
            "topics.csv", 2, "the parent 'robotic', which is no topic", id="no such parent",
        ),
        pytest.param(
            TOPIC.replace("our-robots", "rag"), PHRASES, "topics.csv", 2,
            "is one of Papertide's. Choose another id", id="an id of ours",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}nowhere,words here,phrase\n", "topic_phrases.csv", 3,
            "unknown topic 'nowhere'; add it", id="unknown topic",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}our-robots,words here,phrases\n", "topic_phrases.csv", 3,
            "use one of phrase, alias, title, negative", id="unknown role",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}our-robots,warehouse robots,phrase\n", "topic_phrases.csv", 3,
            "both match 'warehouse robots'; delete one", id="a plural",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,retrieval augmented lookup,phrase\n", "topic_phrases.csv", 3,
            "contains phrase 'retrieval augmented'", id="contains a rule of ours",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}raag,*,off\n", "topic_phrases.csv", 3,
            "(perhaps 'rag'). `papertide topics list`", id="no such topic to switch off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,retrieval augmentd,off\n", "topic_phrases.csv", 3,
            "(perhaps 'retrieval augmented')", id="no such rule to switch off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,*,phrase\n", "topic_phrases.csv", 3,
            "goes with the role off only", id="star without off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,*,off\nrag,our lookup,phrase\n", "topic_phrases.csv", 4,
            "is switched off by another line", id="rule for a topic that is off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}our-robots,a,b,c\n", "topic_phrases.csv", 3,
            "3 values expected", id="too many values",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}our-robots,!?,phrase\n", "topic_phrases.csv", 3,
            "no letter or digit", id="no words",
        ),
        pytest.param(
            TOPIC.replace("name", "title"), PHRASES, "topics.csv", 1,
            "the columns are", id="wrong columns",
        ),
        pytest.param(
            TOPIC + 'two,"Two,Ours,Open quotes.\n', PHRASES, "topics.csv", 3,
            "Close the quotes", id="open quotes",
        ),
        pytest.param(
            f"{TOPIC}two,Two,Ours,No rules.\n", PHRASES, "topics.csv", 3,
            "has no phrase, so nothing can match it; add one", id="topic without rules",
        ),
        pytest.param(
            TOPIC.replace("Our robots,", ","), PHRASES, "topics.csv", 2,
            "needs a name, an area and a description", id="no name",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_with_its_place(
    tmp_path: Path, topics: str, phrases: str, file: str, line: int, says: str
) -> None:
    settings = settings_with(tmp_path, topics, phrases)
    with pytest.raises(TaxonomyError) as error:
        in_force.in_force(settings)
    told = str(error.value)
    assert told.startswith(f"{settings.user_taxonomy_dir / file}, line {line}: ")
    assert says in told
    assert "\n" not in told
