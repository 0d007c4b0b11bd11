"""Printed author lists are divided into names: one per person or group, none of them a word."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.parsing.author_names import split_names, tidy, turned
from tests.unit.test_parsing_properties import bounded

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Ada One, Bo L. Two and Cy T. Three", ["Ada One", "Bo L. Two", "Cy T. Three"]),
        ("Ada One and Bo Two, and Cy Three", ["Ada One", "Bo Two", "Cy Three"]),
        ("Ada One and\n  Bo Two", ["Ada One", "Bo Two"]),
        ("Ada One & Bo Two", ["Ada One", "Bo Two"]),
        ("Ada One &amp; Bo Two", ["Ada One", "Bo Two"]),
        ("Ada One AND Bo Two", ["Ada One", "Bo Two"]),
        ("Ada One, and, Bo Two", ["Ada One", "Bo Two"]),
        ("Ada One,Bo Two,Cy Three", ["Ada One", "Bo Two", "Cy Three"]),
        ("Ada One; Bo Two; and Cy Three", ["Ada One", "Bo Two", "Cy Three"]),
        ("One, Ada; Two, Bo", ["Ada One", "Bo Two"]),
        ("Li, Xu and Ma, Bo", ["Xu Li", "Bo Ma"]),
        ("van der Two, Jan and Li, Xu", ["Jan van der Two", "Xu Li"]),
        ("One, A., Two, B., Three, C.", ["A. One", "B. Two", "C. Three"]),
        ("One, A. and Bo Two", ["A. One", "Bo Two"]),
        ("One, A.", ["A. One"]),
    ],
)
def test_separators(printed: str, names: list[str]) -> None:
    assert split_names(printed) == names


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Bo Two, Jr., Ada One", ["Bo Two Jr.", "Ada One"]),
        ("Bo Two Jr, Ada One", ["Bo Two Jr", "Ada One"]),
        ("Two, Bo, Jr. and One, Ada", ["Bo Two Jr.", "Ada One"]),
        ("Bo Two, III and Ada One", ["Bo Two III", "Ada One"]),
        ("Ada One, Ph.D., Bo Two, M.D.", ["Ada One", "Bo Two"]),
        ("Ada One, Bo Two, et al.", ["Ada One", "Bo Two"]),
        ("Ada One et al", ["Ada One"]),
        ("Ada One, Bo Two and 12 others", ["Ada One", "Bo Two"]),
        ("Ada One, Bo Two, and others", ["Ada One", "Bo Two"]),
        ("Smith and Sons, Ada One", ["Smith and Sons", "Ada One"]),
        ("Ada One, Smith and Sons", ["Ada One", "Smith and Sons"]),
        ("Sandy Anderson and Randy Brand", ["Sandy Anderson", "Randy Brand"]),
        ("The Big Collaboration: A. One, B. Two", ["The Big Collaboration", "A. One", "B. Two"]),
        ("A. One on behalf of the Big Collaboration", ["A. One"]),
        ("A. One, for the Big Collaboration", ["A. One"]),
        ('Ada "Star" One, Bo Two', ['Ada "Star" One', "Bo Two"]),
        ('"Ada One", "Bo Two"', ["Ada One", "Bo Two"]),
        ("' Ada One', 'Bo Two'", ["Ada One", "Bo Two"]),
    ],
)
def test_words_that_are_not_names_and_words_within_names(printed: str, names: list[str]) -> None:
    assert split_names(printed) == names


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Ada One, Bo Two, and Cy Three (University of A, B and C)", 3),
        ("Ada One (1), Bo Two (2,3), and Cy Three (1) ((1) A, City, (2) B (Lab C), (3) D)", 3),
        ("Ada One (A and B), Bo Two", 2),
        ("M. One (for the Big Collaboration)", 1),
        ("Ada One (A, Bo Two", 2),
        ("Ada One A), Bo Two", 2),
        ("Ada One$^{1,2}$, Bo Two$^*$", 2),
        ("Ada One1, Bo Two*", 2),
        (r"Ada One\thanks{A, B and C}, Bo Two", 2),
        ("((((", 0),
    ],
)
def test_affiliations_and_marks_are_dropped(printed: str, names: int) -> None:
    found = split_names(printed)
    assert len(found) == names
    assert all(re.fullmatch(r"\w[\w. ]*", name) for name in found)


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        (r"\'Eva Sz\'ekely", "Éva Székely"),
        (r"J\"{u}rgen \O{}rsted", "Jürgen Ørsted"),
        (r"\v{S}koda Gy\H{o}rgy", "Škoda György".replace("ö", "ő")),
        (r"{\L}ukasz \c{C}elik", "Łukasz Çelik"),
        (r"K\"{\i}m Nguy\~{\^e}n", "Kïm Nguyễn"),
        ("Ada~One", "Ada One"),
        ("Bo O'Two", "Bo O'Two"),
    ],
)
def test_tex_in_names_is_unicode(printed: str, name: str) -> None:
    assert split_names(printed) == [name]
    assert tidy([printed]) == [name]


def test_initials_have_the_form_that_arxiv_gives_them() -> None:
    assert split_names("C.-P. One, A.B. Two and D. -E. Three") == [
        "C. -P. One",
        "A. B. Two",
        "D. -E. Three",
    ]


def test_a_list_of_single_words_is_not_divided_by_a_guess() -> None:
    assert split_names("Li, Xu, Ma, Bo") == []
    assert split_names("Li, Xu") == []
    assert split_names("One, A., Two, B.") == ["A. One", "B. Two"]
    assert split_names("Plato and Aristotle") == ["Plato", "Aristotle"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Two, Bo", "Bo Two"),
        ("Two, Bo, Jr.", "Bo Two Jr."),
        ("Two, Jr., Bo", "Bo Two Jr."),
        ("Bo Two, Jr.", "Bo Two Jr."),
        ("Bo Two", "Bo Two"),
    ],
)
def test_turned(name: str, expected: str) -> None:
    assert turned(name) == expected


FIRST = st.sampled_from(["Ada", "Bo-Li", "C. D.", "Éva", "J.", "Mary Ann", "Sandy"])
LAST = st.sampled_from(["One", "O'Two", "Anderson", "van der Four", "Ørsted", "Brand-Li", "Ng"])
PEOPLE = st.lists(st.tuples(FIRST, LAST), min_size=1, max_size=6)


@bounded(150)
@given(people=PEOPLE, last=st.sampled_from([", ", " and ", ", and ", " & "]))
def test_names_survive_being_printed(people: list[tuple[str, str]], last: str) -> None:
    names = [f"{first} {family}" for first, family in people]
    printed = last.join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    assert split_names(printed) == names
    if len(people) > 1:
        assert split_names("; ".join(f"{family}, {first}" for first, family in people)) == names


@bounded(200)
@given(text=st.text(max_size=80) | st.text(alphabet="AaBb .,;()&{}\\$^'\"~and", max_size=60))
def test_any_text_gives_names_with_letters_on_one_line(text: str) -> None:
    for name in split_names(text):
        assert name == " ".join(name.split())
        assert any(map(str.isalpha, name))
