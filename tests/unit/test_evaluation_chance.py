"""Placebo and power: which periods change places, and in which family a series is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.evaluation import placebo, power
from pipelines.evaluation.evidence import Counted, Evidence, count
from pipelines.trends.grids import Floats, Grid
from pipelines.trends.growth import grow
from pipelines.trends.verdicts import judge_growth
from tests.unit.evaluated import evidence

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made() -> Evidence:
    return evidence()


@pytest.fixture(scope="module")
def month(made: Evidence) -> Counted:
    counted = count(made, "hf_daily", "month")
    assert counted is not None
    return counted


@pytest.fixture(scope="module")
def still(made: Evidence) -> Grid:
    largest = power._largest(made)
    assert largest is not None
    return power._still_weeks(largest, seed=1)


def test_only_complete_periods_change_places(month: Counted) -> None:
    """Each with its total and how it was observed; the thin ones stay."""
    grid = month.grid
    n_periods = grid.starts.size
    is_thin = np.arange(n_periods) % 4 == 0
    number = np.repeat(np.arange(n_periods, dtype=np.float64)[:, None], grid.n_papers.shape[1], 1)
    partly = replace(
        month,
        grid=replace(
            grid,
            is_partial=np.repeat(is_thin[:, None], grid.n_papers.shape[1], 1),
            n_total=number,
            n_papers=number,
            conditions={"complete_share": number, "text_share": number},
        ),
    )
    orders = set()
    for seed in range(5):
        moved = placebo._by_period(partly, np.random.default_rng(seed))
        order = moved.n_total[:, 0]
        assert np.array_equal(order[is_thin], np.flatnonzero(is_thin))
        assert sorted(order) == list(range(n_periods))
        for cells in (moved.n_papers, *moved.conditions.values()):
            assert np.array_equal(cells, moved.n_total)
        orders.add(tuple(order))
    assert len(orders) == 5


def test_periods_that_are_all_partial_are_not_shuffled(made: Evidence) -> None:
    """As arXiv's weeks are."""
    is_week = pl.col("grain") == "week"
    as_arxiv = replace(
        made,
        members=made.members.with_columns(population=pl.lit("arxiv")),
        periods=made.periods.with_columns(population=pl.lit("arxiv"), is_partial=is_week),
        trends=made.trends.with_columns(population=pl.lit("arxiv"), is_partial=is_week),
    )
    by_paper, by_period = placebo.evaluate(as_arxiv, n_shuffles=3).tables
    assert by_paper.rows["grain"].to_list() == ["week", "month", "quarter"]
    assert by_period.rows["grain"].to_list() == ["month", "quarter"]


def risers(grid: Grid, n_series: int) -> Floats:
    chance = np.random.default_rng(3)
    starts = chance.integers(13, 40, n_series)
    shares = power._shares(chance, grid.starts.size, starts, 0.2, 2.0, 8)
    return chance.binomial(grid.n_total[:, :1].astype(np.int64), shares).astype(np.float64)


def test_a_series_is_judged_as_the_tables_would(still: Grid) -> None:
    """Alone beside the real ones, by the published rule."""
    made = risers(still, 12)
    rising, testable = power._rising(still, grow(still), made)
    assert 0 < rising.sum() < testable.sum()
    for at, column in enumerate(made.T):
        both = power._with_one(still, column)
        conditions = {name: np.full(both.n_papers.shape, np.nan) for name in still.conditions}
        both = replace(both, conditions=conditions)
        judged = judge_growth(both, grow(both))
        assert np.array_equal(rising[:, at], judged["verdict"][:, -1] == "rising")
        assert np.array_equal(testable[:, at], ~np.isnan(judged["p_value"][:, -1].astype(float)))


def test_series_do_not_help_each_other(still: Grid) -> None:
    made, real = risers(still, 30), grow(still)
    together, _ = power._rising(still, real, made)
    for at in range(30):
        alone, _ = power._rising(still, real, made[:, [at]])
        assert np.array_equal(together[:, at], alone[:, 0])


def test_only_weeks_that_could_be_called_are_counted(
    still: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = grow(still)
    few = power._tally(still, real, 1.5, 4, 0, 20, 0)
    assert (few["series_before"], few["weeks_before"], few["found"]) == (0, 0, 0.0)
    many = power._tally(still, real, 1.5, 4, 10, 20, 0)
    assert many["series_before"] <= 20
    assert 0 < many["weeks_before"] < 20 * power.WAIT_WEEKS  # some start in the first 23 weeks

    def rash(*given: object) -> tuple[object, object]:
        _, testable = rising(*given)
        return testable, testable

    rising = power._rising
    monkeypatch.setattr(power, "_rising", rash)
    called = power._tally(still, real, 1.5, 4, 10, 20, 0)
    assert called["alarms_before"] == called["series_before"] > 0
