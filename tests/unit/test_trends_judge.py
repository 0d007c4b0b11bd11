"""`judge`: invalid input, invariants of every row, comparability, and panels of categories."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars import selectors
from polars.testing import assert_frame_equal

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.trends import judge
from pipelines.trends.changes import CALLED, CALLED_MEAN, FLAT_WITHIN, HORIZONS, LIKELY
from pipelines.trends.grids import INPUT_SCHEMA, KEYS, TRUNCATE
from pipelines.trends.judging import (
    CHANGE_SCHEMA,
    JUDGED_COLUMNS,
    OUTPUT_SCHEMA,
    PRIMARY_HORIZON,
)
from tests.unit.trend_frames import STARTS, frame, frames

pytestmark = pytest.mark.unit

SLOW = settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
CALLS = ["rising", "falling"]
LIKELY_CALLS = ["likely_rising", "likely_falling"]


def test_the_dbt_macro_lists_the_judged_columns() -> None:
    text = "".join(path.read_text() for path in (DBT_PROJECT_DIR / "macros").glob("*.sql"))
    (macro,) = re.findall(r"{% macro trend_columns\(.*?{%- endmacro %}", text, re.DOTALL)
    listed = re.findall(r"^ *{{ series }}\.(\w+),?$", macro, re.MULTILINE)
    one_horizon = [name for name in JUDGED_COLUMNS if not name.startswith(tuple(HORIZONS))]
    assert sorted(set(listed) & set(JUDGED_COLUMNS)) == sorted(one_horizon)


def last(judged: pl.DataFrame, series: str = "topic") -> dict[str, object]:
    return judged.filter(pl.col("series_id") == series).sort("period_start_on").row(-1, named=True)


def by_month(rows: pl.DataFrame, series: str, column: str) -> list[object]:
    of = rows.filter(pl.col("series_id") == series, pl.col("grain") == "month")
    return of.sort("period_start_on")[column].to_list()


def all_grains(weeks: pl.DataFrame) -> pl.DataFrame:
    """Weeks, and their sums by month and quarter of the week's first day."""
    conditions = [name for name in ("complete_share", "text_share") if name in weeks.columns]
    parts = [weeks]
    for grain in ("month", "quarter"):
        start = pl.col("period_start_on").dt.truncate(TRUNCATE[grain])
        parts.append(
            weeks.group_by("population", pl.lit(grain).alias("grain"), start, "series_id")
            .agg(
                pl.col("n_papers", "n_total").sum(), pl.col("is_partial").all(),
                pl.col(conditions).mean(),
            )
            .select(weeks.columns)
        )  # fmt: skip
    return pl.concat(parts)


@st.composite
def histories(draw: st.DrawFn) -> pl.DataFrame:
    """Two years and more in all grains, with changes, partial weeks and a late series."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    n_weeks, n_series = draw(st.integers(60, 110)), draw(st.integers(1, 5))
    size = draw(st.sampled_from([20, 90, 800]))
    sd = draw(st.sampled_from([0.0, 0.08, 0.2]))
    odds = rng.normal(-2.5, 1, n_series) + np.cumsum(rng.normal(0, sd, (n_weeks, n_series)), axis=0)
    totals = rng.poisson(size, n_weeks)
    papers = rng.binomial(totals[:, None], 1 / (1 + np.exp(-odds)))
    papers[: n_weeks // 2, 0] = 0
    share = draw(st.sampled_from([0.0, 0.05, 0.6]))
    partial = np.flatnonzero(rng.random(n_weeks) < share).tolist()
    counts = {f"s{n}": papers[:, n].tolist() for n in range(n_series)}
    weeks = frame(counts, totals.tolist(), "week", partial=partial, gaps=[n_weeks // 3])
    text = draw(st.sampled_from([1.0, 0.5]))
    late = pl.col("period_start_on") > STARTS["week"][n_weeks // 2]
    return all_grains(
        weeks.with_columns(
            complete_share=pl.when(late).then(1.0).otherwise(0.3),
            text_share=pl.when(late).then(1.0).otherwise(text),
        )
    )


def end_of() -> pl.Expr:
    """The day after a row's period."""
    start = pl.col("period_start_on")
    return (
        pl.when(grain="week").then(start.dt.offset_by("1w"))
        .when(grain="month").then(start.dt.offset_by("1mo"))
        .otherwise(start.dt.offset_by("3mo"))
    )  # fmt: skip


def check_rows(judged: pl.DataFrame) -> None:
    """What holds for every row and horizon: label, interval, error and dates agree."""
    for horizon in HORIZONS:
        names = {f"{horizon}_{name}": name for name in CHANGE_SCHEMA}
        rows = judged.select("population", "grain", "period_start_on", *names).rename(names)
        stated = rows.filter(pl.col("growth").is_not_null())
        up, low, high = pl.col("growth") > 0, pl.col("growth_low"), pl.col("growth_high")
        error, verdict = pl.col("sign_error"), pl.col("verdict")
        must = {
            "ordered": (low <= pl.col("growth")) & (pl.col("growth") <= high),
            "an error of one half at most": error.is_between(0, 0.5),
            "the interval excludes no change exactly where the error is small": (
                ((low > 0) | (high < 0)) == (error < CALLED)
            ),
        }
        rules = {
            "rising": low > 0,
            "falling": high < 0,
            "likely_rising": up & (error <= LIKELY),
            "likely_falling": ~up & (error <= LIKELY),
            "flat": (low <= 0) & (high >= 0) & (low > -FLAT_WITHIN) & (high < FLAT_WITHIN),
        }
        for name, rule in must.items():
            assert stated.filter(~rule).is_empty(), (horizon, name)
        for name, rule in rules.items():
            of = stated.filter(verdict == name)
            assert of.filter(~rule).is_empty(), (horizon, name)
            assert rows.filter(verdict == name).height == of.height
        wide = stated.filter(verdict == "unclear", pl.col("verdict_reason") == "wide_interval")
        assert wide.filter(error <= LIKELY).is_empty()
        called = stated.filter(verdict.is_in(CALLS))
        families = called.group_by("population", "grain", "period_start_on").agg(error.mean())
        assert families.filter(error > CALLED_MEAN).is_empty()
        moved = stated.filter(verdict.is_in([*CALLS, *LIKELY_CALLS]))
        dates = ["began_from_on", "began_on", "began_to_on"]
        assert moved.select(pl.col(dates).null_count().sum()).row(0) == (0, 0, 0)
        assert moved.filter(
            ~(pl.col("began_from_on") <= pl.col("began_on"))
            | ~(pl.col("began_on") <= pl.col("began_to_on"))
        ).is_empty()
        still = rows.filter(~verdict.is_in([*CALLS, *LIKELY_CALLS]))
        assert still.select(pl.col(dates).is_not_null().any()).row(0) == (False,) * 3
        assert rows.filter(pl.col("growth").is_null(), verdict != "not_comparable").is_empty()


@SLOW
@given(st.one_of(frames(), histories()))
def test_every_row_is_finite_and_free_of_contradictions(counts: pl.DataFrame) -> None:
    judged = judge(counts)
    assert judged.schema == pl.Schema(OUTPUT_SCHEMA)
    assert_frame_equal(judged.select(KEYS), counts.select(KEYS).sort(KEYS))
    assert judged.select((~selectors.float().is_finite()).any()).sum_horizontal().sum() == 0
    assert judged.filter(
        (pl.col("level_low") > pl.col("level")) | (pl.col("level") > pl.col("level_high"))
    ).is_empty()
    for name in ("level", "level_low", "level_high", "level_before"):
        assert judged[name].drop_nulls().is_between(0, 1 if name != "level_before" else 2).all()
    check_rows(judged)


@SLOW
@given(st.one_of(frames(), histories()))
def test_columns_without_a_prefix_are_those_of_the_primary_horizon(counts: pl.DataFrame) -> None:
    for (grain,), rows in judge(counts).group_by("grain"):
        horizon = PRIMARY_HORIZON[str(grain)]
        assert set(rows["horizon"]) == {horizon}
        for name in CHANGE_SCHEMA:
            assert rows[name].equals(rows[f"{horizon}_{name}"], null_equal=True)
        ratio = rows.drop_nulls("growth")
        expected = (ratio["level"] / ratio["level_before"]).log()
        assert np.allclose(expected, ratio["growth"], atol=1e-9)


@SLOW
@given(st.one_of(frames(), histories()), st.floats(0.2, 0.95))
def test_later_periods_change_no_bit_of_earlier_ones(counts: pl.DataFrame, part: float) -> None:
    days = counts.select(end_of())[:, 0].unique().sort()
    if not days.len():
        return
    past = end_of() <= days[int(part * (days.len() - 1))]
    assert judge(counts.filter(past)).equals(judge(counts).filter(past))


@SLOW
@given(st.one_of(frames(), histories()))
def test_row_order_and_unseen_series_change_no_bit(counts: pl.DataFrame) -> None:
    judged = judge(counts)
    assert judge(counts.sample(fraction=1.0, shuffle=True, seed=1)).equals(judged)
    periods = counts.drop("series_id", "n_papers").unique(
        ["population", "grain", "period_start_on"]
    )
    for name in ("a", "s0a"):
        unseen = periods.with_columns(series_id=pl.lit(name), n_papers=pl.lit(0, pl.Int64))
        more = judge(pl.concat([counts, unseen.select(counts.columns)]))
        assert more.filter(pl.col("series_id") != name).equals(judged)


def test_empty() -> None:
    judged = judge(pl.DataFrame(schema=INPUT_SCHEMA))
    assert judged.is_empty()
    assert judged.schema == pl.Schema(OUTPUT_SCHEMA)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"n_papers": pl.lit(-1)}, "a count is negative", id="negative"),
        pytest.param({"n_papers": pl.lit(101)}, "greater than n_total", id="more than all"),
        pytest.param({"grain": pl.lit("day")}, "grain must be one of", id="grain"),
        pytest.param({"is_partial": pl.lit(None)}, "a value is null", id="null"),
        pytest.param(
            {"period_start_on": pl.col("period_start_on") + pl.duration(days=1)},
            "is not the first day of its period",
            id="not the first day",
        ),
        pytest.param(
            {"period_start_on": pl.lit(dt.date(2020, 1, 1))}, "duplicate rows", id="twice"
        ),
    ],
)
def test_bad_input(change: dict[str, pl.Expr], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(frame({"topic": [1, 2, 3]}).with_columns(**change))


def test_missing_columns() -> None:
    with pytest.raises(ValueError, match="missing columns: n_total, is_partial"):
        judge(frame({"topic": [1]}).drop("n_total", "is_partial"))


def test_one_paper_and_one_period() -> None:
    row = last(judge(frame({"topic": [1]}, totals=1)))
    assert row["verdict"] == "not_comparable"
    assert row["verdict_reason"] == "short_history"
    assert row["growth"] is None
    assert 0 < row["level_low"] < row["level"] < row["level_high"] < 1  # type: ignore[operator]
    assert row["first_seen_on"] == STARTS["month"][0]


def test_a_topic_of_every_paper_is_flat() -> None:
    row = last(judge(frame({"topic": [100] * 30, "other": [3] * 30})))
    assert row["verdict"] == "flat"
    assert row["verdict_reason"] == "small_change"
    assert row["level"] > 0.97  # type: ignore[operator]


@pytest.mark.parametrize(
    ("after", "verdict"), [(20, "rising"), (3, "falling")], ids=["doubled", "a third"]
)
def test_a_lasting_change_is_called_over_each_horizon_that_contains_it(
    after: int, verdict: str
) -> None:
    rng = np.random.default_rng(1)
    before = rng.binomial(1_000, 0.1, 22).tolist()
    later = rng.binomial(1_000, after / 100, 6).tolist()
    others = {f"s{n}": rng.binomial(1_000, 0.1, 28).tolist() for n in range(12)}
    row = last(judge(frame({"topic": before + later, **others}, 1_000)))
    assert [row[f"{h}_verdict"] for h in ("half_year", "year")] == [verdict] * 2
    assert row["quarter_verdict"] != verdict
    assert row["verdict_reason"] == "certain"
    assert STARTS["month"][22] <= row["began_on"] <= STARTS["month"][25]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"partial": [29]}, "partial"),
        ({"partial": [28]}, "small_change"),
        ({"gaps": [26, 27]}, "small_change"),
    ],
)
def test_gaps_and_partial_periods(options: dict[str, list[int]], reason: str) -> None:
    """The levels bridge them; a partial period itself has no verdict and no level."""
    counts = frame({"topic": [100] * 30, "other": [3] * 30}, 1_000, **options)  # type: ignore[arg-type]
    row = last(judge(counts))
    assert row["verdict_reason"] == reason
    assert (row["level"] is None) == (reason == "partial")


def test_a_period_without_papers_has_no_level() -> None:
    row = last(judge(frame({"topic": [5] * 30 + [0]}, [100] * 30 + [0])))
    assert row["level"] is None
    assert row["verdict_reason"] == "no_data"


def test_a_horizon_beyond_the_history_is_not_comparable() -> None:
    rows = judge(frame({"topic": [30] * 14}, 100))
    assert by_month(rows, "topic", "year_verdict_reason")[:12] == ["short_history"] * 12
    assert by_month(rows, "topic", "year_growth")[:12] == [None] * 12
    assert None not in by_month(rows, "topic", "year_growth")[12:]


def test_few_papers_are_unclear() -> None:
    counts = frame({"few": [0] * 20 + [1] * 9, "topic": [30] * 29}, 100)
    row = last(judge(counts), "few")
    assert (row["verdict"], row["verdict_reason"]) == ("unclear", "few_papers")
    least = last(judge(counts, min_papers_to_date=1_000))
    assert (least["verdict"], least["verdict_reason"]) == ("unclear", "few_papers")


def test_periods_with_other_text_are_not_comparable() -> None:
    """Titles alone match fewer rules than abstracts."""
    counts = frame({"topic": [10] * 30, "other": [3] * 30}).with_columns(
        text_share=pl.when(pl.col("period_start_on") < STARTS["month"][15]).then(0.1).otherwise(1.0)
    )
    reasons = by_month(judge(counts), "topic", "half_year_verdict_reason")
    assert reasons[15:21] == ["text_differs"] * 6
    assert "text_differs" not in [*reasons[:15], *reasons[21:]]


def by_category(**shares: list[float | None]) -> pl.DataFrame:
    """`arxiv` and its categories: per category the share of `topic` in each month, or no capture.

    Twelve more topics are constant.
    """
    rng = np.random.default_rng(8)
    sizes = {"cs_CV": 1_500, "cs_CL": 900, "cs_LG": 800}
    parts = []
    for name, values in shares.items():
        n = sizes[name]
        gaps = [at for at, share in enumerate(values) if share is None]
        counts = {"topic": rng.binomial(n, [share or 0 for share in values]).tolist()}
        for other in range(12):
            counts[f"s{other}"] = rng.binomial(n, 0.02 + 0.01 * other, len(values)).tolist()
        part = frame(counts, n, gaps=gaps)
        parts.append(part.with_columns(population=pl.lit("arxiv." + name.replace("_", "."))))
    whole = (
        pl.concat(parts)
        .group_by("grain", "period_start_on", "series_id")
        .agg(pl.col("n_papers", "n_total").sum(), pl.col("is_partial").any())
    )
    whole = whole.with_columns(population=pl.lit("arxiv")).select(list(INPUT_SCHEMA))
    return pl.concat([whole, *parts])


def of_arxiv(counts: pl.DataFrame) -> pl.DataFrame:
    return judge(counts).filter(population="arxiv")


MONTHS = 30
CONSTANT: dict[str, list[float | None]] = {
    "cs_CV": [0.25] * MONTHS, "cs_CL": [0.05] * MONTHS, "cs_LG": [0.10] * MONTHS,
}  # fmt: skip


@pytest.mark.parametrize("missing", [range(12), range(22, 30), range(14, 18)])
@pytest.mark.parametrize("category", ["cs_CV", "cs_CL"])
def test_a_category_captured_for_a_time_causes_no_call(category: str, missing: range) -> None:
    """The share in all papers jumps by a half; within each category nothing changes."""
    values: list[float | None] = list(CONSTANT[category])
    values[missing.start : missing.stop] = [None] * len(missing)
    counts = by_category(**(CONSTANT | {category: values}))
    raw = counts.filter(population="arxiv", series_id="topic")
    shares = (raw["n_papers"] / raw["n_total"]).to_list()
    assert max(shares) > 1.25 * min(shares)
    judged = of_arxiv(counts)
    for horizon in HORIZONS:
        of = judged.filter(pl.col(f"{horizon}_growth").is_not_null())
        assert of.filter(pl.col(f"{horizon}_verdict").is_in(CALLS)).height <= 0.02 * of.height
        topic = of.filter(series_id="topic")[f"{horizon}_growth"]
        assert topic.abs().max() < 0.08  # type: ignore[operator]


def test_losing_a_category_keeps_a_rise_in_the_others() -> None:
    rising: list[float | None] = [*[0.05] * 20, *[0.10] * 10]
    lost: list[float | None] = [*[0.25] * 24, *[None] * 6]
    both = of_arxiv(by_category(cs_CV=lost, cs_CL=rising, cs_LG=rising))
    assert last(both)["year_verdict"] in ["rising", "likely_rising"]


def test_the_number_of_papers_of_a_category_changes_no_level() -> None:
    """Three times the papers of one category: weights are fixed."""
    one = by_category(**CONSTANT)
    is_cv = pl.col("population") == "arxiv.cs.CV"
    cv = one.filter(is_cv)
    more = cv.with_columns(pl.col("n_papers", "n_total") * 3)
    rest = one.filter(~is_cv & (pl.col("population") != "arxiv"))
    parts = pl.concat([more, rest])
    whole = parts.group_by("grain", "period_start_on", "series_id").agg(
        pl.col("n_papers", "n_total").sum(), pl.col("is_partial").any()
    )
    whole = whole.with_columns(population=pl.lit("arxiv")).select(one.columns)
    before, after = last(of_arxiv(one)), last(of_arxiv(pl.concat([whole, parts])))
    assert after["level"] == pytest.approx(before["level"], rel=0.02)
    for horizon in HORIZONS:
        assert after[f"{horizon}_growth"] == pytest.approx(before[f"{horizon}_growth"], abs=0.03)


def test_a_mix_that_differs_is_refused_where_it_cannot_be_standardised() -> None:
    """A kind of series without rows by category: only `arxiv` as a whole."""
    cl: list[float | None] = [None] * 15 + [0.05] * 15
    counts = by_category(**(CONSTANT | {"cs_CL": cl}))
    whole = counts.filter(population="arxiv")
    mixes = counts.filter(pl.col("population") != "arxiv").group_by(
        "population", "grain", "period_start_on"
    ).agg(pl.col("n_total").max())  # fmt: skip
    judged = judge(whole, mixes=mixes)
    reasons = by_month(judged, "topic", "half_year_verdict_reason")
    assert reasons[15:21] == ["mix_differs"] * 6
    assert "mix_differs" not in reasons[21:]
    assert by_month(of_arxiv(counts), "topic", "half_year_verdict_reason").count("mix_differs") == 0


def test_partial_lists_have_an_offset_of_their_own() -> None:
    """Lists captured in part show a tenth more of the topic: no change is called."""
    rng = np.random.default_rng(6)
    n = 110
    part = np.arange(n) < 60
    counts = {"topic": rng.binomial(400, np.where(part, 0.22, 0.20)).tolist()}
    counts |= {f"s{k}": rng.binomial(400, 0.05 + 0.01 * k, n).tolist() for k in range(12)}
    weeks = frame(counts, 400, "week")
    known = weeks.with_columns(
        complete_share=pl.when(pl.col("period_start_on") < STARTS["week"][60])
        .then(0.0)
        .otherwise(1.0)
    )
    at = (pl.col("series_id") == "topic") & (pl.col("period_start_on") == STARTS["week"][64])
    with_offset, without = (
        judge(rows).filter(at)["quarter_growth"].item() for rows in (known, weeks)
    )
    assert abs(with_offset) < 0.05 < abs(without)
    assert judge(known).filter(at)["quarter_verdict"].item() not in CALLS


def test_pure_noise_gives_almost_no_calls() -> None:
    rng = np.random.default_rng(9)
    counts = {f"s{n}": rng.binomial(300, rng.uniform(0.01, 0.2), 105).tolist() for n in range(60)}
    judged = judge(all_grains(frame(counts, 300, "week")))
    verdict = pl.concat([judged[f"{h}_verdict"].rename("v") for h in HORIZONS])
    known = verdict.filter(verdict != "not_comparable")
    assert known.is_in(CALLS).mean() < 0.005  # type: ignore[operator]
    assert known.is_in(LIKELY_CALLS).mean() < 0.02  # type: ignore[operator]


def test_first_seen_and_emerging() -> None:
    new = [0] * 20 + [3, 8, 30, 60]
    judged = judge(frame({"new": new, "old": [9] * 24, "never": [0] * 24}, totals=500))
    ours = judged.filter(pl.col("series_id") == "new").sort("period_start_on")
    assert ours["first_seen_on"].to_list() == [None] * 20 + [STARTS["month"][20]] * 4
    assert ours["is_emerging"].to_list() == [False] * 21 + [True] * 3
    assert not judged.filter(pl.col("series_id") != "new")["is_emerging"].any()
    assert last(judged, "never")["first_seen_on"] is None


def test_nothing_emerges_in_a_short_history() -> None:
    assert not judge(frame({"new": [0] * 7 + [3, 4, 6, 9]}, totals=500))["is_emerging"].any()
