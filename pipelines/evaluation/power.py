"""Power: how often, and how soon, simulated growth among real papers is detected.

Belongs here: the simulated series. Does not belong here: the rule of verdicts
(`pipelines/trends/verdicts.py`).
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
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.grids import OPTIONAL_SCHEMA, Bools, Floats, Grid, Ints
from pipelines.trends.growth import (
    PRIOR_OVERDISPERSION,
    WINDOWS,
    Growth,
    grow,
    growth_of,
    overdispersion,
    window_sums,
)
from pipelines.trends.verdicts import MAX_Q, MIN_EFFECT, benjamini_hochberg, is_tested

_FIRST_MONDAY = 4  # 1970-01-05
FACTORS = (1.5, 2.0, 4.0)
WEEKS = (4, 8, 13, 26)
PAPERS_PER_WEEK = (5, 20, 50, 100, 200, 500)
N_SERIES = 300
"""Simulated series per setting, each in a separate family with all real series."""
WAIT_WEEKS = sum(WINDOWS["week"])
"""Weeks after the end of the growth in which it may be detected: while it is in the windows."""
N_WEEKS = 52
WEEKLY_SPREAD = 0.2
"""Standard deviation of the logarithm of the papers per simulated week."""
MAX_SHARE = 0.9
MIN_POWER = 0.8
"""Least power for doublings within 13 weeks at 50 or more papers per week."""
MAX_ALARMS = 0.1
"""Greatest share of series with a false alarm."""

METHOD = f"""
The papers of the larger population, with their real topics, are assigned at random to {N_WEEKS}
weeks, so that no real topic has a trend. {N_SERIES} series are simulated per setting. Each is
tested in a separate family with all real topics, where it is the only series that rises: several
rising series in one family would make the threshold of the false discovery rate less strict for
each other. A series has *n* papers per week on average, in proportion to the week's total. The log
odds of its share have the usual overdispersion (variance {PRIOR_OVERDISPERSION["week"]}). From a
random week on, its share grows by the factor within the given weeks, linearly in the logarithm,
and then stays constant.

A series is *detected* if its verdict is *rising* in some week from the start of the growth to
{WAIT_WEEKS} weeks after its end, within the {N_WEEKS} weeks. The delay is the median number of
weeks from the start of the growth, over detected series. A false alarm is a verdict *rising* in
one of the {WAIT_WEEKS} weeks before the growth; only weeks in which the series is tested count
(two complete windows, enough papers). Growth by × 1.5 over 26 weeks is less than × 1.2 between
adjacent windows, below the least growth of the verdict. It is detected only through sampling
error, and less often the more papers there are. A dash means that the series would have more than
{MAX_SHARE:.0%} of all papers.
"""


def evaluate(evidence: Evidence, n_series: int = N_SERIES, seed: int = 0) -> Part:
    """Return power with interval, median delay and false alarms by factor, weeks and papers."""
    counted = _largest(evidence)
    if counted is None:
        return Part("Power", METHOD, skipped=f"no population has {10 * N_WEEKS:,} papers.")
    grid = _trendless_weeks(counted, seed)
    real = grow(grid)
    rows = [
        _tally(grid, real, factor, weeks, n, n_series, seed)
        for factor in FACTORS
        for weeks in WEEKS
        for n in PAPERS_PER_WEEK
    ]
    found = pl.DataFrame(rows, infer_schema_length=None)
    caption = (
        f"Power: share of {n_series} series detected [95 % interval], median delay in weeks; "
        f"{counted.population}, {counted.period.size:,} papers, {N_WEEKS} weeks"
    )
    return Part("Power", METHOD, _criteria(found), [Table(caption, _by_papers(found))])


def _criteria(found: pl.DataFrame) -> list[Criterion]:
    tested = found.filter(pl.col("detected").is_not_null())
    strong = tested.filter(factor=2.0).filter(pl.col("weeks") <= 13, pl.col("n") >= 50)
    least = float(strong["detected"].min()) if strong.height else float("nan")  # type: ignore[arg-type]
    n_before, alarms, n_weeks = (int(tested[name].sum()) for name in _BEFORE)
    return [
        Criterion(
            "A doubling within 13 weeks at 50 or more papers per week is detected in at least "
            f"{MIN_POWER:.0%} of cases",
            f"{least:.0%} at worst of {strong.height} settings"
            if strong.height
            else "not measurable: too few papers per week",
            bool(strong.height) and least >= MIN_POWER,
            is_binding=bool(strong.height),
        ),
        Criterion(
            f"At most {MAX_ALARMS:.0%} of series without growth have a false alarm within "
            f"{WAIT_WEEKS} weeks",
            f"{alarms / max(n_before, 1):.1%} of {n_before:,} series, in {n_weeks:,} tested weeks",
            alarms <= MAX_ALARMS * n_before,
        ),
    ]


def _by_papers(found: pl.DataFrame) -> pl.DataFrame:
    """factor, weeks, and a column for each number of papers per week."""
    cell = pl.format(
        "{} % [{}, {}], {}",
        *((100 * pl.col(name)).round(0).cast(pl.Int64) for name in ("detected", "low", "high")),
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


def _trendless_weeks(counted: Counted, seed: int) -> Grid:
    """The papers assigned at random to weeks of unequal size."""
    rng = np.random.default_rng([seed, counted.period.size])
    size = np.exp(rng.normal(0, WEEKLY_SPREAD, N_WEEKS))
    week = rng.choice(N_WEEKS, counted.period.size, p=size / size.sum())
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
    grid: Grid, real: Growth, factor: float, weeks: int, n: int, n_series: int, seed: int
) -> dict[str, object]:
    """One setting: power, its interval, delay, and false alarms before the growth."""
    row: dict[str, object] = {"factor": factor, "weeks": weeks, "n": n}
    total = grid.n_total[:, 0]
    base = n / total.mean()
    if base * factor > MAX_SHARE:
        return row | dict.fromkeys(("detected", "low", "high", "delay", *_BEFORE))
    rng = np.random.default_rng([seed, int(factor * 10), weeks, n])
    starts = rng.integers(WAIT_WEEKS + 1, total.size - weeks, n_series)
    shares = _shares(rng, total.size, starts, base, factor, weeks)
    simulated = rng.binomial(total[:, None].astype(np.int64), shares).astype(np.float64)
    rising, is_tested_week = _rising(grid, real, simulated)
    since = np.arange(total.size)[:, None] - starts
    hits = rising & (since >= 0) & (since < weeks + WAIT_WEEKS)
    is_before = is_tested_week & (since < 0) & (since >= -WAIT_WEEKS)
    is_detected = hits.any(axis=0)
    delays = np.argmax(hits, axis=0)[is_detected] - starts[is_detected] + 1
    low, high = wilson(int(is_detected.sum()), n_series)
    return row | {
        "detected": float(is_detected.mean()),
        "low": low,
        "high": high,
        "delay": float(np.median(delays)) if delays.size else None,
        "series_before": int(is_before.any(axis=0).sum()),
        "alarms_before": int((rising & is_before).any(axis=0).sum()),
        "weeks_before": int(is_before.sum()),
    }


def _shares(
    rng: np.random.Generator,
    n_weeks: int,
    starts: Ints,
    base: float,
    factor: float,
    weeks: int,
) -> Floats:
    """Weeks × series: the share of each simulated series."""
    grown = np.clip((np.arange(n_weeks)[:, None] - starts + 1) / weeks, 0, 1)
    odds = (
        base
        / (1 - base)
        * np.exp(rng.normal(0, np.sqrt(PRIOR_OVERDISPERSION["week"]), (n_weeks, starts.size)))
    )
    share = odds / (1 + odds)
    return np.asarray(np.minimum(share * factor**grown, 1.0), dtype=np.float64)


def _rising(grid: Grid, real: Growth, simulated: Floats) -> tuple[Bools, Bools]:
    """Weeks × simulated series: whether the verdict is rising, and whether the series is tested.

    Each series is tested in a separate family with all real series, whose growth is `real`.
    """
    alone = _simulated_grid(grid, simulated)
    growth = _grow_each(grid, alone)
    tested = is_tested(alone, growth)
    week, series = np.nonzero(tested)
    others = np.where(is_tested(grid, real), real.p_value, np.nan)[week]
    family = np.concatenate([others, growth.p_value[week, series][:, None]], axis=1)
    is_significant = benjamini_hochberg(family)[:, -1] <= MAX_Q
    rising = np.zeros_like(tested)
    rising[week, series] = is_significant & (growth.growth[week, series] >= MIN_EFFECT)
    return rising, tested


def _simulated_grid(grid: Grid, simulated: Floats) -> Grid:
    """A grid of the simulated series only."""
    of = np.zeros(simulated.shape[1], dtype=np.int64)
    return replace(
        grid,
        n_papers=simulated,
        n_total=grid.n_total[:, of],
        is_present=grid.is_present[:, of],
        is_partial=grid.is_partial[:, of],
        conditions={name: cells[:, of] for name, cells in grid.conditions.items()},
        rows=grid.rows[:, of],
    )


def _grow_each(grid: Grid, alone: Grid) -> Growth:
    """Growth of each simulated series, with the overdispersion of it and the real series.

    `grow` would estimate one overdispersion from all simulated series. One year has no season.
    """
    current, before = WINDOWS[grid.grain]
    variance = np.column_stack(
        [overdispersion(_with_series(grid, column)) for column in alone.n_papers.T]
    )
    windows, none = window_sums(alone), np.zeros(alone.n_papers.shape)
    noise = variance * (1 / current + 1 / before)
    return growth_of(windows, noise, none, none)


def _with_series(grid: Grid, column: Floats) -> Grid:
    """The real series and one more; only the arrays that `overdispersion` reads."""

    def append(cells: NDArray[Any], column: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([cells, column[:, None]], axis=1)

    return replace(
        grid,
        n_papers=append(grid.n_papers, column),
        n_total=append(grid.n_total, grid.n_total[:, 0]),
        is_present=append(grid.is_present, grid.is_present[:, 0]),
        is_partial=append(grid.is_partial, grid.is_partial[:, 0]),
    )
