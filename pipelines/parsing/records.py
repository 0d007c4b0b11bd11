"""What every parser returns, and the last steps that all share.

Belongs here: `Parsed`, `Reject`, `Hints`, and `finish`, which cleans and checks rows of any format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from reprlib import Repr
from typing import Any

import polars as pl

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.clean import clean_text, title_key
from pipelines.parsing.moments import EARLIEST, latest_day

MAX_TITLE_CHARS = 2_000
MAX_ABSTRACT_CHARS = 100_000
MAX_AUTHORS = 20_000  # the longest printed lists hold a few thousand names
MAX_NAME_CHARS = 1_000
EXCERPT_CHARS = 200
# Shows a value's begin at a cost that does not grow with the value.
_SHOW = Repr()
_SHOW.maxdict = _SHOW.maxlist = 20
_SHOW.maxstring = _SHOW.maxother = 4 * EXCERPT_CHARS


@dataclass(frozen=True)
class Reject:
    """Something that was seen and could not be accepted."""

    place: str
    reason: str
    detail: str
    excerpt: str = ""


@dataclass(frozen=True)
class Hints:
    """What is known from outside: when the bytes were captured and received."""

    received_on: date
    captured_on: date | None = None


@dataclass(frozen=True)
class Parsed:
    """Items (columns of `ITEM_SCHEMA`), rejects, and what the page says of itself.

    `seen` always equals accepted plus rejected.
    """

    items: pl.DataFrame
    rejects: tuple[Reject, ...]
    page_day: date | None = None
    captured_on: date | None = None
    stated_kind: str | None = None
    rules: tuple[str, ...] = ()

    @property
    def seen(self) -> int:
        """How many items the bytes show."""
        return self.items.height + len(self.rejects)


_OF_USERS = re.compile(
    r"""(['"](?:user|avatarUrl|fullname)['"]\s*:\s*)(?:"[^"]*(?:"|$)|'[^']*(?:'|$))"""
)


def excerpt(text: object) -> str:
    """At most 200 characters on one line, for a person to recognise the place.

    What it shows of a site's users (handles, names, pictures) is left out.
    """
    try:
        shown = text if isinstance(text, str) else _SHOW.repr(text)
    except (RecursionError, ValueError):  # nested too deep, or a number too long to print
        shown = f"(a {type(text).__name__} that can't be shown)"
    shown = _OF_USERS.sub(r"\1…", shown[: EXCERPT_CHARS * 4])
    return " ".join(shown.split())[:EXCERPT_CHARS]


def reject_body(reason: str, detail: str, body: bytes) -> Parsed:
    """Reject a capture of which nothing could be read: its body counts as one item."""
    head = body[: EXCERPT_CHARS * 2].decode("utf-8", errors="replace")
    return Parsed(empty_items(), (Reject("whole body", reason, detail, excerpt(head)),))


def empty_items() -> pl.DataFrame:
    """No items, with the right columns."""
    return pl.DataFrame(schema=ITEM_SCHEMA)


def frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a listing as a frame with all columns of `ITEM_SCHEMA`."""
    return pl.DataFrame(
        [{name: row.get(name) for name in ITEM_SCHEMA} for row in rows],
        schema=ITEM_SCHEMA,
        orient="row",
    )


# Checked in this order: the first that holds is the reason. `detail` may use the row's columns.
def _checks(hints: Hints) -> tuple[tuple[str, pl.Expr, pl.Expr], ...]:
    title_chars = pl.col("_title_chars")
    n_authors = pl.col("n_authors")
    days = [pl.col(name) for name in ("published_on", "announced_on", "submitted_on")]
    possible = [day.is_between(EARLIEST, latest_day(hints.received_on)) for day in days]
    return (
        ("missing_title", pl.col("title_key").is_null(), pl.lit("The title is missing or blank.")),
        (
            "title_too_long",
            title_chars > MAX_TITLE_CHARS,
            pl.format("The title has {} characters.", title_chars),
        ),
        (
            "abstract_too_long",
            pl.col("_abstract_chars") > MAX_ABSTRACT_CHARS,
            pl.format("The abstract has {} characters.", pl.col("_abstract_chars")),
        ),
        (
            "invalid_utf8",
            pl.col("title").str.contains("\ufffd", literal=True),
            pl.lit("The title holds bytes that are not UTF-8."),
        ),
        (
            "impossible_author_count",
            (n_authors < 1) | (n_authors > MAX_AUTHORS),
            pl.format("The page says {} authors.", n_authors),
        ),
        (
            "author_name_too_long",
            pl.col("authors").list.eval(pl.element().str.len_chars()).list.max() > MAX_NAME_CHARS,
            pl.lit(f"A name has more than {MAX_NAME_CHARS} characters."),
        ),
        (
            "impossible_date",
            ~pl.all_horizontal(is_possible.fill_null(value=True) for is_possible in possible),
            pl.format(
                "{} is before arXiv's papers or after the day of receipt.",
                pl.coalesce(pl.when(~ok).then(day) for day, ok in zip(days, possible, strict=True)),
            ),
        ),
    )


def finish(
    rows: pl.DataFrame,
    rejects: Iterable[Reject],
    hints: Hints,
    *,
    most: int | None = None,
    **page: Any,
) -> Parsed:
    """Clean titles and abstracts, compute the title key, set aside rows that can't be accepted.

    `rows` has the columns of `ITEM_SCHEMA`; `page` are the other fields of `Parsed`. Of the rows
    set aside only the first `most` are listed, for a caller who reads no further than them.
    """
    cleaned = rows.with_columns(
        rows["title"].str.len_chars().alias("_title_chars"),
        rows["abstract"].str.len_chars().alias("_abstract_chars"),
        # What is cut here is too long and set aside below.
        clean_text(rows["title"].str.head(MAX_TITLE_CHARS * 2)),
        clean_text(rows["abstract"].str.head(MAX_ABSTRACT_CHARS)),
    ).with_columns(title_key(pl.col("title")).alias("title_key"))
    reason, detail = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for code, broken, words in reversed(_checks(hints)):
        hit = broken.fill_null(value=False)
        reason = pl.when(hit).then(pl.lit(code)).otherwise(reason)
        detail = pl.when(hit).then(words).otherwise(detail)
    judged = cleaned.with_columns(reason.alias("_reason"), detail.alias("_detail"))
    bad = judged.filter(pl.col("_reason").is_not_null()).head(
        judged.height if most is None else most
    )
    found = [
        Reject(r["place"], r["_reason"], r["_detail"], excerpt(r["title"] or r["abstract"] or ""))
        for r in bad.iter_rows(named=True)
    ]
    items = judged.filter(pl.col("_reason").is_null()).select(list(ITEM_SCHEMA))
    return Parsed(items, (*rejects, *found), **page)
