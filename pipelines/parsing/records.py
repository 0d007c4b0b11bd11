"""What every parser returns, and the steps that all parsers end with.

Belongs here: `Parsed`, `Reject`, `Hints`, and `finish`, which cleans and checks rows of any format.
Does not belong here: anything that only one format needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from reprlib import Repr
from typing import Any, Literal

import polars as pl

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.clean import clean_text, title_key
from pipelines.parsing.moments import EARLIEST, latest_day

MAX_TITLE_CHARS = 2_000
MAX_ABSTRACT_CHARS = 100_000
MAX_AUTHORS = 20_000  # the longest author lists have a few thousand names
MAX_NAME_CHARS = 1_000
NAME_TOO_LONG = f"An author name has more than {MAX_NAME_CHARS:,} characters."
EXCERPT_CHARS = 200
# Prints the start of a value at a cost that does not grow with the value.
_SHORT_REPR = Repr()
_SHORT_REPR.maxdict = _SHORT_REPR.maxlist = 20
_SHORT_REPR.maxstring = _SHORT_REPR.maxother = 4 * EXCERPT_CHARS

Implausible = Literal[
    "garbled_text",
    "implausible_author",
    "implausible_text",
    "implausible_title",
]
"""Why the gate rejects an item that a parser returned, besides `bad_arxiv_id`."""

Reason = Literal[
    Implausible,
    "abstract_too_long",
    "author_name_too_long",
    "bad_arxiv_id",
    "binary",
    "broken_bibtex",
    "broken_json",
    "broken_parquet",
    "broken_ris",
    "broken_xml",
    "card_without_paper",
    "damaged_compression",
    "deleted_record",
    "html_not_a_listing",
    "impossible_author_count",
    "impossible_date",
    "invalid_utf8",
    "item_not_object",
    "listing_without_cards",
    "missing_title",
    "no_title_column",
    "not_a_listing",
    "not_a_record",
    "paper_missing",
    "source_error",
    "title_too_long",
    "title_uncertain",
    "too_few_plausible",
    "too_large",
    "too_many_damaged_lines",
    "truncated_record",
    "unknown_format",
    "unreadable_field",
    "xml_dtd_refused",
]
"""Why an item was rejected. docs/methodology.md explains each code."""


@dataclass(frozen=True)
class Reject:
    """An item that could not be accepted: its place, reason code, explanation and excerpt."""

    place: str
    reason: Reason
    detail: str
    excerpt: str = ""


@dataclass(frozen=True)
class Hints:
    """What is known from outside the bytes: when they were received and captured (UTC)."""

    received_at: datetime
    captured_on: date | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Field → column of a table, as the user named them."""

    @property
    def received_on(self) -> date:
        """The day of receipt."""
        return self.received_at.date()


@dataclass(frozen=True)
class Parsed:
    """Items (columns of `ITEM_SCHEMA`), rejects, and what the capture states about itself."""

    items: pl.DataFrame
    rejects: tuple[Reject, ...]
    listed_on: date | None = None
    captured_on: date | None = None
    latest_at: datetime | None = None
    """Latest timestamp in the content that is not after the receipt (web listings only)."""
    stated_kind: str | None = None
    rules: tuple[str, ...] = ()
    """What was inferred while parsing, one `code: sentence` each."""

    @property
    def n_seen(self) -> int:
        """Number of items that the bytes show, accepted or rejected."""
        return self.items.height + len(self.rejects)


_USER_FIELD = re.compile(
    r"""(['"](?:user|avatarUrl|fullname)['"]\s*:\s*)(?:"[^"]*(?:"|$)|'[^']*(?:'|$))"""
)


def excerpt(value: object) -> str:
    """At most 200 characters on one line, enough to recognise the place.

    The handles, names and pictures of a site's users are left out.
    """
    try:
        text = value if isinstance(value, str) else _SHORT_REPR.repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number too long to print
        text = f"(a {type(value).__name__} that can't be printed)"
    text = _USER_FIELD.sub(r"\1…", text[: EXCERPT_CHARS * 4])
    return " ".join(text.split())[:EXCERPT_CHARS]


def reject_body(reason: Reason, detail: str, body: bytes) -> Parsed:
    """No items and one reject: a body of which nothing can be read counts as one item."""
    head = body[: EXCERPT_CHARS * 2].decode("utf-8", errors="replace")
    return Parsed(empty_items(), (Reject("whole body", reason, detail, excerpt(head)),))


def empty_items() -> pl.DataFrame:
    """A frame without rows and with all columns of `ITEM_SCHEMA`."""
    return pl.DataFrame(schema=ITEM_SCHEMA)


def frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """The rows with all columns of `ITEM_SCHEMA`; missing values are null."""
    return pl.DataFrame(
        [{name: row.get(name) for name in ITEM_SCHEMA} for row in rows],
        schema=ITEM_SCHEMA,
        orient="row",
    )


def finish(
    rows: pl.DataFrame,
    rejects: Iterable[Reject],
    hints: Hints,
    *,
    max_rejects: int | None = None,
    **page: Any,
) -> Parsed:
    """Clean titles and abstracts, compute the title key, reject rows that fail a check.

    `rows` has the columns of `ITEM_SCHEMA`; `page` holds the other fields of `Parsed`. At most
    `max_rejects` of the failing rows become rejects, for a caller that stops at this number.
    """
    cleaned = rows.with_columns(
        rows["title"].str.len_chars().alias("_title_chars"),
        rows["abstract"].str.len_chars().alias("_abstract_chars"),
        # Text cut here is over the limit and rejected below.
        clean_text(rows["title"].str.head(MAX_TITLE_CHARS * 2)),
        clean_text(rows["abstract"].str.head(MAX_ABSTRACT_CHARS)),
    ).with_columns(title_key(pl.col("title")).alias("title_key"))
    reason, detail = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for code, fails, explanation in reversed(_checks(hints)):
        is_hit = fails.fill_null(value=False)
        reason = pl.when(is_hit).then(pl.lit(code)).otherwise(reason)
        detail = pl.when(is_hit).then(explanation).otherwise(detail)
    checked = cleaned.with_columns(reason.alias("_reason"), detail.alias("_detail"))
    failed = checked.filter(pl.col("_reason").is_not_null())
    if max_rejects is not None:
        failed = failed.head(max_rejects)
    found = [
        Reject(r["place"], r["_reason"], r["_detail"], excerpt(r["title"] or r["abstract"] or ""))
        for r in failed.iter_rows(named=True)
    ]
    items = checked.filter(pl.col("_reason").is_null()).select(list(ITEM_SCHEMA))
    return Parsed(items, (*rejects, *found), **page)


def _checks(hints: Hints) -> tuple[tuple[Reason, pl.Expr, pl.Expr], ...]:
    """Reason code, condition and detail of each check; the first condition that holds counts."""
    n_authors = pl.col("n_authors")
    days = [pl.col(name) for name in ("published_on", "announced_on", "submitted_on")]
    possible = [day.is_between(EARLIEST, latest_day(hints.received_on)) for day in days]
    return (
        ("missing_title", pl.col("title_key").is_null(), pl.lit("The title is missing or blank.")),
        ("title_too_long", *_exceeds("title", MAX_TITLE_CHARS)),
        ("abstract_too_long", *_exceeds("abstract", MAX_ABSTRACT_CHARS)),
        (
            "invalid_utf8",
            pl.col("title").str.contains("\ufffd", literal=True),
            pl.lit("The title contains bytes that are not UTF-8."),
        ),
        (
            "impossible_author_count",
            (n_authors < 1) | (n_authors > MAX_AUTHORS),
            pl.format(f"The number of authors is {{}}; expected 1 to {MAX_AUTHORS:,}.", n_authors),
        ),
        (
            "author_name_too_long",
            pl.col("authors").list.eval(pl.element().str.len_chars()).list.max() > MAX_NAME_CHARS,
            pl.lit(NAME_TOO_LONG),
        ),
        (
            "impossible_date",
            ~pl.all_horizontal(is_possible.fill_null(value=True) for is_possible in possible),
            pl.format(
                f"The date {{}} is before {EARLIEST.year} or after the day of receipt.",
                pl.coalesce(pl.when(~ok).then(day) for day, ok in zip(days, possible, strict=True)),
            ),
        ),
    )


def _exceeds(column: str, max_chars: int) -> tuple[pl.Expr, pl.Expr]:
    n_chars = pl.col(f"_{column}_chars")
    detail = pl.format(f"The {column} has {{}} characters; the limit is {max_chars:,}.", n_chars)
    return n_chars > max_chars, detail
