"""Placebo and power: which periods are permuted, and the family that a series is tested in."""

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
def trendless(made: Evidence) -> Grid:
    largest = power._largest(made)
    assert largest is not None
    return power._trendless_weeks(largest, seed=1)


def test_only_complete_periods_are_permuted(month: Counted) -> None:
    """With their totals and data collection; partial periods keep their place."""
    grid = month.grid
    n_periods = grid.starts.size
    is_partial = np.arange(n_periods) % 4 == 0
    number = np.repeat(np.arange(n_periods, dtype=np.float64)[:, None], grid.n_papers.shape[1], 1)
    partly = replace(
        month,
        grid=replace(
            grid,
            is_partial=np.repeat(is_partial[:, None], grid.n_papers.shape[1], 1),
            n_total=number,
            n_papers=number,
            conditions={"complete_share": number, "text_share": number},
        ),
    )
    orders = set()
    for seed in range(5):
        moved = placebo._permute_periods(partly, np.random.default_rng(seed))
        order = moved.n_total[:, 0]
        assert np.array_equal(order[is_partial], np.flatnonzero(is_partial))
        assert sorted(order) == list(range(n_periods))
        for cells in (moved.n_papers, *moved.conditions.values()):
            assert np.array_equal(cells, moved.n_total)
        orders.add(tuple(order))
    assert len(orders) == 5


def test_partial_periods_are_not_permuted(made: Evidence) -> None:
    """All weeks of arXiv are partial."""
    is_week = pl.col("grain") == "week"
    as_arxiv = replace(
        made,
        members=made.members.with_columns(population=pl.lit("arxiv")),
        periods=made.periods.with_columns(population=pl.lit("arxiv"), is_partial=is_week),
        trends=made.trends.with_columns(population=pl.lit("arxiv"), is_partial=is_week),
    )
    by_date, by_period = placebo.evaluate(as_arxiv, n_permutations=3).tables
    assert by_date.rows["grain"].to_list() == ["week", "month", "quarter"]
    assert by_period.rows["grain"].to_list() == ["month", "quarter"]


def risers(grid: Grid, n_series: int) -> Floats:
    chance = np.random.default_rng(3)
    starts = chance.integers(13, 40, n_series)
    shares = power._shares(chance, grid.starts.size, starts, 0.2, 2.0, 8)
    return chance.binomial(grid.n_total[:, :1].astype(np.int64), shares).astype(np.float64)


def test_a_simulated_series_is_judged_by_the_published_rule(trendless: Grid) -> None:
    """In a family with all real series."""
    made = risers(trendless, 12)
    rising, testable = power._rising(trendless, grow(trendless), made)
    assert 0 < rising.sum() < testable.sum()
    for at, column in enumerate(made.T):
        both = power._with_series(trendless, column)
        conditions = {name: np.full(both.n_papers.shape, np.nan) for name in trendless.conditions}
        both = replace(both, conditions=conditions)
        judged = judge_growth(both, grow(both))
        assert np.array_equal(rising[:, at], judged["verdict"][:, -1] == "rising")
        assert np.array_equal(testable[:, at], ~np.isnan(judged["p_value"][:, -1].astype(float)))


def test_simulated_series_do_not_affect_each_other(trendless: Grid) -> None:
    made, real = risers(trendless, 30), grow(trendless)
    together, _ = power._rising(trendless, real, made)
    for at in range(30):
        alone, _ = power._rising(trendless, real, made[:, [at]])
        assert np.array_equal(together[:, at], alone[:, 0])


def test_only_tested_weeks_are_counted(trendless: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    real = grow(trendless)
    few = power._tally(trendless, real, 1.5, 4, 0, 20, 0)
    assert (few["series_before"], few["weeks_before"], few["detected"]) == (0, 0, 0.0)
    many = power._tally(trendless, real, 1.5, 4, 10, 20, 0)
    assert many["series_before"] <= 20
    assert 0 < many["weeks_before"] < 20 * power.WAIT_WEEKS  # some start in the first 23 weeks

    def untested(*given: object) -> tuple[object, object]:
        _, testable = rising(*given)
        return testable, testable

    rising = power._rising
    monkeypatch.setattr(power, "_rising", untested)
    called = power._tally(trendless, real, 1.5, 4, 10, 20, 0)
    assert called["alarms_before"] == called["series_before"] > 0
