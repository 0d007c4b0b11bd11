"""Growth against re-implementations in plain Python and scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.trends import judge
from pipelines.trends.growth import WINDOWS, grow, overdispersion, window_sums
from pipelines.trends.verdicts import benjamini_hochberg
from tests.unit.trend_frames import frame, grid_of

pytestmark = pytest.mark.unit


def random_frame(seed: int, grain: str, n_periods: int, n_series: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    totals = rng.integers(200, 800, n_periods).tolist()
    shares = np.exp(rng.normal(-3, 1, n_series)).clip(0, 0.9)
    counts = {
        f"s{at}": [int(rng.binomial(total, share)) for total in totals]
        for at, share in enumerate(shares)
    }
    return frame(counts, totals=totals, grain=grain)


@pytest.mark.parametrize("grain", list(WINDOWS))
def test_windows_are_sums_over_adjacent_periods(grain: str) -> None:
    current, before = WINDOWS[grain]
    grid = grid_of(random_frame(1, grain, 20))
    sums = window_sums(grid)
    for at in range(current + before - 1, 20):
        now = slice(at - current + 1, at + 1)
        then = slice(at - current - before + 1, at - current + 1)
        assert sums.k1[at].tolist() == grid.n_papers[now].sum(axis=0).tolist()
        assert sums.n1[at].tolist() == grid.n_total[now].sum(axis=0).tolist()
        assert sums.k0[at].tolist() == grid.n_papers[then].sum(axis=0).tolist()
        assert sums.n0[at].tolist() == grid.n_total[then].sum(axis=0).tolist()
    assert not sums.is_complete[: current + before - 1].any()
    assert sums.is_complete[current + before - 1 :].all()


def by_hand(k1: float, n1: float, k0: float, n0: float, noise: float) -> tuple[float, ...]:
    """Growth, bounds and p-value, from scipy.stats.beta and docs/methodology.md."""
    null_share = n1 / (n1 + n0)
    pooled = (k1 + k0 + 0.5) / (n1 + n0 + 1)
    e1, e0 = (k1 + k0) * null_share, (k1 + k0) * (1 - null_share)
    chance = 1 / e1 + 1 / e0 if k1 + k0 else math.inf
    variance = (1 - pooled) * chance + noise * (1 - pooled) ** 2
    dispersion = variance / chance if k1 + k0 else 1 - pooled
    a, b = k1 / dispersion, k0 / dispersion
    offset = math.log(n0 / n1)
    lower, upper = stats.beta(a + 0.25, b + 0.75), stats.beta(a + 0.75, b + 0.25)

    def logit(x: float) -> float:
        return math.log(x / (1 - x))

    growth = math.log((a + null_share) / (b + 1 - null_share)) + offset
    p_value = 2 * (lower.cdf(null_share) if growth > 0 else upper.sf(null_share))
    low, high = logit(lower.ppf(0.025)) + offset, logit(upper.ppf(0.975)) + offset
    return growth, low, high, min(1, p_value)


@pytest.mark.parametrize("grain", list(WINDOWS))
def test_growth_bounds_and_p_value(grain: str) -> None:
    grid = grid_of(random_frame(2, grain, 20))
    growth = grow(grid)
    current, before = WINDOWS[grain]
    extra = overdispersion(grid) * (1 / current + 1 / before)
    sums = growth.windows
    for at in range(current + before - 1, 20):
        for series in np.flatnonzero(~growth.is_seasonal[at]):
            expected = by_hand(
                sums.k1[at, series],
                sums.n1[at, series],
                sums.k0[at, series],
                sums.n0[at, series],
                extra[at],
            )
            found = (growth.growth, growth.low, growth.high, growth.p_value)
            assert [cells[at, series] for cells in found] == pytest.approx(expected, rel=1e-7)


def test_intervals_are_inside_those_of_clopper_pearson() -> None:
    for k1, k0 in [(0, 20), (3, 20), (12, 9), (40, 60)]:
        _, low, high, _ = by_hand(k1, 10_000, k0, 10_000, 0.0)
        exact = stats.binomtest(k1, k1 + k0).proportion_ci(method="exact")
        outer = [math.log(x / (1 - x)) if 0 < x < 1 else -math.inf for x in (exact.low, exact.high)]
        assert outer[0] <= low + 0.01
        assert high <= outer[1] + 0.01


def test_extra_variance_by_hand() -> None:
    grid = grid_of(random_frame(3, "month", 12))
    usual, total, weight = 0.008, 0.0, 0.0
    prior = 300 / (0.05 + 4 * usual) ** 2
    expected = []
    for at in range(12):
        expected.append(max((total + prior * usual) / (weight + prior), 0.0025))
        if at < 2:
            continue
        for series in range(5):
            k, n = grid.n_papers[at - 2 : at + 1, series], grid.n_total[at - 2 : at + 1, series]
            pooled = k.sum() / n.sum()
            if pooled * n.min() < 1:
                continue
            odds = pooled * (1 - pooled)
            x, y, z = k / n / odds
            chance = 1 / (n[1] * odds)
            w = 1 / (chance + 4 * usual) ** 2
            total, weight = total + w * ((y - z) * (y - x) - chance), weight + w
    assert overdispersion(grid) == pytest.approx(expected)


def test_extra_variance_finds_the_noise_and_not_the_drift() -> None:
    rng = np.random.default_rng(4)
    level = np.log(rng.uniform(0.02, 0.1, 60)) + np.cumsum(rng.normal(0, 0.2, (60, 60)), axis=0)

    def estimate(noise: float) -> float:
        share = np.exp(level + rng.normal(0, noise, level.shape)).clip(0, 0.3)
        counts = rng.binomial(3000, share)
        return float(
            overdispersion(
                grid_of(frame({f"s{i}": counts[:, i].tolist() for i in range(60)}, totals=3000))
            )[-1]
        )

    assert estimate(0.0) < 0.01
    assert estimate(0.3) == pytest.approx(0.09, rel=0.35)


def test_false_discovery_by_hand() -> None:
    rng = np.random.default_rng(5)
    p_values = rng.uniform(0, 1, (4, 30)) ** 2
    p_values[rng.uniform(size=p_values.shape) < 0.2] = np.nan
    p_values[3] = np.nan
    p_values[2, :5] = 0.01  # ties
    found = benjamini_hochberg(p_values)
    for row, q_values in zip(p_values, found, strict=True):
        tested = sorted(p for p in row if not math.isnan(p))
        for p, q in zip(row, q_values, strict=True):
            if math.isnan(p):
                assert math.isnan(q)
                continue
            expected = min(
                tested[rank - 1] * len(tested) / rank
                for rank in range(1, len(tested) + 1)
                if tested[rank - 1] >= p
            )
            assert q == pytest.approx(min(1, expected))
        assert [q for q in q_values if not math.isnan(q)] == pytest.approx(
            stats.false_discovery_control([p for p in row if not math.isnan(p)]).tolist()
            if tested
            else []
        )


def test_coverage_of_the_interval() -> None:
    rng = np.random.default_rng(6)
    inside = []
    for _ in range(10):
        shares = rng.uniform(0.01, 0.1, 100)
        change = np.exp(rng.normal(0, 0.7, 100))
        true = np.vstack([np.tile(shares, (6, 1)), np.tile((shares * change).clip(0, 0.5), (2, 1))])
        odds = np.log(true / (1 - true)) + rng.normal(0, 0.09, true.shape)
        counts = rng.binomial(1500, 1 / (1 + np.exp(-odds)))
        grid = grid_of(frame({f"{i:03}": counts[:, i].tolist() for i in range(100)}, totals=1500))
        growth = grow(grid)
        true_growth = np.log(true[-1] / shares)
        inside.append((growth.low[-1] <= true_growth) & (true_growth <= growth.high[-1]))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)


def seasonal(amplitude: float, trend: float, seed: int = 7) -> pl.DataFrame:
    """Forty series over sixty months; half of them peak half a year after the others."""
    rng = np.random.default_rng(seed)
    month = np.arange(60)
    counts = {}
    for at in range(40):
        wave = amplitude * np.sin(2 * np.pi * month / 12 + (np.pi if at % 2 else 0.0))
        counts[f"s{at:02}"] = rng.binomial(3000, 0.05 * np.exp(wave + trend * month)).tolist()
    return frame(counts, totals=3000)


def share_called(judged: pl.DataFrame) -> float:
    late = judged.filter(pl.col("period_start_on") >= judged["period_start_on"].unique().sort()[40])
    return float(late["verdict"].is_in(["rising", "falling"]).mean())  # type: ignore[arg-type]


def test_a_seasonal_change_is_not_a_trend() -> None:
    judged = judge(seasonal(amplitude=0.4, trend=0.0))
    late = judged.filter(pl.col("period_start_on") >= judged["period_start_on"].unique().sort()[40])
    assert set(late["growth_basis"]) == {"seasonal"}
    early = judged.filter(
        pl.col("period_start_on") <= judged["period_start_on"].unique().sort()[16]
    )
    assert float(early["verdict"].is_in(["rising", "falling"]).mean()) > 0.3  # type: ignore[arg-type]
    assert share_called(judged) < 0.05


def test_no_adjustment_without_a_season() -> None:
    judged = judge(seasonal(amplitude=0.0, trend=0.0))
    assert float((judged["growth_basis"] == "seasonal").mean()) < 0.5  # type: ignore[arg-type]
    assert share_called(judged) < 0.02


def test_a_steady_rise_is_not_mistaken_for_a_season() -> None:
    judged = judge(seasonal(amplitude=0.0, trend=0.03))
    late = judged.filter(pl.col("period_start_on") == judged["period_start_on"].max())
    assert float(late["growth"].mean()) == pytest.approx(0.06, abs=0.02)  # type: ignore[arg-type]
