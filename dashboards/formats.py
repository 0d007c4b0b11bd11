"""Text formats of numbers, intervals, dates and periods, and CSV.

Belongs here: functions from a value to text. Does not: HTML. A null value is written as a dash.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import polars as pl

from pipelines.runtime.text import escape_formula

NBSP = "\u00a0"
NO_VALUE = "–"


def integer(value: float | None) -> str:
    """`12,345`."""
    return NO_VALUE if value is None else f"{value:,.0f}"


def decimal(value: float | None) -> str:
    """`5.2`; whole numbers without a decimal point."""
    if value is None:
        return NO_VALUE
    return f"{value:,.1f}".removesuffix(".0")


def mean(value: float | None) -> str:
    """`5.0`."""
    return NO_VALUE if value is None else f"{value:,.1f}"


def share(value: float | None) -> str:
    """`12.3 %`."""
    return NO_VALUE if value is None else f"{100 * value:.1f}{NBSP}%"


def share_interval(low: float | None, high: float | None) -> str:
    """`10.1–14.8 %`."""
    if low is None or high is None:
        return NO_VALUE
    return f"{100 * low:.1f}–{100 * high:.1f}{NBSP}%"


def factor(growth: float | None) -> str:
    """A log ratio as a factor: `×1.80`."""
    return NO_VALUE if growth is None else f"×{_factor(growth)}"


def factor_interval(low: float | None, high: float | None) -> str:
    """`×1.35–2.41`, for two log ratios. A bound has more decimals if two would read as 1.00."""
    return NO_VALUE if low is None or high is None else f"×{_bound(low)}–{_bound(high)}"


def _factor(growth: float) -> str:
    value = math.exp(growth)
    if value >= 100:
        return "100 or more"
    if value < 0.01:
        return "0.01 or less"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _bound(growth: float) -> str:
    text = _factor(growth)
    for decimals in (3, 4):
        if growth and float(text.partition(" ")[0]) == 1:
            text = f"{math.exp(growth):.{decimals}f}"
    return text


def probability(value: float | None) -> str:
    """`3 %`, `< 1 %`."""
    if value is None:
        return NO_VALUE
    return f"<{NBSP}1{NBSP}%" if value < 0.01 else f"{100 * value:.0f}{NBSP}%"


def points(value: float | None) -> str:
    """A difference of shares in percentage points with its sign: `+1.2`, `−0.4`."""
    if value is None:
        return NO_VALUE
    text = f"{abs(100 * value):.1f}"
    if text == "0.0":
        return text
    return ("+" if value > 0 else "−") + text


def points_interval(low: float | None, high: float | None) -> str:
    """`−0.4 to +1.2`."""
    return NO_VALUE if low is None or high is None else f"{points(low)} to {points(high)}"


def number_interval(low: float | None, high: float | None) -> str:
    """`5–6`."""
    return NO_VALUE if low is None or high is None else f"{decimal(low)}–{decimal(high)}"


def mean_interval(low: float | None, high: float | None) -> str:
    """`5.0–6.1`."""
    return NO_VALUE if low is None or high is None else f"{low:,.1f}–{high:,.1f}"


def day(value: date | None) -> str:
    """`31 Dec 2025`."""
    return NO_VALUE if value is None else f"{value.day} {value:%b %Y}"


def month(value: date) -> str:
    """`Dec 2025`."""
    return f"{value:%b %Y}"


def moment(value: datetime | None) -> str:
    """`31 Dec 2025, 07:49 UTC`."""
    return NO_VALUE if value is None else f"{day(value)}, {value:%H:%M} UTC"


def age(then: datetime, now: datetime) -> str:
    """`3 hours ago`, in the largest unit that fits. Times without a zone are UTC."""
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    minutes = int((now - then).total_seconds() // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        n = minutes // size
        if n >= 1:
            return f"{n:,} {unit}{'' if n == 1 else 's'} ago"
    return "just now"


def period(grain: str, start: date) -> str:
    """`week of 22 Dec 2025`, `Dec 2025` or `Q4 2025`."""
    if grain == "week":
        return f"week of {day(start)}"
    if grain == "quarter":
        return f"Q{(start.month + 2) // 3} {start.year}"
    return month(start)


def plural(n: int, noun: str) -> str:
    """`1 paper`, `2 papers`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def web_url(value: str | None) -> str | None:
    """The URL if it is http or https; else None."""
    if not value:
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    return value.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def cell(value: object) -> str:
    """A CSV cell. Text that a spreadsheet would evaluate as a formula gets a leading apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple | pl.Series):
        value = "; ".join(str(part) for part in value)
    return escape_formula(str(value))


def to_csv(frame: pl.DataFrame) -> str:
    """The frame as CSV with a byte order mark, so that spreadsheets read it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([cell(name) for name in frame.columns])
    for row in frame.iter_rows():
        writer.writerow([cell(value) for value in row])
    return "\ufeff" + out.getvalue()


def sentence_case(text: str) -> str:
    """The text with its first character in upper case."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
