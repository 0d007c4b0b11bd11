"""`judge_series`: kinds are independent, and missing rows of team sizes are zeros."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.trends import judge
from pipelines.trends.grids import INPUT_SCHEMA, KEYS
from pipelines.trends.judging import JUDGED_COLUMNS
from pipelines.trends.series import JUDGED_SCHEMA, TEAM_KINDS, judge_series
from tests.unit.trend_frames import frame

pytestmark = pytest.mark.unit

MONTHS = 30


def of_kind(kind: str, counts: pl.DataFrame) -> pl.DataFrame:
    return counts.select(pl.lit(kind).alias("series_kind"), *INPUT_SCHEMA)


@pytest.fixture
def topics() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    counts = {f"t{n}": rng.binomial(400, 0.05 + 0.02 * n, MONTHS).tolist() for n in range(6)}
    counts["riser"] = rng.binomial(400, [0.05] * 26 + [0.2] * 4).tolist()
    return of_kind("taxonomy", frame(counts, 400))


def team_frame(kind: str, seed: int, late_share: float) -> pl.DataFrame:
    """Two topics and all papers; `rare` has a row only in months with papers of it."""
    rng = np.random.default_rng(seed)
    parts = []
    for topic, n in (("all", 900), ("rag", 300), ("rare", 1)):
        totals = rng.poisson(n, MONTHS)
        share = np.where(np.arange(MONTHS) < 26, 0.1, late_share)
        papers = rng.binomial(totals, share).tolist()
        rows = frame({topic: papers}, totals.tolist())
        parts.append(rows.filter(pl.col("n_total") > 0))
    return of_kind(kind, pl.concat(parts))


def last_month(judged: pl.DataFrame, kind: str) -> dict[str, str]:
    rows = judged.filter(pl.col("series_kind") == kind)
    newest = rows.filter(pl.col("period_start_on") == pl.col("period_start_on").max())
    return dict(newest.select("series_id", "verdict").iter_rows())


def test_kinds_do_not_affect_each_other(topics: pl.DataFrame) -> None:
    terms = of_kind("term", frame({"w": [9] * MONTHS, "v": list(range(MONTHS))}, 400))
    both = judge_series(pl.concat([topics, terms]), min_term_papers=0)
    alone = judge(topics.drop("series_kind")).select(*KEYS, *JUDGED_COLUMNS)
    ours = both.filter(series_kind="taxonomy").select(*KEYS, *JUDGED_COLUMNS).sort(KEYS)
    assert ours.equals(alone)
    assert both.columns == [*topics.columns, *JUDGED_SCHEMA]
    assert last_month(both, "taxonomy")["riser"] == "rising"


def test_terms_need_more_papers(topics: pl.DataFrame) -> None:
    terms = topics.with_columns(series_kind=pl.lit("term"))
    free, limited = (judge_series(terms, min_term_papers=n) for n in (0, 10_000))
    assert set(free["verdict_reason"]) - {"short_history"} != {"few_papers"}
    assert set(limited["verdict_reason"]) == {"short_history", "few_papers"}
    same = judge_series(topics, min_term_papers=10_000)
    assert same["verdict"].equals(free["verdict"])


def test_team_sizes() -> None:
    counts = pl.concat([team_frame("solo", 1, 0.1), team_frame("ten_plus", 2, 0.3)])
    judged = judge_series(counts, min_term_papers=50)
    assert last_month(judged, "ten_plus")["all"] == "rising"
    assert set(last_month(judged, "solo").values()) <= {"flat", "unclear"}
    assert judged.height == counts.height


@pytest.mark.parametrize("kind", TEAM_KINDS)
def test_a_missing_row_of_team_sizes_is_no_papers(kind: str) -> None:
    """The same as a row of 0 of 0."""
    counts = team_frame(kind, 3, 0.2)
    n_missing = 3 * MONTHS - counts.height
    assert n_missing > 0
    every = counts.select("series_kind", *KEYS[:3]).unique().join(
        counts.select("series_id").unique(), how="cross"
    )  # fmt: skip
    full = every.join(
        counts, on=["series_kind", *KEYS], how="left", maintain_order="left"
    ).with_columns(
        pl.col("n_papers", "n_total").fill_null(0), pl.col("is_partial").fill_null(value=False)
    )
    keys = ["series_kind", *KEYS]
    given = judge_series(counts, min_term_papers=0).sort(keys)
    filled = judge_series(full.select(counts.columns), min_term_papers=0)
    assert filled.join(counts, on=keys, how="semi").sort(keys).equals(given)


def test_a_topic_without_weeks_of_team_sizes_has_months() -> None:
    """A paper with a known month, but no known day, counts in months only."""
    months = team_frame("solo", 4, 0.2).with_columns(pl.col("period_start_on").dt.offset_by("8y"))
    weeks = of_kind("solo", frame({"all": [40] * 130, "rag": [9] * 130}, 400, grain="week"))
    judged = judge_series(pl.concat([months, weeks]), min_term_papers=0)
    assert judged.height == months.height + weeks.height
    rare = judged.filter(series_id="rare")
    assert set(rare["grain"]) == {"month"}
    assert rare["verdict"].null_count() == 0


def test_nothing() -> None:
    empty = pl.DataFrame(schema={"series_kind": pl.String(), **INPUT_SCHEMA})
    judged = judge_series(empty, min_term_papers=5)
    assert judged.schema == pl.Schema({**empty.schema, **JUDGED_SCHEMA})
