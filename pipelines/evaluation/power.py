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
from pipelines.trends.growth import (
    USUAL_VARIANCE,
    WINDOWS,
    Growth,
    extra_variance,
    grow,
    growth_of,
    window_sums,
)
from pipelines.trends.verdicts import MAX_Q, MIN_EFFECT, false_discovery, is_tested

_FIRST_MONDAY = 4  # 1970-01-05
FACTORS = (1.5, 2.0, 4.0)
WEEKS = (4, 8, 13, 26)
PAPERS_A_WEEK = (5, 20, 50, 100, 200, 500)
N_ROUNDS = 300
"""Made-up series of one kind, each alone in a family with all real ones."""
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
which nothing rises. {N_ROUNDS} made-up series of each kind are put beside them, one at a time: each
is judged in a family of its own with all real topics and their counts, where it is the only one
that rises. Several at once would loosen the bound for each other. A series has *n* papers a week
on average, in proportion to the week's papers; the log odds of its share carry the usual noise
from week to week (variance {USUAL_VARIANCE["week"]}). From a week drawn at random on, its share
grows by the factor within the given weeks, evenly in its logarithm, and stays.

*Found* means: called *rising* in a week from the first of the growth to {WAIT_WEEKS} weeks after
its last, as far as the {N_WEEKS} weeks go. The delay is the median, over those found, of the weeks
from the first of the growth. Of the {WAIT_WEEKS} weeks before it, those count in which the series
could be called (two whole windows, papers enough); a series called rising in one of them is a false
alarm. A growth by × 1.5 over 26 weeks is less than × 1.2 between neighbouring windows, so by the
rule it is *rising* only with the help of chance, and the more papers the less so. Dash: the series
would hold more than {MOST_OF_TOTAL:.0%} of all papers.
"""


def evaluate(evidence: Evidence, n_rounds: int = N_ROUNDS, seed: int = 0) -> Part:
    """Share found with its interval, median delay and false alarms, by factor, weeks and papers."""
    counted = _largest(evidence)
    if counted is None:
        return Part("Power", METHOD, skipped=f"no population has {10 * N_WEEKS:,} papers.")
    grid = _still_weeks(counted, seed)
    still = grow(grid)
    rows = [
        _tally(grid, still, factor, weeks, n, n_rounds, seed)
        for factor in FACTORS
        for weeks in WEEKS
        for n in PAPERS_A_WEEK
    ]
    found = pl.DataFrame(rows, infer_schema_length=None)
    tested = found.filter(pl.col("found").is_not_null())
    strong = tested.filter(factor=2.0).filter(pl.col("weeks") <= 13, pl.col("n") >= 50)
    least = float(strong["found"].min()) if strong.height else float("nan")  # type: ignore[arg-type]
    n_before, alarms, n_weeks = (int(tested[name].sum()) for name in _BEFORE)
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
                f"{alarms / max(n_before, 1):.1%} of {n_before:,} series, in {n_weeks:,} weeks in "
                "which they could be called",
                alarms <= 0.1 * n_before,
            ),
        ],
        [
            Table(
                f"Share of {n_rounds} series found [95 % interval], median delay in "
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


_BEFORE = ("series_before", "alarms_before", "weeks_before")


def _tally(
    grid: Grid, still: Growth, factor: float, weeks: int, n: int, n_rounds: int, seed: int
) -> dict[str, object]:
    row: dict[str, object] = {"factor": factor, "weeks": weeks, "n": n}
    total = grid.n_total[:, 0]
    base = n / total.mean()
    if base * factor > MOST_OF_TOTAL:
        return row | dict.fromkeys(("found", "low", "high", "delay", *_BEFORE))
    chance = np.random.default_rng([seed, int(factor * 10), weeks, n])
    starts = chance.integers(WAIT_WEEKS + 1, total.size - weeks, n_rounds)
    shares = _shares(chance, total.size, starts, base, factor, weeks)
    made = chance.binomial(total[:, None].astype(np.int64), shares).astype(np.float64)
    rising, is_testable = _rising(grid, still, made)
    since = np.arange(total.size)[:, None] - starts
    hits = rising & (since >= 0) & (since < weeks + WAIT_WEEKS)
    is_before = is_testable & (since < 0) & (since >= -WAIT_WEEKS)
    is_found = hits.any(axis=0)
    delays = np.argmax(hits, axis=0)[is_found] - starts[is_found] + 1
    low, high = wilson(int(is_found.sum()), n_rounds)
    return row | {
        "found": float(is_found.mean()),
        "low": low,
        "high": high,
        "delay": float(np.median(delays)) if delays.size else None,
        "series_before": int(is_before.any(axis=0).sum()),
        "alarms_before": int((rising & is_before).any(axis=0).sum()),
        "weeks_before": int(is_before.sum()),
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


def _rising(grid: Grid, still: Growth, made: Floats) -> tuple[Bools, Bools]:
    """Weeks × made-up series: which are called rising by the rule of verdicts, and which could be.

    Each is judged in a family of its own, alone beside all real series, whose growth is `still`.
    """
    alone = _alone(grid, made)
    grown = _grow_each(grid, alone)
    testable = is_tested(alone, grown)
    week, series = np.nonzero(testable)
    others = np.where(is_tested(grid, still), still.p_value, np.nan)[week]
    family = np.concatenate([others, grown.p_value[week, series][:, None]], axis=1)
    is_sure = false_discovery(family)[:, -1] <= MAX_Q
    rising = np.zeros_like(testable)
    rising[week, series] = is_sure & (grown.growth[week, series] >= MIN_EFFECT)
    return rising, testable


def _alone(grid: Grid, made: Floats) -> Grid:
    """The made-up series in a grid without the real ones."""
    of = np.zeros(made.shape[1], dtype=np.int64)
    return replace(
        grid,
        n_papers=made,
        n_total=grid.n_total[:, of],
        is_present=grid.is_present[:, of],
        is_partial=grid.is_partial[:, of],
        conditions={name: cells[:, of] for name, cells in grid.conditions.items()},
        rows=grid.rows[:, of],
    )


def _grow_each(grid: Grid, alone: Grid) -> Growth:
    """Growth of each made-up series, with the extra variance that it and the real ones tell of.

    `grow` would take one variance from all of them together. There is no season within a year.
    """
    current, before = WINDOWS[grid.grain]
    variance = np.column_stack(
        [extra_variance(_with_one(grid, column)) for column in alone.n_papers.T]
    )
    windows, none = window_sums(alone), np.zeros(alone.n_papers.shape)
    noise = variance * (1 / current + 1 / before)
    return growth_of(windows, noise, none, none)


def _with_one(grid: Grid, column: Floats) -> Grid:
    """The real series and one more, as far as the extra variance sees them."""

    def and_one(cells: NDArray[Any], more: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([cells, more[:, None]], axis=1)

    return replace(
        grid,
        n_papers=and_one(grid.n_papers, column),
        n_total=and_one(grid.n_total, grid.n_total[:, 0]),
        is_present=and_one(grid.is_present, grid.is_present[:, 0]),
        is_partial=and_one(grid.is_partial, grid.is_partial[:, 0]),
    )
