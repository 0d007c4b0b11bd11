"""The first lines of the report: how far to trust a verdict, series by series.

Belongs here: the measured figures as sentences. Does not belong here: measuring (`backtest.py`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from pipelines.evaluation.comparison import MIN_CALLS

RELIABLE: Final = 0.92
MOSTLY: Final = 0.80
"""Least share that holds, in the worst series, of verdicts *reliable* or *mostly right*."""

_HORIZONS: Final = {"year": "a year", "half_year": "half a year", "quarter": "a quarter",
                    "month": "a month"}  # fmt: skip


def lines(verdicts: pl.DataFrame) -> list[str]:
    """Return one line per population and horizon, longest horizon first.

    `verdicts` has one row per population, grain and horizon, as in the table of the backtest. A
    population without enough verdicts in any series has one line.
    """
    found = []
    for (population,), own in verdicts.group_by("population", maintain_order=True):
        if not (own["with outcome"] >= MIN_CALLS).any():
            n = int(own["with outcome"].max() or 0)  # type: ignore[arg-type]
            found.append(
                f"- **`{population}`: not known.** No series has {MIN_CALLS} verdicts with a next "
                f"quarter to compare with; the largest has {n}."
            )
            continue
        for horizon, name in _HORIZONS.items():
            rows = own.filter(horizon=horizon)
            if rows.height:
                found.append(f"- **`{population}`, {name}: {_trust(rows)}.** {_figures(rows)}")
    return found


def likely_line(verdicts: pl.DataFrame) -> str:
    """Return how often *likely* verdicts hold, or an empty text if there are too few."""
    many = verdicts.filter(pl.col("likely") >= MIN_CALLS)
    if many.is_empty():
        return ""
    by_horizon = [
        f"{_HORIZONS[horizon]} {_range(own['likely holds'].to_list())}"
        for horizon in _HORIZONS
        if (own := many.filter(horizon=horizon)).height
    ]
    return f"- **Likely verdicts** hold less often, in series with {MIN_CALLS}: " + (
        ", ".join(by_horizon) + "."
    )


def _trust(rows: pl.DataFrame) -> str:
    held = rows.filter(pl.col("with outcome") >= MIN_CALLS)["holds"]
    if held.is_empty():
        return "too few to say"
    worst = float(held.min())  # type: ignore[arg-type]
    if worst >= RELIABLE:
        return "reliable"
    return "mostly right" if worst >= MOSTLY else "weak"


def _figures(rows: pl.DataFrame) -> str:
    held, others = [], []
    for row in rows.iter_rows(named=True):
        n = row["with outcome"]
        if n < MIN_CALLS:
            others.append(f"by {row['grain']} {n}")
        else:
            held.append(f"{row['holds']:.0%} of {n} by {row['grain']}")
    if not held:
        return f"Verdicts with a next quarter: {', '.join(others)}."
    many = rows.filter(pl.col("with outcome") >= MIN_CALLS)
    noise = many["noise"].drop_nulls().to_list()
    against = f" (noise {_range(noise)})" if noise else ""
    few = f" Too few {', '.join(others)}." if others else ""
    return f"{', '.join(held)} hold{against}; {_range(many['continues'].to_list())} continue.{few}"


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.0%}", f"{max(values):.0%}"
    return low if low == high else f"{low} to {high}"
