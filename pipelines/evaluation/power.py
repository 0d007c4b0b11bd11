"""Power: how often, and how late, a growth that was put into real papers is found.

Belongs here: the made-up series. Does not belong here: the rule of the verdict.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from pipelines.evaluation.evidence import POPULATIONS, Counted, Evidence, count
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends.grids import OPTIONAL_SCHEMA, Bools, Floats, Grid, Ints
from pipelines.trends.growth import USUAL_VARIANCE, WINDOWS, grow
from pipelines.trends.verdicts import judge_growth

_FIRST_MONDAY = 4  # 1970-01-05
FACTORS = (1.5, 2.0, 4.0)
WEEKS = (4, 8, 13, 26)
PAPERS_A_WEEK = (5, 20, 50, 100, 200, 500)
N_SERIES = 25
"""Made-up series of one kind in one grid, beside all real ones."""
N_ROUNDS = 4
WAIT_WEEKS = sum(WINDOWS["week"])
"""A growth may still be found as long as its weeks are in the windows."""
N_WEEKS = 52
WEEKLY_SPREAD = 0.2
"""Standard deviation of the logarithm of a made-up week's number of papers."""
MOST_OF_TOTAL = 0.9
PROMISED = 0.8
"""Share of doublings within 4 to 13 weeks, at 50 papers a week and more, to be found."""

METHOD = f"""
The papers of the larger population, with their real topics, are dealt out to {N_WEEKS} weeks in
which nothing rises. Beside them {N_SERIES * N_ROUNDS} made-up series of each kind are put, one
kind at a time, so that verdicts compete as they do in the tables. A series has *n* papers a week
on average, in proportion to the week's papers; the log odds of its share carry the usual noise
from week to week (variance {USUAL_VARIANCE["week"]}). From a week drawn at random on, its share
grows by the factor within the given weeks, evenly in its logarithm, and stays.

*Found* means: called *rising* in a week from the first of the growth to {WAIT_WEEKS} weeks after
its last. The delay is the median, over those found, of the weeks from the first of the growth. A
false alarm is a series called rising in any of the {WAIT_WEEKS} weeks before. A growth by × 1.5
over 26 weeks is less than × 1.2 between neighbouring windows, so by the rule it is *rising* only
with the help of chance, and the more papers the less so. Dash: the series would hold more than
{MOST_OF_TOTAL:.0%} of all papers.
"""


def evaluate(evidence: Evidence, n_rounds: int = N_ROUNDS, seed: int = 0) -> Part:
    """Share found with its interval, median delay and false alarms, by factor, weeks and papers."""
    counted = _largest(evidence)
    if counted is None:
        return Part("Power", METHOD, skipped=f"no population has {10 * N_WEEKS:,} papers.")
    grid = _still_weeks(counted, seed)
    rows = [
        _tally(grid, factor, weeks, n, n_rounds, seed)
        for factor in FACTORS
        for weeks in WEEKS
        for n in PAPERS_A_WEEK
    ]
    found = pl.DataFrame(rows, infer_schema_length=None)
    tested = found.filter(pl.col("found").is_not_null())
    strong = tested.filter(factor=2.0).filter(pl.col("weeks") <= 13, pl.col("n") >= 50)
    least = float(strong["found"].min()) if strong.height else float("nan")  # type: ignore[arg-type]
    alarms = float(tested["before"].mean()) if tested.height else float("nan")  # type: ignore[arg-type]
    return Part(
        "Power",
        METHOD,
        [
            Promise(
                "A doubling within 13 weeks at 50 papers a week and more is found in "
                f"{PROMISED:.0%} of cases",
                f"{least:.0%} at worst of {strong.height} settings"
                if strong.height
                else "not measurable: too few papers a week",
                bool(strong.height) and least >= PROMISED,
                is_binding=bool(strong.height),
            ),
            Promise(
                f"At most 10% of still series are called rising within {WAIT_WEEKS} weeks",
                f"{alarms:.1%} of {tested.height * N_SERIES * n_rounds:,} series",
                bool(alarms <= 0.1),
            ),
        ],
        [
            Table(
                f"Share of {N_SERIES * n_rounds} series found [95 % interval], median delay in "
                f"weeks; {counted.population}, {counted.period.size:,} papers, {N_WEEKS} weeks",
                _by_papers(found),
            )
        ],
    )


def _by_papers(found: pl.DataFrame) -> pl.DataFrame:
    """factor, weeks, and a column for each number of papers a week."""
    cell = pl.format(
        "{} % [{}, {}], {}",
        *((100 * pl.col(name)).round(0).cast(pl.Int64) for name in ("found", "low", "high")),
        pl.col("delay").round(0).cast(pl.Int64).cast(pl.String).fill_null("never"),
    )
    return (
        found.with_columns(cell=cell, n=pl.format("n = {}", "n"))
        .pivot("n", index=["factor", "weeks"], values="cell", maintain_order=True)
        .with_columns(pl.format("× {}", pl.col("factor")).alias("factor"))
    )


def _largest(evidence: Evidence) -> Counted | None:
    months = [count(evidence, population, "month", whole=True) for population in POPULATIONS]
    most = max((c for c in months if c), key=lambda c: c.period.size, default=None)
    return most if most and most.period.size >= 10 * N_WEEKS else None


def _still_weeks(counted: Counted, seed: int) -> Grid:
    """The papers dealt out to weeks of unequal size, as a grid."""
    chance = np.random.default_rng([seed, counted.period.size])
    size = np.exp(chance.normal(0, WEEKLY_SPREAD, N_WEEKS))
    week = chance.choice(N_WEEKS, counted.period.size, p=size / size.sum())
    member = sp.csr_matrix(
        (np.ones(week.size), (week, np.arange(week.size))), shape=(N_WEEKS, week.size)
    )
    papers = np.asarray((member @ counted.has_topic).todense(), dtype=np.float64)
    shape = papers.shape
    total = np.bincount(week, minlength=N_WEEKS).astype(np.float64)
    return Grid(
        grain="week",
        starts=_FIRST_MONDAY + 7 * np.arange(N_WEEKS, dtype=np.int64),
        ticks=np.arange(N_WEEKS, dtype=np.int64),
        n_papers=papers,
        n_total=np.repeat(total[:, None], shape[1], axis=1),
        is_present=np.ones(shape, dtype=np.bool_),
        is_partial=np.zeros(shape, dtype=np.bool_),
        conditions={name: np.full(shape, np.nan) for name in OPTIONAL_SCHEMA},
        rows=np.arange(papers.size, dtype=np.int64).reshape(shape),
    )


def _tally(
    grid: Grid, factor: float, weeks: int, n: int, n_rounds: int, seed: int
) -> dict[str, object]:
    row: dict[str, object] = {"factor": factor, "weeks": weeks, "n": n}
    total = grid.n_total[:, 0]
    base = n / total.mean()
    if base * factor > MOST_OF_TOTAL:
        return row | dict.fromkeys(("found", "low", "high", "delay", "before"))
    chance = np.random.default_rng([seed, int(factor * 10), weeks, n])
    found, delays, before = 0, [], 0
    for _ in range(n_rounds):
        starts = chance.integers(WAIT_WEEKS + 1, total.size - weeks, N_SERIES)
        shares = _shares(chance, total.size, starts, base, factor, weeks)
        made = chance.binomial(total[:, None].astype(np.int64), shares).astype(np.float64)
        rising = _rising(grid, made)
        for column, start in zip(rising.T, starts, strict=True):
            hits = np.flatnonzero(column[start : start + weeks + WAIT_WEEKS])
            found += bool(hits.size)
            delays += [int(hits[0]) + 1] if hits.size else []
            before += bool(column[start - WAIT_WEEKS : start].any())
    n_series = N_SERIES * n_rounds
    low, high = wilson(found, n_series)
    return row | {
        "found": found / n_series,
        "low": low,
        "high": high,
        "delay": float(np.median(delays)) if delays else None,
        "before": before / n_series,
    }


def _shares(
    chance: np.random.Generator,
    n_weeks: int,
    starts: Ints,
    base: float,
    factor: float,
    weeks: int,
) -> Floats:
    """Weeks × series: the share of each made-up series."""
    grown = np.clip((np.arange(n_weeks)[:, None] - starts + 1) / weeks, 0, 1)
    odds = (
        base
        / (1 - base)
        * np.exp(chance.normal(0, np.sqrt(USUAL_VARIANCE["week"]), (n_weeks, starts.size)))
    )
    share = odds / (1 + odds)
    return np.asarray(np.minimum(share * factor**grown, 1.0), dtype=np.float64)


def _rising(grid: Grid, made: Floats) -> Bools:
    """Weeks × made-up series: whether each is called rising, judged beside all real series."""
    n_made = made.shape[1]

    def beside(cells: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([cells, np.repeat(cells[:, :1], n_made, axis=1)], axis=1)

    both = replace(
        grid,
        n_papers=np.concatenate([grid.n_papers, made], axis=1),
        n_total=beside(grid.n_total),
        is_present=beside(grid.is_present),
        is_partial=beside(grid.is_partial),
        conditions={name: beside(cells) for name, cells in grid.conditions.items()},
    )
    verdict = judge_growth(both, grow(both))["verdict"][:, -n_made:]
    return np.asarray(verdict == "rising", dtype=np.bool_)
