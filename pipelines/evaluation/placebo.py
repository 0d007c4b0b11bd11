"""Placebo: false verdicts when dates are permuted, so that no topic has a trend.

Belongs here: permutations of dates within a population. Does not belong here: the rule of verdicts
(`pipelines/trends/changes.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import GRAINS, POPULATIONS, Counted, Evidence, count
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.changes import CALLED_MEAN, HORIZONS
from pipelines.trends.grids import KEYS

N_PERMUTATIONS: Final = 10
MAX_CALLED: Final = 0.01
CALLS: Final = ["rising", "falling"]

METHOD = f"""
A permutation test. Each permutation reassigns the dates of a population's papers at random. Every
period and every topic keeps its number of papers, but no topic has a trend, so every verdict
*rising* or *falling* is false. Each grain is judged alone. The table has the share of comparable
rows that are called over each horizon. The error that a verdict states bounds the share of false
calls among verdicts on real data ({CALLED_MEAN:.0%}); when nothing moves there is nothing to call,
and the model must learn that from the data.
"""


def evaluate(evidence: Evidence, n_permutations: int = N_PERMUTATIONS, seed: int = 0) -> Part:
    """Return false verdicts for each published population, grain and horizon."""
    counted = [count(evidence, name, grain) for name in POPULATIONS for grain in GRAINS]
    rows = [
        row
        for c in counted
        if c and c.grid.is_usable.any()
        for row in _tally(evidence, c, n_permutations, seed)
    ]
    if not rows:
        return Part("Placebo", METHOD, skipped="no period has a comparable change.")
    table = pl.DataFrame(rows).with_columns(share=pl.col("called") / pl.col("rows"))
    worst = table.sort("share").row(-1, named=True)
    return Part(
        "Placebo",
        METHOD,
        [
            Criterion(
                f"At most {MAX_CALLED:.0%} of rows without a trend are called, in every series",
                f"{worst['share']:.2%} at worst ({worst['population']} {worst['grain']}, "
                f"{worst['horizon']})",
                worst["share"] <= MAX_CALLED,
            )
        ],
        [Table(f"{n_permutations} permutations of dates", table)],
    )


def permuted(counts: pl.DataFrame, counted: Counted, rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows of the population and grain with permuted dates of the papers."""
    own = counts.filter(population=counted.population, grain=counted.grain).sort(KEYS)
    papers, grid = counted.count(rng.permutation(counted.period)), counted.grid
    values = np.zeros(own.height, dtype=np.int64)
    values[grid.rows[grid.is_present]] = papers[grid.is_present]
    return own.with_columns(n_papers=pl.min_horizontal(pl.Series(values), pl.col("n_total")))


def _tally(
    evidence: Evidence, counted: Counted, n_permutations: int, seed: int
) -> list[dict[str, object]]:
    rng = np.random.default_rng([seed, len(counted.name), counted.period.size])
    judged = [judge(permuted(evidence.counts, counted, rng)) for _ in range(n_permutations)]
    verdicts = pl.concat(judged).select(f"{h}_verdict" for h in HORIZONS)
    rows = []
    for horizon in HORIZONS:
        of = verdicts[f"{horizon}_verdict"]
        stated = of.filter(of != "not_comparable")
        if stated.len():
            rows.append(
                {
                    "population": counted.population,
                    "grain": counted.grain,
                    "horizon": horizon.replace("_", "-"),
                    "rows": stated.len(),
                    "called": int(stated.is_in(CALLS).sum()),
                    "likely": int(stated.str.starts_with("likely").sum()),
                }
            )
    return rows
