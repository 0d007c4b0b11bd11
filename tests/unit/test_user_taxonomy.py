"""A user's topics and rules: additions, removals, and a clear message for each mistake."""

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


def test_without_a_folder_the_built_in_taxonomy_is_in_force(tmp_path: Path) -> None:
    taxonomy = in_force.in_force(Settings(home=tmp_path))
    assert {topic.origin for topic in taxonomy.topics} == {"papertide"}
    assert {rule.origin for rule in taxonomy.rules} == {"papertide"}


def test_added_topics_and_rules_have_the_origin_user(tmp_path: Path) -> None:
    built_in = in_force.in_force(Settings(home=tmp_path / "none"))
    settings = settings_with(tmp_path, phrases=f"{PHRASES}rag,Our-Lookup,alias\n")
    taxonomy = in_force.in_force(settings)
    assert len(taxonomy.topics) == len(built_in.topics) + 1
    added = [(r.topic_id, r.phrase) for r in taxonomy.rules if r.origin == "user"]
    assert added == [("our-robots", "warehouse robot"), ("rag", "our lookup")]
    assert taxonomy.rules_version != built_in.rules_version
    rows = in_force.topic_rows(taxonomy)
    assert rows[-1] == (
        "our-robots", "Our robots", "Ours", "What our robots do.", [], "user",
        taxonomy.rules_version,
    )  # fmt: skip


def test_built_in_rules_and_topics_are_switched_off(tmp_path: Path) -> None:
    built_in = in_force.in_force(Settings(home=tmp_path / "none"))
    phrase = next(r.phrase for r in built_in.rules if r.topic_id == "rag")
    lines = f"topic_id,phrase,role\nrag,{phrase},off\nquantum,*,off\n"
    taxonomy = in_force.in_force(settings_with(tmp_path, None, lines))
    assert ("rag", phrase) not in {(r.topic_id, r.phrase) for r in taxonomy.rules}
    assert "quantum" not in {topic.topic_id for topic in taxonomy.topics}
    assert "quantum" not in {rule.topic_id for rule in taxonomy.rules}


def test_a_topic_may_have_built_in_parents_until_they_are_switched_off(tmp_path: Path) -> None:
    topics = f"{TOPIC.splitlines()[0]},parents\n{TOPIC.splitlines()[1]},robotics\n"
    taxonomy = in_force.in_force(settings_with(tmp_path, topics))
    under = {topic.topic_id for topic in taxonomy.children_of("robotics")}
    assert {"our-robots", "manipulation"} <= under
    off = "topic_id,phrase,role\nrobotics,*,off\n"
    alone = in_force.in_force(settings_with(tmp_path / "other", None, off))
    assert not alone.parents_of("manipulation")


def test_renaming_a_topic_changes_the_tables_but_no_match(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    before = in_force.in_force(settings)
    path = settings.user_taxonomy_dir / "topics.csv"
    path.write_text(TOPIC.replace("Our robots", "Robots of ours"), encoding="utf-8")
    after = in_force.in_force(settings)
    assert after.rules_version == before.rules_version
    assert after.contents_hash != before.contents_hash


@pytest.mark.parametrize(
    ("topics", "phrases", "file", "line", "text"),
    [
        pytest.param(
            TOPIC.replace("on\n", "on,parents\n").replace("do.\n", "do.,robotic\n"), PHRASES,
            "topics.csv", 2, "the unknown parent 'robotic'", id="no such parent",
        ),
        pytest.param(
            TOPIC.replace("our-robots", "rag"), PHRASES, "topics.csv", 2,
            "is a built-in topic. Choose another id", id="a built-in id",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}nowhere,words here,phrase\n", "topic_phrases.csv", 3,
            "unknown topic 'nowhere'; add the topic", id="unknown topic",
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
            "contains phrase 'retrieval augmented'", id="contains a built-in rule",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}raag,*,off\n", "topic_phrases.csv", 3,
            "(did you mean 'rag'?). `papertide topics list`", id="no such topic to switch off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,retrieval augmentd,off\n", "topic_phrases.csv", 3,
            "(did you mean 'retrieval augmented'?)", id="no such rule to switch off",
        ),
        pytest.param(
            TOPIC, f"{PHRASES}rag,*,phrase\n", "topic_phrases.csv", 3,
            "is valid with the role off only", id="star without off",
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
            "has no phrase, so no paper can match it; add one", id="topic without rules",
        ),
        pytest.param(
            TOPIC.replace("Our robots,", ","), PHRASES, "topics.csv", 2,
            "needs a name, an area and a description", id="no name",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_place(
    tmp_path: Path, topics: str, phrases: str, file: str, line: int, text: str
) -> None:
    settings = settings_with(tmp_path, topics, phrases)
    with pytest.raises(TaxonomyError) as error:
        in_force.in_force(settings)
    message = str(error.value)
    assert message.startswith(f"{settings.user_taxonomy_dir / file}, line {line}: ")
    assert text in message
    assert "\n" not in message
