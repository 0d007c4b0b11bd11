"""Matching rules in texts: word boundaries, variants, overlaps, negatives, unusual input.

The property test compares with an independent implementation in plain Python.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.lake.schemas import MATCH_SCHEMA
from pipelines.topics.matching import match_texts
from pipelines.topics.taxonomy import Rule, Taxonomy, TaxonomyError, Topic
from pipelines.topics.taxonomy_checks import make_taxonomy
from pipelines.topics.text_forms import FIELD_SEPARATOR, normalise, normalise_phrases, plural

pytestmark = pytest.mark.unit


def taxonomy(**topics: list[str]) -> Taxonomy:
    """A taxonomy of topics, each a list of phrases; a leading minus makes a negative."""
    rules = [
        Rule(topic_id, phrase.lstrip("-"), "negative" if phrase.startswith("-") else "phrase")
        for topic_id, phrases in topics.items()
        for phrase in phrases
    ]
    return make_taxonomy([Topic(name, name, "Area", "About it.") for name in topics], rules)


def found(text: str | None, rules: Taxonomy) -> list[tuple[str, str, str, int]]:
    """(topic, phrase, matched, n) in one text."""
    frame = pl.DataFrame(
        {"text_hash": ["h"], "text": [text]}, schema={"text_hash": pl.String, "text": pl.String}
    )
    return match_texts(frame, rules).drop("text_hash").rows()


def counted(text: str | None, *phrases: str) -> dict[str, int]:
    """How often each phrase, in either wording, is found in a text."""
    totals: dict[str, int] = {}
    for _, phrase, _, n in found(text, taxonomy(t=list(phrases))):
        totals[phrase] = totals.get(phrase, 0) + n
    return totals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Large-Language  Models!", " large language models "),
        ("  a\nb\t c ", " a b c "),
        ("ﬁne‑tuning ①", " fine tuning 1 "),
        ("Ｆｕｌｌ width", " full width "),
        ("$\\mu$LO: μLO", " mu lo μlo "),
        ("扩散模型，好", " 扩散模型 好 "),
        ("one | two|three", " one | two | three "),
        ("...", " "),
        ("", " "),
        (None, None),
    ],
)
def test_normal_form(text: str | None, expected: str | None) -> None:
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(normalise(pl.col("text"))).item() == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("language model", "language models"),
        ("world survey", "world surveys"),
        ("scaling study", "scaling studies"),
        ("codec index", "codec indexes"),
        ("loss", "losses"),
        ("grasp approach", "grasp approaches"),
        ("y", "ys"),
        ("模型", "模型s"),
    ],
)
def test_plural(phrase: str, expected: str) -> None:
    assert plural(phrase) == expected


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("gan", 1),
        ("A GAN.", 1),
        ("GANs and a gan", 2),
        ("organ began gano gan2", 0),
        ("gan gan gan", 3),
        ("gan-gan/gan", 3),
        ("(gan)(gan)", 2),
        ("gan_gan", 2),
        ("", 0),
        (None, 0),
    ],
)
def test_whole_words_only(text: str | None, n: int) -> None:
    assert counted(text, "gan") == ({"gan": n} if n else {})


def test_hyphens_and_line_folds_are_spaces() -> None:
    assert counted("fine-\n tuning, Fine–Tuning and finetuning", "fine tuning") == {
        "fine tuning": 2
    }


def test_evidence_reports_the_words_as_matched() -> None:
    assert found("World models learn a world model", taxonomy(t=["world model"])) == [
        ("t", "world model", "world model", 1),
        ("t", "world model", "world models", 1),
    ]


def test_overlapping_phrases_of_one_topic_both_count() -> None:
    assert counted("video diffusion model", "video diffusion", "diffusion model") == {
        "video diffusion": 1,
        "diffusion model": 1,
    }


def test_a_phrase_overlapping_itself_counts_twice() -> None:
    assert counted("a b a b a", "a b a") == {"a b a": 2}


def test_a_wording_shared_by_topics_is_found_for_each() -> None:
    rules = taxonomy(one=["world model"], two=["world model", "video"])
    assert [row[0] for row in found("video world model", rules)] == ["one", "two", "two"]


def test_phrases_do_not_match_across_keywords() -> None:
    keywords = FIELD_SEPARATOR.join(["visual language", "model size", "language model"])
    assert counted(keywords, "language model") == {"language model": 1}


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("an agent", 1),
        ("a contrast agent", 0),
        ("contrast agents", 0),
        ("a contrast agent and an agent", 1),
        ("contrast agents and two agents", 1),
        ("contrast agent contrast agent agent agent agent", 3),
        ("agent contrast", 1),
    ],
)
def test_negatives_cancel_only_matches_inside_them(text: str, n: int) -> None:
    rules = taxonomy(t=["agent", "-contrast agent"])
    assert sum(row[3] for row in found(text, rules)) == n


def test_a_negative_cancels_every_occurrence_inside_it() -> None:
    rules = taxonomy(t=["agent", "-agent to agent"])
    assert found("agent to agent protocol", rules) == []
    assert [row[3] for row in found("agent to agent, an agent", rules)] == [1]


def test_a_negative_affects_its_own_topic_only() -> None:
    rules = taxonomy(chemistry=["agent"], ai=["agent", "-contrast agent"])
    assert [row[0] for row in found("contrast agent", rules)] == ["chemistry"]


def test_overlapping_negatives_never_count_below_zero() -> None:
    rules = taxonomy(t=["b", "-a b", "-b c"])
    assert found("a b c", rules) == []
    assert [row[3] for row in found("a b c, b, b, b", rules)] == [2]


def test_other_scripts() -> None:
    rules = taxonomy(zh=["扩散模型"], el=["μοντέλα"], hi=normalise_phrases(["भाषा मॉडल"]))
    texts = "新的 扩散模型 。 ΜΟΝΤΈΛΑ, भाषा मॉडल"
    assert sorted(row[0] for row in found(texts, rules)) == ["el", "hi", "zh"]


def test_result_columns_order_and_slices() -> None:
    texts = pl.DataFrame(
        {
            "text_hash": [f"h{i}" for i in range(7)],
            "text": ["a gan", None, "", "x", "b", "c", "gan b"],
        }
    )
    rules = taxonomy(g=["gan"], b=["b"])
    whole = match_texts(texts, rules)
    assert whole.schema == MATCH_SCHEMA
    assert whole.rows() == [
        ("h0", "g", "gan", "gan", 1),
        ("h4", "b", "b", "b", 1),
        ("h6", "b", "b", "b", 1),
        ("h6", "g", "gan", "gan", 1),
    ]
    assert match_texts(texts.reverse(), rules, slice_rows=2).equals(whole)


def test_no_texts() -> None:
    texts = pl.DataFrame(schema={"text_hash": pl.String, "text": pl.String})
    matches = match_texts(texts, taxonomy(g=["gan"]))
    assert matches.is_empty()
    assert matches.schema == MATCH_SCHEMA


# Property test against an independent implementation over lists of words.

WORDS = ["ab", "abs", "b", "by", "bies", "c", "cs", "bs", "模", "É", "ﬁ"]
SEPARATORS = [" ", "-", "  ", ". ", "\n", ", ", "—", " | "]


def plain_words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).lower()
    return re.findall(r"\||[^\W_]+", text)


def plain_variants(words: list[str]) -> list[list[str]]:
    last = words[-1]
    if len(last) >= 2 and last[-1] == "y" and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        many = last + "es"
    else:
        many = last + "s"
    return [words, [*words[:-1], many]]


def plain_count(needle: list[str], haystack: list[str]) -> int:
    size = len(needle)
    return sum(haystack[i : i + size] == needle for i in range(len(haystack) - size + 1))


def plain_match(text: str, rules: Taxonomy) -> dict[tuple[str, str, str], int]:
    words = plain_words(text)
    result = {}
    for rule in rules.rules:
        if rule.role == "negative":
            continue
        for wording in plain_variants(rule.phrase.split()):
            masked = sum(
                plain_count(negative, words) * plain_count(wording, negative)
                for other in rules.rules
                if other.role == "negative" and other.topic_id == rule.topic_id
                for negative in plain_variants(other.phrase.split())
            )
            n = plain_count(wording, words) - masked
            if n > 0:
                result[rule.topic_id, rule.phrase, " ".join(wording)] = n
    return result


phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(
    lambda words: " ".join(plain_words(" ".join(words)))
)
texts = st.lists(
    st.tuples(st.sampled_from([*WORDS, "AB", "By", "ba"]), st.sampled_from(SEPARATORS)), max_size=25
).map(lambda pairs: "".join(word + separator for word, separator in pairs))


@st.composite
def taxonomies(draw: st.DrawFn) -> Taxonomy:
    """Random rules, without those that would make the taxonomy invalid."""
    topics = [Topic(name, name, "Area", "About it.") for name in ("one", "two")]
    kept = [Rule("one", "ab", "phrase"), Rule("two", "b", "phrase")]
    candidates = draw(
        st.lists(
            st.builds(
                Rule,
                st.sampled_from(["one", "two"]),
                phrases,
                st.sampled_from(["phrase", "alias", "negative"]),
            ),
            max_size=8,
        )
    )
    for rule in candidates:
        try:
            make_taxonomy(topics, [*kept, rule])
        except TaxonomyError:
            continue
        kept.append(rule)
    return make_taxonomy(topics, kept)


@settings(deadline=None, max_examples=150)
@given(rules=taxonomies(), bodies=st.lists(st.none() | texts, min_size=1, max_size=4))
def test_agrees_with_plain_python(rules: Taxonomy, bodies: list[str | None]) -> None:
    frame = pl.DataFrame(
        {"text_hash": [str(i) for i in range(len(bodies))], "text": bodies},
        schema={"text_hash": pl.String, "text": pl.String},
    )
    got = {
        (text_hash, topic_id, phrase, matched): n
        for text_hash, topic_id, phrase, matched, n in match_texts(frame, rules).rows()
    }
    expected = {
        (str(i), *key): n
        for i, body in enumerate(bodies)
        for key, n in plain_match(body or "", rules).items()
    }
    assert got == expected
