"""Placebo: what is called where the papers' dates are shuffled, so that nothing rises.

Belongs here: shuffling dates, or whole periods, within a population. Does not belong here: the rule
of the verdict.
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
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends.grids import Grid
from pipelines.trends.growth import grow
from pipelines.trends.verdicts import MAX_Q, judge_growth

N_SHUFFLES = 1_000
N_BLOCK_SHUFFLES = 200

METHOD = """
Each shuffle deals the papers of a population out to its days anew: every period keeps its number
of papers, every topic its number of papers, and no topic has a trend. Whatever is then called
*rising* or *falling* is a false call. Where nothing changes, every call is false, so the share of
families (one population, grain and period, which are judged together) with any call is the
false-discovery rate, and the share of tested rows that are called is the chance of one topic to
be called in one period. The weeks of `arxiv` hold the papers whose day is known and are taken as
whole, here only.

The second table shuffles periods with all their papers: those that are complete, each with how it
was observed, so that windows that can't be compared are left out as ever; partial periods stay
where they are. Shares then jump about as they really do from period to period, and what lasted for
months is turned into noise that does not last: harsher than any history, and not promised. What it
shows is that real periods differ from each other by more than chance. A verdict says *that* two
windows differ; why, and whether it lasts, it does not say. All weeks of `arxiv` are partial.
"""


def evaluate(evidence: Evidence, n_shuffles: int = N_SHUFFLES, seed: int = 0) -> Part:
    """Called rows and families with a call, over shuffles of each population and grain."""
    everything = list(all_counted(evidence))
    tallies = _tallies(everything, _by_paper, n_shuffles, seed)
    if tallies.is_empty() or not tallies["families"].sum():
        return Part("Placebo", METHOD, skipped="no period has two whole windows to compare.")
    n_blocks = min(n_shuffles, N_BLOCK_SHUFFLES)
    as_published = [count(evidence, name, grain) for name in POPULATIONS for grain in GRAINS]
    blocks = _tallies([c for c in as_published if c], _by_period, n_blocks, seed)
    worst = tallies.sort("families with a call").row(-1, named=True)
    return Part(
        "Placebo",
        METHOD,
        [
            Promise(
                f"At most {MAX_Q:.0%} of families hold a false call, in every population and grain",
                f"{worst['families with a call']:.1%} at worst ({worst['population']}, "
                f"{worst['grain']}); n = {n_shuffles:,} shuffles",
                worst["families with a call"] <= MAX_Q,
            ),
        ],
        [
            Table(
                f"{n_shuffles:,} shuffles of dates; 95 % interval of the share of families, taking "
                "shuffles as independent",
                tallies,
            ),
            Table(
                f"{n_blocks:,} shuffles of complete periods",
                blocks.filter(pl.col("families") > 0).drop("low", "high"),
            ),
        ],
    )


def _by_paper(counted: Counted, chance: np.random.Generator) -> Grid:
    return counted.with_counts(counted.count(chance.permutation(counted.period)))


def _by_period(counted: Counted, chance: np.random.Generator) -> Grid:
    """Complete periods change places; a thin, partial one would pass for a whole one elsewhere."""
    grid = counted.grid
    order = np.arange(grid.starts.size)
    complete = np.flatnonzero(grid.is_usable.all(axis=1))
    order[complete] = chance.permutation(complete)
    return replace(
        grid,
        n_papers=grid.n_papers[order],
        n_total=grid.n_total[order],
        conditions={name: cells[order] for name, cells in grid.conditions.items()},
    )


def _tallies(
    everything: list[Counted],
    shuffled: Callable[[Counted, np.random.Generator], Grid],
    n_shuffles: int,
    seed: int,
) -> pl.DataFrame:
    return pl.DataFrame([_tally(counted, shuffled, n_shuffles, seed) for counted in everything])


def _tally(
    counted: Counted,
    shuffled: Callable[[Counted, np.random.Generator], Grid],
    n_shuffles: int,
    seed: int,
) -> dict[str, object]:
    chance = np.random.default_rng([seed, len(counted.name), counted.period.size])
    n_families = n_tested = n_called = n_with_call = 0
    for _ in range(n_shuffles):
        grid = shuffled(counted, chance)
        called = judge_growth(grid, grow(grid))
        tested = ~np.isnan(called["p_value"].astype(np.float64))
        is_called = np.isin(called["verdict"], ("rising", "falling"))
        families = tested.any(axis=1)
        n_families += int(families.sum())
        n_tested += int(tested.sum())
        n_called += int(is_called.sum())
        n_with_call += int(is_called.any(axis=1).sum())
    # Neighbouring periods share papers; whole shuffles do not.
    low, high = wilson(n_with_call / max(n_families, 1) * n_shuffles, n_shuffles)
    return {
        "population": counted.population,
        "grain": counted.grain,
        "papers": counted.period.size,
        "complete periods": int(counted.grid.is_usable.all(axis=1).sum()),
        "families": n_families,
        "tested rows": n_tested,
        "called rows": n_called,
        "families with a call": n_with_call / max(n_families, 1),
        "low": low,
        "high": high,
    }
