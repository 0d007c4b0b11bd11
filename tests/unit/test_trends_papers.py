"""Scores of papers: the documented formula, its inputs, and papers that can't be compared."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars import selectors
from scipy import stats

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


def crowd(day: int, upvotes: list[int], hour: int = 12) -> tuple[list[Seen], list[tuple[str, int]]]:
    """Papers of one listing day, observed once on that day: their observations and listings."""
    names = [f"{day}-{n}" for n in range(len(upvotes))]
    seen = [(name, at(day, hour), k, 0, None) for name, k in zip(names, upvotes, strict=True)]
    return seen, [(name, day) for name in names]


def test_score_of_one_observation() -> None:
    seen, listed = crowd(2, [0, 4, 8, 12, 16, 20, 0, 4, 8, 12, 16, 20] * 2)
    scores = score_papers(observations(*seen), listings(*listed))
    assert scores.schema == pl.Schema(SCORE_SCHEMA)
    row = on(scores, 2, "2-5")
    counts = [k for _, _, k, _, _ in seen if k is not None]
    mean = sum(counts) / len(counts)
    prior = len(counts) / (sum((k - mean) ** 2 - k for k in counts) / mean**2)
    assert (row["basis"], row["n_counted"], row["n_compared"]) == ("upvotes", 20, 24)
    assert row["expected"] == pytest.approx(mean)  # one day only: its level is 1
    assert row["day_level"] == pytest.approx(1)
    assert row["prior"] == pytest.approx(prior, abs=1e-6)
    assert row["ratio"] == pytest.approx((prior + 20) / (prior + mean), abs=1e-6)
    posterior = stats.gamma(prior + 20, scale=1 / (prior + mean))
    assert row["score"] == pytest.approx(posterior.ppf(0.1), abs=1e-5)
    assert row["rank"] == 1


def test_more_is_expected_on_a_strong_day() -> None:
    weak, weak_listed = crowd(2, [5] * 20)
    strong, strong_listed = crowd(3, [15] * 20)
    scores = score_papers(observations(*weak, *strong), listings(*weak_listed, *strong_listed))
    # The mean of all is 10; each level is shrunk as if 10 papers of that mean were added.
    assert on(scores, 3, "2-0")["expected"] == pytest.approx(10 * (10 + 10) / 30)
    assert on(scores, 3, "3-0")["expected"] == pytest.approx(10 * (10 + 30) / 30)


def test_a_gain_counts_where_there_are_two_observations() -> None:
    seen, listed = crowd(2, [10] * 24)
    later = [(name, at(3), 10 + n, 1, None) for n, (name, *_) in enumerate(seen)]
    scores = score_papers(
        observations(*seen, *later, ("new", at(3), 40, 0, 9)), listings(*listed, ("new", 3))
    )
    row = on(scores, 3, "2-23")
    assert (row["basis"], row["n_counted"], row["upvotes_per_day"]) == ("gain", 23, 23.0)
    assert (row["comments_per_day"], row["github_stars_per_day"]) == (1.0, None)
    assert (row["n_observations"], row["observed_days"]) == (2, 1.0)
    assert row["expected"] == pytest.approx(sum(range(24)) / 24)
    new = on(scores, 3, "new")
    assert (new["basis"], new["expected"], new["github_stars"]) == ("upvotes", pytest.approx(
        (24 * 10 + 40) / 25 * (10 + 40 / 11.2) / 11
    ), 9)  # fmt: skip


@pytest.mark.parametrize(
    ("second", "basis"),
    [
        pytest.param(at(2, 16), "upvotes", id="too close"),
        pytest.param(at(3), "gain", id="far enough"),
    ],
)
def test_observations_of_a_gain_are_hours_apart(second: dt.datetime, basis: str) -> None:
    seen, listed = crowd(2, [10] * 20)
    later = [(name, second, 12, 1, 1) for name, *_ in seen]
    scores = score_papers(observations(*seen, *later), listings(*listed, ("b", 3)))
    assert on(scores, 3, "2-0")["basis"] == basis


def test_losses_count_as_zero() -> None:
    seen, listed = crowd(2, [10] * 20)
    later = [(name, at(3), 10 + n, 1, 1) for n, (name, *_) in enumerate(seen[1:])]
    fallen = (seen[0][0], at(3), 4, 1, 1)
    scores = score_papers(observations(*seen, *later, fallen), listings(*listed, ("b", 3)))
    assert on(scores, 3, "2-0")["n_counted"] == 0


def test_too_few_papers_are_neither_compared_nor_ranked() -> None:
    seen, listed = crowd(2, [1, 50])
    row = on(score_papers(observations(*seen), listings(*listed)), 2, "2-1")
    assert (row["basis"], row["score"]) == ("too few papers to compare with", None)
    # Enough to compare with, but 24 of the 26 were listed too long ago to be on the page.
    old, old_listed = crowd(2, [1, 3] * 12)
    new, new_listed = crowd(20, [1, 50])
    scores = score_papers(observations(*old, *new), listings(*old_listed, *new_listed))
    row = on(scores, 20, "20-1")
    assert row["basis"] == "upvotes"
    assert (row["score"] is not None, row["rank"]) == (True, None)


def test_a_score_needs_a_recent_observation() -> None:
    seen, listed = crowd(2, [1, 3] * 12)
    scores = score_papers(observations(*seen), listings(*listed, ("b", 5), ("c", 7)))
    assert on(scores, 5, "2-1")["basis"] == "upvotes"
    row = on(scores, 7, "2-1")
    assert (row["basis"], row["score"], row["rank"]) == ("not observed lately", None, None)


def test_the_lower_bound_ranks_much_evidence_before_little() -> None:
    young, young_listed = crowd(3, [1] * 23 + [4], hour=5)
    old, old_listed = crowd(2, [20] * 23 + [60])
    scores = score_papers(observations(*young, *old), listings(*young_listed, *old_listed))
    few, many = on(scores, 3, "3-23"), on(scores, 3, "2-23")
    assert few["n_counted"] / few["expected"] > many["n_counted"] / many["expected"]  # type: ignore[operator]
    assert many["rank"] == 1
    assert few["score"] < many["score"]  # type: ignore[operator]


def test_equal_scores_share_a_rank() -> None:
    seen, listed = crowd(2, [9, 5, 5, *[1] * 20])
    ranks = score_papers(observations(*seen), listings(*listed)).head(4)
    assert ranks["rank"].to_list() == [1, 2, 2, 4]


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
    others, others_listed = crowd(6, [0, 1, 7, 30] * 6)
    seen, listed = [*seen, *others], [*listed, *others_listed]
    scores = score_papers(observations(*seen), listings(*listed))
    floats = scores.select(selectors.float())
    assert all(value.is_finite().all() for value in (column.drop_nulls() for column in floats))
    assert (scores["score"].is_null() == ~scores["basis"].is_in(["gain", "upvotes"])).all()
    for day in (5, 14, 21):
        until = dt.datetime(2025, 6, day + 1)  # noqa: DTZ001
        known = [row for row in seen if row[1] < until]
        past = score_papers(
            observations(*known), listings(*(row for row in listed if row[1] <= day))
        )
        assert past.equals(scores.filter(pl.col("day_on") < until.date()))
