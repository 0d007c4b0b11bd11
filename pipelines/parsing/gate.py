"""The plausibility gate: what every item must look like, whatever layout it was read from.

A parser that misreads a layout returns rows that are well-formed and wrong: a date as a title, a
list as a name. The gate rejects them. If fewer than half of a body's items pass, the layout was not
understood and the whole body is rejected.

Belongs here: checks that hold for papers from any source. Does not belong here: what a format needs
(`parsing/<format>`), or limits of size and dates (`records.finish`). docs/methodology.md lists the
checks and what they find in the archive of real captures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import get_args

import polars as pl

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing.arxiv_ids import CATEGORY_PATTERN, ID_PATTERN, id_month
from pipelines.parsing.gate_patterns import (
    ABSTRACT_PATTERNS,
    ENCLOSING_QUOTES,
    GARBLED,
    HEADER,
    NAME_PATTERNS,
    REPR,
    TITLE_PATTERNS,
)
from pipelines.parsing.moments import latest_day
from pipelines.parsing.records import Hints, Implausible, Parsed, Reason, Reject, excerpt

MIN_PLAUSIBLE_SHARE = 0.5
# The longest of 83,681 titles in the archive has 226 characters; the shortest abstract has 102.
MAX_TITLE_CHARS = 400
LONG_TITLE_CHARS = 100  # a longer title that is longer than its abstract may be one itself
_SENTENCES = r"[.!?]$|[a-z][.!?] +\p{Lu}"
MIN_DOUBLED_CHARS = 200  # a short text may repeat itself
FIRST_NEW_ID = 704  # year and month of 0704.0001; older ids begin with the archive's name
FIRST_LONG_ID = 1501  # since 1501.00001 the number has five digits
IMPLAUSIBLE: frozenset[str] = frozenset(get_args(Implausible))
# A layout read by the order of its lines shows a misreading in these reasons too.
_MISREAD = IMPLAUSIBLE | {"truncated_record", "missing_title", "title_uncertain"}

CONTRADICTED = "arxiv_id_month_v1_contradicts_id"

_Check = tuple[Reason, pl.Expr, pl.Expr, str]
"""Reason code, condition, the value that fails, and what is wrong with it."""


def passed(part: Parsed, hints: Hints) -> Parsed:
    """The part with its implausible items as rejects.

    Abstracts and names with garbled characters become null, quotes around a whole name are removed,
    and a date that contradicts the id is replaced by the id's month. `rules` counts these items.
    """
    if part.items.is_empty():
        return part
    items, rules = _repaired(part.items)
    reason, value, detail = pl.lit(None, pl.String), pl.lit(None, pl.String), pl.lit(None)
    for code, fails, shown, problem in reversed(_checks(hints)):
        is_hit = fails.fill_null(value=False)
        reason = pl.when(is_hit).then(pl.lit(code)).otherwise(reason)
        value = pl.when(is_hit).then(shown.cast(pl.String)).otherwise(value)
        detail = pl.when(is_hit).then(pl.lit(problem)).otherwise(detail)
    judged = items.with_columns(
        reason.alias("_reason"), value.alias("_value"), detail.alias("_detail")
    )
    failed = judged.filter(pl.col("_reason").is_not_null())
    rejects = tuple(
        Reject(row["place"], row["_reason"], _sentence(row), excerpt(row["title"] or ""))
        for row in failed.iter_rows(named=True)
    )
    kept = judged.filter(pl.col("_reason").is_null()).select(list(ITEM_SCHEMA))
    return replace(part, items=kept, rejects=(*part.rejects, *rejects), rules=(*part.rules, *rules))


@dataclass
class Tally:
    """Counts the accepted items of a body and its rejects that point to a misread layout."""

    n_accepted: int = 0
    n_misread: int = 0
    example: Reject | None = None

    def add(self, n_accepted: int, rejects: Iterable[Reject]) -> None:
        """Count one part of a body."""
        self.n_accepted += n_accepted
        for reject in rejects:
            if reject.reason in _MISREAD:
                self.n_misread += 1
                if self.example is None or _is_better(reject, self.example):
                    self.example = reject

    def verdict(self) -> Reject | None:
        """One reject for the whole body if too few of its items look like papers, else None."""
        n_judged = self.n_accepted + self.n_misread
        is_misread = self.example is not None and self.example.reason in IMPLAUSIBLE
        if not is_misread or self.n_accepted >= MIN_PLAUSIBLE_SHARE * n_judged:
            return None
        if self.example is None or not self.n_accepted:
            return None  # every item has a reject of its own
        detail = (
            f"Only {self.n_accepted:,} of {n_judged:,} items look like papers, so none was "
            f"accepted: the layout was probably misread. For example, {self.example.place}: "
            f"{self.example.detail}"
        )
        return Reject("whole body", "too_few_plausible", detail, self.example.excerpt)


def _is_better(reject: Reject, example: Reject) -> bool:
    return reject.reason in IMPLAUSIBLE and example.reason not in IMPLAUSIBLE


def _sentence(row: dict[str, str]) -> str:
    return row["_detail"].format(repr(excerpt(row["_value"] or "")[:80]))


def _repaired(items: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Items without garbled abstracts and names, and a rule for each kind of repair."""
    names = pl.col("authors").list
    month = id_month(pl.col("arxiv_id"))
    last_day, month_before = month.dt.month_end(), month.dt.offset_by("-1mo")
    flags = {
        "abstract": pl.col("abstract").str.contains(GARBLED),
        "authors": names.eval(pl.element().str.contains(GARBLED)).list.any(),
        "doubled": _is_doubled(pl.col("abstract")),
        "keywords": pl.col("keywords").list.eval(pl.element().str.contains(GARBLED)).list.any(),
        "organization": pl.col("organization").str.contains(GARBLED),
        "primary_category": ~pl.col("primary_category").str.contains(CATEGORY_PATTERN),
        "quoted": names.eval(pl.element().str.contains(ENCLOSING_QUOTES)).list.any(),
        "date": ~pl.col("published_on").is_between(month_before, last_day),
    }
    has = {name: flag.fill_null(value=False) for name, flag in flags.items()}
    n = items.select(flag.sum().alias(name) for name, flag in has.items()).row(0, named=True)
    if not any(n.values()):
        return items, []
    unquoted = names.eval(pl.element().str.replace(ENCLOSING_QUOTES, "${1}").str.strip_chars())
    repaired = items.with_columns(
        pl.when(has["abstract"])
        .then(None)
        .when(has["doubled"])
        .then(pl.col("abstract").str.slice(0, pl.col("abstract").str.len_chars() // 2))
        .otherwise("abstract")
        .alias("abstract"),
        *(
            pl.when(has[name]).then(None).otherwise(name).alias(name)
            for name in ("keywords", "organization")
        ),
        pl.when(has["authors"])
        .then(None)
        .when(has["quoted"])
        .then(unquoted)
        .otherwise("authors")
        .alias("authors"),
        pl.when(has["authors"]).then(None).otherwise("n_authors").alias("n_authors"),
        pl.when(has["primary_category"])
        .then(None)
        .otherwise("primary_category")
        .alias("primary_category"),
        pl.when(has["date"]).then(month).otherwise("published_on").alias("published_on"),
        pl.when(has["date"])
        .then(pl.lit(CONTRADICTED))
        .otherwise("published_on_basis")
        .alias("published_on_basis"),
    )
    rules = {
        **{
            name: f"garbled_{name}_ignored: characters of a wrong encoding"
            for name in ("abstract", "authors", "keywords", "organization")
        },
        "doubled": "abstract_shown_twice: one copy was kept",
        "primary_category": "unreadable_category_ignored",
        "quoted": "quotes_around_names_removed",
        "date": "date_contradicts_id: the month of the id was used",
    }
    return repaired, [f"{rule}: {n[name]} item(s)" for name, rule in rules.items() if n[name]]


def _checks(hints: Hints) -> list[_Check]:
    """All checks; the first that fails gives the reason."""
    title, abstract = pl.col("title"), pl.col("abstract")
    return [
        (
            "garbled_text",
            title.str.contains(GARBLED),
            title,
            "The title {} is in a wrong encoding.",
        ),
        *(
            ("implausible_title", title.str.contains(pattern), title, f"The title {{}} is {what}.")
            for what, pattern in TITLE_PATTERNS.items()
        ),
        *_title_lengths(),
        *_bad_lists(),
        *(
            (
                "implausible_text",
                abstract.str.contains(pattern),
                abstract,
                f"The abstract {{}} is {what}.",
            )
            for what, pattern in ABSTRACT_PATTERNS.items()
        ),
        *_identity(hints),
    ]


def _is_doubled(text: pl.Expr) -> pl.Expr:
    """Whether the second half of a text, after a blank, equals the first."""
    n_half = text.str.len_chars() // 2
    return (n_half >= MIN_DOUBLED_CHARS) & (
        text.str.slice(0, n_half) == text.str.slice(text.str.len_chars() - n_half)
    )


def _title_lengths() -> list[_Check]:
    title = pl.col("title")
    n_chars, n_of_abstract = title.str.len_chars(), pl.col("abstract").str.len_chars()
    organization = pl.col("organization")
    return [
        (
            "implausible_title",
            n_chars > MAX_TITLE_CHARS,
            title,
            f"The title {{}} has more than {MAX_TITLE_CHARS} characters, like an abstract.",
        ),
        (
            "implausible_title",
            (n_chars > LONG_TITLE_CHARS)
            & (n_chars > n_of_abstract)
            & title.str.contains(_SENTENCES),
            title,
            "The title {} has sentences and is longer than the abstract.",
        ),
        (
            "implausible_title",
            title.str.to_lowercase().is_in(
                organization.str.to_lowercase().drop_nulls().unique().implode()
            ),
            title,
            "The title {} is the name of an organisation.",
        ),
    ]


def _bad_lists() -> list[_Check]:
    """Checks of names, and of texts that are the printed form of a list or an object."""
    checks: list[_Check] = []
    for what, pattern in NAME_PATTERNS.items():
        bad = pl.col("authors").list.eval(pl.element().filter(pl.element().str.contains(pattern)))
        checks.append(
            (
                "implausible_author",
                bad.list.len() > 0,
                bad.list.first(),
                f"The author {{}} is {what}.",
            )
        )
    for column in ("abstract", "organization", "primary_category"):
        text = pl.col(column)
        problem = f"`{column}` is a printed list or object: {{}}."
        checks.append(("implausible_text", text.str.contains(REPR), text, problem))
    organization = pl.col("organization")
    problem = "The organisation {} is the header of a file."
    checks.append(("implausible_text", organization.str.contains(HEADER), organization, problem))
    for column in ("keywords", "categories"):
        bad = pl.col(column).list.eval(pl.element().filter(pl.element().str.contains(REPR)))
        problem = f"`{column}` has a printed list or object: {{}}."
        checks.append(("implausible_text", bad.list.len() > 0, bad.list.first(), problem))
    return checks


def _identity(hints: Hints) -> list[_Check]:
    """Checks of the arXiv id."""
    arxiv_id = pl.col("arxiv_id")
    month = id_month(arxiv_id)
    number = arxiv_id.str.extract(r"^[0-9]{4}\.([0-9]+)$", 1)
    yymm = arxiv_id.str.extract(r"^([0-9]{4})\.", 1).cast(pl.Int32, strict=False)
    n_digits = pl.when(yymm >= FIRST_LONG_ID).then(5).otherwise(4)
    is_new = number.is_not_null()
    return [
        ("bad_arxiv_id", ~arxiv_id.str.contains(ID_PATTERN), arxiv_id, "{} is not an arXiv id."),
        (
            "bad_arxiv_id",
            is_new & ((yymm < FIRST_NEW_ID) | (number.str.len_chars() != n_digits)),
            arxiv_id,
            "arXiv never had an id like {}. It may have passed through a number.",
        ),
        (
            "bad_arxiv_id",
            ~is_new & ((month.dt.year() < 1991) | (month > pl.date(2007, 3, 1))),
            arxiv_id,
            "arXiv gave no ids like {} in that month.",
        ),
        (
            "bad_arxiv_id",
            month > latest_day(hints.received_on),
            arxiv_id,
            "The month of the id {} is in the future.",
        ),
    ]
