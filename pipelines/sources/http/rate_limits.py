"""Reads from response headers how long a server asks to wait.

Belongs here: `Retry-After`, `RateLimit`, `RateLimit-Policy` and the older pair
`RateLimit-Remaining`, `RateLimit-Reset`. Does not: waiting (`client.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, as a number or a date; None if missing or invalid.

    A date is compared with the response's own `Date`, because the server's clock and ours may
    differ. RFC 9110, section 10.2.3. Header names are in lower case.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    then = _http_date(text)
    if then is None:
        return None
    sent = _http_date(headers.get("date", "")) or now
    return max(0.0, (then - sent).total_seconds())


def seconds_until_reset(headers: Mapping[str, str]) -> float | None:
    """Seconds until the next request is allowed; None when requests remain.

    Reads `"api";r=0;t=55` (IETF draft ratelimit-headers-09) and, of its earlier versions,
    `RateLimit-Remaining: 0` with `RateLimit-Reset: 55`. An exhausted limit without a reset time
    lasts for the window of its policy. Header names are in lower case.
    """
    found = [_reset_s(item, headers) for item in headers.get("ratelimit", "").split(",")]
    if headers.get("ratelimit-remaining", "").strip() == "0":
        found.append(_number(headers.get("ratelimit-reset", "")))
    waits = [wait for wait in found if wait is not None]
    return max(waits) if waits else None


def _reset_s(item: str, headers: Mapping[str, str]) -> float | None:
    """Seconds until one limit resets; None when it is not exhausted."""
    parameters = _parameters(item)
    if _number(parameters.get("r", "")) != 0:
        return None
    if "t" in parameters:
        return _number(parameters["t"])
    policies = map(_parameters, headers.get("ratelimit-policy", "").split(","))
    windows = [_number(policy["w"]) for policy in policies if "w" in policy]
    return max((window for window in windows if window is not None), default=None)


def _parameters(item: str) -> dict[str, str]:
    """Parameters of one member of such a header, such as `r` → `0`."""
    pairs = (part.partition("=") for part in item.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _number(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text.strip()) else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
