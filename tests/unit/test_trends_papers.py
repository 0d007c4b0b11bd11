"""Scores of papers: the documented formula, its inputs, and papers without enough observations."""

from __future__ import annotations

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars import selectors

from pipelines.trends.papers import SCORE_SCHEMA, score_papers

pytestmark = pytest.mark.unit

Seen = tuple[str, dt.datetime, int | None, int | None, int | None]


def observations(*rows: Seen) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType] | pl.DataType] = {
        "paper_id": pl.String,
        "observed_at": pl.Datetime("us"),
        "upvotes": pl.Int64,
        "comments": pl.Int64,
        "github_stars": pl.Int64,
    }
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def listings(*rows: tuple[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(paper, "hf_daily", dt.date(2025, 6, day)) for paper, day in rows],
        schema={"paper_id": pl.String, "population": pl.String, "listed_on": pl.Date},
        orient="row",
    )


def at(day: int, hour: int = 12) -> dt.datetime:
    return dt.datetime(2025, 6, day, hour)  # noqa: DTZ001


def on(scores: pl.DataFrame, day: int, paper: str = "a") -> dict[str, object]:
    return scores.filter(
        pl.col("day_on") == dt.date(2025, 6, day), pl.col("paper_id") == paper
    ).row(0, named=True)


def test_formula() -> None:
    scores = score_papers(
        observations(("a", at(2), 10, 1, 100), ("a", at(4), 30, 2, 180)),
        listings(("a", 2), ("b", 4), ("c", 30)),
    )
    assert scores.schema == pl.Schema(SCORE_SCHEMA)
    row = on(scores, 4)
    assert (row["upvotes_per_day"], row["comments_per_day"]) == (10.0, 0.5)
    assert row["github_stars_per_day"] == 40.0
    assert row["age_days"] == 2
    expected = (math.log(11) + math.log(1.5) + math.log(41)) / 4**1.8
    assert row["score"] == pytest.approx(expected)
    assert (row["basis"], row["rank"], row["n_observations"]) == ("observed", 1, 2)
    first = on(scores, 2)
    assert (first["score"], first["rank"]) == (None, None)
    assert first["basis"] == "not enough observations"
    assert scores.filter(pl.col("paper_id") != "a").is_empty()  # never observed
    assert scores["day_on"].max() == dt.date(2025, 6, 4)  # listed 14 days before at most


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(("a", at(2, 16), 20, 5, 5), id="too close"),
        pytest.param(("a", at(2, 13), None, None, None), id="nothing counted"),
        pytest.param(("b", at(3), 1, 1, 1), id="another paper's"),
    ],
)
def test_not_enough_observations(second: Seen) -> None:
    scores = score_papers(
        observations(("a", at(2), 10, 1, 1), second), listings(("a", 2), ("b", 3))
    )
    assert on(scores, 3)["basis"] == "not enough observations"
    assert on(scores, 3)["score"] is None


def test_losses_count_as_zero_and_unknown_velocities_add_nothing() -> None:
    scores = score_papers(
        observations(("a", at(2), 10, 1, None), ("a", at(3), 9, 4, 50)),
        listings(("a", 2), ("b", 3)),
    )
    row = on(scores, 3)
    assert (row["upvotes_per_day"], row["comments_per_day"]) == (0.0, 3.0)
    assert row["github_stars_per_day"] is None
    assert row["score"] == pytest.approx(math.log(4) / 3**1.8)


def test_observations_before_the_look_back_are_not_used() -> None:
    scores = score_papers(
        observations(("a", at(1), 0, 0, 0), ("a", at(9), 100, 0, 0), ("a", at(10), 101, 0, 0)),
        listings(("a", 1), ("b", 10)),
    )
    row = on(scores, 10)
    assert row["upvotes_per_day"] == 1.0
    assert row["n_observations"] == 2


def test_equal_scores_share_a_rank() -> None:
    seen = [(p, at(d), v, 0, 0) for p in "abc" for d, v in ((2, 1), (3, 9 if p == "c" else 5))]
    ranks = score_papers(observations(*seen), listings(("a", 2), ("b", 2), ("c", 2), ("d", 3)))
    today = ranks.filter(pl.col("day_on") == dt.date(2025, 6, 3))
    assert today.select("paper_id", "rank").rows() == [("c", 1), ("a", 2), ("b", 2)]


def test_two_observations_at_the_same_time_are_an_error() -> None:
    with pytest.raises(ValueError, match="observed more than once"):
        score_papers(observations(("a", at(2), 1, 1, 1), ("a", at(2), 2, 2, 2)), listings(("a", 2)))


def test_nothing() -> None:
    assert score_papers(observations(), listings(("a", 2))).is_empty()
    empty = score_papers(observations(("a", at(2), 1, 1, 1)), listings())
    assert empty.schema == pl.Schema(SCORE_SCHEMA)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.datetimes(at(1), at(28)),
            st.none() | st.integers(0, 500),
            st.none() | st.integers(0, 50),
            st.none() | st.integers(0, 50_000),
        ),
        max_size=25,
        unique_by=lambda row: (row[0], row[1]),
    ),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 28)), max_size=10),
)
def test_output_is_finite_and_later_rows_change_nothing(
    seen: list[Seen], listed: list[tuple[str, int]]
) -> None:
    scores = score_papers(observations(*seen), listings(*listed))
    floats = scores.select(selectors.float())
    assert all(value.is_finite().all() for value in (column.drop_nulls() for column in floats))
    assert (scores["score"].is_null() == (scores["basis"] != "observed")).all()
    for day in (5, 14, 21):
        until = dt.datetime(2025, 6, day + 1)  # noqa: DTZ001
        known = [row for row in seen if row[1] < until]
        past = score_papers(
            observations(*known), listings(*(row for row in listed if row[1] <= day))
        )
        assert past.equals(scores.filter(pl.col("day_on") < until.date()))
