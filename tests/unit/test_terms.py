"""Terms: which are learned, and where they are found."""

from __future__ import annotations

import polars as pl
import pytest

from pipelines.topics.acronyms import spelled_out
from pipelines.topics.term_learning import learn_terms, new_terms
from pipelines.topics.term_matching import (
    PAPER_TERM_SCHEMA,
    TERM_MATCH_SCHEMA,
    kept_terms,
    match_terms,
    terms_of_papers,
    unread_terms,
    update_terms,
)
from pipelines.topics.terms import VOCABULARY_SCHEMA, TermVocabulary
from tests.unit.topic_papers import PAPER_SCHEMA

pytestmark = pytest.mark.unit

ABSTRACTS = [
    "We train with Group Relative Policy Optimization (GRPO) on images of cats.",
    "With GRPO, the agents walk further. A DeepSeek-R1 teacher helps the agents.",
    "GRPO-based tuning of LLMs beats the teacher by far.",
    "Flow matching learns paths. LLM agents compare DeepSeek-R1 with Mamba.",
    "The flow matching objective of a UNet gives images, unlike Mamba or LLMs.",
    "Every U-Net here uses flow-matching, and Mamba is slower than any LLM.",
    "Group relative policy optimization needs no critic; DeepSeek-R1 shows it. A UNet too.",
    "In group relative policy optimization (GRPO) a group of answers is compared.",
    "Nothing of note happens in this paper.",
    "Neither does anything in that one.",
]


def make_papers(abstracts: list[str], title: str = "On things") -> pl.DataFrame:
    rows = [(f"p{at}", title, text, list[str]()) for at, text in enumerate(abstracts)]
    return pl.DataFrame(rows, schema=PAPER_SCHEMA, orient="row")


@pytest.fixture(scope="module")
def vocabulary() -> TermVocabulary:
    return learn_terms(make_papers(ABSTRACTS), min_papers=2)


def row_of(vocabulary: TermVocabulary, term_id: str) -> dict[str, object]:
    return vocabulary.terms.row(by_predicate=pl.col("term_id") == term_id, named=True)


def test_an_acronym_and_its_long_form_are_one_term(vocabulary: TermVocabulary) -> None:
    row = row_of(vocabulary, "grpo")
    assert (row["term"], row["kind"]) == ("GRPO", "acronym")
    assert row["long_form"] == "group relative policy optimization"
    found = terms_of_papers(make_papers(ABSTRACTS), vocabulary).filter(term_id="grpo")
    assert found.select("paper_id", "n").rows() == [
        ("p0", 2),
        ("p1", 1),
        ("p2", 1),
        ("p6", 1),
        ("p7", 2),
    ]


def test_names_are_detected_by_spelling(vocabulary: TermVocabulary) -> None:
    assert vocabulary.terms.schema == VOCABULARY_SCHEMA
    assert row_of(vocabulary, "deepseek-r1")["kind"] == "coined"
    assert row_of(vocabulary, "mamba")["kind"] == "name"
    assert row_of(vocabulary, "flow-matching")["kind"] == "phrase"
    assert not {"we", "with", "the", "on", "agents", "images"} & set(vocabulary.terms["term_id"])


def test_plurals_and_hyphens_are_one_term(vocabulary: TermVocabulary) -> None:
    assert row_of(vocabulary, "llm")["term"] == "LLM"
    assert row_of(vocabulary, "unet")["term"] == "UNet"
    found = terms_of_papers(make_papers(["An LLM, two LLMs, a U-Net."]), vocabulary)
    assert found.select("term_id", "n").rows() == [("llm", 2), ("unet", 1)]


def test_words_inside_a_long_form_are_not_separate_terms(vocabulary: TermVocabulary) -> None:
    assert not {"policy-optimization", "relative-policy", "group-relative"} & set(
        vocabulary.terms["term_id"]
    )


def test_matching_needs_whole_words_in_any_case(vocabulary: TermVocabulary) -> None:
    texts = pl.DataFrame(
        {"text_hash": ["a", "b", "c"], "text": ["MAMBAS, mamba", "mambalike", None]}
    )
    found = match_terms(texts, vocabulary)
    assert found.schema == TERM_MATCH_SCHEMA
    assert found.rows() == [("a", "mamba", 2)]


def test_order_and_repeats_do_not_matter(vocabulary: TermVocabulary) -> None:
    papers = make_papers(ABSTRACTS)
    shuffled = pl.concat([papers.reverse(), papers.head(3)])
    assert learn_terms(shuffled, min_papers=2).terms.equals(vocabulary.terms)


def test_the_version_follows_the_wordings(vocabulary: TermVocabulary) -> None:
    renamed = TermVocabulary(vocabulary.terms.with_columns(term=pl.lit("x")))
    assert renamed.version == vocabulary.version
    assert TermVocabulary(vocabulary.terms.head(2)).version != vocabulary.version


def test_no_wording_belongs_to_two_terms(vocabulary: TermVocabulary) -> None:
    wordings = vocabulary.terms.explode("wordings")["wordings"]
    assert wordings.n_unique() == len(wordings)


def test_the_most_common_terms_are_kept() -> None:
    terms = learn_terms(make_papers(ABSTRACTS), min_papers=2, max_terms=2).terms
    assert terms.height == 2
    assert set(terms["term_id"]) == {"grpo", "llm"}


def test_an_ambiguous_acronym_is_not_a_term() -> None:
    abstracts = [
        "We use anomaly detection (AD).",
        "We use automatic differentiation (AD).",
        "We use Alzheimer dementia (AD).",
    ]
    assert "ad" not in set(learn_terms(make_papers(abstracts), min_papers=2).terms["term_id"])


def test_a_title_in_capitals_makes_no_term() -> None:
    papers = make_papers(["a deep survey of words"] * 4, title="A SURVEY OF WORDS")
    plain = make_papers(["this survey is long, another survey is short"] * 9)
    papers = pl.concat([papers, plain.with_columns(paper_id="q" + pl.col("paper_id"))])
    assert "survey" not in set(learn_terms(papers, min_papers=2).terms["term_id"])


@pytest.mark.parametrize(
    ("short", "words", "long"),
    [
        ("GRPO", "the Group Relative Policy Optimization", "Group Relative Policy Optimization"),
        ("SSL", "we use self-supervised learning", "self-supervised learning"),
        ("LLMs", "many large language models", "large language models"),
        ("NeRF", "a neural radiance field", "neural radiance field"),
        (
            "RLHF",
            "reinforcement learning from human feedback",
            "reinforcement learning from human feedback",
        ),
        ("CVPR", "a paper of this year", None),
        ("AI", "AI", None),
        ("XY", "", None),
    ],
)
def test_spelling_out(short: str, words: str, long: str | None) -> None:
    assert spelled_out(short, words) == long


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="nothing"),
        pytest.param([("p", None, None, None)], id="no text"),
        pytest.param([("p", "GRPO", None, None)], id="one paper"),
        pytest.param(
            [("p", "大型语言模型", "الكبيرة", []), ("q", "ロボット", None, ["学習"])], id="scripts"
        ),
    ],
)
def test_little_input_raises_no_error(rows: list[tuple[object, ...]]) -> None:
    papers = pl.DataFrame(rows, schema=PAPER_SCHEMA, orient="row")
    learned = learn_terms(papers)
    assert learned.terms.is_empty()
    assert learned.terms.schema == VOCABULARY_SCHEMA
    found = terms_of_papers(papers, learned)
    assert found.is_empty()
    assert found.schema == PAPER_TERM_SCHEMA


def test_keywords_replace_a_missing_abstract(vocabulary: TermVocabulary) -> None:
    rows = [
        ("p", "On things", None, ["Mamba", "flow matching"]),
        ("q", "On things", "Nothing here", ["Mamba"]),
    ]
    papers = pl.DataFrame(rows, schema=PAPER_SCHEMA, orient="row")
    found = terms_of_papers(papers, vocabulary)
    assert found.select("paper_id", "term_id").rows() == [("p", "flow-matching"), ("p", "mamba")]


def updated(
    before: pl.DataFrame | None,
    papers: pl.DataFrame,
    changed: pl.DataFrame,
    vocabulary: TermVocabulary,
) -> pl.DataFrame:
    """What the dbt model does: reads changed papers, and all others for unread terms only."""
    kept = kept_terms(before, changed, vocabulary)
    others = papers.join(changed, on="paper_id", how="anti")
    if unread_terms(kept, vocabulary).terms.is_empty():
        others = others.clear()
    return update_terms(kept, papers.join(changed, on="paper_id", how="semi"), others, vocabulary)


@pytest.mark.parametrize(
    "first", ["nothing yet", "no terms known", "other wordings", "the same terms"]
)
def test_an_update_equals_reading_all_papers(vocabulary: TermVocabulary, first: str) -> None:
    papers = make_papers(ABSTRACTS)
    none = pl.DataFrame(schema={"paper_id": pl.String()})
    whole = updated(None, papers, none, vocabulary)
    assert whole.height > 10
    other = papers.filter(pl.col("paper_id") != "p3").with_columns(
        abstract=pl.when(pl.col("paper_id") == "p0")
        .then(pl.lit("Only Mamba here."))
        .otherwise("abstract")
    )
    before = {
        "nothing yet": None,
        "no terms known": updated(None, other, none, TermVocabulary(vocabulary.terms.clear())),
        "other wordings": updated(
            None,
            other,
            none,
            TermVocabulary(vocabulary.terms.with_columns(pl.col("wordings").list.head(1))),
        ),
        "the same terms": updated(None, other, none, vocabulary),
    }[first]
    changed = pl.DataFrame({"paper_id": ["p0", "p3", "gone"]})
    assert updated(before, papers, changed, vocabulary).equals(whole)


def test_a_new_term_is_looked_for_in_all_papers(vocabulary: TermVocabulary) -> None:
    papers = make_papers(ABSTRACTS)
    none = pl.DataFrame(schema={"paper_id": pl.String()})
    known = TermVocabulary(vocabulary.terms.filter(pl.col("term_id") != "mamba"))
    before = updated(None, papers, none, known)
    assert unread_terms(before, vocabulary).terms["term_id"].to_list() == ["mamba"]
    assert updated(before, papers, none, vocabulary).equals(updated(None, papers, none, vocabulary))


def test_the_running_quarter_adds_new_terms_only() -> None:
    earlier = make_papers([*ABSTRACTS * 3, "We tried DeepSeek-R2 once."])
    running = make_papers(
        [
            *(
                f"The {word} DeepSeek-R2 is {word} here."
                for word in ["big", "odd", "old", "new", "shy"]
            ),
            *(f"We {word} LoRA, and {word} Mamba." for word in ["use", "see", "try", "mix", "cut"]),
            *(
                f"Only GRPO can {word} such a thing."
                for word in ["use", "see", "try", "mix", "cut"]
            ),
        ]
    )
    earlier = pl.concat([earlier, make_papers(["Here LoRA is used."] * 9)]).with_columns(
        paper_id=pl.format("earlier-{}", pl.int_range(pl.len()))
    )
    vocabulary = learn_terms(earlier)
    assert "deepseek-r2" not in vocabulary.terms["term_id"]
    vocabulary = TermVocabulary(vocabulary.terms.filter(pl.col("term_id") != "lora"))
    added = new_terms(vocabulary, running, earlier)
    assert added.schema == VOCABULARY_SCHEMA
    ids = added["term_id"].to_list()
    assert "deepseek-r2" in ids
    assert not {"grpo", "mamba"} & set(ids)  # known before
    assert "lora" not in ids  # most of its papers are older
    assert added.filter(term_id="deepseek-r2")["n_papers"].item() == 5
    whole = pl.concat([vocabulary.terms, added])["wordings"].explode()
    assert whole.is_unique().all()


def test_an_unchanged_paper_is_not_read_again(vocabulary: TermVocabulary) -> None:
    none = pl.DataFrame(schema={"paper_id": pl.String()})
    before = updated(None, make_papers(ABSTRACTS), none, vocabulary)
    silent = make_papers([""] * len(ABSTRACTS))
    assert updated(before, silent, none, vocabulary).equals(before)
