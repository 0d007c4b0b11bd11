"""The example of docs/methodology.md, section "An example by hand", computed by the code."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.settings import PROJECT_ROOT
from pipelines.trends import levels
from pipelines.trends.levels import filter_levels, smooth_back

pytestmark = pytest.mark.unit

Q = np.array([0.01])


@pytest.fixture
def filtered(monkeypatch: pytest.MonkeyPatch) -> levels.Filtered:
    monkeypatch.setattr(levels, "START_MEAN", -3.0)
    monkeypatch.setattr(levels, "START_VARIANCE", 0.09)
    papers, totals = np.array([[12.0], [14.0]]), np.array([[100.0], [100.0]])
    return filter_levels(papers, totals, np.zeros((2, 1)), Q, np.array([0.02]))


def test_the_filter_gives_the_figures_of_the_example(filtered: levels.Filtered) -> None:
    assert filtered.level.ravel() == pytest.approx([-2.598, -2.309], abs=5e-4)
    assert filtered.level_variance.ravel() == pytest.approx([0.0581, 0.0451], abs=5e-5)


def test_the_smoother_gives_the_figures_of_the_example(filtered: levels.Filtered) -> None:
    (lag,) = smooth_back(filtered, 1, Q, 1)
    change = filtered.level[1] - lag.level
    variance = filtered.level_variance[1] + lag.level_variance - 2 * lag.covariance
    assert lag.level.item() == pytest.approx(-2.351, abs=5e-4)
    assert (change.item(), np.sqrt(variance).item()) == pytest.approx((0.042, 0.097), abs=1e-3)


@pytest.mark.parametrize(
    "figure", ["−2.598", "0.0581", "−2.309", "0.0451", "−2.351", "0.042", "0.097"]
)
def test_the_page_states_these_figures(figure: str) -> None:
    page = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    section = page.partition("### An example by hand")[2].partition("\n### ")[0]
    assert figure in section
