"""The series of fits: schedule, samples, storage, and papers of all dates."""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.errors import PapertideError
from pipelines.topics import fitting, topic_files
from pipelines.topics.discovered import assign
from pipelines.topics.embedding import load_embedder
from pipelines.topics.fitting import (
    FITS_SCHEMA,
    MIN_NEW_PAPERS,
    MIN_PAPERS,
    PLACED_SCHEMA,
    TEXT_COLUMNS,
    DatedFit,
    boundaries,
    fits_table,
    learn_fits,
    place,
)
from pipelines.topics.topic_files import FIT_MODULES, FitFolder
from pipelines.topics.topic_model import TopicModelError
from pipelines.topics.words import Floats
from tests.unit.topic_papers import make_papers

pytestmark = pytest.mark.unit

PACKAGE = "pipelines.topics."
TOPICS_DIR = Path(topic_files.__file__).parent

NEW_YEAR, SUMMER, LATER = date(2025, 1, 1), date(2025, 7, 1), date(2026, 1, 1)
DAY = timedelta(days=1)


def days(*groups: tuple[int, date]) -> pl.Series:
    """Dates, each repeated n times."""
    return pl.Series([on for n, on in groups for _ in range(n)], dtype=pl.Date)


MANY, SOME = MIN_PAPERS, MIN_NEW_PAPERS
SCHEDULES = {
    "nothing": (days(), []),
    "too few papers": (days((MANY - 1, NEW_YEAR - DAY), (SOME, NEW_YEAR)), []),
    "enough": (days((MANY, NEW_YEAR - DAY), (SOME, NEW_YEAR)), [NEW_YEAR]),
    "the boundary's own day counts as after it": (days((MANY, NEW_YEAR), (SOME, SUMMER)), [SUMMER]),
    "not yet reached": (days((MANY, NEW_YEAR - DAY), (SOME - 1, NEW_YEAR)), []),
    "a single far date makes no fit": (
        days((MANY, NEW_YEAR - DAY), (SOME, NEW_YEAR), (1, date(2199, 1, 1))),
        [NEW_YEAR],
    ),
    "nothing new since": (
        days((MANY, NEW_YEAR - DAY), (SOME - 1, NEW_YEAR), (SOME, LATER)),
        [NEW_YEAR],
    ),
    "each half-year": (
        days((MANY, NEW_YEAR - DAY), (SOME, NEW_YEAR), (SOME, SUMMER), (SOME, LATER)),
        [NEW_YEAR, SUMMER, LATER],
    ),
}


@pytest.mark.parametrize("case", SCHEDULES)
def test_fits_are_made_for_half_years_with_enough_papers(case: str) -> None:
    dates, expected = SCHEDULES[case]
    assert boundaries(dates) == expected
    assert boundaries(pl.concat([dates.reverse(), pl.Series([None], dtype=pl.Date)])) == expected


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits of few papers."""
    monkeypatch.setattr(fitting, "MIN_PAPERS", 80)
    monkeypatch.setattr(fitting, "MIN_NEW_PAPERS", 20)


def dated(papers: pl.DataFrame, *, extra: int = 40) -> pl.DataFrame:
    """Half the papers before the new year, half before summer, the last `extra` after it."""
    n = papers.height
    whens = [
        SUMMER + DAY if at >= n - extra else NEW_YEAR - DAY if at % 2 else SUMMER - DAY
        for at in range(n)
    ]
    texts = papers.select(pl.concat_str(pl.col("title", "abstract"), ignore_nulls=True))
    hashes = [hashlib.sha256(text.encode()).hexdigest() for (text,) in texts.iter_rows()]
    return papers.select("paper_id").with_columns(
        dated_on=pl.Series(whens, dtype=pl.Date), text_hash=pl.Series(hashes, dtype=pl.String)
    )


class Texts:
    """Reads the texts of papers and counts the calls."""

    def __init__(self, papers: pl.DataFrame) -> None:
        self.papers = papers
        self.n_read = 0

    def __call__(self, sample: pl.DataFrame) -> pl.DataFrame:
        self.n_read += 1
        return sample.select("paper_id").join(self.papers, on="paper_id")


def learn(papers: pl.DataFrame, folder: Path) -> tuple[list[DatedFit], int]:
    """The fits, and the number of fits that were learned, not read."""
    texts = Texts(papers)
    return learn_fits(dated(papers), texts, FitFolder(folder)), texts.n_read


def assert_same(left: DatedFit, right: DatedFit) -> None:
    assert (left.boundary_on, left.key, left.n_papers) == (
        right.boundary_on,
        right.key,
        right.n_papers,
    )
    assert left.fit.model.version == right.fit.model.version
    for name in ("topics", "assignments", "lineage"):
        assert getattr(left.fit, name).equals(getattr(right.fit, name))


@pytest.mark.usefixtures("small")
def test_a_fit_is_learned_once_and_then_read(tmp_path: Path) -> None:
    papers = make_papers(240)
    first, n_learned = learn(papers, tmp_path)
    assert [one.boundary_on for one in first] == [NEW_YEAR, SUMMER]
    assert n_learned == 2
    again, n_learned = learn(
        papers.sample(fraction=1, shuffle=True, seed=1).sort("paper_id"), tmp_path
    )
    assert n_learned == 0
    for left, right in zip(first, again, strict=True):
        assert_same(left, right)


@pytest.mark.usefixtures("small")
def test_nothing_dated_later_changes_a_fit(tmp_path: Path) -> None:
    papers = make_papers(240)
    first, _ = learn(papers, tmp_path / "one")
    late = pl.int_range(pl.len()) >= 200
    changed = papers.with_columns(
        title=pl.when(late).then(pl.lit("Other words entirely")).otherwise("title")
    )
    again, _ = learn(changed, tmp_path / "other")
    assert_same(first[0], again[0])
    assert_same(first[1], again[1])
    # An earlier text changes the fits after it, and their keys.
    early = pl.int_range(pl.len()) == 0
    changed = papers.with_columns(
        title=pl.when(early).then(pl.lit("Other words entirely")).otherwise("title")
    )
    again, n_learned = learn(changed, tmp_path / "one")
    assert_same(first[0], again[0])
    assert again[1].key != first[1].key
    assert n_learned == 1
    assert {path.name for path in (tmp_path / "one").iterdir()} == {one.key for one in again}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("file", ["arrays.npz", "assignments.parquet", "sealed.json"])
def test_a_damaged_fit_is_learned_again(tmp_path: Path, file: str) -> None:
    papers = make_papers(240)
    first, _ = learn(papers, tmp_path)
    path = tmp_path / first[0].key / file
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    again, n_learned = learn(papers, tmp_path)
    assert n_learned == 1
    assert_same(first[0], again[0])


@pytest.mark.usefixtures("small")
def test_the_table_has_every_topic_of_every_fit(tmp_path: Path) -> None:
    fits, _ = learn(make_papers(240), tmp_path)
    table = fits_table(fits)
    assert table.schema == FITS_SCHEMA
    assert table["boundary_on"].to_list() == [NEW_YEAR, SUMMER]
    assert table["previous_boundary_on"].to_list() == [None, NEW_YEAR]
    assert table["is_newest"].to_list() == [False, True]
    known: set[str] = set()
    for row, one in zip(table.iter_rows(named=True), fits, strict=True):
        ids = set(one.fit.model.topic_ids)
        assert {topic["topic_id"] for topic in row["topics"]} == ids
        lineage = row["lineage"]
        named = [s["topic_id"] for s in lineage if s["event"] in ("born", "continued", "split")]
        ended = [
            s["previous_topic_id"] for s in lineage if s["event"] in ("continued", "merged", "died")
        ]
        assert sorted(named) == sorted(ids)
        assert sorted(ended) == sorted(known)
        assert all((s["label"] is None) == (s["topic_id"] is None) for s in lineage)
        assert all((s["previous_label"] is None) == (s["event"] == "born") for s in lineage)
        known = ids


@pytest.mark.parametrize("n", [0, 1, 30])
def test_few_papers_make_no_fit_and_an_empty_table(tmp_path: Path, n: int) -> None:
    fits, n_learned = learn(make_papers(n), tmp_path / "never made")
    assert (fits, n_learned) == ([], 0)
    assert fits_table(fits).equals(pl.DataFrame(schema=FITS_SCHEMA))


@pytest.mark.usefixtures("small")
def test_papers_without_content_words_make_empty_fits(tmp_path: Path) -> None:
    papers = make_papers(240).with_columns(
        title=pl.lit("On it"), abstract=pl.lit(None, pl.String), keywords=None
    )
    fits, _ = learn(papers, tmp_path)
    assert [one.fit.topics.height for one in fits] == [0, 0]
    table = fits_table(fits)
    assert table["topics"].list.len().to_list() == [0, 0]
    placed = place(papers.select(TEXT_COLUMNS), fits[-1].fit.model, "k")
    assert placed.equals(pl.DataFrame(schema=PLACED_SCHEMA))


@pytest.mark.usefixtures("small")
def test_the_topic_of_a_paper_does_not_depend_on_other_papers(tmp_path: Path) -> None:
    papers = make_papers(240)
    fits, _ = learn(papers, tmp_path)
    model = fits[-1].fit.model
    whole = place(papers, model, "k")
    assert whole.schema == PLACED_SCHEMA
    assert whole.height > 200
    assert whole["score"].is_finite().all()
    for size in (1, 3, 50):
        parts = [place(part, model, "k") for part in papers.iter_slices(size)]
        assert pl.concat(parts).sort("paper_id").equals(whole), size
    some = papers.head(70)
    kept = whole.join(some, on="paper_id", how="anti")
    assert place(some, model, "k", kept=kept).equals(whole)


@pytest.mark.usefixtures("small")
def test_a_paper_without_evidence_has_no_row(tmp_path: Path) -> None:
    papers = make_papers(240)
    fits, _ = learn(papers, tmp_path)
    model = fits[-1].fit.model
    mute = papers.head(1).with_columns(
        title=pl.lit("We study the"), abstract=pl.lit("Unheard words.")
    )
    assert assign(model, mute).filter(pl.col("evidence").list.len() > 0).is_empty()
    assert place(mute, model, "k").is_empty()
    assert (place(papers, model, "k")["evidence"].list.len() > 0).all()


# --- the version of stored fits


def imports_within_topics(name: str) -> set[str]:
    """Modules of `pipelines.topics` that a module imports, anywhere in it."""
    tree = ast.parse((TOPICS_DIR / f"{name}.py").read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "pipelines.topics" not in modules, f"{name}: import from the module, not the package"
    return {module.removeprefix(PACKAGE) for module in modules if module.startswith(PACKAGE)}


def test_every_module_that_determines_a_fit_is_part_of_its_version() -> None:
    found: set[str] = set()
    to_read = {"fitting", "topic_files"}
    while to_read:
        found |= to_read
        to_read = {name for read in to_read for name in imports_within_topics(read)} - found
    assert sorted(found) == sorted(FIT_MODULES)
    assert {"discovered", "vectors", "words", "text_forms"} <= found


@pytest.mark.parametrize(("module", "changes"), [("vectors", True), ("taxonomy", False)])
def test_editing_a_module_of_a_fit_changes_its_version(
    module: str, changes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = FitFolder(tmp_path).version
    shutil.copytree(TOPICS_DIR, tmp_path / "topics")
    with (tmp_path / "topics" / f"{module}.py").open("a") as handle:
        handle.write("# edited\n")
    monkeypatch.setattr(topic_files, "__file__", str(tmp_path / "topics" / "topic_files.py"))
    assert (FitFolder(tmp_path).version != before) is changes


# --- a user's embedding model


class Lengths:
    """A model whose vectors depend on the lengths of texts."""

    name = "lengths-1"

    def embed(self, texts: Sequence[str]) -> Floats:
        return np.array([[1.0, len(text) % 7, len(text) % 5] for text in texts], dtype=np.float32)


def test_a_users_model_makes_separate_fits(tmp_path: Path) -> None:
    named = f"{__name__}:Lengths"
    embedder = load_embedder(named)
    assert embedder is not None
    assert load_embedder("") is None
    assert FitFolder(tmp_path, embedder.name).version != FitFolder(tmp_path).version
    papers = make_papers(MANY + SOME)
    dated = papers.select(
        "paper_id",
        dated_on=days((MANY, NEW_YEAR - DAY), (SOME, NEW_YEAR)),
        text_hash=pl.col("title"),
    )
    folder = FitFolder(tmp_path, embedder.name)
    found = learn_fits(
        dated,
        lambda sample: papers.join(sample.select("paper_id"), on="paper_id"),
        folder,
        embedder=embedder,
    )
    model = folder.read(found[0].key).model
    assert model.embedder == "lengths-1"
    assert place(papers, model, found[0].key, embedder=embedder).schema == PLACED_SCHEMA
    with pytest.raises(TopicModelError, match="lengths-1"):
        place(papers, model, found[0].key)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("no_such_module:model", "No module named"),
        ("json:no_such_function", "no attribute"),
        ("json:loads", "TypeError"),  # requires an argument
        ("builtins:dict", "returns a dict, which lacks `name` and `embed`"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_an_error(named: str, message: str) -> None:
    with pytest.raises(PapertideError, match=message) as error:
        load_embedder(named)
    assert named in str(error.value)
