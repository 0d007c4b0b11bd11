"""The measured odds of verdicts: where they come from, and what pages say about them."""

from __future__ import annotations

import csv
import io

import pytest

from dashboards import odds
from dashboards.formats import NBSP, NO_VALUE
from pipelines.errors import UsageError
from pipelines.tools import measured_odds

pytestmark = pytest.mark.dashboards

MANY = odds.Odds(96, 0.9375, 0.785, 0.984, 0.483, 0.542, 72, 0.722)
FEW = odds.Odds(29, 1.0, 0.8, 1.0, None, 0.5, 29, 0.9)


def test_the_file_has_the_figures_of_the_report() -> None:
    """The pages show the odds of docs/evaluation.md; `make docs` copies them."""
    report = measured_odds.REPORT.read_text("utf-8")
    assert odds.FILE.read_text("utf-8") == measured_odds.odds_csv(report), "run: make docs"
    table = report.partition(measured_odds.CAPTION)[2].strip().partition("\n\n")[0]
    names, _, *lines = ([c.strip() for c in row.split("|")[1:-1]] for row in table.splitlines())
    assert len(lines) > 0
    for line in lines:
        row = dict(zip(names, line, strict=True))
        found = odds.measured(row["population"], row["grain"], row["horizon"])
        assert found
        shown = [found.holds, found.continues, found.likely_holds, found.noise]
        for value, name in zip(shown, ("holds", "continues", "likely holds", "noise"), strict=True):
            assert (NO_VALUE if value is None else f"{value:.3f}") == row[name]
        assert f"{found.n_called:,}" == row["with outcome"]


def test_thousands_and_missing_values_are_read() -> None:
    names = list(measured_odds.COLUMNS)
    values = ["hf_daily", "week", "year", "1,234", "40", "0.9", *["–"] * 4, "0", "–"]
    report = (
        f"text\n\n{measured_odds.CAPTION}\n\n| {' | '.join(names)} |\n| --- |\n"
        f"| {' | '.join(values)} |\n\nmore | text |\n"
    )
    (row,) = csv.DictReader(io.StringIO(measured_odds.odds_csv(report)))
    assert row["n_called"] == "1234"
    assert row["holds_low"] == row["likely_holds"] == ""


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("# Evaluation\n", "no table"),
        (f"{measured_odds.CAPTION}\n\n| population |\n| --- |\n| arxiv |\n", "no column “grain”"),
    ],
    ids=["no table", "no column"],
)
def test_a_report_without_the_figures_is_refused(report: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        measured_odds.odds_csv(report)


@pytest.mark.parametrize(
    ("found", "verdict", "holds", "continues"),
    [
        (MANY, "rising", f"94{NBSP}% (78–98{NBSP}%)", f"54{NBSP}%"),
        (MANY, "likely_falling", f"72{NBSP}%", NO_VALUE),
        (FEW, "falling", odds.TOO_FEW, odds.TOO_FEW),
        (FEW, "likely_rising", odds.TOO_FEW, NO_VALUE),
        (None, "rising", odds.TOO_FEW, odds.TOO_FEW),
        (MANY, "flat", NO_VALUE, NO_VALUE),
    ],
    ids=["called", "likely", "few called", "few likely", "not measured", "flat"],
)
def test_cells(found: odds.Odds | None, verdict: str, holds: str, continues: str) -> None:
    assert odds.holds(found, verdict) == holds
    assert odds.continues(found, verdict) == continues


def test_sentences_say_what_is_known() -> None:
    called = odds.sentence(MANY, "falling", "half_year")
    assert "of 96 verdicts rising or falling over half a year of" in called
    assert f"94{NBSP}% (78–98{NBSP}%) held" in called
    assert f"half a year earlier (48{NBSP}% by chance)" in called
    assert f"54{NBSP}% continued" in called
    assert "of 72 verdicts likely rising or falling over a year" in odds.sentence(
        MANY, "likely_rising", "year"
    )
    assert "fewer than 30 verdicts rising" in odds.sentence(FEW, "rising", "year")
    assert "fewer than 30 verdicts likely" in odds.sentence(None, "likely_falling", "year")
    assert odds.sentence(MANY, "unclear", "year") == ""
