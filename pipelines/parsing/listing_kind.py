"""The kind of list that a capture shows, inferred from its papers.

A list that claims to be a day's but whose papers were published over months or years is a search
result. Shares or trends over it would measure the query. So the papers must confirm the day.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from pipelines.parsing.arxiv_ids import id_month

KINDS = ("daily", "weekly", "monthly", "trending", "search", "announcement", "unknown")
OLD_AFTER_DAYS = 180
OLD_SHARE = 1 / 3
# On every real day in the archive, at least 75 % of the papers were published within these days.
DAYS_BEFORE = 14
DAYS_AFTER = 1
DAY_SHARE = 2 / 3
SAME_DAY_SHARE = 0.8
LONGEST_PERIOD_DAYS = 31
_SATURDAY = 5

Verdict = tuple[str, str]
"""`listing_kind` and the rule that gave it, as `code: sentence`."""


def infer_kind(items: pl.DataFrame, stated: str | None, day: date | None) -> Verdict:
    """The kind and its rule, from the items, the kind that the capture states, and its day.

    `items` has at least the columns `published_on`, `submitted_on` and `arxiv_id`.
    """
    if stated in ("trending", "announcement", "search"):
        return stated, f"stated: the capture states its kind as {stated}"
    if stated == "unknown":
        return stated, "no_list: the capture holds papers, but does not state which list they are"
    dated = _publication(items)
    by_content = _published_span(dated) or _submissions(items["submitted_on"])
    if by_content is not None:
        return by_content
    if stated in ("weekly", "monthly"):
        return stated, f"stated: the capture states its kind as {stated}"
    if stated is None and day is None:
        return "unknown", "no_evidence: no kind is stated and no day is known"
    if items.is_empty():
        return "daily", "empty_list: a day's list without papers"
    return _confirmed(dated, items.height, day)


def _publication(items: pl.DataFrame) -> pl.DataFrame:
    """`first` and `last` possible day of publication, one row per item with a date or an id.

    Without a date, the days are those of the month in the arXiv id.
    """
    month = id_month(pl.col("arxiv_id"))
    return items.select(
        pl.coalesce("published_on", month).alias("first"),
        pl.coalesce("published_on", month.dt.month_end()).alias("last"),
    ).drop_nulls()


def _published_span(dated: pl.DataFrame) -> Verdict | None:
    """`search` if more than a third of the papers are much older than the newest."""
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
    """The kind by days of submission; if few items have one, only days too far apart decide."""
    submitted = column.drop_nulls()
    if submitted.is_empty():
        return None
    is_covered = submitted.len() >= DAY_SHARE * column.len()
    top = int(submitted.value_counts(sort=True)["count"][0])
    if top >= SAME_DAY_SHARE * submitted.len():
        rule = f"submission_day: {top} of {column.len()} items were submitted on one day"
        return ("daily", rule) if is_covered else None
    days: list[date] = submitted.sort().to_list()
    first, last = days[0], days[-1]
    if last - first >= timedelta(days=LONGEST_PERIOD_DAYS):
        return "search", f"submission_days: {first} to {last}, longer than a month"
    if not is_covered:
        return None
    if submitted.dt.truncate("1w").n_unique() == 1:
        return "weekly", "submission_days: several days within one ISO week"
    if submitted.dt.truncate("1mo").n_unique() == 1:
        return "monthly", "submission_days: several days within one month"
    return "unknown", f"submission_days: {first} to {last}, across weeks and months"


def _confirmed(dated: pl.DataFrame, n_items: int, day: date | None) -> Verdict:
    """`daily` if the papers confirm the list's day, or the newest paper's day if none is known."""
    if dated.height * 2 < n_items:
        return "unknown", (
            f"undated: only {dated.height} of {n_items} papers have a publication date or month, "
            "too few to confirm a day"
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
        return "unknown", f"weekend: {day} is not a weekday, and daily lists are ({rule})"
    return "daily", rule
