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

from pipelines.evaluation.evidence import PUBLISHED, TEAM_COLUMNS, Evidence
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends.grids import INPUT_SCHEMA, KEYS, OPTIONAL_SCHEMA
from pipelines.trends.series import judge_series

N_DAYS: Final = 2
EVERY: Final = 3
"""Later data are altered for every third series: all series of a kind are judged together, so that
a look-ahead in one would be one in all."""
COUNTERS: Final = ("n_papers", "n_total")
TOPIC: Final = "topic"
ROW: Final = ["series_kind", *KEYS]

METHOD = f"""
Every judged column is compared: levels, changes over four horizons, errors, dates, verdicts,
reasons, burst, first occurrence, emergence; for topics of the taxonomy, papers without a topic, and
team sizes by topic. Terms are judged by the same function.

The counts of every {EVERY}rd series are judged as of several days T, spread over the history. Data
of periods that end after T are removed, or altered: every count doubled, counts exchanged between
topics, the data collection of every period inverted (partial or not, share of complete lists, share
of papers with text). All rows of periods that end by T are compared with those of the unaltered
history, floats bit by bit. The second criterion checks that the published results are tested:
judging all published counts gives the same values in the columns of `rpt_topic_trends` and
`rpt_author_counts`.

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
    counts = _counts(evidence)
    differing = _differing(evidence, _judge(counts))
    altered = _altered(counts, n_days)
    n_same, n = int(altered["same"].sum()), altered.height
    criteria = [
        Criterion(
            "Given the counts, data after T changes no bit of the results as of T",
            f"{n_same} of {n} altered histories agree",
            n_same == n,
        ),
        Criterion(
            "The tested results are the published ones",
            f"differences in {', '.join(differing)}" if differing else "identical to the bit",
            not differing,
        ),
    ]
    return Part("Leakage", METHOD, criteria, [Table("Earlier results by alteration", altered)])


def _counts(evidence: Evidence) -> pl.DataFrame:
    columns = ["series_kind", *INPUT_SCHEMA, *OPTIONAL_SCHEMA]
    topics = evidence.counts.with_columns(series_kind=pl.lit(TOPIC))
    return pl.concat([topics.select(columns), evidence.teams.select(columns)])


def _judge(counts: pl.DataFrame) -> pl.DataFrame:
    return judge_series(counts, min_term_papers=0)


def _differing(evidence: Evidence, judged: pl.DataFrame) -> list[str]:
    """The kinds of series whose published results differ from these."""
    published = {
        TOPIC: evidence.trends.select(*KEYS, *PUBLISHED),
        **{
            str(kind): rows.select(*KEYS, *TEAM_COLUMNS)
            for (kind,), rows in evidence.teams.group_by("series_kind", maintain_order=True)
        },
    }
    return [
        kind
        for kind, rows in published.items()
        if not _bits(rows, KEYS).equals(
            _bits(judged.filter(pl.col("series_kind") == kind).select(rows.columns), KEYS)
        )
    ]


def _altered(counts: pl.DataFrame, n_days: int) -> pl.DataFrame:
    """One row per day and alteration: whether earlier results are the same."""
    some = counts.filter((pl.col("series_id").rank("dense") - 1) % EVERY == 0)
    whole = _judge(some)
    rows = []
    for day in _days(some.select(_end())[:, 0], n_days):
        past = _end() <= day
        expected = _bits(whole.filter(past), ROW)
        for name, future in _alterations(some.filter(~past)).items():
            found = _judge(pl.concat([some.filter(past), future])).filter(past)
            rows.append((day, name, future.height, _bits(found, ROW).equals(expected)))
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
    """The later rows removed, and altered in all other ways, with the same columns."""
    exchanged = future.sort(ROW).with_columns(pl.col(COUNTERS).reverse().over(ROW[:4]))
    return {
        "removed": future.clear(),
        "altered": exchanged.with_columns(
            pl.col(COUNTERS) * 2,
            pl.col("is_partial").not_(),
            *((1 - pl.col(name)).alias(name) for name in OPTIONAL_SCHEMA),
        ).select(future.columns),
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
