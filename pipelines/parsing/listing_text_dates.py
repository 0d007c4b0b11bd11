"""Dates on the text of a listing page, which leaves out the year of its capture.

Belongs here: the form of a date line, and the rules that give the missing year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from pipelines.parsing.moments import latest_day
from pipelines.parsing.records import Hints

# Month, day, year (if printed) and number of comments (if any): `May 4, 2024 3`.
DATE = re.compile(r"^([A-Z][a-z]{2,8}) (\d{1,2})(?:, (\d{4}))?(?: (\d{1,9}))?$", re.ASCII)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_EARLIEST_YEAR = 1990


def month_number(name: str) -> int | None:
    """1 to 12 for an English month, in full or as three letters; None for other words."""
    return next((n for n, month in enumerate(_MONTHS, 1) if name in (month, month[:3])), None)


def calendar_day(line: str | None, missing_year: int) -> date | None:
    """The day of a date line; None if there is no line or no such day in the calendar."""
    found = DATE.match(line or "")
    month = month_number(found.group(1)) if found else None
    if not found or month is None:
        return None
    year = int(found.group(3) or missing_year)
    try:
        return date(year, month, int(found.group(2)))
    except ValueError:
        return None


@dataclass(frozen=True)
class MissingYear:
    """The year of dates without one, the basis that items store, and the rule as a sentence."""

    year: int
    basis: str
    rule: str

    @classmethod
    def infer(cls, date_lines: list[str | None], hints: Hints) -> MissingYear:
        """Year of a known capture, else largest printed year + 1, else year of receipt."""
        if hints.captured_on is not None:
            year = hints.captured_on.year
            return cls(year, "page_date_capture_year", f"read as {year}, the year of capture")
        found = [DATE.match(line) for line in date_lines if line]
        printed = [int(m.group(3)) for m in found if m and m.group(3)]
        plausible = [y for y in printed if _EARLIEST_YEAR <= y < hints.received_on.year]
        if plausible:
            year = max(plausible) + 1
            return cls(
                year,
                "page_date_year_after_largest_printed",
                f"dates without a year read as {year}, the largest printed year "
                f"{year - 1} plus one",
            )
        year, latest = hints.received_on.year, latest_day(hints.received_on)
        days = (calendar_day(line, year) for line in date_lines)
        year -= any(day is not None and day > latest for day in days)
        return cls(
            year,
            "page_date_receipt_year",
            f"no year is printed: read as {year}, the latest year in which no date is after the "
            "receipt",
        )
