"""The evaluation of discovered topics, on made-up papers: its figures, and that each can fail."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from pipelines.evaluation import discovered
from pipelines.evaluation.discovered import evaluate
from pipelines.evaluation.report import Part, markdown
from pipelines.evaluation.topic_models import METHODS, find, raw_counts
from tests.unit.topic_papers import SUBJECTS, make_papers, subject_of

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four topics of 200 papers."""
    for name, value in (
        ("N_TOPICS", 4),
        ("LEAST_PAPERS", 100),
        ("SEEDS", 3),
        ("KEYWORD_PAPERS", 2),
    ):
        monkeypatch.setattr(discovered, name, value)


def papers(n: int = 200) -> pl.DataFrame:
    """Papers whose category and keyword are their subject; one a day."""
    made = make_papers(n)
    subjects = [list(SUBJECTS)[subject_of(paper_id)] for paper_id in made["paper_id"]]
    return made.with_columns(
        primary_category=pl.Series(subjects),
        keywords=pl.Series([[subject] for subject in subjects]),
        published_on=pl.Series([dt.date(2025, 1, 1) + dt.timedelta(days=at) for at in range(n)]),
    )


def promise(part: Part, about: str) -> bool:
    """Whether the promise with these words holds."""
    (found,) = [one for one in part.promises if about in one.says]
    return found.holds


def test_what_is_there_is_found() -> None:
    part = evaluate(papers())
    assert not part.skipped
    whole, compared, stability = (table.rows for table in part.tables)
    assert whole.height == 1
    assert whole["NMI with categories"][0] > 0.9
    assert whole["AMI with keywords"][0] > 0.9
    assert compared["method"].to_list() == list(METHODS)
    assert compared["NMI with categories"].min() > 0.3  # type: ignore[operator]
    assert stability.height == 2
    assert stability["median"].min() > 0.9  # type: ignore[operator]
    assert all(promise(part, about) for about in ("Coherence", "NMI", "refit"))
    assert "discovered topics" in markdown([part], [], "")
    targets = [one.says for one in part.promises if not one.is_binding]
    assert len(targets) == 1
    assert "CPU" in targets[0]


def test_categories_that_say_something_else_break_the_promise() -> None:
    halves = ["a" if at // 4 % 2 else "b" for at in range(200)]
    mixed = papers().with_columns(primary_category=pl.Series(halves))
    assert not promise(evaluate(mixed), "NMI")


def test_words_that_do_not_go_together_break_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovered, "NPMI", 0.99)
    part = evaluate(papers())
    assert not promise(part, "Coherence")
    assert promise(part, "NMI")


def test_keywords_are_not_read() -> None:
    plain, other = (
        evaluate(one).tables[0].rows.drop("seconds", "AMI with keywords")
        for one in (papers(), papers().with_columns(keywords=pl.lit(["robot"])))
    )
    assert plain.equals(other)


def test_without_dates_nothing_is_promised_of_refits() -> None:
    part = evaluate(papers().drop("published_on"))
    assert part.tables[2].rows.height == 1
    assert not any("refit" in one.says for one in part.promises)


def test_nothing_to_agree_with_is_no_error() -> None:
    bare = papers().with_columns(
        primary_category=pl.lit(None, pl.String), keywords=pl.lit(None, pl.List(pl.String))
    )
    part = evaluate(bare)
    assert part.tables[0].rows["NMI with categories"].to_list() == [None]
    assert not any("NMI" in one.says for one in part.promises)


@pytest.mark.parametrize("n", [0, 1, 99])
def test_few_papers_are_not_measured(n: int) -> None:
    part = evaluate(papers(n))
    assert part.skipped.startswith(f"{n} papers")
    assert not part.promises


def test_papers_without_abstracts_do_not_count() -> None:
    assert evaluate(papers().with_columns(abstract=pl.lit(None, pl.String))).skipped


@pytest.mark.parametrize("method", METHODS)
def test_a_method_gives_the_same_twice(method: str) -> None:
    one, other = (find(method, papers(), n_topics=4, seed=1) for _ in range(2))
    assert one.words == other.words
    assert one.topics.equals(other.topics)
    assert all(len(words) > 2 for words in one.words)


def test_words_are_counted_as_they_stand() -> None:
    some = make_papers(2).with_columns(title=pl.Series(["Robots GPT4", "robot"]), abstract=None)
    some = some.with_columns(keywords=pl.lit(None, pl.List(pl.String)))
    counts = raw_counts(some, ["gpt4", "robot", "unheard"])
    assert counts.toarray().tolist() == [[1, 0, 0], [0, 1, 0]]
