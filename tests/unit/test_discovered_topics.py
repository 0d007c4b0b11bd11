"""Discovered topics on generated papers: results, reproducibility, later fits, bad input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from sklearn.metrics import adjusted_rand_score

from pipelines.topics import labels
from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.discovered import assign, fit
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.label_phrases import Phrases
from pipelines.topics.labels import choose_words, make_labels, topic_weights
from pipelines.topics.lineage import LINEAGE_SCHEMA
from pipelines.topics.topic_files import load_model, save_model
from pipelines.topics.topic_model import ASSIGNMENT_SCHEMA, TOPIC_SCHEMA, Fit, TopicModelError
from pipelines.topics.words import (
    Floats,
    count_words,
    learn_vocabulary,
    part_of,
    singulars,
    text_of_papers,
    tokenise,
)
from tests.unit.topic_papers import PAPER_SCHEMA, SUBJECTS, make_papers, subject_of

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def papers() -> pl.DataFrame:
    return make_papers()


@pytest.fixture(scope="module")
def fitted(papers: pl.DataFrame) -> Fit:
    return fit(papers, n_topics=4)


def agreement(assignments: pl.DataFrame) -> float:
    subjects = [subject_of(paper_id) for paper_id in assignments["paper_id"]]
    return float(adjusted_rand_score(subjects, assignments["topic_id"]))


def assert_same(left: Fit, right: Fit) -> None:
    assert left.topics.equals(right.topics)
    assert left.assignments.equals(right.assignments)
    assert left.model.version == right.model.version


# --- results


def test_subjects_become_topics(fitted: Fit) -> None:
    assert agreement(fitted.assignments) == 1
    assert fitted.topics.schema == TOPIC_SCHEMA
    assert fitted.assignments.schema == ASSIGNMENT_SCHEMA
    assert fitted.topics["n_papers"].to_list() == [40] * 4


def test_top_words_are_of_one_subject_each(fitted: Fit) -> None:
    for top_words in fitted.topics["top_words"]:
        (subject,) = [name for name, own in SUBJECTS.items() if {*top_words} & {*own}]
        assert {*top_words} <= {*SUBJECTS[subject]}


def test_labels_differ_and_have_one_or_two_phrases(fitted: Fit) -> None:
    labels = fitted.topics["label"].to_list()
    assert len(set(labels)) == 4
    assert all(1 <= len(label.split(", ")) <= 2 for label in labels)
    for label in labels:
        used = {part for phrase in label.split(", ") for part in phrase.split()}
        assert any(used <= {*own} for own in SUBJECTS.values()), label


def test_ids_have_their_form(fitted: Fit) -> None:
    assert all(fitted.topics["topic_id"].str.contains(r"^d-[0-9a-f]{8}$"))


def test_evidence_occurs_in_the_paper(papers: pl.DataFrame, fitted: Fit) -> None:
    joined = fitted.assignments.join(papers, on="paper_id")
    for row in joined.iter_rows(named=True):
        text = f"{row['title']} {row['abstract']}".lower()
        assert row["evidence"]
        assert all(part in text for word in row["evidence"] for part in word.split())


def test_scores_are_cosines_and_margins_their_lead(fitted: Fit) -> None:
    scores = fitted.assignments["score"].to_numpy()
    margins = fitted.assignments["margin"].to_numpy()
    assert ((scores > 0) & (scores <= 1 + 1e-6)).all()
    assert ((margins >= 0) & (margins <= 2)).all()


def test_representative_papers_have_the_highest_scores(fitted: Fit) -> None:
    for row in fitted.topics.iter_rows(named=True):
        own = fitted.assignments.filter(pl.col("topic_id") == row["topic_id"])
        best = own.sort("score", descending=True).head(5)["score"].to_list()
        shown = own.filter(pl.col("paper_id").is_in(row["representative_paper_ids"]))["score"]
        assert sorted(shown, reverse=True) == pytest.approx(best, abs=1e-6)


# --- reproducibility


@pytest.mark.parametrize("seed", [3, 4])
def test_the_order_of_papers_does_not_matter(papers: pl.DataFrame, fitted: Fit, seed: int) -> None:
    assert_same(fit(papers.sample(fraction=1, shuffle=True, seed=seed), n_topics=4), fitted)


def test_a_paper_given_twice_counts_once(papers: pl.DataFrame, fitted: Fit) -> None:
    assert_same(fit(pl.concat([papers, papers.head(30)]), n_topics=4), fitted)


def test_another_seed_finds_the_same_groups(papers: pl.DataFrame, fitted: Fit) -> None:
    other = fit(papers, n_topics=4, seed=11)
    assert adjusted_rand_score(other.assignments["topic_id"], fitted.assignments["topic_id"]) == 1


# --- later papers, later fits


def test_assigning_the_fitted_papers_gives_the_fit(papers: pl.DataFrame, fitted: Fit) -> None:
    assert assign(fitted.model, papers).equals(fitted.assignments)


def test_new_papers_join_their_subject(fitted: Fit) -> None:
    new = make_papers(40, seed=9)
    topic_of = dict(fitted.assignments.select("paper_id", "topic_id").iter_rows())
    placed = assign(fitted.model, new)
    assert placed.height == 40
    assert all(
        topic == topic_of[f"p{subject_of(paper):03d}"]
        for paper, topic in placed.select("paper_id", "topic_id").iter_rows()
    )


def test_a_stored_model_is_read_back_unchanged(
    papers: pl.DataFrame, fitted: Fit, tmp_path: Path
) -> None:
    save_model(fitted.model, tmp_path / "a")
    save_model(fitted.model, tmp_path / "b")
    loaded = load_model(tmp_path / "a")
    assert loaded.version == fitted.model.version
    assert assign(loaded, papers).equals(fitted.assignments)
    for name in ("model.json", "arrays.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_missing_or_incompatible_model_is_an_error(fitted: Fit, tmp_path: Path) -> None:
    with pytest.raises(TopicModelError, match="Fit again"):
        load_model(tmp_path)
    save_model(fitted.model, tmp_path)
    facts = tmp_path / "model.json"
    facts.write_text(facts.read_text(encoding="utf-8").replace('"format": 2', '"format": 0'))
    with pytest.raises(TopicModelError, match="format 0"):
        load_model(tmp_path)


@pytest.mark.parametrize("restart", [False, True])
def test_topics_keep_their_ids_when_papers_are_added(
    papers: pl.DataFrame, fitted: Fit, restart: bool
) -> None:
    more = pl.concat([papers, make_papers(200, seed=1).tail(40)])
    again = fit(more, n_topics=4, previous=(fitted.model, fitted.assignments), restart=restart)
    assert again.lineage.schema == LINEAGE_SCHEMA
    assert again.lineage["event"].to_list() == ["continued"] * 4
    both = fitted.assignments.join(again.assignments, on="paper_id")
    assert (both["topic_id"] == both["topic_id_right"]).all()


def test_ids_of_ended_topics_are_not_reused(papers: pl.DataFrame, fitted: Fit) -> None:
    again = fit(papers, n_topics=2, previous=(fitted.model, fitted.assignments))
    before, after = set(fitted.topics["topic_id"]), set(again.topics["topic_id"])
    continued = again.lineage.filter(event="continued")
    assert (continued["topic_id"] == continued["previous_topic_id"]).all()
    assert after & before == set(continued["topic_id"])
    assert set(again.lineage["previous_topic_id"].drop_nulls()) == before


# --- bad input


def frame(rows: Sequence[tuple[str, str | None, str | None, list[str] | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=PAPER_SCHEMA, orient="row")


@pytest.mark.parametrize(
    ("rows", "n_topics"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([("p1", "A robot arm that grasps", None, None)], 0, id="one paper"),
        pytest.param(
            [(f"p{i}", "A robot arm that grasps", None, ["robot arm"]) for i in range(30)],
            0,
            id="all alike: every word is in every paper",
        ),
        pytest.param([(f"p{i}", None, None, None) for i in range(9)], 0, id="no text"),
        pytest.param([(f"p{i}", "$$ -- 12", "", []) for i in range(9)], 0, id="no words"),
    ],
)
def test_papers_without_content_have_no_topic(
    rows: list[tuple[str, str | None, str | None, list[str] | None]], n_topics: int
) -> None:
    found = fit(frame(rows))
    assert found.topics.height == n_topics
    assert found.topics.schema == TOPIC_SCHEMA
    assert found.assignments.schema == ASSIGNMENT_SCHEMA
    assert assign(found.model, frame(rows)).equals(found.assignments)


def test_an_empty_fit_can_be_stored_and_followed(papers: pl.DataFrame, tmp_path: Path) -> None:
    nothing = fit(frame([]))
    save_model(nothing.model, tmp_path)
    after = fit(papers, n_topics=4, previous=(load_model(tmp_path), nothing.assignments))
    assert after.lineage["event"].to_list() == ["born"] * 4
    ended = fit(frame([]), previous=(after.model, after.assignments))
    assert ended.lineage["event"].to_list() == ["died"] * 4


def test_few_papers_make_few_topics() -> None:
    assert 1 <= fit(make_papers(12)).topics.height <= 2


def test_keywords_replace_missing_abstracts() -> None:
    found = fit(make_papers(200, without_abstract=0.5), n_topics=4)
    assert agreement(found.assignments) > 0.9


def test_keywords_of_papers_with_abstract_do_not_count(papers: pl.DataFrame, fitted: Fit) -> None:
    with_keywords = papers.with_columns(keywords=pl.lit(["graph", "node"]))
    assert_same(fit(with_keywords, n_topics=4), fitted)


def test_other_scripts_raise_no_error() -> None:
    titles = [
        "大型语言模型的推理能力",
        "نماذج اللغة الكبيرة",
        "Обучение с подкреплением",
        "ロボット",
    ]
    rows = [(f"x{i}", titles[i % 4], None, None) for i in range(24)]
    found = fit(pl.concat([make_papers(80), frame(rows)]), n_topics=5)
    assert found.assignments["score"].is_finite().all()
    assert found.topics["label"].is_not_null().all()


def test_many_papers_may_have_the_same_text() -> None:
    one = make_papers(1).row(0)
    rows = [(f"x{i:03d}", *one[1:]) for i in range(60)]
    found = fit(pl.concat([make_papers(160), frame(rows)]), n_topics=4)
    repeated = found.assignments.filter(pl.col("paper_id").str.starts_with("x"))
    assert repeated["topic_id"].n_unique() == 1


# --- an embedding model


class Bags:
    """Texts to counts of the subjects' words."""

    name = "bags-1"

    def embed(self, texts: Sequence[str]) -> Floats:
        rows = [[sum(map(text.lower().count, own)) for own in SUBJECTS.values()] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), len(SUBJECTS))


def test_an_embedder_gives_the_same_tables(papers: pl.DataFrame, tmp_path: Path) -> None:
    found = fit(papers, n_topics=4, embedder=Bags())
    assert agreement(found.assignments) == 1
    assert found.topics.schema == TOPIC_SCHEMA
    save_model(found.model, tmp_path)
    assert assign(load_model(tmp_path), papers, embedder=Bags()).equals(found.assignments)
    again = fit(papers, n_topics=4, embedder=Bags(), previous=(found.model, found.assignments))
    assert again.lineage["event"].to_list() == ["continued"] * 4


def test_another_embedder_is_refused(papers: pl.DataFrame, fitted: Fit) -> None:
    with pytest.raises(TopicModelError, match="bags-1"):
        assign(fitted.model, papers, embedder=Bags())
    with pytest.raises(TopicModelError, match="other"):
        assign(replace(fitted.model, embedder="other"), papers)


# --- words, weights, labels


def test_counts_are_those_of_scikit_learn(papers: pl.DataFrame) -> None:
    texts = papers.select(text_of_papers()).to_series()
    tokens = tokenise(texts, slice_rows=7)
    vocabulary = learn_vocabulary(tokens, min_papers=3, max_share=1.0)
    counts = count_words(tokens, vocabulary)
    single = vocabulary.words[: vocabulary.n_single]
    other = CountVectorizer(vocabulary=single, lowercase=True).fit_transform(texts.to_list())
    assert (counts[:, : vocabulary.n_single] != other).nnz == 0
    assert vocabulary.n_papers == tuple((counts > 0).sum(axis=0).A1)


def test_phrases_are_adjacent_words_without_punctuation() -> None:
    texts = pl.Series(
        ["flow matching works", "flow, matching", "the flow-matching", "flow of matching"]
    )
    tokens = tokenise(texts)
    vocabulary = learn_vocabulary(tokens, min_papers=2, max_share=1.0)
    assert vocabulary.words == ("flow", "matching", "flow matching")
    column = count_words(tokens, vocabulary)[:, 2].toarray().ravel()
    assert column.tolist() == [1, 0, 1, 0]


def test_plurals_count_as_their_singulars_where_those_are_used() -> None:
    texts = pl.Series(
        ["agents policies", "agent policy", "agents biases", "statistics", "statistics"]
    )
    tokens = tokenise(texts)
    vocabulary = learn_vocabulary(tokens, min_papers=1, max_share=1.0)
    single = vocabulary.words[: vocabulary.n_single]
    assert single == ("agent", "biases", "policy", "statistics")
    assert singulars("classes") == ("classe", "class")
    assert singulars("analysis") == singulars("gas") == ()


def test_part_of_tokens_gives_the_counts_of_those_texts(papers: pl.DataFrame) -> None:
    texts = papers.select(text_of_papers()).to_series()
    some = np.array([3, 5, 8, 90])
    whole = tokenise(texts)
    vocabulary = learn_vocabulary(whole, min_papers=2, max_share=1.0)
    assert (
        count_words(part_of(whole, some), vocabulary) != count_words(whole, vocabulary)[some]
    ).nnz == 0


def test_weights_are_those_of_a_plain_implementation() -> None:
    draw = np.random.default_rng(2)
    counts = draw.poisson(0.7, size=(30, 8))
    topic = draw.integers(-1, 3, size=30)
    sums = [[int(counts[topic == t, w].sum()) for w in range(8)] for t in range(3)]
    mean = sum(map(sum, sums)) / 3
    expected = [
        [sums[t][w] / sum(sums[t]) * np.log(1 + mean / sum(s[w] for s in sums)) for w in range(8)]
        for t in range(3)
    ]
    found = topic_weights(sp.csr_matrix(counts.astype(np.float32)), topic, 3)
    assert found == pytest.approx(np.array(expected))


def test_rare_co_occurrences_make_no_top_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """ "rare" is in two papers, both with "robot"; "grasp" in ten of the topic, eight with it."""
    words = ["grasp", "other", "rare", "robot"]
    counts = np.zeros((200, 4))
    counts[:20, 3] = counts[:2, 2] = counts[12:22, 0] = counts[40:60, 0] = 1
    counts[40:, 1] = 3
    topic = np.array([0] * 40 + [1] * 160)
    matrix = sp.csr_matrix(counts)
    weights = topic_weights(matrix, topic, 2)
    assert choose_words(weights, matrix, topic, words, n=2)[0] == [3, 0]
    monkeypatch.setattr(labels, "DOUBT", 0)
    assert choose_words(weights, matrix, topic, words, n=2)[0] == [3, 2]


def test_boilerplate_is_never_a_top_word_but_may_end_a_label() -> None:
    assert {"novel", "model", "propose"} <= BOILERPLATE
    words = ["model", "novel", "world", "world model"]
    counts = sp.csr_matrix(np.array([[5.0, 5, 2, 2]] * 4 + [[1.0, 1, 0, 0]] * 4))
    topic = np.array([0] * 4 + [1] * 4)
    weights = topic_weights(counts, topic, 2)
    assert choose_words(weights[:, :3], counts[:, :3], topic, words[:3]) == [[2], []]
    texts = pl.Series(["A novel world model.", "Each world model is a model."] * 2 + ["Model"] * 4)
    vocabulary = learn_vocabulary(tokenise(texts), min_papers=1, max_share=1.0)
    phrases = Phrases(texts.to_list(), vocabulary)
    assert make_labels(weights, counts, topic, words, phrases) == ["world model", ""]


def test_function_words_are_those_of_scikit_learn() -> None:
    assert FUNCTION_WORDS == ENGLISH_STOP_WORDS
