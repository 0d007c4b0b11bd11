"""The checks by look-up against a plain comparison of every pair of phrases."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.topics import taxonomy_checks
from pipelines.topics.taxonomy import Rule, Taxonomy, TaxonomyError, Topic
from pipelines.topics.taxonomy_checks import make_taxonomy

pytestmark = pytest.mark.unit

WORDS = ["ab", "abs", "b", "bs", "by", "bies", "|", "模"]
PHRASES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=7
)


def plain_wordings(phrase: str) -> set[str]:
    """A phrase and its plural, implemented independently."""
    if len(phrase) > 1 and phrase[-1] == "y" and phrase[-2] not in "aeiou":
        return {phrase, phrase[:-1] + "ies"}
    return {phrase, phrase + ("es" if phrase.endswith(("s", "x", "z", "ch", "sh")) else "s")}


def plain_covers(outer: str, inner: str) -> bool:
    """Whether a wording of one phrase contains a wording of the other."""
    return any(f" {i} " in f" {o} " for o in plain_wordings(outer) for i in plain_wordings(inner))


def plain_nested(kind: str, phrases: list[str]) -> list[str]:
    return [
        f"{kind} {outer!r} of 't' contains {kind} {inner!r}, which already matches there; "
        "delete one."
        for outer, inner in permutations(dict.fromkeys(phrases), 2)
        if plain_covers(outer, inner) and not plain_wordings(outer) & plain_wordings(inner)
    ]


def plain_idle(positives: list[str], negatives: list[str]) -> list[str]:
    return [
        f"negative {negative!r} of 't' contains none of the topic's phrases, so it has "
        "no effect; delete it."
        for negative in negatives
        if not any(plain_covers(negative, positive) for positive in positives)
    ]


def findings(positives: list[str], negatives: list[str]) -> list[str]:
    """The messages of the checks for the rules of one topic."""
    rules = [Rule("t", phrase, "phrase") for phrase in positives]
    rules += [Rule("t", phrase, "negative") for phrase in negatives]
    try:
        make_taxonomy([Topic("t", "T", "Area", "About it.")], rules)
    except TaxonomyError as error:
        return str(error).split("\n- ")[1:]
    return []


@settings(deadline=None, max_examples=200)
@given(positives=PHRASES, negatives=PHRASES)
def test_same_findings_in_the_same_order_as_plain_comparison(
    positives: list[str], negatives: list[str]
) -> None:
    found = findings(positives, negatives)
    assert [line for line in found if "contains phrase" in line] == plain_nested(
        "phrase", positives
    )
    assert [line for line in found if "contains negative" in line] == plain_nested(
        "negative", negatives
    )
    assert [line for line in found if "contains none" in line] == plain_idle(positives, negatives)


def test_many_rules_are_checked_without_comparing_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = 0
    plain = taxonomy_checks.variants

    def counted(phrase: str) -> tuple[str, str]:
        nonlocal calls
        calls += 1
        return plain(phrase)

    monkeypatch.setattr(taxonomy_checks, "variants", counted)
    n = 500
    taxonomy: Taxonomy = make_taxonomy(
        [Topic("t", "T", "Area", "About it.")],
        [Rule("t", f"word{i} model", "phrase") for i in range(n)],
    )
    assert len(taxonomy.rules) == n
    assert calls < 10 * n
