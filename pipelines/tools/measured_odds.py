"""Generates `dashboards/odds.csv` from the evaluation's report, so that the two always agree.

Belongs here: reading the report's table of verdicts, and writing the file that pages show. Does
not: measuring (`pipelines/evaluation`), or what a page says about the odds (`dashboards/odds.py`).

    python -m pipelines.tools.measured_odds            writes the file
    python -m pipelines.tools.measured_odds --check   exits with 1 if the file is outdated
"""

from __future__ import annotations

import sys

import click

from pipelines.errors import UsageError
from pipelines.settings import PROJECT_ROOT

REPORT = PROJECT_ROOT / "docs" / "evaluation.md"
ODDS = PROJECT_ROOT / "dashboards" / "odds.csv"
CAPTION = "**Verdicts: how many, and whether they hold and continue**"
COLUMNS = {
    "population": "population",
    "grain": "grain",
    "horizon": "horizon",
    "with outcome": "n_called",
    "topics": "n_topics",
    "holds": "holds",
    "low": "holds_low",
    "high": "holds_high",
    "noise": "noise",
    "continues": "continues",
    "likely": "n_likely",
    "likely holds": "likely_holds",
}
"""Column of the report → column of the file."""


def odds_csv(report: str) -> str:
    """Return the CSV with the values of `COLUMNS`, as text; a missing value is empty.

    Raises UsageError if the report lacks the table or a column of it.
    """
    _, found, rest = report.partition(CAPTION)
    lines = rest.strip().partition("\n\n")[0].splitlines()
    if not found or len(lines) < 3:
        raise UsageError(
            f"{REPORT.name}: no table “{CAPTION.strip('*')}”. Run the part backtest: "
            "papertide evaluate."
        )
    names = _cells(lines[0])
    if missing := [name for name in COLUMNS if name not in names]:
        raise UsageError(f"{REPORT.name}: the table of verdicts has no column “{missing[0]}”.")
    rows = [dict(zip(names, _cells(line), strict=True)) for line in lines[2:]]
    body = [[row[name] for name in COLUMNS] for row in rows]
    return "".join(f"{','.join(row)}\n" for row in [list(COLUMNS.values()), *body])


def _cells(line: str) -> list[str]:
    cells = (cell.strip().replace(",", "") for cell in line.strip().strip("|").split("|"))
    return ["" if cell == "–" else cell for cell in cells]


@click.command()
@click.option("--check", is_flag=True, help="Only check that the file is up to date.")
def main(*, check: bool) -> None:
    """Write dashboards/odds.csv from docs/evaluation.md."""
    text = odds_csv(REPORT.read_text("utf-8"))
    if not check:
        ODDS.write_text(text, "utf-8")
    elif not ODDS.exists() or ODDS.read_text("utf-8") != text:
        click.echo(f"{ODDS.name} differs from {REPORT.name}. Run: make docs", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
