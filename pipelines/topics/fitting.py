"""The series of fits of discovered topics: schedule, sample, and papers by the latest fit.

Belongs here: when topics are fitted, from which papers, and assigning all papers to the topics of
the latest fit. Does not belong here: one fit (`discovered.py`), files (`topic_files.py`), SQL.

Each fit has a boundary, 1 January or 1 July, and is learned from papers dated before it. It starts
from the previous fit and does not depend on anything dated later. The latest fit assigns papers of
all dates, so a topic's history is revised twice a year.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from polars import selectors

from pipelines.topics.discovered import assign, by_hash, fit
from pipelines.topics.embedding import Embedder
from pipelines.topics.lineage import LINEAGE_SCHEMA
from pipelines.topics.topic_files import FitFolder
from pipelines.topics.topic_model import ASSIGNMENT_SCHEMA, Fit, TopicModel

BOUNDARY_MONTHS = (1, 7)
"""Boundaries are the first days of these months. More fits would follow the field more closely, but
adjacent quarters would rarely share a fit."""

MIN_PAPERS = 1_000
"""Least number of papers of a fit: 25 for each topic."""

MIN_NEW_PAPERS = 100
"""Least number of papers since the previous boundary, and of papers on the boundary or later. By
then the lists of the half-year are complete, and a single wrong date does not start a fit."""

FIT_PAPERS = 10_000
"""A fit is learned from at most this many papers: those with the smallest hashes of their ids."""

PLACED_ROWS = 25_000
"""Papers assigned at a time. Bounds memory; rows do not depend on each other."""

_DIGITS = 6
"""Decimal places of scores and similarities in the tables."""

TEXT_COLUMNS = ("paper_id", "title", "abstract", "keywords")

FITS_SCHEMA = pl.Schema(
    {
        "boundary_on": pl.Date(),
        "previous_boundary_on": pl.Date(),
        "learned_from": pl.String(),
        "n_papers": pl.Int64(),
        "is_newest": pl.Boolean(),
        "topics": pl.List(
            pl.Struct(
                {
                    "topic_id": pl.String(),
                    "label": pl.String(),
                    "top_words": pl.List(pl.String()),
                }
            )
        ),
        "lineage": pl.List(
            pl.Struct({"previous_label": pl.String(), "label": pl.String(), **dict(LINEAGE_SCHEMA)})
        ),
    }
)
"""One row per fit, with its topics and their lineage from the previous fit."""

PLACED_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "topic_id": pl.String(),
        "score": pl.Float64(),
        "evidence": pl.List(pl.String()),
        "learned_from": pl.String(),
    }
)
"""One row per paper with a topic of the latest fit."""


@dataclass(frozen=True)
class DatedFit:
    """A fit with its boundary and the hash of its input."""

    boundary_on: date
    key: str
    n_papers: int
    fit: Fit


def boundaries(dated_on: pl.Series) -> list[date]:
    """Return the boundaries of the fits of papers with these dates, the earliest first.

    Later papers only add boundaries at the end.
    """
    dates = dated_on.drop_nulls().sort()
    if dates.is_empty():
        return []
    found: list[date] = []
    n_last = 0
    for year in range(dates[0].year, dates[-1].year + 1):
        for boundary in (date(year, month, 1) for month in BOUNDARY_MONTHS):
            n_before = int((dates < boundary).sum())
            n_since, n_after = n_before - n_last, len(dates) - n_before
            if n_before >= MIN_PAPERS and min(n_since, n_after) >= MIN_NEW_PAPERS:
                found.append(boundary)
                n_last = n_before
    return found


def learn_fits(
    dated: pl.DataFrame,
    read_texts: Callable[[pl.DataFrame], pl.DataFrame],
    store: FitFolder,
    *,
    embedder: Embedder | None = None,
) -> list[DatedFit]:
    """Return the fit of every boundary, the earliest first. Stored fits are read, others learned.

    `dated` has one row per paper: paper_id, dated_on (may be null), text_hash, and the columns that
    `read_texts` needs to return some of its rows with `TEXT_COLUMNS`.
    """
    ranked = dated[by_hash(dated["paper_id"])]
    found: list[DatedFit] = []
    for boundary in boundaries(dated["dated_on"]):
        sample = ranked.filter(pl.col("dated_on") < boundary).head(FIT_PAPERS)
        key = _key(sample, store.version, found[-1].key if found else "")
        fitted = store.get(key)
        if fitted is None:
            before = (found[-1].fit.model, found[-1].fit.assignments) if found else None
            fitted = fit(
                read_texts(sample).select(TEXT_COLUMNS), previous=before, embedder=embedder
            )
            store.keep(key, fitted)
        found.append(DatedFit(boundary, key, sample.height, fitted))
    store.keep_only([one.key for one in found])
    return found


def fits_table(fits: Sequence[DatedFit]) -> pl.DataFrame:
    """Return the fits with `FITS_SCHEMA`. Every topic of the first fit has the event `born`."""
    rows = []
    labels: dict[str, str] = {}
    for number, one in enumerate(fits):
        labels_before, labels = labels, _labels(one.fit)
        lineage = one.fit.lineage if number else _births(one.fit)
        lineage = lineage.with_columns(selectors.float().round(_DIGITS))
        rows.append(
            {
                "boundary_on": one.boundary_on,
                "previous_boundary_on": fits[number - 1].boundary_on if number else None,
                "learned_from": one.key,
                "n_papers": one.n_papers,
                "is_newest": number == len(fits) - 1,
                "topics": [
                    {**row, "label": labels[row["topic_id"]]}
                    for row in one.fit.topics.select("topic_id", "top_words").iter_rows(named=True)
                ],
                "lineage": [
                    {
                        **row,
                        "previous_label": labels_before.get(row["previous_topic_id"]),
                        "label": labels.get(row["topic_id"]),
                    }
                    for row in lineage.iter_rows(named=True)
                ],
            }
        )
    return pl.DataFrame(rows, schema=FITS_SCHEMA)


def place(
    papers: pl.DataFrame,
    model: TopicModel,
    key: str,
    *,
    kept: pl.DataFrame | None = None,
    embedder: Embedder | None = None,
) -> pl.DataFrame:
    """Return the topics of papers by the fit of a key, with `PLACED_SCHEMA`, sorted by paper_id.

    `papers` has `TEXT_COLUMNS`. `kept` has earlier rows of other papers. A paper without a key word
    of its topic has no row, because there is no evidence. A row depends on its own paper only.
    """
    parts = [assign(model, part, embedder=embedder) for part in papers.iter_slices(PLACED_ROWS)]
    placed = (
        pl.concat([pl.DataFrame(schema=ASSIGNMENT_SCHEMA), *parts])
        .filter(pl.col("evidence").list.len() > 0)
        .with_columns(pl.col("score").round(_DIGITS), learned_from=pl.lit(key, pl.String))
        .select(pl.col(name).cast(dtype) for name, dtype in PLACED_SCHEMA.items())
    )
    return (placed if kept is None else pl.concat([kept, placed])).sort("paper_id")


def _key(sample: pl.DataFrame, version: str, key_before: str) -> str:
    """The first 16 hex digits of a SHA-256 over everything that a fit depends on."""
    digest = hashlib.sha256(f"{version} {key_before}".encode())
    for column in ("paper_id", "text_hash"):
        digest.update("\n".join(sample[column]).encode())
    return digest.hexdigest()[:16]


def _labels(fitted: Fit) -> dict[str, str]:
    """Topic id → label. A topic without label, because its words are too rare, gets its id."""
    rows = fitted.topics.select("topic_id", "label").iter_rows()
    return {topic_id: label or topic_id for topic_id, label in rows}


def _births(fitted: Fit) -> pl.DataFrame:
    known = {"topic_id": pl.col("topic_id"), "event": pl.lit("born")}
    return (
        fitted.topics.select("topic_id")
        .sort("topic_id")
        .select(
            known.get(name, pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in LINEAGE_SCHEMA.items()
        )
    )
