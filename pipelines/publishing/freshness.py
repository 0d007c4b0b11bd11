"""How fresh the published figures are, as a state and a sentence for readers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.publishing.build_status import Kind, Refusal, checked, pointed_to, refusal
from pipelines.publishing.state_files import utc_time
from pipelines.runtime.text import one_line, shortened

MAX_MESSAGE_CHARS = 400
CLOCK_SKEW = timedelta(hours=1)  # figures dated further ahead mean that a clock was wrong
_FAILURES: dict[Kind, str] = {
    "refused": "the last build was refused",
    "failed": "the last build failed",
    "not_fetched": "the last refresh could not fetch everything",
}


@dataclass(frozen=True)
class Freshness:
    """State of the published figures: `fresh`, `stale`, `refused` or `failed`.

    The sentence is empty if they are fresh.
    """

    state: str
    sentence: str


def freshness(
    snapshots_dir: Path,
    published_at: datetime,
    stale_after_hours: float,
    *,
    now: datetime | None = None,
) -> Freshness:
    """Freshness of the figures published at that time.

    With `stale_after_hours` = 0 they never become stale by age alone.
    """
    published_at = published_at.replace(tzinfo=published_at.tzinfo or UTC)
    if refused := refusal(snapshots_dir):
        return _after_failure(published_at, refused)
    good_at = up_to_date_at(snapshots_dir, published_at)
    age = utc_time(now) - good_at
    if -age > CLOCK_SKEW:
        return Freshness(
            "stale",
            f"These figures are dated {_minute(published_at)}, but this machine's clock says "
            f"{_minute(utc_time(now))}. One of the clocks is or was wrong, so the age is unknown.",
        )
    hours = age.total_seconds() / 3600
    if stale_after_hours and hours > stale_after_hours:
        return Freshness(
            "stale",
            f"These figures were published on {_minute(published_at)}. They were last known to be "
            f"up to date {hours:,.0f} hours ago.",
        )
    return Freshness("fresh", "")


def up_to_date_at(snapshots_dir: Path, published_at: datetime) -> datetime:
    """When the published figures were last known to be up to date.

    The time of publication, or a later one at which a refresh found nothing new.
    """
    found = checked(snapshots_dir)
    if found is None or found[0] != pointed_to(snapshots_dir):
        return published_at
    return max(published_at, found[1])


def _after_failure(published_at: datetime, refused: Refusal) -> Freshness:
    first = shortened(one_line(refused.messages[0]).rstrip("."), MAX_MESSAGE_CHARS)
    n_more = len(refused.messages) - 1
    more = f" (and {n_more} more)" if n_more else ""
    return Freshness(
        "refused" if refused.kind == "refused" else "failed",
        f"These figures were published on {_minute(published_at)}; {_FAILURES[refused.kind]} at "
        f"{_minute(refused.refused_at)}: {first}{more}.",
    )


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
