"""Selection: days, search pages and revisions are distinguished, and errors are counted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from pipelines.evaluation import revisions, selection
from pipelines.evaluation.evidence import CAPTURES, Evidence
from pipelines.evaluation.report import Part
from pipelines.parsing import arxiv_records
from tests.unit.evaluated import evidence

pytestmark = pytest.mark.unit

RANDOM, NEWEST = "of random papers", "the latest papers"


@pytest.fixture(scope="module")
def made() -> Evidence:
    return evidence()


@pytest.fixture(scope="module")
def as_arxiv(made: Evidence) -> Evidence:
    """The papers as `arxiv`, with a fifth of them known by their month alone."""
    by_month = pl.col("paper_id").str.ends_with("0") | pl.col("paper_id").str.ends_with("5")
    start = pl.col("counted_on").dt.truncate("1mo")
    return replace(
        made,
        members=made.members.with_columns(
            population=pl.lit("arxiv"),
            counted_on=pl.when(by_month).then(start).otherwise("counted_on"),
            date_precision=pl.when(by_month).then(pl.lit("month")).otherwise(pl.lit("day")),
        ),
        periods=made.periods.with_columns(population=pl.lit("arxiv")),
        trends=made.trends.with_columns(population=pl.lit("arxiv")),
    )


def captures(*rows: tuple[str, str, str, int, int]) -> pl.DataFrame:
    """Captures of the listing API: name, kind, overrides, items seen and accepted."""
    return pl.DataFrame(
        [
            (name, "daily_papers_json", kind, "rule: why", overrides, seen, accepted)
            for name, kind, overrides, seen, accepted in rows
        ],
        schema=CAPTURES,
        orient="row",
    )


def criterion(part: Part, words: str) -> tuple[bool, str]:
    (found,) = [p for p in part.criteria if words in p.statement]
    return found.is_met, found.result


def test_a_day_that_was_misjudged_is_counted(made: Evidence) -> None:
    days = [(f"2025-11-{n:02}.json", "daily", "{}", 20, 20) for n in range(3, 12)]
    fetched = ("daily_papers?date=2025-11-12&limit=100", "search", "{}", 20, 19)
    others = [
        ("papers.json", "search", "{}", 20, 20),  # no day was requested
        ("2025-11-13.json", "weekly", '{"listing_kind": "weekly"}', 20, 20),
        ("2025-11-14.json", "unknown", "{}", 14, 0),
        ("2025-11-15.json", "daily", "{}", 0, 0),
    ]
    part = selection.evaluate(replace(made, captures=captures(*days, fetched, *others)))
    is_met, result = criterion(part, "requested by day")
    assert not is_met
    assert result.startswith("9 of 10 (90.0%")
    assert result.endswith("in 1 more no item could be read")
    table = part.tables[0].rows
    assert table.rows() == [("daily", "rule", 9), ("search", "rule", 1)]
    part = selection.evaluate(replace(made, captures=captures(*days, *others)))
    assert criterion(part, "requested by day")[0]


def test_pages_classified_as_a_day_are_detected(
    made: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = selection.evaluate(made)
    assert criterion(part, RANDOM) == (True, "8 of 8 refused")
    assert criterion(part, NEWEST) == (True, "8 of 8 refused, 0 classified as a day")
    monkeypatch.setattr(selection, "infer_kind", lambda *_: ("daily", "whatever"))
    part = selection.evaluate(made)
    assert [criterion(part, words)[0] for words in (RANDOM, NEWEST)] == [False, False]


def test_a_page_of_the_latest_two_weeks_misses_a_target_only(made: Evidence) -> None:
    """A topic that fills a page within two weeks is classified as a day; its random page is not."""
    busy = made.topics.filter(topic_id="topic-0").select("paper_id").sort("paper_id").tail(60)
    last = dt.date(2025, 2, 27)
    papers = made.papers.with_columns(
        published_on=pl.when(pl.col("paper_id").is_in(busy["paper_id"].to_list()))
        .then(pl.lit(last))
        .otherwise(pl.min_horizontal("published_on", pl.lit(dt.date(2024, 12, 31))))
    )
    part = selection.evaluate(replace(made, papers=papers))
    assert criterion(part, RANDOM)[0]
    is_met, result = criterion(part, NEWEST)
    assert not is_met
    assert result == "7 of 8 refused, 1 classified as a day"
    assert [p.is_binding for p in part.criteria] == [True, False]


def test_a_page_is_dated_on_a_weekday() -> None:
    days = [dt.date(2025, 11, 3) + dt.timedelta(days=n) for n in range(7)]  # from a Monday on
    after = [selection._weekday_after(day) for day in days]
    assert [day.day for day in after] == [4, 5, 6, 7, 10, 10, 10]


def test_revisions_change_no_verdict_by_version_1(as_arxiv: Evidence) -> None:
    part = selection.evaluate(as_arxiv)
    assert criterion(part, "makes no topic rising or falling")[0]
    assert criterion(part, "get the revision's day")[0]
    surges = part.tables[0].rows
    assert surges["topic"].to_list()[0] == "topic-0"
    assert surges["misdated"].sum() == 0
    assert surges["growth"].to_list() == pytest.approx(surges["growth after"].to_list())
    assert (surges["growth by last revision"] > surges["growth"] + 0.3).all()


@pytest.mark.parametrize("form", range(4), ids=["v1", "v2 alone", "no version", "harvest"])
def test_a_revision_does_not_date_a_paper(form: int) -> None:
    revised = pl.DataFrame(
        {
            "paper_id": ["a", "b"],
            "arxiv_id": ["2409.00001", "2410.00002"],
            "title": ["One & <two>", "Three"],
            "revised_on": [dt.date(2025, 3, 5), dt.date(2025, 3, 6)],
            "form": [form, form],
        }
    )
    parsed = revisions.parse_revisions(revised)
    assert parsed.rows() == [("a", dt.date(2024, 9, 1)), ("b", dt.date(2024, 10, 1))]


def test_a_parser_that_dates_papers_by_revision_is_detected(
    as_arxiv: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the rule that the first version is of the month in the id."""

    def credulous() -> tuple[pl.Expr, pl.Expr]:
        day = pl.coalesce("_v1", "announced_on")
        return day.alias("published_on"), pl.lit("arxiv_v1").alias("published_on_basis")

    monkeypatch.setattr(arxiv_records, "published", credulous)
    part = selection.evaluate(as_arxiv)
    assert not criterion(part, "makes no topic rising or falling")[0]
    is_met, result = criterion(part, "get the revision's day")
    assert not is_met
    assert result.endswith("(100.00%)")
