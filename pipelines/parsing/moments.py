"""Dates and times as sources write them, and which of them are plausible."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

EARLIEST = date(1986, 1, 1)  # arXiv opened in 1991; a few of its papers are dated back to 1986
_TIMESTAMP = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})")


def utc(text: str) -> datetime:
    """An ISO 8601 date or time in UTC; without a zone it counts as UTC.

    Raises ValueError for text that is not ISO 8601 and for times outside the calendar in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar in UTC") from None


def day_or_none(text: str | None) -> date | None:
    """The UTC day of an ISO 8601 date or time; None if the text is missing or not one."""
    try:
        return utc(text or "").date()
    except ValueError:
        return None


def latest_timestamp(body: bytes, received_at: datetime) -> datetime | None:
    """The latest ISO 8601 time with a zone anywhere in the bytes, at most the time of receipt."""
    latest = None
    for text in set(_TIMESTAMP.findall(body)):
        try:
            moment = utc(text.decode())
        except ValueError:
            continue
        if moment <= received_at and (latest is None or moment > latest):
            latest = moment
    return latest


def latest_day(received_on: date) -> date:
    """The last plausible day in bytes received on this day: elsewhere it is already tomorrow."""
    return received_on + timedelta(days=1)


def credible(day: date | None, received_on: date) -> bool:
    """Whether a day is known and between `EARLIEST` and the day after the receipt."""
    return day is not None and EARLIEST <= day <= latest_day(received_on)
