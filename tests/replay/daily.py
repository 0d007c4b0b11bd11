"""Hugging Face's `/api/daily_papers`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from tests.replay.listings import Listings
from tests.replay.reply import Reply, json_reply

DEFAULT_LIMIT, MAX_LIMIT = 50, 100


def answer(query: Mapping[str, str], listings: Listings, now: datetime) -> Reply:
    """One page; HTTP 400 for an invalid date, limit or page, and for a future day."""
    try:
        day = date.fromisoformat(query["date"]) if "date" in query else now.date()
        limit, page = int(query.get("limit", DEFAULT_LIMIT)), int(query.get("p", 0))
    except ValueError as error:
        return _refusal(str(error))
    if not 1 <= limit <= MAX_LIMIT or page < 0:
        return _refusal(f"limit must be 1 to {MAX_LIMIT}, p must not be negative")
    if day > now.date():
        return _refusal(f"{day} is in the future")
    items = listings.items(day, now) or []
    return json_reply(items[page * limit : (page + 1) * limit])


def _refusal(message: str) -> Reply:
    return json_reply({"error": message}, status=400)
