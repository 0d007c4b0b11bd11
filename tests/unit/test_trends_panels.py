"""Panels: base grains, gaps, cells, and weights as of each period."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from pipelines.trends.grids import check, grids
from pipelines.trends.panels import CATEGORY_WEIGHTS, Panel, base_grain, mixes_of, panel_of
from tests.unit.trend_frames import frame

pytestmark = pytest.mark.unit

YEARS_LATER = 30_000


def panel(counts: pl.DataFrame, population: str = "field", grain: str = "month") -> Panel:
    checked = check(counts)
    return panel_of(checked, population, grain, mixes_of(checked))


def all_grains(partial_weeks: list[int]) -> pl.DataFrame:
    """Two years in weeks and months of a population."""
    weeks = frame({"a": [3] * 104}, 50, "week", partial=partial_weeks)
    months = frame({"a": [12] * 24}, 200).with_columns(
        period_start_on=pl.col("period_start_on").dt.offset_by("8y")
    )
    return pl.concat([weeks, months])


@pytest.mark.parametrize(
    ("partial", "grain"), [(range(52), "week"), (range(53), "month"), (range(104), "month")]
)
def test_the_base_is_the_finest_grain_with_enough_complete_periods(
    partial: range, grain: str
) -> None:
    parts = list(grids(check(all_grains(list(partial)))))
    assert base_grain(parts, YEARS_LATER) == grain


def test_the_base_grain_as_of_a_day_ignores_later_periods() -> None:
    """The first year of weeks is complete, the second partial."""
    counts = all_grains(list(range(51, 104)))
    parts = list(grids(check(counts)))
    day = (dt.date(2023, 12, 1) - dt.date(1970, 1, 1)).days
    assert base_grain(parts, day) == "week"
    assert base_grain(parts, YEARS_LATER) == "month"
    assert base_grain(parts, 0) is None


def test_without_complete_periods_the_grain_with_most_is_the_base() -> None:
    quarters = frame({"a": [30] * 8}, 500, "quarter", partial=list(range(1, 8)))
    months = frame({"a": [12] * 24}, 200, partial=list(range(24)))
    assert base_grain(list(grids(check(pl.concat([quarters, months])))), YEARS_LATER) == "quarter"


def test_gaps_and_partial_periods_are_unobserved() -> None:
    got = panel(frame({"a": [1, 2, 3, 4, 5], "b": [9] * 5}, 50, partial=[1], gaps=[3]))
    assert got.series == ["a", "b"]
    assert got.n_total[:, 0].tolist() == [[50, 50], [0, 0], [50, 50], [0, 0], [50, 50]]
    assert got.n_papers[:, 0, 0].tolist() == [1, 0, 3, 0, 5]
    assert got.is_observed.tolist() == [True, False, True, False, True]
    assert not got.is_standardised


def test_conditions_of_data_collection() -> None:
    counts = frame({"a": [1] * 3, "b": [2] * 3}, 50).with_columns(
        complete_share=pl.Series([0.25, 1.0, None] * 2), text_share=pl.Series([0.5, None, 1.0] * 2)
    )
    got = panel(counts)
    assert got.part_share.tolist() == [0.75, 0.0, 0.0]  # unknown counts as complete
    assert got.text_share[[0, 2]].tolist() == [0.5, 1.0]
    assert np.isnan(got.text_share[1])


def by_category(**counts: list[int]) -> pl.DataFrame:
    """`arxiv` and its categories, 100 papers of each in a month; -1 where not captured."""
    parts = []
    for name, values in counts.items():
        population = "arxiv." + name.replace("_", ".")
        gaps = [at for at, n in enumerate(values) if n < 0]
        part = frame({"a": [max(n, 0) for n in values]}, 100, gaps=gaps)
        parts.append(part.with_columns(population=pl.lit(population)))
    whole = (
        pl.concat(parts)
        .group_by("grain", "period_start_on", "series_id")
        .agg(pl.col("n_papers", "n_total").sum(), pl.col("is_partial").any())
    )
    whole = whole.with_columns(population=pl.lit("arxiv")).select(parts[0].columns)
    return pl.concat([whole, *parts])


def test_categories_are_the_cells_of_arxiv() -> None:
    got = panel(by_category(cs_CV=[10, 20, 30], cs_CL=[5, 5, 5], cs_XX=[99, 99, 99]), "arxiv")
    assert got.is_standardised
    assert got.n_papers[:, :, 0].tolist() == [[10, 5], [20, 5], [30, 5]]
    ratio = CATEGORY_WEIGHTS["arxiv.cs.CV"] / CATEGORY_WEIGHTS["arxiv.cs.CL"]
    assert got.standards[-1].sum() == pytest.approx(1)
    assert got.standards[-1][0] / got.standards[-1][1] == pytest.approx(ratio)
    alone = panel(by_category(cs_CV=[10, 20, 30]), "arxiv.cs.CV")
    assert not alone.is_standardised


def test_a_category_has_a_weight_from_its_first_capture_on() -> None:
    got = panel(by_category(cs_CV=[10, 20, 30, 40], cs_CL=[-1, -1, 5, -1]), "arxiv")
    assert (got.standards[:, 1] > 0).tolist() == [False, False, True, True]
    assert got.standards.sum(axis=1) == pytest.approx(1)
    late = panel(by_category(cs_CV=[-1, 20], cs_RO=[4, 4]), "arxiv").standards
    assert late[0].tolist() == [0, 1]


def test_the_mix_of_categories() -> None:
    got = panel(by_category(cs_CV=[10, 20], cs_CL=[-1, 5]), "arxiv")
    names = list(CATEGORY_WEIGHTS)
    cv, cl = names.index("arxiv.cs.CV"), names.index("arxiv.cs.CL")
    assert got.mix[:, [cv, cl]].tolist() == [[1, 0], [0.5, 0.5]]
    assert panel(frame({"a": [1, 2]}, 50)).mix.shape == (2, 0)
