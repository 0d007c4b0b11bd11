"""Simpler methods, and the tables that compare them with verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import false_discovery_control, norm

from pipelines.evaluation import comparison, reliability, rivals, statements, summary
from pipelines.evaluation.histories import AS_MANY, OURS, History, _surest
from pipelines.evaluation.rivals import RANDOM_WALK, TWO_WINDOWS, Dense, RandomWalk
from pipelines.trends.changes import HORIZONS
from pipelines.trends.levels import START_MEAN, START_VARIANCE

pytestmark = pytest.mark.unit


def counts(seed: int = 0, n_periods: int = 30, n_series: int = 6) -> Dense:
    """The first series triples in the middle; period 5 was not observed."""
    rng = np.random.default_rng(seed)
    share = np.full((n_periods, n_series), 0.1)
    share[n_periods // 2 :, 0] = 0.3
    total = np.full((n_periods, n_series), 80.0)
    total[5] = 0
    return Dense(0, rng.binomial(total.astype(int), share).astype(float), total)


def test_random_walk_agrees_with_the_joint_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels and observations are jointly normal: condition all levels on all observations."""
    monkeypatch.setattr(rivals, "YEARLY_SD", (0.5,))
    monkeypatch.setattr(rivals, "NOISE", (0.05,))
    given, t, steps = counts(n_periods=12), 11, 4
    mean, sd = RandomWalk(given, 52).change(t, steps)
    k, n = given.n_papers[:, 0], given.n_total[:, 0]
    seen = np.flatnonzero(n > 0)
    order = np.arange(t + 1)
    prior = START_VARIANCE + 0.5**2 / 52 * np.minimum.outer(order, order)
    y = np.log((k[seen] + 0.5) / (n[seen] - k[seen] + 0.5))
    noise = 0.05 + 1 / (k[seen] + 0.5) + 1 / (n[seen] - k[seen] + 0.5)
    gain = prior[:, seen] @ np.linalg.inv(prior[np.ix_(seen, seen)] + np.diag(noise))
    level = START_MEAN + gain @ (y - START_MEAN)
    covariance = prior - gain @ prior[seen]
    contrast = np.zeros(t + 1)
    contrast[[t, t - steps]] = 1, -1
    assert mean[0] == pytest.approx(contrast @ level)
    assert sd[0] == pytest.approx(np.sqrt(contrast @ covariance @ contrast))


def test_random_walk_uses_no_later_data() -> None:
    given = counts()
    later = replace(given, n_papers=given.n_papers.copy())
    later.n_papers[20:] = 70
    before, after = (RandomWalk(c, 52).change(19, 13) for c in (given, later))
    assert np.array_equal(before, after)


def test_random_walk_calls_the_topic_that_tripled() -> None:
    given = counts()
    stated = np.ones((2, 6), bool)
    found = rivals.random_walk(RandomWalk(given, 52), np.array([3, 24]), 13, stated)
    assert found.calls.tolist() == [[0] * 6, [1, 0, 0, 0, 0, 0]]
    assert np.isnan(found.score[0]).all()  # no period 13 before
    assert found.score[1].argmax() == 0
    stated[1, 0] = False
    assert not rivals.random_walk(RandomWalk(given, 52), np.array([3, 24]), 13, stated).calls.any()


def test_two_windows_is_a_test_of_two_proportions() -> None:
    given = counts()
    stated = np.ones((1, 6), bool)
    found = rivals.two_windows(given, np.array([29]), 13, 13, stated)
    k = np.stack([given.n_papers[17:30].sum(0), given.n_papers[4:17].sum(0)])
    n = np.stack([given.n_total[17:30].sum(0), given.n_total[4:17].sum(0)])
    pooled = k.sum(0) / n.sum(0)
    z = (k[0] / n[0] - k[1] / n[1]) / np.sqrt(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]))
    assert found.score[0] == pytest.approx(z)
    adjusted = false_discovery_control(2 * norm.sf(np.abs(z)))
    assert (found.calls[0] != 0).tolist() == (adjusted <= 0.05).tolist()
    assert found.calls[0, 0] == 1
    assert np.isnan(rivals.two_windows(given, np.array([24]), 13, 13, stated).score).all()


def test_the_surest_rows() -> None:
    stated = np.array([[True, True], [True, False]])
    error = np.array([[0.2, 0.01], [0.1, 0.0]])
    growth = np.array([[1.0, -1.0], [2.0, 3.0]])
    assert _surest(stated, error, growth, 2).tolist() == [[0, -1], [1, 0]]


def history(n_periods: int = 6, n_series: int = 40) -> History:
    """Half of the series rise, half fall, as stated; all other methods state the opposite."""
    shape = (n_periods, n_series)
    growth = np.tile(np.linspace(-1, 1, n_series), (n_periods, 1))
    none = np.zeros(shape)
    return History(
        population="p", grain="month", horizon="half_year", ticks=np.arange(n_periods),
        is_stated=np.ones(shape, bool), called=np.sign(growth), likely=none,
        probability=np.where(growth > 0, 0.95, 0.05), growth=growth, over_before=growth.copy(),
        over_now=-growth, over_share=growth.copy(), n_before=np.full(shape, 20.0),
        calls={OURS: np.sign(growth), AS_MANY: np.sign(growth), RANDOM_WALK: -np.sign(growth),
               TWO_WINDOWS: none},
        scores={OURS: growth, "raw growth": -growth, "MACD": -growth, "persistence": -growth},
    )  # fmt: skip


def test_comparison_favours_the_better_method() -> None:
    calls = comparison.calls_of([history()])
    ours = calls.row(by_predicate=pl.col("method") == OURS, named=True)
    assert (ours["holds"], ours["continues"], ours["called"], ours["n"]) == (1, 0, 1, 240)
    assert calls.filter(method=RANDOM_WALK)["holds"].item() == 0
    assert calls.filter(method=TWO_WINDOWS)["holds"].item() is None
    rankings = comparison.rankings_of([history()])
    assert rankings["AUC"].to_list() == [1, 0, 0, 0]
    assert all(c.is_met for c in comparison.criteria(calls, rankings))
    cells = comparison.calls_table(calls).rows.row(0, named=True)
    assert cells[OURS] == "100.0 %; 100 / 100 / 0 of 240"
    assert cells[TWO_WINDOWS] == "0.0 %"
    assert comparison.rankings_table(rankings).rows[OURS].item() == "1.000 / .000"


def test_comparison_reports_where_another_method_is_better() -> None:
    worse = history()
    swapped = replace(
        worse,
        calls={**worse.calls, OURS: worse.calls[RANDOM_WALK], RANDOM_WALK: worse.calls[OURS]},
        scores={**worse.scores, OURS: -worse.growth, "MACD": worse.growth},
    )
    criteria = comparison.criteria(
        comparison.calls_of([swapped]), comparison.rankings_of([swapped])
    )
    assert [c.is_met for c in criteria] == [False, True, True, False, False]
    assert "p month, half-year (0.0%, not 100.0%)" in criteria[0].result
    assert "MACD (+1.000)" in criteria[3].result


def test_reliability_by_bin() -> None:
    good = replace(history(), probability=np.where(history().growth > 0, 0.96, 0.04))
    found = reliability.bins(good)
    assert found.select("bin", "rows", "observed").rows() == [(0, 120, 0.0), (9, 120, 1.0)]
    assert found["stated"].to_list() == pytest.approx([0.04, 0.96])
    assert reliability.criterion(found).is_met
    assert reliability.table(found).rows["0.9 to 1.0"].item() == "96 / 100 (120)"
    far = reliability.bins(replace(history(), probability=np.full((6, 40), 0.42)))
    assert reliability.table(far).rows["0.4 to 0.5"].item() == "42 / 50 (240) *"
    assert (
        reliability.criterion(far).result == "0 of 1 bins; farther in p month, half-year (1 of 1)"
    )
    assert reliability.line(found).endswith("in 2 of 2 bins with 100 rows.")
    assert reliability.line(far).endswith("in 0 of 1 bins with 100 rows.")  # higher than stated
    high = reliability.bins(replace(history(), probability=np.full((6, 40), 0.58)))
    assert reliability.line(high).endswith("in 1 of the other 1 topics are lower than stated.")
    few = replace(history(), n_before=np.full((6, 40), 9.0))
    assert reliability.bins(few).is_empty()
    assert reliability.line(reliability.bins(few)) == ""


def verdicts(**changed: object) -> pl.DataFrame:
    row = {
        "population": "hf_daily", "grain": "week", "horizon": "year", "with outcome": 40,
        "holds": 0.95, "noise": 0.5, "continues": 0.6, "likely": 30, "likely holds": 0.7,
    } | changed  # fmt: skip
    return pl.DataFrame([row, row | {"grain": "month", "with outcome": 12, "holds": 0.5}])


@pytest.mark.parametrize(
    ("changed", "trust"),
    [
        ({}, "reliable"),
        ({"holds": 0.919}, "mostly right"),
        ({"holds": 0.79}, "weak"),
    ],
)
def test_summary_says_how_far_to_trust(changed: dict[str, object], trust: str) -> None:
    (line,) = summary.lines(verdicts(**changed))
    assert line.startswith(f"- **`hf_daily`, a year: {trust}.** ")
    assert line.endswith("of 40 by week hold (noise 50%); 60% continue. Too few by month 12.")


def test_summary_without_enough_verdicts() -> None:
    few = verdicts(**{"with outcome": 29})
    (line,) = summary.lines(few)
    assert "not known" in line
    assert "the largest has 29" in line
    assert "a year 70%" in summary.likely_line(few)
    assert summary.likely_line(verdicts(likely=29)) == ""
    quarter = verdicts().with_columns(horizon=pl.lit("quarter"))
    both = pl.concat([few, quarter])
    assert [line.split(":")[1].split(".")[0] for line in summary.lines(both)] == [
        " too few to say",
        " reliable",
    ]


def judged(**changed: object) -> pl.DataFrame:
    """Two quarters of the topic of the known rise."""
    columns: dict[str, object] = {}
    for h in HORIZONS:
        columns |= {f"{h}_verdict": "rising", f"{h}_growth_low": 0.1, f"{h}_growth_high": 0.4}
    rows = [
        {"population": "hf_daily", "grain": "quarter", "period_start_on": day,
         "series_id": "llm-agents", "level": 0.1, **columns, **changed}
        for day in (date(2025, 7, 1), date(2025, 10, 1))
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_labels_that_contradict_their_interval_are_counted() -> None:
    assert statements.contradictions(judged()) == 0
    assert statements.contradictions(judged(year_growth_low=0.0)) == 2
    assert statements.contradictions(judged(year_verdict="falling")) == 2
    assert statements.contradictions(judged(year_verdict="flat")) == 2
    assert statements.contradictions(judged(year_verdict="unclear")) == 0
    assert not statements.criteria(judged(year_growth_low=-0.1))[0].is_met


def test_a_known_rise_is_called_in_time() -> None:
    assert statements.criteria(judged())[1].is_met
    late = judged().with_columns(
        year_verdict=pl.Series(["likely_rising", "rising"]),
    )
    assert not statements.criteria(late)[1].is_met
    assert "first called in the quarter of 2025-10-01" in statements.criteria(late)[1].result
    assert "no quarter" in statements.criteria(judged(year_verdict="flat"))[1].result
    early = judged().filter(pl.col("period_start_on") < date(2025, 9, 1))
    assert len(statements.criteria(early)) == 1  # the history ends before that day
