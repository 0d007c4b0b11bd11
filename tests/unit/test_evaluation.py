"""The evaluation: each criterion is met on good input, and not met when it should fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.evaluation import (
    backtest,
    coverage,
    histories,
    placebo,
    power,
    run,
    taxonomy,
)
from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.intervals import bootstrap, wilson
from pipelines.evaluation.report import Criterion, Part, Table, markdown, markdown_table
from pipelines.trends.grids import Grid
from pipelines.trends.growth import MAX_CHANGE, Growth, grow
from pipelines.trends.verdicts import judge_growth
from tests.unit.evaluated import TOPICS, evidence

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def made() -> Evidence:
    return evidence()


@pytest.fixture(scope="module")
def empty(made: Evidence) -> Evidence:
    return replace(
        made,
        members=made.members.clear(),
        topics=made.topics.clear(),
        periods=made.periods.clear(),
        trends=made.trends.clear(),
        papers=made.papers.clear(),
    )


def met(part: Part) -> list[bool]:
    assert not part.skipped
    return [criterion.is_met for criterion in part.criteria]


@pytest.mark.parametrize("name", run.PARTS)
def test_nothing_to_measure_is_reported_without_error(name: str, empty: Evidence) -> None:
    part = run.PARTS[name](empty, seed=0)
    assert part.skipped
    assert not part.criteria


def test_counts_are_those_of_the_papers(made: Evidence) -> None:
    month = count(made, "hf_daily", "month")
    assert month is not None
    published = made.trends.filter(grain="month", series_id="topic-0").sort("period_start_on")
    column = made.trends.filter(grain="month")["series_id"].unique().sort().to_list()
    assert (
        month.grid.n_papers[:, column.index("topic-0")].tolist() == published["n_papers"].to_list()
    )
    assert np.array_equal(month.count(month.period), month.grid.n_papers)
    assert count(made, "arxiv", "month") is None


def test_placebo_keeps_the_rate(made: Evidence) -> None:
    part = placebo.evaluate(made, n_permutations=20)
    assert all(met(part))
    rows = part.tables[0].rows
    assert rows["grain"].to_list() == ["week", "month", "quarter"]
    assert rows["tested rows"].min() > 100


def test_placebo_detects_a_rule_without_a_test(
    made: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untested(grid: object, growth: Growth) -> dict[str, object]:
        return judge_growth(grid, growth) | {  # type: ignore[arg-type]
            "verdict": np.where(growth.growth > 0.2, "rising", "flat")
        }

    monkeypatch.setattr(placebo, "judge_growth", untested)
    assert not placebo.evaluate(made, n_permutations=5).criteria[0].is_met


def test_power_grows_with_papers_and_factor(made: Evidence) -> None:
    part = power.evaluate(made, n_series=25)
    cells = part.tables[0].rows
    share = cells.with_columns(pl.selectors.starts_with("n = ").str.extract(r"^(\d+) %").cast(int))
    quick = share.filter(weeks=4)["n = 5"].to_list()
    assert quick == sorted(quick)
    assert quick[-1] >= 90
    assert share["n = 500"].null_count() == share.height  # 32 papers a week hold no 500
    assert part.criteria[1].is_met


def test_coverage_detects_intervals_that_are_too_narrow(
    made: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(met(coverage.evaluate(made, n_histories=12)))

    def overconfident(grid: Grid) -> Growth:
        """As if there were ten times the papers."""
        found = grow(grid)
        k1, k0 = 10 * found.distribution.k1, 10 * found.distribution.k0
        return replace(found, distribution=replace(found.distribution, k1=k1, k0=k0))

    monkeypatch.setattr(coverage, "grow", overconfident)
    growth = [p for p in coverage.evaluate(made, n_histories=2).criteria if "growth" in p.statement]
    assert [p.is_met for p in growth] == [False] * 4


def test_unadjusted_intervals_of_selected_series_have_low_coverage(
    made: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = coverage.evaluate(made, n_histories=12)
    rows = part.tables[0].rows.filter(pl.col("grain") == "week")
    found = dict(rows.select("figure", "0.95").iter_rows())
    assert found[coverage.UNADJUSTED] < found[coverage.SELECTED] - 0.1
    monkeypatch.setattr(coverage, "fcr_levels", lambda selected, *_: np.full(selected.shape, 0.5))
    criteria = coverage.evaluate(made, n_histories=4).criteria
    selected = [p for p in criteria if "selected" in p.statement]
    assert [p.is_met for p in selected] == [False, False]


def test_backtest_of_a_topic_that_rose_and_stayed(made: Evidence) -> None:
    month = count(made, "hf_daily", "month")
    assert month is not None
    past = histories.history(month.grid, month.name, np.random.default_rng(0))
    column = made.trends.filter(grain="month")["series_id"].unique().sort().to_list()
    mine = past.called[:, column.index("topic-0")]
    assert mine[7:9].tolist() == [1, 1]  # two months after the rise began
    over_earlier = past.outcomes.over_earlier
    assert (over_earlier[7:9, column.index("topic-0")] > 0).all()
    assert np.isnan(over_earlier[-2:]).all()  # no next window
    assert np.isnan(over_earlier[:5]).all()  # no earlier window
    calls = {name: (backtest._calls(past, name) != 0).sum(axis=1) for name in past.scores}
    for name in ("persistence", "raw growth", "MACD"):
        assert calls[name].tolist() == calls[histories.OURS].tolist()
    part = backtest.evaluate(made)
    assert part.criteria[1].is_met
    assert [table.rows.is_empty() for table in part.tables] == [False] * 4
    # A few calls of one topic are not significant.
    assert not part.criteria[0].is_met


def test_a_call_is_not_compared_with_a_window_it_is_based_on() -> None:
    """Without a trend, nearly every call exceeds the previous window: regression to the mean."""
    rng = np.random.default_rng(3)
    n_periods, n_topics = 80, 200
    total = np.full((n_periods, n_topics), 500.0)
    grid = Grid(
        grain="month",
        starts=np.arange(n_periods, dtype=np.int64) * 30,
        ticks=np.arange(n_periods, dtype=np.int64),
        n_papers=rng.binomial(500, 0.05, total.shape).astype(np.float64),
        n_total=total,
        is_present=np.ones(total.shape, dtype=bool),
        is_partial=np.zeros(total.shape, dtype=bool),
        conditions={name: np.full(total.shape, np.nan) for name in MAX_CHANGE},
        rows=np.arange(total.size, dtype=np.int64).reshape(total.shape),
    )
    growth = grow(grid)
    outcomes = histories.outcomes_of(grid, growth)
    windows = growth.windows
    five_a_period = np.zeros(total.shape)
    five_a_period[:, :5] = 1
    calls = histories.strongest(np.where(np.isnan(outcomes.over_earlier), np.nan, growth.growth),
                               five_a_period)  # fmt: skip
    over_before = np.log(outcomes.next_share / (windows.k0 / np.maximum(windows.n0, 1)))
    is_call = calls != 0
    assert is_call.sum() > 300
    assert (np.sign(over_before) == calls)[is_call].mean() > 0.9
    assert (np.sign(outcomes.over_earlier) == calls)[is_call].mean() == pytest.approx(0.5, abs=0.08)


def test_taxonomy_against_labels_by_hand(
    made: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = made.papers["paper_id"].to_list()[:50]
    (tmp_path / "papers.csv").write_text(
        "paper_id,source\n" + "".join(f"{paper},hf_daily\n" for paper in papers)
    )
    # Core: topic-0 in all; also: topic-1 in all. Given: topic-0 in the first 40, topic-1 in the
    # first 20, topic-2 in the first 4.
    (tmp_path / "labels.csv").write_text(
        "paper_id,topic_id,grade,first_reading,second_reading\n"
        + "".join(f"{paper},topic-0,2,2,2\n{paper},topic-1,1,1,0\n" for paper in papers)
    )
    given = [(p, t) for t, n in zip(TOPICS[:3], (40, 20, 4), strict=True) for p in papers[:n]]
    monkeypatch.setattr(taxonomy, "LABELLED", tmp_path / "papers.csv")
    monkeypatch.setattr(taxonomy, "LABELS", tmp_path / "labels.csv")
    monkeypatch.setattr(taxonomy, "NEVER_GIVEN", ("topic-2",))
    part = taxonomy.evaluate(
        replace(made, topics=pl.DataFrame(given, schema=["paper_id", "topic_id"], orient="row"))
    )
    row = part.tables[0].rows.row(0, named=True)
    assert (row["assigned"], row["core"]) == (64, 50)
    assert row["precision"].startswith(f"{60 / 64:.3f} [")
    assert row["strict precision"].startswith(f"{40 / 64:.3f} [")
    assert row["recall"].startswith("0.800 [")
    assert [criterion.is_met for criterion in part.criteria[:2]] == [True, True]
    agreement = part.tables[1].rows
    assert agreement["agreement"].to_list() == [1.0, 0.5]
    worst = part.tables[2].rows.row(0, named=True)
    assert worst == {"topic_id": "topic-0", "assigned": 40, "core": 50, "wrong": 0, "missed": 10}


def test_intervals() -> None:
    low, high = wilson(45, 50)
    assert (low, high) == pytest.approx((0.7864, 0.9565), abs=1e-4)  # as printed in textbooks
    assert wilson(0, 0) == (0.0, 1.0)
    values = np.arange(100.0)
    low, high = bootstrap(100, lambda w: float(w @ values / w.sum()), seed=1)
    assert low == pytest.approx(49.5 - 1.96 * 2.89, abs=0.7)
    assert high == pytest.approx(49.5 + 1.96 * 2.89, abs=0.7)
    assert all(np.isnan(bootstrap(0, lambda w: 1.0, seed=1)))
    assert all(np.isnan(bootstrap(3, lambda w: float("nan"), seed=1)))


def test_report_shows_criteria_targets_and_skipped_parts() -> None:
    table = markdown_table(pl.DataFrame({"name|": ["a|b"], "n": [12345], "share": [0.5]}))
    assert table.splitlines() == [
        "| name\\| | n | share |",
        "| --- | ---: | ---: |",
        "| a\\|b | 12,345 | 0.500 |",
    ]
    parts = [
        Part(
            "One",
            "How.",
            [Criterion("this", "that", is_met=False)],
            [Table("Figures", pl.DataFrame())],
        ),
        Part("Two", "How.", [Criterion("more", "less", is_met=False, is_binding=False)]),
        Part("Three", "How.", skipped="no papers."),
    ]
    text = markdown(parts, [("date", "2026-01-01")], "Opening.")
    assert "| One | this | that | **no** |" in text
    assert "| Two | more | less | no (target) |" in text
    assert "**Not measured**: no papers." in text
    finished = [run.Finished(p.title, p, 1.0) for p in parts]
    assert [(title, p.statement) for title, p in run.failed(finished)] == [("One", "this")]
