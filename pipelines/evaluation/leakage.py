"""Leakage: data after a day T must not change what was published as of T.

Belongs here: altering later data, and comparing earlier results bit by bit. Does not belong here:
the results (`pipelines/trends/`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from polars import selectors

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.grids import INPUT_SCHEMA, KEYS, OPTIONAL_SCHEMA
from pipelines.trends.judging import OUTPUT_SCHEMA
from pipelines.trends.teams import TEAM_SCHEMA, judge_teams

N_DAYS = 6

METHOD = """
Every judged column is compared: of `rpt_topic_trends`, for the topics of the taxonomy and papers
without a topic (smoothed shares, growth, its basis, p, q, verdict, reason, burst, first
occurrence, emergence, and all bounds); of `rpt_author_counts`, growth, p, q and verdict of the
shares of papers with one and with ten or more authors.

The published counts are judged again as of several days T, spread over the history of each
population. Data after T is altered in four ways: removed; every count doubled; counts exchanged
between topics; the data collection of every period inverted (partial or not, share of complete
lists, share of papers with text). All rows of periods that start by T are compared with those of
the unaltered history, floats bit by bit. The second criterion checks that the published results
are tested: judging the published counts gives the same values in all these columns.

**Not covered.** *Discovered topics* are revised with each fit: a new fit assigns all papers again,
so earlier counts and verdicts change. The vocabulary of *terms* is learned again each quarter from
all papers counted before it. The family of tested terms changes with it, and so do earlier
q-values and verdicts. *Counts* are taken as published: a capture of an earlier day that arrives
later changes the counts of that day, and an edited taxonomy changes those of all days.
"""


@dataclass(frozen=True)
class _Mart:
    """One mart: the counts, the published results, and the function that computes them."""

    name: str
    counts: pl.DataFrame
    published: pl.DataFrame
    judge: Callable[[pl.DataFrame], pl.DataFrame]
    series: str
    """The column that names the series."""
    counters: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        return [*KEYS[:3], self.series]


_TEAM_COUNTS: Final = ("n_papers", "n_solo", "n_ten_plus")


def _marts(evidence: Evidence) -> list[_Mart]:
    trends, authors = evidence.trends, evidence.authors
    return [
        _Mart(
            "topics",
            trends.select([*INPUT_SCHEMA, *OPTIONAL_SCHEMA]),
            trends.select(list(OUTPUT_SCHEMA)),
            judge,
            "series_id",
            ("n_papers", "n_total"),
        ),
        _Mart(
            "team sizes",
            authors.select(*KEYS[:3], "topic_id", *_TEAM_COUNTS, "is_partial", "complete_share"),
            authors.select(list(TEAM_SCHEMA)),
            judge_teams,
            "topic_id",
            _TEAM_COUNTS,
        ),
    ]


def evaluate(
    evidence: Evidence,
    n_days: int = N_DAYS,
    seed: int = 0,  # noqa: ARG001  not random
) -> Part:
    """Return the number of altered histories with unchanged earlier results."""
    marts = [mart for mart in _marts(evidence) if mart.counts.height]
    if not marts:
        return Part("Leakage", METHOD, skipped="there are no counts.")
    judged = [mart.judge(mart.counts) for mart in marts]
    altered = pl.concat(
        _altered(mart, whole, n_days) for mart, whole in zip(marts, judged, strict=True)
    )
    different = [
        mart.name
        for mart, whole in zip(marts, judged, strict=True)
        if not _bits(mart.published, mart.keys).equals(_bits(whole, mart.keys))
    ]
    n_same, n = int(altered["same"].sum()), altered.height
    criteria = [
        Criterion(
            "Given the counts, data after T changes no bit of the results as of T, for topics of "
            "the taxonomy and their team sizes",
            f"{n_same} of {n} altered histories agree",
            n_same == n and n > 0,
        ),
        Criterion(
            "The tested results are the published ones",
            f"{' and '.join(different)} differ from the published results"
            if different
            else "identical to the bit",
            not different,
        ),
    ]
    table = Table("Days with unchanged earlier results, by alteration", _by_mart(altered))
    return Part("Leakage", METHOD, criteria, [table])


def _altered(mart: _Mart, whole: pl.DataFrame, n_days: int) -> pl.DataFrame:
    """One row per population, day and alteration: whether earlier results are the same."""
    rows = []
    for population in mart.counts["population"].unique().sort():
        counts = mart.counts.filter(pl.col("population") == population)
        judged = whole.filter(pl.col("population") == population)
        for day in _days(counts["period_start_on"], n_days):
            past = pl.col("period_start_on") <= day
            expected = _bits(judged.filter(past), mart.keys)
            for name, future in _alterations(mart, counts.filter(~past)).items():
                found = mart.judge(pl.concat([counts.filter(past), future])).filter(past)
                is_same = _bits(found, mart.keys).equals(expected)
                rows.append((population, mart.name, day, name, future.height, is_same))
    return pl.DataFrame(
        rows,
        schema={
            "population": pl.String(),
            "mart": pl.String(),
            "as of": pl.Date(),
            "alteration": pl.String(),
            "altered rows": pl.Int64(),
            "same": pl.Boolean(),
        },
        orient="row",
    )


def _by_mart(altered: pl.DataFrame) -> pl.DataFrame:
    """population, mart, number of days, first, last, and the unchanged days per alteration."""
    of_mart = ["population", "mart"]
    days = altered.group_by(of_mart, maintain_order=True).agg(
        days=pl.col("as of").n_unique(),
        first=pl.col("as of").min(),
        last=pl.col("as of").max(),
    )
    same = altered.with_columns(pl.col("same").cast(pl.Int64)).pivot(
        "alteration", index=of_mart, values="same", aggregate_function="sum", maintain_order=True
    )
    return days.join(same, on=of_mart, how="left", maintain_order="left")


def _days(starts: pl.Series, n_days: int) -> list[date]:
    """Up to `n_days` evenly spaced periods, without the last one."""
    known = starts.unique().sort()
    at = np.unique(np.linspace(0, known.len() - 1, n_days + 2).astype(int)[1:-1])
    return [day for day in known.gather(at.tolist()).to_list() if day < known.max()]


def _alterations(mart: _Mart, future: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Altered versions of the later rows, with the same columns."""
    counters = list(mart.counters)
    exchanged = future.sort(mart.keys).with_columns(pl.col(counters).reverse().over(KEYS[:3]))
    conditions = [name for name in OPTIONAL_SCHEMA if name in future.columns]
    return {
        "removed": future.clear(),
        "counts doubled": future.with_columns(pl.col(counters) * 2),
        "topics exchanged": exchanged.select(future.columns),
        "data collection inverted": future.with_columns(
            pl.col("is_partial").not_(), *((1 - pl.col(name)).alias(name) for name in conditions)
        ),
    }


def _bits(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The sorted rows with floats reinterpreted as integers, for an exact comparison."""
    floats = frame.select(selectors.float()).columns
    ordered = frame.sort(keys)
    return ordered.with_columns(
        *(
            pl.Series(name, ordered[name].fill_null(np.nan).to_numpy().view(np.int64))
            for name in floats
        )
    )
