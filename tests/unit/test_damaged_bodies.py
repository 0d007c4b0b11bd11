"""Bodies of every form, damaged: no crash, no hang, no item that states what no paper states."""

from __future__ import annotations

import pytest

from pipelines.parsing.formats import FORMATS, detect
from tests.damage.campaign import read, run
from tests.damage.oracle import problems
from tests.damage.papers import PAPERS
from tests.damage.samples import SAMPLES

pytestmark = pytest.mark.unit

N_QUICK, N_BODIES = 240, 2_400


def test_every_form_has_a_sample() -> None:
    assert {name.partition(":")[0] for name in SAMPLES} == {format_.name for format_ in FORMATS}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_undamaged_body_gives_every_paper(name: str) -> None:
    body = SAMPLES[name](PAPERS)
    assert detect(body).name == name.partition(":")[0]
    outcome = read(name, "none", body)
    n_papers = 1 if name.startswith("paper_page") else len(PAPERS)
    assert (outcome.n_accepted, outcome.n_quarantined) == (n_papers, 0)
    assert outcome.wrong == []


@pytest.mark.parametrize("n_bodies", [N_QUICK, pytest.param(N_BODIES, marks=pytest.mark.slow)])
def test_damaged_bodies_never_give_wrong_items(n_bodies: int) -> None:
    report = run(n_bodies)
    assert report.crashes == []
    assert report.hangs == []
    assert report.wrong == []
    assert report.n_accepted > n_bodies
    assert report.n_quarantined > n_bodies / 2


def test_the_oracle_finds_what_is_wrong() -> None:
    names = ("abstract", "authors", "categories", "keywords", "upvotes", "comments", "organization",
             "announced_on", "arxiv_id", "primary_category", "published_on", "published_on_basis",
             "n_authors")  # fmt: skip
    right = {**dict.fromkeys(names), "title": PAPERS[0].title, "authors": [PAPERS[0].authors[0]]}
    assert problems([right], PAPERS) == []
    wrong = [
        {"title": "Sep 11"}, {"authors": ["Nobody"]}, {"abstract": PAPERS[1].abstract},
        {"arxiv_id": PAPERS[1].arxiv_id}, {"published_on": PAPERS[1].published_on},
        {"n_authors": 9}, {"upvotes": 1},
    ]  # fmt: skip
    for fields in wrong:
        assert len(problems([{**right, **fields}], PAPERS)) == 1, fields
