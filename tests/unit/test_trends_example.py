"""The example of docs/methodology.md, section "An example by hand", computed by the code."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.settings import PROJECT_ROOT
from pipelines.trends import levels
from pipelines.trends.components import Components
from pipelines.trends.levels import Step, follow

pytestmark = pytest.mark.unit

PARTS = Components(
    decay=0.9, jump=np.array([0.001]), start=np.array([0.0025]), noise=np.array([0.02])
)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    monkeypatch.setattr(levels, "START_MEAN", -3.0)
    monkeypatch.setattr(levels, "START_VARIANCE", 0.09)
    papers, totals = np.array([[12.0], [14.0]]), np.array([[100.0], [100.0]])
    return list(follow(papers, totals, np.zeros(2), PARTS, 1))


def test_the_filter_gives_the_figures_of_the_example(steps: list[Step]) -> None:
    first, second = (step.state for step in steps)
    assert (first.level.item(), first.p_xx.item()) == pytest.approx((-2.598, 0.0581), abs=5e-4)
    assert (second.level.item(), second.p_xx.item()) == pytest.approx((-2.328, 0.0423), abs=5e-4)
    assert second.slope.item() == pytest.approx(0.0099, abs=5e-5)


def test_the_earlier_level_has_the_figures_of_the_example(steps: list[Step]) -> None:
    state, past = steps[1].state, steps[1].earlier
    change = state.level - past.level[0]
    variance = state.p_xx + past.variance[0] - 2 * past.with_level[0]
    assert past.level.item() == pytest.approx(-2.343, abs=5e-4)
    assert (change.item(), np.sqrt(variance).item()) == pytest.approx((0.015, 0.059), abs=1e-3)


@pytest.mark.parametrize(
    "figure", ["−2.598", "0.0581", "−2.328", "0.0423", "0.0099", "−2.343", "0.015", "0.059"]
)
def test_the_page_states_these_figures(figure: str) -> None:
    page = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    section = page.partition("### An example by hand")[2].partition("\n### ")[0]
    assert figure in section
