"""Statements against each other: labels and intervals, and a rise that everybody saw.

Belongs here: properties of published rows that need no later data. Does not belong here: outcomes
(`backtest.py`).
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from pipelines.evaluation.report import Criterion
from pipelines.trends.changes import HORIZONS

KNOWN_RISE: Final = ("hf_daily", "llm-agents", date(2025, 9, 30))
"""Population, topic, and the day by which its rise over a year should be called: LLM agents went
from 5 % of the papers of `hf_daily` at the end of 2024 to 16 % at the end of 2025."""


def criteria(judged: pl.DataFrame) -> list[Criterion]:
    """Return whether labels agree with intervals, and whether a known rise is called in time."""
    return [_labels(judged), *_known_rise(judged)]


def contradictions(judged: pl.DataFrame) -> int:
    """Return the number of labels, over all horizons, that their own interval contradicts.

    Rising needs an interval above no change, falling one below it, flat one that contains it.
    """
    n = 0
    for horizon in HORIZONS:
        low, high = pl.col(f"{horizon}_growth_low"), pl.col(f"{horizon}_growth_high")
        verdict = pl.col(f"{horizon}_verdict")
        n += judged.filter(
            ((verdict == "rising") & (low <= 0))
            | ((verdict == "falling") & (high >= 0))
            | ((verdict == "flat") & ((low > 0) | (high < 0)))
        ).height
    return n


def _labels(judged: pl.DataFrame) -> Criterion:
    stated = ["rising", "falling", "flat"]
    labels = sum(judged[f"{h}_verdict"].is_in(stated).sum() for h in HORIZONS)
    n = contradictions(judged)
    return Criterion(
        "No label (rising, falling, flat) contradicts its interval",
        f"{n} of {labels:,}",
        n == 0,
    )


def _known_rise(judged: pl.DataFrame) -> list[Criterion]:
    population, topic, by = KNOWN_RISE
    own = judged.filter(population=population, series_id=topic).drop_nulls("level")
    if own.is_empty() or own["period_start_on"].max() < by:  # type: ignore[operator]
        return []
    found = own.filter(pl.col("year_verdict") == "rising").group_by("grain", maintain_order=True)
    firsts = dict(found.agg(pl.col("period_start_on").min()).iter_rows())
    grains = own["grain"].unique(maintain_order=True).to_list()
    named = [f"{grain} of {firsts[grain]}" if grain in firsts else f"no {grain}"
             for grain in grains]  # fmt: skip
    return [
        Criterion(
            f"`{topic}` on `{population}` is rising over a year by {by}, in every grain",
            f"first called in the {', '.join(named)}",
            all(grain in firsts and firsts[grain] <= by for grain in grains),
            is_binding=False,
        )
    ]
