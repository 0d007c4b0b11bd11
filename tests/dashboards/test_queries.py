"""Queries of a small snapshot: filters, bound values, the cache, and a new snapshot."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from dashboards.address import read
from dashboards.pages.teams import by_team
from dashboards.queries import Queries
from dashboards.sql_trends import CHANGE
from dashboards.view import HORIZONS, PRIMARY_HORIZON, View
from pipelines.errors import NoSnapshotError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from pipelines.trends import changes, judging
from tests.dashboards.conftest import NASTY_TITLE, Publish

pytestmark = pytest.mark.dashboards


@pytest.fixture
def view(queries: Queries) -> View:
    return read("", queries.choices())


@pytest.mark.parametrize(
    ("changes", "n"),
    [
        ({}, 60),
        ({"q": "number 7 "}, 1),
        ({"q": "NUMBER 7 "}, 1),
        ({"q": "ada love"}, 2),
        ({"q": "%"}, 0),
        ({"q": "_"}, 0),
        ({"q": "' or 1=1 --"}, 0),
        ({"q": "<script>"}, 1),
        ({"topic": "agents"}, 30),
        ({"area": "Reasoning"}, 30),
        ({"area": "Images"}, 0),
        ({"term": "agents"}, 30),
        ({"term": "agents", "q": "number 7 "}, 1),
        ({"term": "' or 1=1 --"}, 0),
        ({"code": True}, 2),
        ({"is_period_chosen": True}, 60),
        ({"q": "ada", "topic": "agents"}, 1),
    ],
)
def test_papers_are_filtered(
    changes: dict[str, object], n: int, queries: Queries, view: View
) -> None:
    found = queries.papers(replace(view, **changes))  # type: ignore[arg-type]
    assert found.height == min(n, 25)
    assert found["n_found"].unique().to_list() == ([n] if n else [])


def test_a_page_past_the_end_returns_the_last_page(queries: Queries, view: View) -> None:
    found = queries.papers(replace(view, page=99))
    assert found["page"].unique().to_list() == [3]
    assert found.height == 10


def test_every_paper_is_on_one_page(queries: Queries, view: View) -> None:
    for sort in ("listed", "upvotes"):
        pages = [queries.papers(replace(view, page=page, sort=sort)) for page in (1, 2, 3)]
        assert pl.concat(pages)["paper_id"].n_unique() == 60
    assert pages[0]["upvotes"][0] == 59


def test_share_differences_lie_within_their_intervals(queries: Queries, view: View) -> None:
    row = queries.share_differences(view).row(0, named=True)
    now, before = row["share"], row["before_share"]
    assert row["difference"] == pytest.approx(now - before)
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert "no-topic" not in queries.share_differences(view)["topic_id"]


def test_newcombe_interval_matches_the_published_example(publish: Publish) -> None:
    # Newcombe 1998 (Stat Med 17:873), table II, method 10: 56/70 against 48/80 is
    # 0.0524 to 0.3339.
    rows = []
    for start, n, total, low, high in (
        ("2025-01-01", 48, 80, 0.4904381, 0.7002379),
        ("2025-02-01", 56, 70, 0.6918340, 0.8769148),
    ):
        rows.append(
            {
                "population": "hf_daily", "grain": "month", "period_start_on": start,
                "period_end_on": start, "topic_id": "t", "topic_name": "T", "area": "A",
                "kind": "taxonomy", "n_papers": n, "n_total": total, "share": n / total,
                "share_low": low, "share_high": high, "is_sufficient": True, "is_partial": False,
                "coverage_share": 1.0,
            }
        )  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(
        pl.col("period_start_on", "period_end_on").str.to_date()
    )
    queries = Queries(Reader(publish(rpt_topic_trends=frame)))
    row = queries.share_differences(read("", queries.choices())).row(0, named=True)
    assert row["difference_low"] == pytest.approx(0.0524, abs=1e-3)
    assert row["difference_high"] == pytest.approx(0.3339, abs=1e-3)


def test_rows_are_cached_until_a_snapshot_is_published(publish: Publish) -> None:
    reader = Reader(publish("one"))
    calls = []
    read_now = reader.query
    reader.query = lambda sql, parameters=None: calls.append(sql) or read_now(sql, parameters)  # type: ignore[method-assign,func-returns-value]
    queries = Queries(reader)
    assert queries.snapshot_facts() == queries.snapshot_facts()
    assert len(calls) == 1
    publish("two", populations=("hf_daily",))
    assert queries.snapshot_facts()["snapshot_id"] == "two"
    assert queries.choices().populations == ("hf_daily",)


def test_rows_read_during_a_publication_are_not_cached(publish: Publish) -> None:
    reader = Reader(publish("one"))
    read_now = reader.query

    def publish_first(sql: str, parameters: object = None) -> pl.DataFrame:
        publish("two")
        return read_now(sql)

    queries = Queries(reader)
    reader.query = publish_first  # type: ignore[method-assign,assignment]
    queries.snapshot_facts()
    reader.query = read_now  # type: ignore[method-assign]
    (reader._settings.snapshots_dir / "CURRENT").write_text("one\n")
    assert queries.snapshot_facts()["snapshot_id"] == "one"


def test_the_cache_is_bounded(reader: Reader) -> None:
    queries = Queries(reader, cache_size=2)
    view = read("", queries.choices())
    for page in range(1, 6):
        queries.papers(replace(view, page=page))
    assert len(queries._cache) == 2


def test_without_a_snapshot_the_error_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError, match="papertide demo"):
        Queries(Reader(Settings(home=tmp_path))).choices()


def test_topics_have_their_evidence(queries: Queries) -> None:
    topics = queries.topics_of(["arxiv:2503.00001", "arxiv:2503.00000"])
    assert topics["topic_id"].to_list() == ["d-00000001", "agents"]
    assert topics["kind"].to_list() == ["discovered", "taxonomy"]
    assert topics["evidence"].to_list() == [["gui", "<i>agent</i>"], ["title: agents"]]


def test_kinds_of_topics_are_separate(queries: Queries) -> None:
    choices = queries.choices()
    shares = {kind: queries.topic_shares(read(f"?kind={kind}", choices)) for kind in choices.kinds}
    assert set(shares["taxonomy"]["kind"]) == {"taxonomy", "none"}
    assert shares["discovered"]["topic_id"].to_list() == ["d-00000001"]
    differences = queries.share_differences(read("?kind=discovered", choices))
    assert set(differences["topic_id"]) == {"agents", "diffusion", "quiet"}


def test_the_last_listing_is_in_the_order_of_the_list(queries: Queries) -> None:
    frame = queries.last_listing("hf_daily")
    assert frame["title"][0] == NASTY_TITLE
    assert frame["n_found"].to_list() == [3, 3, 3]


def test_team_verdicts_have_the_columns_of_all_verdicts(queries: Queries) -> None:
    view = read("?topic=agents&from=2025-03-01&to=2025-03-01", queries.choices())
    rows = by_team(queries.author_counts(view, "agents"))
    assert set(CHANGE) <= set(rows.columns)
    assert rows.select("team", "n_papers", "n_total", "verdict").rows() == [
        ("one author", 1, 40, "not_comparable"),
        ("ten or more", 8, 40, "rising"),
    ]


def test_changes_have_every_horizon_and_the_share_of_the_period(
    queries: Queries, view: View
) -> None:
    frame = queries.topic_changes(view).filter(pl.col("topic_id") == "agents")
    assert set(frame["horizon"]) == set(HORIZONS)
    assert frame.select("n_papers", "n_total").unique().rows() == [(20, 50)]
    assert frame["level"].null_count() == 0
    assert "d-00000001" not in queries.topic_changes(view)["topic_id"]
    assert queries.term_changes(view)["term_id"].n_unique() == 5


def test_horizons_are_those_of_the_marts() -> None:
    assert list(HORIZONS) == list(changes.HORIZONS)
    assert PRIMARY_HORIZON == judging.PRIMARY_HORIZON
    # Pages show the measured odds of a verdict instead of a row's own probability.
    assert {*CHANGE, "hold_probability"} == set(judging.CHANGE_SCHEMA)


def test_trending_uses_the_last_day_of_the_chosen_period(queries: Queries) -> None:
    view = read("", queries.choices())
    assert queries.trending(view)["score"].to_list() == [1.25, None]
    assert queries.trending(read("?period=2025-02-01", queries.choices())).is_empty()
