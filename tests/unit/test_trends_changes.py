"""Changes: calibration on simulated levels, when a change began, and the rule of the verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipelines.trends.changes import (
    CALLED,
    CALLED_MEAN,
    FLAT_WITHIN,
    HORIZONS,
    MIN_PAPERS,
    Change,
    Levels,
    _called,
    _Mixture,
    verdicts,
)
from pipelines.trends.components import SLOPE_SHARE, components
from pipelines.trends.grids import Floats
from pipelines.trends.panels import Panel

pytestmark = pytest.mark.unit

WEEKS = 110


def panel(papers: Floats, total: Floats) -> Panel:
    """Weeks of one cell, all captured in full."""
    weeks = papers.shape[0]
    return Panel(
        population="field",
        grain="week",
        first_tick=2800,
        n_papers=papers[:, None, :],
        n_total=total[:, None, :],
        part_share=np.zeros(weeks),
        text_share=np.ones(weeks),
        mix=np.zeros((weeks, 0)),
        weights=np.ones(1),
        series=[f"s{n:04}" for n in range(papers.shape[1])],
    )


def simulated(
    yearly_sd: float, s2: float, n_series: int = 250, slope_share: float = SLOPE_SHARE
) -> tuple[Levels, Floats]:
    """Fitted levels of damped trends, and their true log shares: weeks × series.

    With a `slope_share` of 0, the levels are random walks, which the model does not expect.
    """
    rng = np.random.default_rng(0)
    shape, decay = (WEEKS, n_series), components(52).decay
    weekly = yearly_sd**2 / 52
    of_slopes = slope_share * weekly * (1 - decay) / (1 + decay)
    level = rng.normal(-3.2, 0.8, n_series)
    slope = rng.normal(0, np.sqrt(of_slopes), n_series)
    rows = []
    for _ in range(WEEKS):
        rows.append(level)
        level = level + slope + rng.normal(0, np.sqrt((1 - slope_share) * weekly), n_series)
        slope = decay * slope + rng.normal(0, np.sqrt(of_slopes * (1 - decay**2)), n_series)
    levels = np.array(rows)
    noisy = levels + rng.normal(0, np.sqrt(s2), shape)
    total = np.full(shape, 120.0)
    papers = rng.binomial(120, 1 / (1 + np.exp(-noisy))).astype(np.float64)
    return Levels(panel(papers, total)), -np.logaddexp(0, -levels)


@pytest.mark.parametrize(("yearly_sd", "s2"), [(0.12, 0.02), (0.5, 0.02), (0.8, 0.08)])
@pytest.mark.parametrize(
    ("slope_share", "covers"), [(SLOPE_SHARE, (0.74, 0.87)), (0.0, (0.66, 0.80))]
)
def test_intervals_contain_the_true_change(
    yearly_sd: float, s2: float, slope_share: float, covers: tuple[float, float]
) -> None:
    """Of 80 %, where levels follow trends. Intervals of random walks are too narrow."""
    levels, truth = simulated(yearly_sd, s2, slope_share=slope_share)
    for horizon in ("quarter", "half_year", "year"):
        covered, errors = [], []
        for t in range(70, WEEKS, 13):
            change = levels.at(t).changes[horizon]
            true = truth[t] - truth[t - levels.steps(horizon)]
            covered.append((change.low <= true) & (true <= change.high))
            errors.append((np.sign(true) != np.sign(change.growth)) - change.sign_error)
        assert covers[0] <= np.mean(covered) <= covers[1]
        assert -0.08 <= np.mean(errors) <= 0.05  # hardly more often wrong than stated


def test_the_next_quarter_holds_as_often_as_stated() -> None:
    levels, truth = simulated(0.5, 0.02, n_series=500)
    rng = np.random.default_rng(1)
    stated, held = [], []
    for t in range(60, WEEKS - 13, 6):
        change = levels.at(t).changes["half_year"]
        share = np.exp(truth[t + 1 : t + 14]).mean(axis=0)
        following = rng.binomial(13 * 120, share) / (13 * 120)
        stated.append(change.hold)
        held.append(np.where(change.growth > 0, 1, -1) * (following - change.level_before) > 0)
    probability, is_held = np.concatenate(stated), np.concatenate(held)
    for low, high in ((0.5, 0.6), (0.6, 0.75), (0.75, 0.9), (0.9, 1)):
        inside = (probability >= low) & (probability < high)
        assert inside.sum() > 100
        assert is_held[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.05)


@pytest.mark.parametrize(("level", "at_least"), [(0.8, 0.73), (0.9, 0.85), (0.95, 0.91)])
def test_levels_are_calibrated(level: float, at_least: float) -> None:
    levels, truth = simulated(0.5, 0.02)
    covered = []
    for t in range(60, WEEKS, 10):
        position = levels.at(t, level)
        share = np.exp(truth[t])
        covered.append((position.level_low <= share) & (share <= position.level_high))
    assert at_least <= np.mean(covered) <= level + 0.03


def test_the_sign_error_is_the_frequency_of_a_wrong_sign() -> None:
    levels, truth = simulated(0.5, 0.02, n_series=500)
    stated, wrong = [], []
    for t in range(60, WEEKS, 7):
        change = levels.at(t).changes["half_year"]
        stated.append(change.sign_error)
        wrong.append(np.sign(truth[t] - truth[t - 26]) != np.sign(change.growth))
    error, is_wrong = np.concatenate(stated), np.concatenate(wrong)
    for low, high in ((0, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.35), (0.35, 0.5)):
        inside = (error >= low) & (error < high)
        assert inside.sum() > 100
        assert is_wrong[inside].mean() == pytest.approx(error[inside].mean(), abs=0.05)
    called = error <= CALLED
    assert is_wrong[called].mean() < CALLED_MEAN + 0.02


def test_noise_is_hardly_called() -> None:
    """Constant levels: at most one verdict in a hundred is rising or falling."""
    levels, _ = simulated(0.0, 0.02)
    found = []
    for t in range(60, WEEKS, 7):
        for change in levels.at(t).changes.values():
            papers = np.full(250, 100.0)
            found.append(verdicts(change, np.ones(250, dtype=np.bool_), papers))
    names = np.concatenate(found)
    assert np.isin(names, ["rising", "falling"]).mean() <= 0.01
    assert np.isin(names, ["likely_rising", "likely_falling"]).mean() <= 0.03


@pytest.mark.parametrize("weeks", [1, 13, 26])
@pytest.mark.parametrize("papers", [300, 2_000])
def test_doublings_are_called_and_dated(weeks: int, papers: int) -> None:
    """A quarter of the series doubles from week 60 on, at once or slowly."""
    rng = np.random.default_rng(2)
    share = np.full((WEEKS, 160), 0.05)
    share[:, :40] *= 2 ** np.clip((np.arange(WEEKS) - 59) / weeks, 0, 1)[:, None]
    total = np.full(share.shape, float(papers))
    levels = Levels(panel(rng.binomial(papers, share).astype(np.float64), total))
    change = levels.at(95).changes["year"]
    names = verdicts(change, np.ones(160, dtype=np.bool_), np.full(160, 500.0))
    assert set(names[:40]) == {"rising"}
    assert np.exp(np.median(change.growth[:40])) == pytest.approx(2, rel=0.1)
    assert np.median(change.level_before[:40]) == pytest.approx(0.05, rel=0.15)
    began, latest, earliest = (x[:40] for x in (change.began, change.began_to, change.began_from))
    assert ((latest <= began) & (began <= earliest)).all()
    assert np.median(began) == pytest.approx(95 - 59, abs=6)
    assert ((latest <= 95 - 59) & (earliest >= 95 - 59)).mean() >= 0.75


def test_statements_as_of_a_period_do_not_depend_on_later_ones() -> None:
    levels, _ = simulated(0.5, 0.02, n_series=20)
    whole = levels.panel
    cut = Levels(panel(whole.n_papers[:80, 0], whole.n_total[:80, 0]))
    for t in (3, 40, 79):
        early, late = cut.at(t), levels.at(t)
        assert np.array_equal(early.level, late.level)
        assert early.changes.keys() == late.changes.keys()
        for name, change in early.changes.items():
            for field in Change.__dataclass_fields__:
                assert np.array_equal(getattr(change, field), getattr(late.changes[name], field))


def test_horizons_in_base_periods() -> None:
    steps = simulated(0.1, 0.02, n_series=1)[0].steps
    assert {name: steps(name) for name in HORIZONS} == {
        "month": 4, "quarter": 13, "half_year": 26, "year": 52,
    }  # fmt: skip


def test_quantiles_of_a_mixture() -> None:
    one = _Mixture(np.array([[0.3], [0.3]]), np.array([[0.04], [0.04]]), np.array([[0.5], [0.5]]))
    for p in (0.1, 0.5, 0.9):
        assert one.quantile(p)[0] == pytest.approx(stats.norm(0.3, 0.2).ppf(p), abs=1e-5)
    two = _Mixture(np.array([[0.0], [2.0]]), np.array([[0.01], [0.25]]), np.array([[0.9], [0.1]]))
    for p in (0.1, 0.5, 0.9):
        x = two.quantile(p)[0]
        below = 0.9 * stats.norm(0, 0.1).cdf(x) + 0.1 * stats.norm(2, 0.5).cdf(x)
        assert below == pytest.approx(p, abs=1e-5)


def test_the_estimate_has_the_likelier_sign() -> None:
    """A mixture whose mean is positive although it is negative with 90 % probability."""
    mixture = _Mixture(
        np.array([[-0.1], [3.0]]), np.array([[1e-4], [1e-4]]), np.array([[0.92], [0.08]])
    )
    assert mixture.mean[0] > 0
    assert mixture.quantile(0.5)[0] < 0
    assert mixture.quantile(0.9)[0] < 0


def changes(**columns: list[float]) -> Change:
    """One series per value; what is not given is 0."""
    n = len(next(iter(columns.values())))
    return Change(
        **{
            name: np.array(columns.get(name, [0.0] * n), dtype=np.float64)
            for name in Change.__dataclass_fields__
        }
    )


@pytest.mark.parametrize(
    ("growth", "low", "high", "error", "verdict"),
    [
        (0.5, 0.2, 0.8, 0.01, "rising"),
        (-0.5, -0.8, -0.2, 0.01, "falling"),
        (0.1, 0.05, 0.15, 0.01, "rising"),  # small, but sure
        (0.3, -0.1, 0.7, 0.15, "likely_rising"),
        (-0.3, -0.7, 0.1, 0.15, "likely_falling"),
        (0.05, -0.05, 0.15, 0.3, "flat"),
        (0.05, -0.01, 0.17, 0.15, "flat"),
        (0.05, -0.05, FLAT_WITHIN + 0.01, 0.3, "unclear"),
        (0.2, -0.3, 0.7, 0.3, "unclear"),
    ],
)
def test_verdict(growth: float, low: float, high: float, error: float, verdict: str) -> None:
    change = changes(growth=[growth], low=[low], high=[high], sign_error=[error])
    comparable, papers = np.array([True]), np.array([50.0])
    assert verdicts(change, comparable, papers)[0] == verdict
    assert verdicts(change, ~comparable, papers)[0] == "not_comparable"
    assert verdicts(change, comparable, np.array([MIN_PAPERS - 1.0]))[0] == "unclear"


def test_a_sure_change_beyond_the_mean_error_is_likely_and_not_flat() -> None:
    """Five series with an error of 9 %: their mean exceeds 5 %, so none is called."""
    n = 5
    change = changes(growth=[0.08] * n, low=[0.01] * n, high=[0.15] * n, sign_error=[0.09] * n)
    names = verdicts(change, np.ones(n, dtype=np.bool_), np.full(n, 50.0))
    assert names.tolist() == ["likely_rising"] * n


def test_the_called_have_a_mean_error_of_five_percent_at_most() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        error = rng.uniform(0, 0.5, 60)
        called = _called(error, error <= CALLED)
        assert called.any() == (error.min() <= CALLED_MEAN)
        assert not called.any() or error[called].mean() <= CALLED_MEAN
        # No series is left out that is surer than one called, or that would fit.
        left = np.sort(error[~called])
        if called.any():
            assert error[called].max() <= left[0]
            fits = np.append(error[called], left[0]).mean() <= CALLED_MEAN
            assert not fits or left[0] > CALLED
