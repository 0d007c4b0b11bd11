"""The fits of discovered topics in the warehouse: when, from which papers, and who belongs where.

Belongs here: the timetable, the papers of a fit, the chain of fits, placing papers by the newest
one. Does not belong here: fitting (`discovered.py`), files (`topic_files.py`), SQL.

A fit belongs to a boundary, 1 January or 1 July, and is learned from papers dated before it. It
starts from the fit before and depends on nothing dated later. Papers of any date are placed by the
newest fit, so a topic's history is restated twice a year.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from polars import selectors

from pipelines.topics.discovered import ASSIGNMENT_SCHEMA, Fit, TopicModel, assign, by_hash, fit
from pipelines.topics.embedding import Embedder
from pipelines.topics.lineage import LINEAGE_SCHEMA
from pipelines.topics.topic_files import FitFolder

BOUNDARY_MONTHS = (1, 7)
"""Fits belong to the first days of these months: often enough to follow the field, and seldom
enough that two quarters side by side are mostly told by the same fit."""

MIN_PAPERS = 1_000
"""A fit is learned from at least so many papers; of fewer, groups say little (25 for each)."""

MIN_NEW_PAPERS = 100
"""So many papers are dated since the boundary before, and on the boundary or later: lists that were
open when the half-year ended are closed by then, and one odd date makes no fit."""

FIT_PAPERS = 10_000
"""Papers that a fit is learned from; of more, those with the smallest hashes of their ids."""

PLACED_ROWS = 25_000
"""Papers placed at a time, which bounds memory; each is placed by itself."""

_DIGITS = 6
"""Of scores and likenesses in the tables."""

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
"""One row per fit, with its topics and what became of those of the fit before."""

PLACED_SCHEMA = pl.Schema(
    {
        "paper_id": pl.String(),
        "topic_id": pl.String(),
        "score": pl.Float64(),
        "evidence": pl.List(pl.String()),
        "learned_from": pl.String(),
    }
)
"""One row per paper with a topic of the newest fit."""


@dataclass(frozen=True)
class DatedFit:
    """A fit with its boundary and the hash of what it was learned from."""

    boundary_on: date
    key: str
    n_papers: int
    fit: Fit


def boundaries(dated_on: pl.Series) -> list[date]:
    """Return the boundaries at which papers of these dates are fitted, the earliest first.

    A later paper adds boundaries at the end and changes none before.
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
    """Return the fit of every boundary, the earliest first; what the store has is not redone.

    `dated` has one row per paper: paper_id, dated_on (may be null), text_hash, and what
    `read_texts` needs to find the texts of some of its rows, with `TEXT_COLUMNS`.
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
    """Return the fits with `FITS_SCHEMA`; the topics of the first are all born with it."""
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
    """Return the topics of papers by the fit of that key, with `PLACED_SCHEMA`, by paper_id.

    `papers` has `TEXT_COLUMNS`; `kept` are rows of others that this returned before. A paper with
    none of its topic's key words has no row: there would be nothing to show for it. Each row
    depends on its own paper alone.
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
    """16 hex digits of a SHA-256 over all that a fit depends on."""
    digest = hashlib.sha256(f"{version} {key_before}".encode())
    for column in ("paper_id", "text_hash"):
        digest.update("\n".join(sample[column]).encode())
    return digest.hexdigest()[:16]


def _labels(fitted: Fit) -> dict[str, str]:
    """Topic id → label; a topic whose words are all too rare for one is named by its id."""
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
