"""Dates and times as sources write them, and which days can be true."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EARLIEST = date(1986, 1, 1)  # arXiv opened in 1991 and holds a few papers dated back to 1986


def utc(text: str) -> datetime:
    """Read an ISO date or time as UTC; without a zone it is taken as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the calendar in UTC") from None


def latest_day(received_on: date) -> date:
    """Return the last day that bytes received then can speak of: somewhere it is tomorrow."""
    return received_on + timedelta(days=1)


def credible(day: date | None, received_on: date) -> bool:
    """Whether a day lies neither before the papers we know of nor after the receipt."""
    return day is not None and EARLIEST <= day <= latest_day(received_on)
