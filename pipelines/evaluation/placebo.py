"""Placebo: false verdicts when dates are permuted, so that no topic has a trend.

Belongs here: permutations of dates and of periods within a population. Does not belong here: the
rule of verdicts (`pipelines/trends/verdicts.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import (
    GRAINS,
    POPULATIONS,
    Counted,
    Evidence,
    all_counted,
    count,
)
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.grids import Grid
from pipelines.trends.growth import grow
from pipelines.trends.verdicts import MAX_Q, is_directional, judge_growth

N_PERMUTATIONS = 1_000
N_PERIOD_PERMUTATIONS = 200

METHOD = """
A permutation test. Each permutation reassigns the dates of a population's papers at random. Every
period and every topic keeps its number of papers, but no topic has a trend, so every verdict
*rising* or *falling* is false. A family is one population, grain and period, whose topics are
tested together. When all null hypotheses are true, the false discovery rate is the share of
families with any such verdict. The share of tested rows with such a verdict is the probability of
a false verdict for one topic in one period. The weeks of `arxiv` have only the papers with a known
day; here alone they count as complete.

The second table permutes complete periods with all their papers and their data collection. Windows
that are not comparable are left out as usual, and partial periods keep their place. Shares then
change as much as between real periods, but a change that lasted for months becomes noise. This
null hypothesis is harsher than any real history, and no criterion is attached to it. It shows that
real periods differ by more than sampling error. A verdict says *that* two windows differ, not why,
and not whether the change will last. All weeks of `arxiv` are partial, so the table has none.
"""


def evaluate(evidence: Evidence, n_permutations: int = N_PERMUTATIONS, seed: int = 0) -> Part:
    """Return false verdicts per row and per family, for each population and grain."""
    everything = list(all_counted(evidence))
    tallies = _tallies(everything, _permute_dates, n_permutations, seed)
    if tallies.is_empty() or not tallies["families"].sum():
        return Part("Placebo", METHOD, skipped="no period has two complete windows to compare.")
    n_blocks = min(n_permutations, N_PERIOD_PERMUTATIONS)
    as_published = [count(evidence, name, grain) for name in POPULATIONS for grain in GRAINS]
    blocks = _tallies([c for c in as_published if c], _permute_periods, n_blocks, seed)
    worst = tallies.sort("families with a false verdict").row(-1, named=True)
    return Part(
        "Placebo",
        METHOD,
        [
            Criterion(
                f"At most {MAX_Q:.0%} of families have a false verdict, in every population and "
                "grain",
                f"{worst['families with a false verdict']:.1%} at worst ({worst['population']}, "
                f"{worst['grain']}); n = {n_permutations:,} permutations",
                worst["families with a false verdict"] <= MAX_Q,
            ),
        ],
        [
            Table(
                f"{n_permutations:,} permutations of dates; 95 % interval of the share of "
                "families, with permutations as independent units",
                tallies,
            ),
            Table(
                f"{n_blocks:,} permutations of complete periods",
                blocks.filter(pl.col("families") > 0).drop("low", "high"),
            ),
        ],
    )


def _permute_dates(counted: Counted, rng: np.random.Generator) -> Grid:
    return counted.with_counts(counted.count(rng.permutation(counted.period)))


def _permute_periods(counted: Counted, rng: np.random.Generator) -> Grid:
    """Complete periods in random order; partial periods stay, as they would count as complete."""
    grid = counted.grid
    order = np.arange(grid.starts.size)
    complete = np.flatnonzero(grid.is_usable.all(axis=1))
    order[complete] = rng.permutation(complete)
    return replace(
        grid,
        n_papers=grid.n_papers[order],
        n_total=grid.n_total[order],
        conditions={name: cells[order] for name, cells in grid.conditions.items()},
    )


def _tallies(
    everything: list[Counted],
    permute: Callable[[Counted, np.random.Generator], Grid],
    n_permutations: int,
    seed: int,
) -> pl.DataFrame:
    return pl.DataFrame([_tally(counted, permute, n_permutations, seed) for counted in everything])


def _tally(
    counted: Counted,
    permute: Callable[[Counted, np.random.Generator], Grid],
    n_permutations: int,
    seed: int,
) -> dict[str, object]:
    rng = np.random.default_rng([seed, len(counted.name), counted.period.size])
    n_families = n_tested = n_false = n_families_false = 0
    for _ in range(n_permutations):
        grid = permute(counted, rng)
        judged = judge_growth(grid, grow(grid))
        tested = ~np.isnan(judged["p_value"].astype(np.float64))
        is_false = is_directional(judged["verdict"])
        n_families += int(tested.any(axis=1).sum())
        n_tested += int(tested.sum())
        n_false += int(is_false.sum())
        n_families_false += int(is_false.any(axis=1).sum())
    share = n_families_false / max(n_families, 1)
    # Adjacent periods share papers, so the independent units are permutations.
    low, high = wilson(share * n_permutations, n_permutations)
    return {
        "population": counted.population,
        "grain": counted.grain,
        "papers": counted.period.size,
        "complete periods": int(counted.grid.is_usable.all(axis=1).sum()),
        "families": n_families,
        "tested rows": n_tested,
        "false verdicts": n_false,
        "families with a false verdict": share,
        "low": low,
        "high": high,
    }
