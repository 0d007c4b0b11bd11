"""Leakage: nothing after a day T may change what was said as of T.

Belongs here: changing the future and comparing the past, bit for bit. Does not belong here: what
is said.
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
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends import judge
from pipelines.trends.grids import INPUT_SCHEMA, KEYS, OPTIONAL_SCHEMA
from pipelines.trends.judging import OUTPUT_SCHEMA
from pipelines.trends.teams import TEAM_SCHEMA, judge_teams

N_DAYS = 6

METHOD = """
What is compared: every judged column of `rpt_topic_trends` for the topics of the taxonomy and
papers without any (shares with memory, growth, its basis, p, q, verdict, reason, burst, first
sight, emergence, and all bounds), and of `rpt_author_counts` (growth, p, q and verdict of the
shares of papers with one author and with ten or more).

The published counts are judged again as of several days T, spread over each population's history,
with a future that was tampered with in four ways: cut off; every count doubled; the counts of all
topics exchanged among them; every period's observation (partial or not, share of whole lists,
share of papers with text) turned round. All rows of periods that began by T are compared, floats
by their bits, with those of the untouched history. The second promise says that it is the published
verdicts that are being tested: judging the published counts once more gives all these columns.

What is **not** promised. *Discovered topics* are restated with each fit: a new fit places all
papers anew, so their past counts and verdicts change. The vocabulary of *terms* is learned anew
each quarter from all papers counted before it: other terms are then judged beside the old ones, and
past q-values, and verdicts with them, move. And *counts* are taken as published: a capture of an
earlier day that comes in later changes that day's counts, an edited taxonomy those of all days.
"""


@dataclass(frozen=True)
class _Said:
    """One mart: what was counted, what was published of it, and what judges it."""

    what: str
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


def _marts(evidence: Evidence) -> list[_Said]:
    trends, authors = evidence.trends, evidence.authors
    return [
        _Said(
            "topics",
            trends.select([*INPUT_SCHEMA, *OPTIONAL_SCHEMA]),
            trends.select(list(OUTPUT_SCHEMA)),
            judge,
            "series_id",
            ("n_papers", "n_total"),
        ),
        _Said(
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
    seed: int = 0,  # noqa: ARG001  nothing is drawn
) -> Part:
    """The past compared under each tampered future."""
    marts = [said for said in _marts(evidence) if said.counts.height]
    if not marts:
        return Part("Leakage", METHOD, skipped="there are no counts.")
    judged = [said.judge(said.counts) for said in marts]
    tampered = pl.concat(
        _tampered(said, whole, n_days) for said, whole in zip(marts, judged, strict=True)
    )
    other = [
        said.what
        for said, whole in zip(marts, judged, strict=True)
        if not _bits(said.published, said.keys).equals(_bits(whole, said.keys))
    ]
    n_same, n = int(tampered["same"].sum()), tampered.height
    return Part(
        "Leakage",
        METHOD,
        [
            Promise(
                "Given the counts, nothing after T changes a bit of what was said as of T of the "
                "taxonomy's topics and of their team sizes",
                f"{n_same} of {n} tampered histories agree",
                n_same == n and n > 0,
            ),
            Promise(
                "What is tested is what is published",
                f"{' and '.join(other)} differ from what was published"
                if other
                else "the published verdicts, to the bit",
                not other,
            ),
        ],
        [
            Table(
                "Days of which the past stayed the same, by what came after",
                _by_mart(tampered),
            )
        ],
    )


def _tampered(said: _Said, whole: pl.DataFrame, n_days: int) -> pl.DataFrame:
    """A row per population, day and tampered future: whether the past is the same."""
    rows = []
    for population in said.counts["population"].unique().sort():
        mine = said.counts.filter(pl.col("population") == population)
        told = whole.filter(pl.col("population") == population)
        for day in _days(mine["period_start_on"], n_days):
            past = pl.col("period_start_on") <= day
            expected = _bits(told.filter(past), said.keys)
            for name, future in _futures(said, mine.filter(~past)).items():
                got = said.judge(pl.concat([mine.filter(past), future])).filter(past)
                is_same = _bits(got, said.keys).equals(expected)
                rows.append((population, said.what, day, name, future.height, is_same))
    return pl.DataFrame(
        rows,
        schema={
            "population": pl.String(),
            "what": pl.String(),
            "as of": pl.Date(),
            "future": pl.String(),
            "rows tampered with": pl.Int64(),
            "same": pl.Boolean(),
        },
        orient="row",
    )


def _by_mart(tampered: pl.DataFrame) -> pl.DataFrame:
    """population, what, days with first and last, and for each future the days that stayed."""
    of_mart = ["population", "what"]
    days = tampered.group_by(of_mart, maintain_order=True).agg(
        days=pl.col("as of").n_unique(),
        first=pl.col("as of").min(),
        last=pl.col("as of").max(),
    )
    same = tampered.with_columns(pl.col("same").cast(pl.Int64)).pivot(
        "future", index=of_mart, values="same", aggregate_function="sum", maintain_order=True
    )
    return days.join(same, on=of_mart, how="left", maintain_order="left")


def _days(starts: pl.Series, n_days: int) -> list[date]:
    known = starts.unique().sort()
    at = np.unique(np.linspace(0, known.len() - 1, n_days + 2).astype(int)[1:-1])
    return [day for day in known.gather(at.tolist()).to_list() if day < known.max()]


def _futures(said: _Said, future: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Other courses that history might have taken, with the same columns."""
    counters = list(said.counters)
    exchanged = future.sort(said.keys).with_columns(pl.col(counters).reverse().over(KEYS[:3]))
    observed = [name for name in OPTIONAL_SCHEMA if name in future.columns]
    return {
        "cut off": future.clear(),
        "counts doubled": future.with_columns(pl.col(counters) * 2),
        "topics exchanged": exchanged.select(future.columns),
        "observation turned round": future.with_columns(
            pl.col("is_partial").not_(), *((1 - pl.col(name)).alias(name) for name in observed)
        ),
    }


def _bits(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """The rows in order, floats as the whole numbers that their bits spell.

    Written out with so many digits, small p-values would lose theirs.
    """
    floats = frame.select(selectors.float()).columns
    ordered = frame.sort(keys)
    return ordered.with_columns(
        *(
            pl.Series(name, ordered[name].fill_null(np.nan).to_numpy().view(np.int64))
            for name in floats
        )
    )
