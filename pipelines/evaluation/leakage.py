"""Leakage: nothing after a day T may change what was said as of T.

Belongs here: changing the future and comparing the past, byte for byte. Does not belong here: what
is said.
"""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.trends import judge
from pipelines.trends.grids import INPUT_SCHEMA, KEYS, OPTIONAL_SCHEMA

N_DAYS = 6

METHOD = """
The published counts are judged again as of several days T, spread over each population's history,
with a future that was tampered with in four ways: cut off; every count doubled; the counts of all
topics exchanged among them; every period's observation (partial or not, share of whole lists,
share of papers with text) turned round. All rows of periods that began by T, in every column of
the verdicts, are hashed; with nothing leaking, all hashes of a day agree with those of the
untouched history. The second promise says that it is the published verdicts that are being
tested: judging the published counts once more gives them, to the bit.
"""


def evaluate(
    evidence: Evidence,
    n_days: int = N_DAYS,
    seed: int = 0,  # noqa: ARG001  nothing is drawn
) -> Part:
    """Hashes of the past under each tampered future."""
    counts = evidence.trends.select([*INPUT_SCHEMA, *OPTIONAL_SCHEMA])
    if counts.is_empty():
        return Part("Leakage", METHOD, skipped="there are no counts.")
    judged = judge(counts)
    rows = []
    for population in counts["population"].unique().sort():
        mine = counts.filter(pl.col("population") == population)
        whole = judged.filter(pl.col("population") == population)
        for day in _days(mine["period_start_on"], n_days):
            past = pl.col("period_start_on") <= day
            expected = _hash(whole.filter(past))
            for name, future in _futures(mine.filter(~past)).items():
                got = judge(pl.concat([mine.filter(past), future])).filter(past)
                rows.append((population, day, name, future.height, _hash(got) == expected))
    tampered = pl.DataFrame(
        rows, schema=["population", "as of", "future", "rows tampered with", "same"], orient="row"
    )
    n_same, n = int(tampered["same"].sum()), tampered.height
    return Part(
        "Leakage",
        METHOD,
        [
            Promise(
                "Nothing after T changes a byte of what was said as of T",
                f"{n_same} of {n} tampered histories agree",
                n_same == n and n > 0,
            ),
            Promise(
                "What is tested is what is published",
                "the published verdicts, to the bit" if _is_published(evidence, judged) else
                "verdicts differ from the published ones",
                _is_published(evidence, judged),
            ),
        ],
        [
            Table(
                "Histories whose past stayed the same",
                tampered.group_by("population", "future", maintain_order=True).agg(
                    days=pl.len(),
                    first=pl.col("as of").min(),
                    last=pl.col("as of").max(),
                    rows=pl.col("rows tampered with").sum(),
                    same=pl.col("same").sum(),
                ),
            )
        ],
    )  # fmt: skip


def _days(starts: pl.Series, n_days: int) -> list[date]:
    known = starts.unique().sort()
    at = np.unique(np.linspace(0, known.len() - 1, n_days + 2).astype(int)[1:-1])
    return [day for day in known.gather(at.tolist()).to_list() if day < known.max()]


def _futures(future: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Other courses that history might have taken, with the same columns."""
    of_period = ["population", "grain", "period_start_on"]
    turned = future.sort(KEYS).with_columns(pl.col("n_papers").reverse().over(of_period))
    return {
        "cut off": future.clear(),
        "counts doubled": future.with_columns(pl.col("n_papers", "n_total") * 2),
        "topics exchanged": turned.select(future.columns),
        "observation turned round": future.with_columns(
            pl.col("is_partial").not_(),
            *((1 - pl.col(name)).alias(name) for name in OPTIONAL_SCHEMA),
        ),
    }


def _hash(frame: pl.DataFrame) -> str:
    return hashlib.sha256(frame.sort(KEYS).write_csv(float_precision=17).encode()).hexdigest()


def _is_published(evidence: Evidence, judged: pl.DataFrame) -> bool:
    columns = [name for name in judged.columns if name in evidence.trends.columns]
    try:
        assert_frame_equal(
            judged.select(columns).sort(KEYS),
            evidence.trends.select(columns).sort(KEYS),
            check_exact=True,
        )
    except AssertionError:
        return False
    return True
