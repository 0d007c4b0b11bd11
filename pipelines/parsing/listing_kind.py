"""What kind of list a capture is, inferred from what it shows. One rule, one place.

A list that calls itself a day but whose papers span years is a search result: shares or trends
over it would measure the query.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

KINDS = ("daily", "weekly", "monthly", "trending", "search", "announcement", "unknown")
OLD_AFTER_DAYS = 180
OLD_SHARE = 1 / 3


def infer_kind(items: pl.DataFrame, stated: str | None, day: date | None) -> tuple[str, str]:
    """`(listing_kind, rule)` from the items, what the page says, and the day known from outside."""
    if stated in ("trending", "announcement", "search"):
        return stated, f"stated: the capture says it is {stated}"
    published = items["published_on"].drop_nulls()
    if published.len() >= 2:
        newest: date = published.max()  # type: ignore[assignment]
        old = (published < newest - timedelta(days=OLD_AFTER_DAYS)).sum()
        if old > published.len() * OLD_SHARE:
            years = published.dt.year().sort().to_list()
            return "search", (
                f"published_span: {old} of {published.len()} dated papers are more than "
                f"{OLD_AFTER_DAYS} days older than the newest ({years[0]} to {years[-1]})"
            )
    submitted = items["submitted_on"].drop_nulls()
    if submitted.len() and (span := _submission_span(submitted)):
        return span
    if stated in ("daily", "weekly", "monthly"):
        return stated, f"stated: the capture says it is {stated}"
    if day is not None:
        return "daily", "listing_day: the list belongs to one day and its papers are recent"
    return "unknown", "nothing says what kind of list this is"


def _submission_span(submitted: pl.Series) -> tuple[str, str] | None:
    """Daily when 4 of 5 items were submitted on one day; else the period that holds them all."""
    counts = submitted.value_counts(sort=True)
    top = int(counts["count"][0])
    if top >= 0.8 * submitted.len():
        rule = f"submission_day: {top} of {submitted.len()} items were submitted on one day"
        return "daily", rule
    if submitted.dt.truncate("1w").n_unique() == 1:
        return "weekly", "submission_days: several days of one ISO week"
    if submitted.dt.truncate("1mo").n_unique() == 1:
        return "monthly", "submission_days: several days of one month"
    return None
