"""How numbers, dates and periods are written: one way for each, everywhere.

Belongs here: value → text, for people and for CSV. Does not: HTML.
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
NOTHING = "–"


def integer(value: float | None) -> str:
    """`12,345`; a dash for null."""
    return NOTHING if value is None else f"{value:,.0f}"


def decimal(value: float | None) -> str:
    """`5.2`, whole numbers without a point; a dash for null."""
    if value is None:
        return NOTHING
    return f"{value:,.1f}".removesuffix(".0")


def mean(value: float | None) -> str:
    """`5.0`; a dash for null."""
    return NOTHING if value is None else f"{value:,.1f}"


def share(value: float | None) -> str:
    """`12.3 %`; a dash for null."""
    return NOTHING if value is None else f"{100 * value:.1f}{NBSP}%"


def share_interval(low: float | None, high: float | None) -> str:
    """`10.1–14.8 %`; a dash when there is none."""
    if low is None or high is None:
        return NOTHING
    return f"{100 * low:.1f}–{100 * high:.1f}{NBSP}%"


def factor(growth: float | None) -> str:
    """A log ratio as what it multiplies by: `×1.80`; a dash for null."""
    return NOTHING if growth is None else f"×{_factor(growth)}"


def factor_interval(low: float | None, high: float | None) -> str:
    """`×1.35 to ×2.41`; a dash when there is none."""
    return NOTHING if low is None or high is None else f"{factor(low)} to {factor(high)}"


def _factor(growth: float) -> str:
    value = math.exp(growth)
    if value >= 100:
        return "100 or more"
    if value < 0.01:
        return "0.01 or less"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def small(value: float | None) -> str:
    """A p- or q-value: `0.034`, `< 0.001`; a dash for null."""
    if value is None:
        return NOTHING
    return f"<{NBSP}0.001" if value < 0.001 else f"{value:.3f}"


def compared(value: float) -> str:
    """A p- or q-value as what follows its letter: `= 0.034`, `< 0.001`."""
    text = small(value)
    return text if text.startswith("<") else f"= {text}"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign: `+1.2`, `−0.4`."""
    if value is None:
        return NOTHING
    text = f"{abs(100 * value):.1f}"
    if text == "0.0":
        return text
    return ("+" if value > 0 else "−") + text


def points_interval(low: float | None, high: float | None) -> str:
    """`−0.4 to +1.2`; a dash when there is none."""
    return NOTHING if low is None or high is None else f"{points(low)} to {points(high)}"


def number_interval(low: float | None, high: float | None) -> str:
    """`5–6`; a dash when there is none."""
    return NOTHING if low is None or high is None else f"{decimal(low)}–{decimal(high)}"


def mean_interval(low: float | None, high: float | None) -> str:
    """`5.0–6.1`; a dash when there is none."""
    return NOTHING if low is None or high is None else f"{low:,.1f}–{high:,.1f}"


def day(value: date | None) -> str:
    """`31 Dec 2025`; a dash for null."""
    return NOTHING if value is None else f"{value.day} {value:%b %Y}"


def month(value: date) -> str:
    """`Dec 2025`."""
    return f"{value:%b %Y}"


def moment(value: datetime | None) -> str:
    """`31 Dec 2025, 07:49 UTC`; a dash for null."""
    return NOTHING if value is None else f"{day(value)}, {value:%H:%M} UTC"


def age(then: datetime, now: datetime) -> str:
    """How long ago, coarsely: `3 hours ago`. Times without a zone are UTC."""
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
    """The address if it is a plain http or https one; else null."""
    if not value:
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    return value.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def cell(value: object) -> str:
    """A CSV cell. Text that a spreadsheet would run as a formula gets a leading apostrophe."""
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
    """The frame as CSV, with a byte-order mark so that spreadsheets read it as UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([cell(name) for name in frame.columns])
    for row in frame.iter_rows():
        writer.writerow([cell(value) for value in row])
    return "\ufeff" + out.getvalue()


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
