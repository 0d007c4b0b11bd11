"""Records of arXiv metadata → items, whichever format the records came in.

Belongs here: the fields that are read, the check of ids, authors, categories, and the date of
version 1. Does not belong here: reading files or XML (`arxiv_snapshot`, `arxiv_oai`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.arxiv_ids import CATEGORY_PATTERN, ID_PATTERN, bad_id_detail, id_month
from pipelines.parsing.author_names import split_names, tidy
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
MAX_PRINTED_CHARS = 200_000  # of a printed author list
# The same, with the names of authors where a parser divided them itself.
RAW_WITH_NAMES = pl.Schema({**RAW, "names": pl.List(pl.String())})
# What `tidy` may change in a name: all but letters and plain punctuation, some words, and initials.
_UNTIDY = (
    r"[^\p{L}\p{M}'’. -]|^['’]|\b[A-Z]\.[A-Z-]|^[^\p{L}]*$"
    r"|(?i:\band\b|\bothers\b|\bet\.? ?al|\b(?:for|behalf of) the\b|^with )"
    r"|(?i:^ph\.? ?d\.?$|^m\.? ?d\.?$)"
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
    is_listed = pl.col("categories").list.len().fill_null(0) > 0
    has_text = pl.col("_categories_text").str.strip_chars().str.len_chars() > 0
    rows = rows.with_columns(
        pl.col("categories").alias("_categories_text"), _categories().alias("categories")
    ).with_columns(
        pl.when(~has_id)
        .then(pl.lit("bad_arxiv_id"))
        .when(has_text & ~is_listed)
        .then(pl.lit("not_a_record"))
        .alias("_problem")
    )
    rejects = rejects + _problems(rows.filter(pl.col("_problem").is_not_null()), max_rejects)
    items = (
        rows.filter(pl.col("_problem").is_null())
        .with_columns(
            _author_names("names" in raw.columns).alias("_names"),
            pl.col("update_date").str.to_date("%Y-%m-%d", strict=False).alias("announced_on"),
            id_month(pl.col("arxiv_id")).alias("_month"),
        )
        .with_columns(*published())
    )
    page["rules"] = (*page.get("rules", ()), *_not_divided(items))
    items = items.with_columns(_tidied(items["_names"]).alias("authors")).with_columns(
        pl.when(pl.col("authors").list.len() > 0)
        .then(pl.col("authors").list.len().cast(pl.Int64))
        .alias("n_authors"),
        pl.col("categories").list.first().alias("primary_category"),
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


def _problems(rows: pl.DataFrame, max_rejects: int | None) -> list[Reject]:
    """A reject for each row, whose `_problem` is its reason code."""
    if max_rejects is not None:
        rows = rows.head(max_rejects)
    shown = rows.select("place", "_problem", "id", "title", "_categories_text")
    return [
        Reject(
            place,
            problem,
            bad_id_detail(found)
            if problem == "bad_arxiv_id"
            else f"None of its categories is arXiv's: {excerpt(listed)!r}.",
            excerpt(title),
        )
        for place, problem, found, title, listed in shown.iter_rows()
    ]


def _author_names(has_names: bool) -> pl.Expr:  # noqa: FBT001  a column is there or not
    """`names` if given, else `First Last Suffix` of `authors_parsed`, else `authors` divided."""
    part = pl.element().list
    name = pl.concat_str(
        part.get(1, null_on_oob=True),
        part.get(0, null_on_oob=True),
        part.get(2, null_on_oob=True),
        separator=" ",
        ignore_nulls=True,
    )
    tidy_name = name.str.replace_all(BLANKS, " ").str.strip_chars()
    parsed = pl.col("authors_parsed").list.eval(tidy_name.filter(tidy_name.str.len_chars() > 0))
    is_parsed = pl.col("authors_parsed").list.len() > 0
    if has_names:
        parsed = pl.when(is_parsed).then(parsed).otherwise(pl.col("names"))
        is_parsed = is_parsed.fill_null(value=False) | (pl.col("names").list.len() > 0)
    printed = (
        pl.when(is_parsed.fill_null(value=False))
        .then(None)
        .otherwise(pl.col("authors").str.head(MAX_PRINTED_CHARS))
        .map_elements(split_names, return_dtype=pl.List(pl.String()), skip_nulls=True)
    )
    return pl.when(is_parsed).then(parsed).otherwise(printed)


def _tidied(names: pl.Series) -> pl.Series:
    """The lists with TeX as Unicode and without `and` in their names; empty lists become null."""
    is_untidy = names.list.eval(pl.element().str.contains(_UNTIDY)).list.any()
    at = is_untidy.fill_null(value=False).arg_true()
    if not at.len():
        return names
    tidied = pl.Series("tidied", [tidy(row) for row in names.gather(at)], dtype=names.dtype)
    rows = names.alias("names").to_frame().with_row_index("at")
    found = pl.DataFrame([at.cast(rows.schema["at"]).alias("at"), tidied])
    both = rows.join(found, on="at", how="left", maintain_order="left")
    return both.select(pl.coalesce("tidied", "names")).to_series().alias(names.name)


def _not_divided(items: pl.DataFrame) -> tuple[str, ...]:
    """A rule that names a printed author list of which no name could be read."""
    is_lost = (pl.col("_names").list.len().fill_null(0) == 0) & (
        pl.col("authors").str.strip_chars().str.len_chars() > 0
    )
    lost = items.filter(is_lost)
    if not lost.height:
        return ()
    shown = excerpt(lost["authors"][0])[:60]
    rule = "authors_not_divided: printed author lists that can't be divided into names are left out"
    return (f"{rule}, such as {shown!r}",)


def _categories() -> pl.Expr:
    """arXiv categories; ACM and MSC codes are dropped."""
    is_category = pl.element().str.contains(CATEGORY_PATTERN)
    words = pl.col("categories").str.replace_all(r"[\s,;|]+", " ").str.split(" ")
    return words.list.eval(pl.element().filter(is_category)).list.unique(maintain_order=True)


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
