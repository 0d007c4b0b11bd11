"""Power: how often, and how soon, growth injected among papers without a trend is called.

Belongs here: the injected series. Does not belong here: the rule of verdicts
(`pipelines/trends/changes.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Evidence, count
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.placebo import permuted
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.changes import HORIZONS
from pipelines.trends.grids import KEYS

FACTORS: Final = (1.5, 2.0, 4.0)
WEEKS: Final = (1, 13, 26)
PAPERS_PER_WEEK: Final = (2, 5, 10, 20)
N_HISTORIES: Final = 16
WAIT_WEEKS: Final = 26
NOISE: Final = 0.015
MIN_POWER: Final = 0.8
MAX_SHARE: Final = 0.6
MIN_WEEKS: Final = 78

METHOD = f"""
The dates of the papers of `hf_daily` are permuted, so that no real topic has a trend. One series of
each setting is injected: it has *n* papers per week on average, in proportion to the week's total,
and noise of its log odds (variance {NOISE}). From a random week of the second half on, its
share grows by the factor, at once or within the given weeks, and then stays. All are judged
together with the real topics, {N_HISTORIES} times. A series is *detected* if it is called rising
over some horizon by {WAIT_WEEKS} weeks after the end of the growth; the delay is the median number
of weeks from the start. A *false alarm* is a verdict *rising* in the 13 weeks before the growth. A
dash means that the series would have more than {MAX_SHARE:.0%} of the papers.
"""


def evaluate(evidence: Evidence, n_histories: int = N_HISTORIES, seed: int = 0) -> Part:
    """Return power and median delay by factor, weeks and papers, and the share of false alarms."""
    counted = count(evidence, "hf_daily", "week")
    if counted is None or counted.grid.starts.size < MIN_WEEKS:
        return Part("Power", METHOD, skipped=f"`hf_daily` has fewer than {MIN_WEEKS} weeks.")
    rng = np.random.default_rng([seed, counted.period.size])
    found: list[dict[str, object]] = []
    for _ in range(n_histories):
        real = permuted(evidence.counts, counted, rng)
        series, facts = _injected(real, rng)
        judged = judge(pl.concat([real, series.select(real.columns)]))
        found += [_outcome(judged, fact) for fact in facts]
    rows = pl.DataFrame(found)
    table = rows.group_by("factor", "weeks", "n", maintain_order=True).agg(
        detected=pl.col("detected").mean(),
        hits=pl.col("detected").sum(),
        delay=pl.col("delay").median(),
    )
    strong = table.filter(pl.col("factor") == 2, pl.col("weeks") <= 13, pl.col("n") >= 5)
    least = float(strong["detected"].min()) if strong.height else 0.0  # type: ignore[arg-type]
    alarms = int(rows["alarm"].sum())
    return Part(
        "Power",
        METHOD,
        [
            Criterion(
                "A doubling within 13 weeks at 5 or more papers per week is detected in at least "
                f"{MIN_POWER:.0%} of cases",
                f"{least:.0%} at worst of {strong.height} settings",
                least >= MIN_POWER,
                is_binding=False,
            ),
            Criterion(
                "At most 5% of series have a false alarm in the 13 weeks before",
                f"{alarms} of {rows.height}",
                alarms <= 0.05 * rows.height,
            ),
        ],
        [
            Table(
                f"Detected of {n_histories} [95 % interval], median delay in weeks",
                _cells(table, n_histories),
            )
        ],
    )


def _cells(table: pl.DataFrame, n: int) -> pl.DataFrame:
    cells = []
    for row in table.iter_rows(named=True):
        low, high = wilson(row["hits"], n)
        delay = "never" if row["delay"] is None else f"{row['delay']:.0f}"
        cells.append(f"{row['detected']:.0%} [{low:.0%}, {high:.0%}], {delay}")
    return (
        table.with_columns(cell=pl.Series(cells), n=pl.format("n = {}", "n"))
        .pivot("n", index=["factor", "weeks"], values="cell", maintain_order=True)
        .sort("factor", "weeks")
    )


def _injected(
    real: pl.DataFrame, rng: np.random.Generator
) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    periods = real.drop("series_id", "n_papers").unique("period_start_on").sort("period_start_on")
    total = periods["n_total"].to_numpy()
    starts = periods["period_start_on"]
    parts, facts = [], []
    for factor in FACTORS:
        for weeks in WEEKS:
            for n in PAPERS_PER_WEEK:
                base = n / total.mean()
                if base * factor > MAX_SHARE:
                    continue
                at = int(rng.integers(total.size // 2, total.size - weeks - 4))
                grown = np.clip((np.arange(total.size) - at + 1) / weeks, 0, 1)
                share = base * factor**grown
                odds = share / (1 - share) * np.exp(rng.normal(0, np.sqrt(NOISE), total.size))
                papers = rng.binomial(total, odds / (1 + odds))
                name = f"~{factor}-{weeks}-{n}"
                parts.append(
                    periods.with_columns(series_id=pl.lit(name), n_papers=pl.Series(papers))
                )
                facts.append(
                    {
                        "name": name, "factor": factor, "weeks": weeks, "n": n,
                        "start": starts[at], "before": starts[max(at - 13, 0)],
                        "until": starts[min(at + weeks + WAIT_WEEKS, total.size) - 1],
                    }
                )  # fmt: skip
    return pl.concat(parts), facts


def _outcome(judged: pl.DataFrame, fact: dict[str, object]) -> dict[str, object]:
    rows = judged.filter(pl.col("series_id") == fact["name"]).sort(KEYS)
    rises = rows.filter(
        pl.any_horizontal(pl.col(f"{horizon}_verdict") == "rising" for horizon in HORIZONS)
    )["period_start_on"]
    start, until, before = fact["start"], fact["until"], fact["before"]
    hits = rises.filter((rises >= start) & (rises <= until))
    alarms = rises.filter((rises >= before) & (rises < start))
    delay = (hits[0] - start).days / 7 + 1 if hits.len() else None
    return {
        "factor": fact["factor"],
        "weeks": fact["weeks"],
        "n": fact["n"],
        "detected": bool(hits.len()),
        "delay": delay,
        "alarm": bool(alarms.len()),
    }
