"""Phrases of labels: completed, refused, and spelled as in the texts."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.topics.label_phrases import Phrases
from pipelines.topics.labels import (
    GENERIC_PHRASES,
    GENERIC_WORDS,
    make_labels,
    stems,
    topic_weights,
)
from pipelines.topics.words import count_words, learn_vocabulary, tokenise
from tests.unit.topic_papers import make_papers

pytestmark = pytest.mark.unit

COMPLETE = {
    "resource language": ("For low-resource language, we", "low-resource language"),
    "retrieval augmented": ("By retrieval-augmented generation.", "retrieval-augmented generation"),
    "context learning": ("With in-context learning, it", "in-context learning"),
    "expert": ("A mixture of expert, and", "mixture of expert"),
    "machine translation": ("In machine translation, the", "machine translation"),
    "vision language": ("Of vision-language model, a", "vision-language model"),
    "kv cache": ("The KV cache, with", "KV cache"),
    "gaussian splatting": ("By 3D Gaussian splatting, we", "3D Gaussian splatting"),
    "low light": ("In the low-light image enhancement.", "low-light image enhancement"),
}
REFUSED = {
    "a part of compounds": (
        "view image",
        ["Multi-view image.", "Two-view image.", "Top-view image."],
    ),
    "a modifier": ("zero shot", ["Zero-shot transfer.", "A zero-shot search.", "Zero-shot image."]),
    "a verb": ("edit", ["We edit the.", "To edit is."]),
    "a model with its version": ("gpt 4o", ["With GPT-4o.", "GPT-4o is."]),
    "a versioned name": ("qwen agent", ["The Qwen agent; Qwen-2 is.", "A Qwen agent of Qwen-3."]),
    "a data set": ("imagenet accuracy", ["The ImageNet accuracy is.", "Of ImageNet accuracy."]),
    "an acronym alone": ("tts", ["By TTS is.", "A TTS."]),
}


def phrases_of(texts: list[str]) -> Phrases:
    return Phrases(texts, learn_vocabulary(tokenise(pl.Series(texts)), min_papers=1, max_share=1.0))


@pytest.mark.parametrize("phrase", COMPLETE)
def test_phrases_are_completed(phrase: str) -> None:
    text, expected = COMPLETE[phrase]
    texts = [text] * 4
    assert phrases_of(texts).whole(phrase, range(4)) == expected


@pytest.mark.parametrize("case", REFUSED)
def test_fragments_verbs_and_names_are_refused(case: str) -> None:
    phrase, texts = REFUSED[case]
    texts = texts * 3
    assert phrases_of(texts).whole(phrase, range(len(texts))) is None


def test_capitals_of_titles_do_not_count() -> None:
    texts = ["Machine Translation", "Machine Translation", "Of machine translation."]
    assert phrases_of(texts).whole("machine translation", range(3)) == "machine translation"


def test_only_the_given_texts_are_read() -> None:
    texts = ["A low-resource language."] * 3 + ["A resource language."] * 3
    found = phrases_of(texts)
    assert found.whole("resource language", range(3)) == "low-resource language"
    assert found.whole("resource language", range(3, 6)) == "resource language"
    assert found.whole("resource language", []) is None


def test_labels_have_no_generic_words_and_two_facets() -> None:
    """Two topics; both use deep learning and language models, which name neither."""
    first = "Deep learning for brain tumors, and image registration, by a language model."
    second = "Deep learning for speech recognition, and speaker diarization, by a language model."
    other = "Image registration, by deep learning."
    texts = [first] * 20 + [other] * 20 + [second] * 30
    tokens = tokenise(pl.Series(texts))
    vocabulary = learn_vocabulary(tokens, min_papers=2, max_share=1.0)
    counts = count_words(tokens, vocabulary)
    topic = pl.Series([0] * 40 + [1] * 30).to_numpy()
    weights = topic_weights(counts, topic, 2)
    labels = make_labels(weights, counts, topic, vocabulary.words, Phrases(texts, vocabulary))
    assert labels[0].lower() == "image registration"
    assert labels[1] in ("speaker diarization", "speech recognition")


def test_generic_words_are_single_and_phrases_pairs() -> None:
    assert all(" " not in word for word in GENERIC_WORDS)
    assert all(len(phrase.split()) == 2 for phrase in GENERIC_PHRASES)
    assert stems("Low-resource languages") == ["low", "resource", "language"]


def test_generated_papers_have_labels_of_their_subjects() -> None:
    texts = [f"{title}. {abstract}" for _, title, abstract, _ in make_papers(40).iter_rows()]
    found = phrases_of(texts)
    assert found.whole("nothing here", range(40)) is None


def test_a_topic_of_a_few_titles_gets_its_heaviest_words() -> None:
    """No phrase is used twice, so none is known to be complete."""
    texts = ["Robot Arm Grasping", "Gripper of a Robot", "Speech Noise", "Noise of Speech"]
    tokens = tokenise(pl.Series(texts))
    vocabulary = learn_vocabulary(tokens, min_papers=1, max_share=1.0)
    counts = count_words(tokens, vocabulary)
    topic = pl.Series([0, 0, 1, 1]).to_numpy()
    weights = topic_weights(counts, topic, 2)
    labels = make_labels(weights, counts, topic, vocabulary.words, Phrases(texts, vocabulary))
    assert all(labels)
    assert "robot" in labels[0]
    assert {*stems(labels[1].replace(",", ""))} == {"speech", "noise"}
