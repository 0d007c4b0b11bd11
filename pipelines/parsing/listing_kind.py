"""What kind of list a capture is, inferred from what it shows. One rule, one place.

A list that calls itself a day but whose papers were published over months or years is a search
result: shares or trends over it would measure the query. So a day must be borne out by the papers.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from pipelines.parsing.arxiv_ids import id_month

KINDS = ("daily", "weekly", "monthly", "trending", "search", "announcement", "unknown")
OLD_AFTER_DAYS = 180
OLD_SHARE = 1 / 3
# On every real day seen, 3 of 4 papers and more were published within these days of the list's.
DAYS_BEFORE = 14
DAYS_AFTER = 1
DAY_SHARE = 2 / 3
SAME_DAY_SHARE = 0.8
LONGEST_PERIOD_DAYS = 31
_SATURDAY = 5

Verdict = tuple[str, str]


def infer_kind(items: pl.DataFrame, stated: str | None, day: date | None) -> Verdict:
    """`(listing_kind, rule)` from the items, what the page says, and the day known for it.

    `items` has at least the columns `published_on`, `submitted_on` and `arxiv_id`.
    """
    if stated in ("trending", "announcement", "search"):
        return stated, f"stated: the capture says it is {stated}"
    dated = _publication(items)
    by_content = _published_span(dated) or _submissions(items["submitted_on"])
    if by_content is not None:
        return by_content
    if stated in ("weekly", "monthly"):
        return stated, f"stated: the capture says it is {stated}"
    if stated is None and day is None:
        return "unknown", "nothing says what kind of list this is"
    if items.is_empty():
        return "daily", "empty_list: a day's list that shows no paper"
    return _borne_out(dated, items.height, day)


def _publication(items: pl.DataFrame) -> pl.DataFrame:
    """First and last possible day of publication of each item that tells one.

    Where an item shows no date, its arXiv id still carries the month.
    """
    month = id_month(pl.col("arxiv_id"))
    return items.select(
        pl.coalesce("published_on", month).alias("first"),
        pl.coalesce("published_on", month.dt.month_end()).alias("last"),
    ).drop_nulls()


def _published_span(dated: pl.DataFrame) -> Verdict | None:
    """Search when more than a third of the papers are far older than the newest."""
    if dated.height < 2:
        return None
    newest: date = dated["first"].max()  # type: ignore[assignment]
    old = int((dated["last"] < newest - timedelta(days=OLD_AFTER_DAYS)).sum())
    if old <= dated.height * OLD_SHARE:
        return None
    years = dated["first"].dt.year().sort().to_list()
    return "search", (
        f"published_span: {old} of {dated.height} dated papers are more than "
        f"{OLD_AFTER_DAYS} days older than the newest ({years[0]} to {years[-1]})"
    )


def _submissions(column: pl.Series) -> Verdict | None:
    """What the days of submission say, where most items carry one; else only that they disagree."""
    submitted = column.drop_nulls()
    if submitted.is_empty():
        return None
    covers = submitted.len() >= DAY_SHARE * column.len()
    top = int(submitted.value_counts(sort=True)["count"][0])
    if top >= SAME_DAY_SHARE * submitted.len():
        rule = f"submission_day: {top} of {column.len()} items were submitted on one day"
        return ("daily", rule) if covers else None
    days: list[date] = submitted.sort().to_list()
    first, last = days[0], days[-1]
    if last - first >= timedelta(days=LONGEST_PERIOD_DAYS):
        rule = f"submission_days: from {first} to {last}, more than any week or month"
        return "search", rule
    if not covers:
        return None
    if submitted.dt.truncate("1w").n_unique() == 1:
        return "weekly", "submission_days: several days of one ISO week"
    if submitted.dt.truncate("1mo").n_unique() == 1:
        return "monthly", "submission_days: several days of one month"
    return "unknown", f"submission_days: from {first} to {last}, in no one week or month"


def _borne_out(dated: pl.DataFrame, n_items: int, day: date | None) -> Verdict:
    """Whether the papers bear out that this is a day's list; without a day, the newest's."""
    if dated.height * 2 < n_items:
        return "unknown", (
            f"undated: {dated.height} of {n_items} papers tell when they were published, "
            "too few to bear out a day"
        )
    known: date = max(dated["first"]) if day is None else day
    opens = pl.lit(known) - timedelta(days=DAYS_BEFORE)
    closes = pl.lit(known) + timedelta(days=DAYS_AFTER)
    near = dated.filter(pl.col("last") >= opens, pl.col("first") <= closes).height
    rule = (
        f"publication_window: {near} of {dated.height} dated papers were published from "
        f"{DAYS_BEFORE} days before {known} to {DAYS_AFTER} day after it"
    )
    if near < DAY_SHARE * dated.height:
        return "search", rule
    if day is not None and day.weekday() >= _SATURDAY:
        return "unknown", f"weekend: lists are of weekdays, and {day} is none ({rule})"
    return "daily", rule
