"""The evaluation of discovered topics on generated papers: its measures and criteria."""

from __future__ import annotations

import datetime as dt
from itertools import chain, pairwise

import polars as pl
import pytest

from pipelines.evaluation import discovered, run, topic_history
from pipelines.evaluation.discovered import evaluate
from pipelines.evaluation.report import Criterion, Part, markdown
from pipelines.evaluation.topic_models import METHODS, OURS, Found, find, raw_counts
from pipelines.topics.discovered import by_hash
from pipelines.topics.quality import topic_npmi
from tests.unit.topic_papers import SUBJECTS, make_papers, subject_of

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four topics of 200 papers, enough to be measured."""
    for name, value in (
        ("N_TOPICS", 4),
        ("MAX_PAPERS", 200),
        ("MIN_PAPERS", 100),
        ("SEEDS", 3),
        ("MIN_KEYWORD_PAPERS", 2),
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


def is_met(part: Part, about: str) -> bool:
    """Whether the criterion with this text is met."""
    (found,) = [one for one in part.criteria if about in one.statement]
    return found.is_met


def test_known_subjects_are_found() -> None:
    part = evaluate(papers())
    assert not part.skipped
    whole, compared, stability = (table.rows for table in part.tables)
    assert whole["method"][0] == OURS
    assert whole["NMI with categories"][0] > 0.9
    assert whole["AMI with keywords"][0] > 0.9
    assert compared["method"].to_list() == list(METHODS)
    assert compared["NMI with categories"].min() > 0.3  # type: ignore[operator]
    assert stability.height == 3
    assert stability["median"].min() > 0.9  # type: ignore[operator]
    assert all(is_met(part, about) for about in ("Coherence", "NMI", "refit"))
    assert "discovered topics" in markdown([part], [], "")
    targets = [one.statement for one in part.criteria if not one.is_binding]
    assert len(targets) == 1
    assert "CPU" in targets[0]


def test_unrelated_categories_fail_the_criterion() -> None:
    halves = ["a" if at // 4 % 2 else "b" for at in range(200)]
    mixed = papers().with_columns(primary_category=pl.Series(halves))
    assert not is_met(evaluate(mixed), "NMI")


def test_incoherent_words_fail_the_criterion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovered, "NPMI", 0.99)
    part = evaluate(papers())
    assert not is_met(part, "Coherence")
    assert is_met(part, "NMI")


def test_keywords_are_not_read() -> None:
    plain, other = (
        evaluate(one).tables[0].rows.drop("seconds", "AMI with keywords")
        for one in (papers(), papers().with_columns(keywords=pl.lit(["robot"])))
    )
    assert plain.equals(other)


def test_without_dates_there_is_no_criterion_of_refits() -> None:
    part = evaluate(papers().drop("published_on"))
    assert part.tables[2].rows.height == 2
    assert not any("refit" in one.statement for one in part.criteria)


def test_missing_categories_and_keywords_are_no_error() -> None:
    bare = papers().with_columns(
        primary_category=pl.lit(None, pl.String), keywords=pl.lit(None, pl.List(pl.String))
    )
    part = evaluate(bare)
    assert part.tables[0].rows["NMI with categories"].to_list() == [None, None]
    assert not any("NMI" in one.statement for one in part.criteria)


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 100 papers are fitted, or 50; the others are there to score on."""
    monkeypatch.setattr(discovered, "MAX_PAPERS", 100)
    monkeypatch.setattr(discovered, "COMPARED_PAPERS", 50)
    monkeypatch.setattr(discovered, "MIN_PAPERS", 50)


def garbled(some: pl.DataFrame, from_place: int) -> pl.DataFrame:
    """The papers, those from this place in the order of hashes on with texts of other words."""
    order = by_hash(some["paper_id"])
    unseen = pl.col("paper_id").is_in(some["paper_id"][order[from_place:]].to_list())
    return some.with_columns(
        pl.when(unseen).then(pl.lit("Nothing here")).otherwise(name).alias(name)
        for name in ("title", "abstract")
    )


@pytest.mark.usefixtures("halved")
def test_words_are_scored_in_sample_and_held_out() -> None:
    whole, compared, _ = (table.rows for table in evaluate(papers()).tables)
    scored = [name for name in whole.columns if name.startswith("coherence")]
    assert scored == ["coherence in-sample, 100 papers", "coherence held out, 100 papers"]
    assert [name for name in compared.columns if name.startswith("coherence")] == [
        "coherence in-sample, 50 papers",
        "coherence held out, 50 papers",
        "coherence held out, 100 papers",
    ]
    # The same by hand: fitted to the first hundred, scored on the others.
    plain = papers().with_columns(keywords=pl.lit(None, pl.List(pl.String)))
    plain = plain[by_hash(plain["paper_id"])]
    for at, method in enumerate(whole["method"]):
        words = find(method, plain[:100].sort("paper_id"), n_topics=4, seed=0).words
        names = sorted(set(chain.from_iterable(words)))
        for column, some in zip(scored, (plain[:100], plain[100:]), strict=True):
            values = topic_npmi(words, raw_counts(some, names), names)
            assert whole[column][at] == pytest.approx(sum(v or 0 for v in values) / len(values))


@pytest.mark.usefixtures("halved")
def test_low_held_out_coherence_misses_a_target_only() -> None:
    part, other = evaluate(papers()), evaluate(garbled(papers(), 100))
    assert is_met(part, "Held-out")
    assert not is_met(other, "Held-out")
    assert is_met(other, "Coherence")
    columns = ["coherence in-sample, 100 papers", "coherence held out, 100 papers"]
    assert part.tables[0].rows[columns[0]].equals(other.tables[0].rows[columns[0]])
    assert other.tables[0].rows[columns[1]].to_list() == [-1.0, -1.0]
    assert not any(
        "Held-out" in one.statement for _, one in run.failed([run.Finished("", other, 1)])
    )


def test_the_summary_names_the_most_coherent_method() -> None:
    table = pl.DataFrame(
        {
            "method": [OURS, "other"],
            "coherence in-sample, 70 papers": [0.3, 0.2],
            "coherence held out, 20 papers": [0.1, 0.2],
            "coherence held out, 90 papers": [0.3, 0.2],
        }
    )
    lost, won = discovered._held_out_summary(table, 70)
    assert "held out on 20 papers: **other ranks first** (other 0.200" in lost
    assert "held out on 90 papers: discovered topics rank first (discovered topics 0.300" in won
    assert "discovered topics rank first" in evaluate(papers(400)).method


def test_few_held_out_papers_are_not_scored() -> None:
    for part in (evaluate(papers(200)), evaluate(papers(299))):
        assert not any("held out" in name for name in part.tables[0].rows.columns)
        assert not any("Held-out" in one.statement for one in part.criteria)
    assert is_met(evaluate(papers(300)), "Held-out")


@pytest.mark.parametrize(("n", "binds"), [(199, False), (200, True)])
def test_criteria_bind_at_the_size_they_were_set_for(
    n: int, binds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NPMI", "NMI", "REFIT_ARI"):
        monkeypatch.setattr(discovered, name, 1.1)
    part = evaluate(papers(n))
    missed = [one for one in part.criteria if not one.is_met]
    assert len(missed) == 3
    assert [one.is_binding for one in missed] == [binds] * 3
    assert all(f"{n} papers" in one.result for one in missed)
    assert len(run.failed([run.Finished("", part, 1)])) == (3 if binds else 0)


def test_a_miss_within_sampling_error_is_not_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    def nmi() -> Criterion:
        part = evaluate(papers(200))
        return next(one for one in part.criteria if one.statement.startswith("NMI"))

    agreement = float(nmi().result.split(",")[0])
    for above, is_broken in ((0.01, False), (0.06, True)):
        monkeypatch.setattr(discovered, "NMI", agreement + above)
        missed = nmi()
        assert (missed.is_met, missed.is_binding) == (False, is_broken)


def test_dependence_on_the_sample_is_distinguished_from_that_on_the_start_vector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def by_position(method: str, some: pl.DataFrame, *, n_topics: int, seed: int) -> Found:
        """Topics by position: without one paper, all later ones change their topic."""
        assert seed >= 0
        positions = pl.int_range(some.height, eager=True) % n_topics
        return Found([], some.select("paper_id", topic=positions.cast(pl.String)), 0.0)

    monkeypatch.setattr(discovered, "find", by_position)
    seeds, tenths = discovered._perturbed(papers(), 0)
    assert seeds["minimum"] == 1
    assert tenths["papers"] == "200 → 180"
    assert float(str(tenths["median"])) < 0.2


@pytest.mark.parametrize("n", [0, 1, 99])
def test_few_papers_are_not_measured(n: int) -> None:
    part = evaluate(papers(n))
    assert part.skipped.startswith(f"{n} papers")
    assert not part.criteria


def test_papers_without_abstracts_do_not_count() -> None:
    assert evaluate(papers().with_columns(abstract=pl.lit(None, pl.String))).skipped


@pytest.mark.parametrize("method", METHODS)
def test_a_method_gives_the_same_twice(method: str) -> None:
    one, other = (find(method, papers(), n_topics=4, seed=1) for _ in range(2))
    assert one.words == other.words
    assert one.topics.equals(other.topics)
    assert all(len(words) > 2 for words in one.words)


def test_raw_words_are_counted_without_folding_plurals() -> None:
    some = make_papers(2).with_columns(title=pl.Series(["Robots GPT4", "robot"]), abstract=None)
    some = some.with_columns(keywords=pl.lit(None, pl.List(pl.String)))
    counts = raw_counts(some, ["gpt4", "robot", "unheard"])
    assert counts.toarray().tolist() == [[1, 0, 0], [0, 1, 0]]


def test_topics_over_time_begin_end_and_keep_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Robots and speech in the first quarter, clinic and graphs in the last."""
    made = papers(1200)
    by_quarter = [({0, 1}, 1), ({0, 1, 2}, 4), ({2, 3}, 7)]
    parts = [
        made.filter(pl.Series([subject_of(paper_id) in subjects for paper_id in made["paper_id"]]))
        .slice(120 * number, 150)
        .with_columns(published_on=pl.lit(dt.date(2025, month, 10)))
        for number, (subjects, month) in enumerate(by_quarter)
    ]
    history = pl.concat(parts).unique("paper_id", keep="first", maintain_order=True)
    monkeypatch.setattr(topic_history, "FIT_PAPERS", 400)
    measured = topic_history.measure(history, 100)
    assert measured["before"].to_list() == [dt.date(2025, month, 1) for month in (4, 7, 10)]
    assert measured["born"][0] == measured["topics"][0]
    for before, row in pairwise(measured.iter_rows(named=True)):
        assert row["continued"] + row["merged"] + row["died"] == before["topics"]
        assert row["continued"] + row["split"] + row["born"] == row["topics"]
    assert measured["kept"].is_between(0, 1).all()
    statements = {one.statement: one for one in topic_history.criteria(measured)}
    assert len(statements) == 2
    assert not any(one.is_binding for one in statements.values())


def test_too_short_a_history_has_no_topics_over_time() -> None:
    measured = topic_history.measure(papers(200), 190)
    assert measured.is_empty()
    assert topic_history.criteria(measured) == []
    undated = papers(20).with_columns(published_on=pl.lit(None, pl.Date))
    assert topic_history.measure(undated, 1).is_empty()
