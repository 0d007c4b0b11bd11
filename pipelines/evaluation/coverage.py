"""Coverage: how often intervals contain the true change, by simulation.

Belongs here: simulated histories with known levels. Does not belong here: the intervals
(`pipelines/trends/changes.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.changes import CALLED_MEAN, HORIZONS, Levels, verdicts
from pipelines.trends.components import SLOPE_SHARE, components
from pipelines.trends.grids import Floats, check, grids
from pipelines.trends.panels import base_grain, mixes_of, panel_of

LEVELS: Final = (0.80, 0.90, 0.95)
SPEEDS: Final = (0.1, 0.3, 0.6, 1.0)
"""Standard deviations of a year's movement of simulated log odds; a quarter of the topics each."""
NOISE: Final = 0.015
MOVEMENTS: Final = {"trend": SLOPE_SHARE, "random walk": 0.0}
"""Movement → the part of it that comes from slopes."""
N_HISTORIES: Final = 4
N_ORIGINS: Final = 6
TOLERANCE: Final = 0.02
MIN_CALLS: Final = 100
"""Simulated verdicts of a series; with fewer, sampling alone exceeds the tolerance."""

METHOD = f"""
For each population, {N_HISTORIES} histories of each kind are simulated with the real topics, totals
and gaps of its base grain. The log odds of a topic start at its real share. They follow a *trend*
with slopes, as the model expects, or a *random walk*, which it does not expect. A quarter of the
topics each move by {", ".join(map(str, SPEEDS))} in a year (standard deviation). Every period has
independent noise (variance {NOISE}), and the number of papers is binomial. The true changes are
therefore known. The criteria are about trends. At {N_ORIGINS} periods in the
second half of the history, the interval of each change with enough papers is compared with the true
change: for all rows, and for those called rising or falling, for which *wrong sign* is the share
with a change in the other direction. `arxiv` is simulated as one cell.
"""


def evaluate(evidence: Evidence, n_histories: int = N_HISTORIES, seed: int = 0) -> Part:
    """Return the coverage of intervals by population, horizon and nominal level."""
    found = [
        row
        for population in ("hf_daily", "arxiv")
        for movement in MOVEMENTS
        for row in _simulate(evidence.counts, population, movement, n_histories, seed)
    ]
    if not found:
        return Part("Coverage of intervals", METHOD, skipped="no history is long enough.")
    rows = pl.DataFrame(found)
    columns = [f"{level:.0%}" for level in LEVELS]
    table = rows.group_by("population", "movement", "horizon", maintain_order=True).agg(
        *[pl.col(name).mean() for name in columns],
        intervals=pl.len(),
        called=pl.col("called").sum(),
        **{f"called {name}": pl.col(name).filter(pl.col("called")).mean() for name in columns},
        **{"wrong sign": pl.col("wrong").filter(pl.col("called")).mean()},
    )
    trends = rows.filter(movement="trend")
    return Part(
        "Coverage of intervals",
        METHOD,
        [
            *(_criterion(trends, level) for level in LEVELS),
            *(_called_criterion(table, level) for level in LEVELS[1:]),
            _wrong_sign(trends),
        ],
        [Table("Coverage by nominal level", table)],
    )


def _criterion(rows: pl.DataFrame, level: float) -> Criterion:
    share = float(rows[f"{level:.0%}"].mean())  # type: ignore[arg-type]
    return Criterion(
        f"{level:.0%} intervals of changes have a coverage of {level:.0%} ± {TOLERANCE:.0%}",
        f"{share:.1%} of {rows.height:,}",
        abs(share - level) <= TOLERANCE,
        is_binding=share < level - 3 * TOLERANCE,
    )


def _called_criterion(table: pl.DataFrame, level: float) -> Criterion:
    """Of each series, since a pooled share hides a series that fails."""
    name = f"called {level:.0%}"
    many = table.filter(pl.col("called") >= MIN_CALLS)
    off = many.filter((pl.col(name) - level).abs() > TOLERANCE)
    named = ", ".join(
        f"{r['population']}, {r['movement']}, {r['horizon']} ({r[name]:.1%} of {r['called']})"
        for r in off.iter_rows(named=True)
    )
    return Criterion(
        f"In each series with {MIN_CALLS} simulated verdicts, their {level:.0%} intervals have a "
        f"coverage of {level:.0%} ± {TOLERANCE:.0%}",
        f"{many.height - off.height} of {many.height} series" + (f"; not {named}" if named else ""),
        off.is_empty(),
        is_binding=False,
    )


def _wrong_sign(rows: pl.DataFrame) -> Criterion:
    called = rows.filter(pl.col("called"))
    wrong = int(called["wrong"].sum())
    return Criterion(
        f"At most {CALLED_MEAN:.0%} of simulated verdicts have the wrong sign",
        f"{wrong} of {called.height}",
        wrong <= CALLED_MEAN * called.height,
    )


def _simulate(
    counts: pl.DataFrame, population: str, movement: str, n_histories: int, seed: int
) -> list[dict[str, object]]:
    own = counts.filter(pl.col("population") == population)
    if own.is_empty():
        return []
    checked = check(own)
    parts = list(grids(checked))
    grain = base_grain(parts, int(max(part.starts[-1] for part in parts)) + 100)
    if grain is None:
        return []
    panel = panel_of(checked, population, grain, mixes_of(checked))
    panel = replace(panel, mix=panel.mix[:, :0], weights=np.ones(1))
    seen = np.flatnonzero(panel.is_observed)
    if seen.size < panel.periods_per_year // 2:
        return []
    rng = np.random.default_rng([seed, seen.size])
    origins = seen[np.linspace(seen.size // 2, seen.size - 1, N_ORIGINS).astype(int)]
    rows: list[dict[str, object]] = []
    for _ in range(n_histories):
        n = panel.n_total[:, 0]
        share = (panel.n_papers.sum(axis=0) + 0.5) / (panel.n_total.sum(axis=0) + 1)
        steps = _steps(rng, n.shape, panel.periods_per_year, MOVEMENTS[movement])
        walk = np.log(share / (1 - share)) + np.cumsum(steps, axis=0)
        noisy = walk + rng.normal(0, np.sqrt(NOISE), n.shape)
        papers = rng.binomial(n.astype(np.int64), 1 / (1 + np.exp(-noisy))).astype(np.float64)
        levels = Levels(replace(panel, n_papers=papers[:, None, :]))
        truth = -np.logaddexp(0, -walk)
        for t in origins:
            found = _compare(levels, truth, papers[: t + 1].sum(axis=0), int(t))
            rows += [{"population": population, "movement": movement, **row} for row in found]
    return rows


def _steps(
    rng: np.random.Generator, shape: tuple[int, ...], per_year: int, slope_share: float
) -> Floats:
    """Movements of log odds, periods × topics: jumps, and slopes that decay as in the model."""
    variance = np.resize(SPEEDS, shape[1]) ** 2 / per_year
    decay = components(per_year).decay
    of_slopes = slope_share * variance * (1 - decay) / (1 + decay)
    steps = rng.normal(0, 1, shape) * np.sqrt((1 - slope_share) * variance)
    slope = rng.normal(0, 1, shape[1]) * np.sqrt(of_slopes)
    for t in range(1, shape[0]):
        steps[t] += slope
        slope = decay * slope + rng.normal(0, 1, shape[1]) * np.sqrt(of_slopes * (1 - decay**2))
    return np.asarray(steps, dtype=np.float64)


def _compare(levels: Levels, truth: Floats, papers: Floats, t: int) -> list[dict[str, object]]:
    positions = {level: levels.at(t, level) for level in LEVELS}
    enough = papers >= 10
    rows: list[dict[str, object]] = []
    for horizon in HORIZONS:
        steps = levels.steps(horizon)
        if horizon not in positions[LEVELS[0]].changes:
            continue
        true = truth[t] - truth[t - steps]
        stated = positions[LEVELS[0]].changes[horizon]
        called = np.isin(verdicts(stated, enough, papers), ["rising", "falling"])
        inside = {
            f"{level:.0%}": (at.changes[horizon].low <= true) & (true <= at.changes[horizon].high)
            for level, at in positions.items()
        }
        wrong = np.sign(true) != np.sign(stated.growth)
        rows += [
            {
                "horizon": horizon.replace("_", "-"),
                "called": bool(called[i]),
                "wrong": bool(wrong[i]),
                **{name: bool(hit[i]) for name, hit in inside.items()},
            }
            for i in np.flatnonzero(enough)
        ]
    return rows
