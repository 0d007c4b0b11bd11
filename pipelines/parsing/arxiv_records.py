"""Records of arXiv metadata → items, whichever format the records came in.

Belongs here: the fields that are read, the check of ids, authors, categories, and the date of
version 1. Does not belong here: reading files or XML (`arxiv_snapshot`, `arxiv_oai`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.arxiv_ids import CATEGORY_PATTERN, ID_PATTERN, id_month
from pipelines.parsing.clean import BLANKS
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, finish

# The fields of a record that are read, under arXiv's names.
RAW = pl.Schema(
    {
        "id": pl.String(),
        "title": pl.String(),
        "abstract": pl.String(),
        "authors": pl.String(),
        "authors_parsed": pl.List(pl.List(pl.String())),
        "categories": pl.String(),
        "versions": pl.List(pl.Struct({"version": pl.String(), "created": pl.String()})),
        "update_date": pl.String(),
    }
)


def to_items(
    raw: pl.DataFrame,
    rejects: list[Reject],
    hints: Hints,
    *,
    max_rejects: int | None = None,
    **page: Any,
) -> Parsed:
    """Records as items: ids checked, author names joined, `published_on` by `published`.

    `raw` has the columns of `RAW`, `position`, `place`, and those of `versions`. `max_rejects` and
    `page` are those of `finish`.
    """
    rows = raw.with_columns(
        pl.col("id").str.strip_chars().str.extract(r"^(.*?)(?:v\d+)?$", 1).alias("arxiv_id")
    )
    has_id = pl.col("arxiv_id").str.contains(ID_PATTERN).fill_null(value=False)
    without_id = rows.filter(~has_id).select("place", "id", "title")
    if max_rejects is not None:
        without_id = without_id.head(max_rejects)
    rejects = rejects + [
        Reject(
            place, "bad_arxiv_id", f"`id` is not an arXiv id: {excerpt(found)!r}.", excerpt(title)
        )
        for place, found, title in without_id.iter_rows()
    ]
    items = (
        rows.filter(has_id)
        .with_columns(
            _author_names().alias("authors"),
            _categories().alias("categories"),
            pl.col("update_date").str.to_date("%Y-%m-%d", strict=False).alias("announced_on"),
            id_month(pl.col("arxiv_id")).alias("_month"),
        )
        .with_columns(*published())
        .with_columns(
            pl.when(pl.col("authors").list.len() > 0)
            .then(pl.col("authors").list.len().cast(pl.Int64))
            .alias("n_authors"),
            pl.col("categories").list.first().alias("primary_category"),
        )
    )
    missing = [
        pl.lit(None, dtype).alias(n) for n, dtype in ITEM_SCHEMA.items() if n not in items.columns
    ]
    complete = items.with_columns(missing).select(list(ITEM_SCHEMA))
    return finish(complete, rejects, hints, max_rejects=max_rejects, **page)


def versions() -> tuple[pl.Expr, pl.Expr]:
    """`arxiv_version`, the newest version named, and `_v1`, the day of v1 if v1 is named."""
    return _newest_version().alias("arxiv_version"), _v1_day().alias("_v1")


def published() -> tuple[pl.Expr, pl.Expr]:
    """`published_on` and its basis from `_v1` (a day) and `_month` (the id's month).

    A paper gets its id when it is announced, so the true date of v1 is in the id's month or in the
    month before. A date that contradicts the id is that of a revision and is not used.
    """
    agrees = (
        pl.col("_v1")
        .dt.truncate("1mo")
        .is_between(pl.col("_month").dt.offset_by("-1mo"), pl.col("_month"))
    )
    day = pl.when(agrees).then(pl.col("_v1")).otherwise(pl.col("_month"))
    basis = (
        pl.when(agrees)
        .then(pl.lit("arxiv_v1"))
        .when(pl.col("_v1").is_not_null())
        .then(pl.lit("arxiv_id_month_v1_contradicts_id"))
        .when(pl.col("_month").is_not_null())
        .then(pl.lit("arxiv_id_month"))
    )
    return day.alias("published_on"), basis.alias("published_on_basis")


def _author_names() -> pl.Expr:
    """`First Last Suffix` of `authors_parsed`, else `authors` split at commas and `and`."""
    part = pl.element().list
    name = pl.concat_str(
        part.get(1, null_on_oob=True),
        part.get(0, null_on_oob=True),
        part.get(2, null_on_oob=True),
        separator=" ",
        ignore_nulls=True,
    )
    tidy = name.str.replace_all(BLANKS, " ").str.strip_chars()
    parsed = pl.col("authors_parsed").list.eval(tidy.filter(tidy.str.len_chars() > 0))
    stripped = pl.element().str.strip_chars()
    printed = (
        pl.col("authors")
        .str.replace_all(BLANKS, " ")
        .str.replace_all(r"\s*\((?:[^()]|\([^()]*\))*\)", "")  # affiliations: `((1) A, (2) B)`
        .str.replace_all(r",? and ", ", ")
        .str.split(", ")
        .list.eval(stripped.filter(stripped.str.len_chars() > 0))
    )
    return pl.when(pl.col("authors_parsed").list.len() > 0).then(parsed).otherwise(printed)


def _categories() -> pl.Expr:
    """arXiv categories; ACM and MSC codes are dropped."""
    is_category = pl.element().str.contains(CATEGORY_PATTERN)
    return pl.col("categories").str.split(" ").list.eval(pl.element().filter(is_category))


def _newest_version() -> pl.Expr:
    number = pl.element().struct.field("version").str.extract(r"^v(\d+)$", 1)
    return pl.col("versions").list.eval(number.cast(pl.Int64, strict=False)).list.max()


def _v1_day() -> pl.Expr:
    v1 = pl.element().filter(pl.element().struct.field("version") == "v1").struct.field("created")
    return (
        pl.col("versions")
        .list.eval(v1)
        .list.first()
        .str.to_datetime("%a, %d %b %Y %H:%M:%S GMT", strict=False)
        .dt.date()
    )
