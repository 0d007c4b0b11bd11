"""Leakage: data after a day T must not change what was published as of T.

Belongs here: altering later data, and comparing earlier results bit by bit. Does not belong here:
the results (`pipelines/trends/`).
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl
from polars import selectors

from pipelines.evaluation.evidence import PUBLISHED, Evidence
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.grids import KEYS, OPTIONAL_SCHEMA

N_DAYS: Final = 2
COUNTERS: Final = ("n_papers", "n_total")

METHOD = """
Every judged column of topics of the taxonomy and of papers without a topic is compared: levels,
changes over four horizons, errors, dates, verdicts, reasons, burst, first occurrence, emergence.
Team sizes and terms are judged by the same function.

The published counts are judged again as of several days T, spread over the history. Data of periods
that end after T is altered in four ways: removed; every count doubled; counts exchanged between
topics; the data collection of every period inverted (partial or not, share of complete lists, share
of papers with text). All rows of periods that end by T are compared with those of the unaltered
history, floats bit by bit. The second criterion checks that the published results are tested:
judging the published counts gives the same values in the columns of `rpt_topic_trends`.

**Not covered.** *Discovered topics* are revised with each fit: a new fit assigns all papers again,
so earlier counts and verdicts change. The vocabulary of *terms* grows, and the components of a
family of terms are learned from those followed. *Counts* are taken as published: a capture of an
earlier day that arrives later changes the counts of that day, and an edited taxonomy changes those
of all days.
"""


def evaluate(
    evidence: Evidence,
    n_days: int = N_DAYS,
    seed: int = 0,  # noqa: ARG001  not random
) -> Part:
    """Return the number of altered histories with unchanged earlier results."""
    if evidence.trends.is_empty():
        return Part("Leakage", METHOD, skipped="there are no counts.")
    whole = judge(evidence.counts)
    altered = _altered(evidence.counts, whole, n_days)
    published = _bits(evidence.trends.select(*KEYS, *PUBLISHED))
    is_same = published.equals(_bits(whole.select(*KEYS, *PUBLISHED)))
    n_same, n = int(altered["same"].sum()), altered.height
    criteria = [
        Criterion(
            "Given the counts, data after T changes no bit of the results as of T",
            f"{n_same} of {n} altered histories agree",
            n_same == n,
        ),
        Criterion(
            "The tested results are the published ones",
            "identical to the bit" if is_same else "the published results differ",
            is_same,
        ),
    ]
    return Part("Leakage", METHOD, criteria, [Table("Earlier results by alteration", altered)])


def _altered(counts: pl.DataFrame, whole: pl.DataFrame, n_days: int) -> pl.DataFrame:
    """One row per day and alteration: whether earlier results are the same."""
    rows = []
    for day in _days(counts.select(_end())[:, 0], n_days):
        past = _end() <= day
        expected = _bits(whole.filter(past))
        for name, future in _alterations(counts.filter(~past)).items():
            found = judge(pl.concat([counts.filter(past), future])).filter(past)
            rows.append((day, name, future.height, _bits(found).equals(expected)))
    return pl.DataFrame(
        rows,
        schema={
            "as of": pl.Date(), "alteration": pl.String(), "altered rows": pl.Int64(),
            "same": pl.Boolean(),
        },
        orient="row",
    )  # fmt: skip


def _end() -> pl.Expr:
    """The day after a row's period."""
    start = pl.col("period_start_on")
    return (
        pl.when(pl.col("grain") == "week")
        .then(start.dt.offset_by("1w"))
        .when(pl.col("grain") == "month")
        .then(start.dt.offset_by("1mo"))
        .otherwise(start.dt.offset_by("3mo"))
    )


def _days(ends: pl.Series, n_days: int) -> list[date]:
    """Up to `n_days` evenly spaced ends of periods, without the last one."""
    known = ends.unique().sort()
    at = np.unique(np.linspace(0, known.len() - 1, n_days + 2).astype(int)[1:-1])
    return [day for day in known.gather(at.tolist()).to_list() if day < known.max()]


def _alterations(future: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Altered versions of the later rows, with the same columns."""
    exchanged = future.sort(KEYS).with_columns(pl.col(COUNTERS).reverse().over(KEYS[:3]))
    return {
        "removed": future.clear(),
        "counts doubled": future.with_columns(pl.col(COUNTERS) * 2),
        "topics exchanged": exchanged.select(future.columns),
        "data collection inverted": future.with_columns(
            pl.col("is_partial").not_(),
            *((1 - pl.col(name)).alias(name) for name in OPTIONAL_SCHEMA),
        ),
    }


def _bits(frame: pl.DataFrame) -> pl.DataFrame:
    """The sorted rows with floats reinterpreted as integers, for an exact comparison."""
    floats = frame.select(selectors.float()).columns
    ordered = frame.sort(KEYS)
    return ordered.with_columns(
        *(
            pl.Series(name, ordered[name].fill_null(np.nan).to_numpy().view(np.int64))
            for name in floats
        )
    )
