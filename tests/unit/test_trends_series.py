"""All series judged in one pass give what each kind gives alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.trends import judge
from pipelines.trends.grids import KEYS
from pipelines.trends.series import JUDGED_SCHEMA, judge_series
from pipelines.trends.teams import judge_shares
from pipelines.trends.verdicts import GROWTH_COLUMNS
from tests.unit.trend_frames import frame

pytestmark = pytest.mark.unit

MIN_TERM_PAPERS = 20


def counts(seed: int, share: float) -> pl.DataFrame:
    """Three series over 14 months; the first one grows in the last two."""
    random = np.random.default_rng(seed)
    series = {
        name: [
            int(random.binomial(400, share * (2 if grows and at > 11 else 1))) for at in range(14)
        ]
        for name, grows in (("x", True), ("y", False), ("z", False))
    }
    return frame(series, totals=400)


@pytest.fixture
def kinds() -> dict[str, pl.DataFrame]:
    return {
        "taxonomy": counts(1, 0.1),
        "discovered": counts(2, 0.05),
        "term": counts(3, 0.005),
        "solo": counts(4, 0.1),
        "ten_plus": counts(5, 0.2),
    }


def test_each_kind_is_judged_as_if_alone(kinds: dict[str, pl.DataFrame]) -> None:
    counted = pl.concat([part.with_columns(series_kind=pl.lit(k)) for k, part in kinds.items()])
    judged = judge_series(counted, min_term_papers=MIN_TERM_PAPERS)
    assert judged.columns == [*counted.columns, *JUDGED_SCHEMA]
    keys = ["series_kind", *KEYS]
    assert_frame_equal(judged.select(counted.columns), counted, check_row_order=False)
    assert judged.select(keys).is_duplicated().sum() == 0
    for kind, part in kinds.items():
        found = judged.filter(pl.col("series_kind") == kind).sort(KEYS)
        if kind in ("solo", "ten_plus"):
            alone = judge_shares(part).sort(KEYS)
            assert found["burst_level"].null_count() == found.height
            names = [*KEYS, *GROWTH_COLUMNS]
        else:
            least = MIN_TERM_PAPERS if kind == "term" else 0
            alone = judge(part, min_papers_to_date=least)
            names = [*KEYS, *JUDGED_SCHEMA]
        assert_frame_equal(found.select(names), alone.select(names))
    assert set(judged["verdict"]) >= {"rising", "insufficient"}


def test_terms_with_few_papers_are_not_tested(kinds: dict[str, pl.DataFrame]) -> None:
    terms = kinds["term"].with_columns(series_kind=pl.lit("term"))
    n_tested = [
        judge_series(terms, min_term_papers=n)["p_value"].count() for n in (0, MIN_TERM_PAPERS)
    ]
    assert n_tested[0] > n_tested[1]


def test_no_series_give_no_rows() -> None:
    empty = frame({}).with_columns(series_kind=pl.lit("term"))
    judged = judge_series(empty, min_term_papers=MIN_TERM_PAPERS)
    assert judged.height == 0
    assert judged.select(list(JUDGED_SCHEMA)).schema == JUDGED_SCHEMA
