"""The commands that fetch: `refresh` for what is due now, `backfill` for the whole history."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import UsageError
from pipelines.settings import load_settings
from pipelines.sources.huggingface.fetch import FIRST_LISTED_ON

if TYPE_CHECKING:
    from pipelines.defs.results import FetchedListings, ParsedCaptures

_again = click.option(
    "--again", is_flag=True, help="Fetch every day in the range, even if it is not due."
)


@click.command()
@click.option("--since", metavar="DATE", help="First listing day.  [default: 92 days ago]")
@click.option("--until", metavar="DATE", help="Last listing day.  [default: today, UTC]")
@_again
def refresh(since: str | None, until: str | None, again: bool) -> int:  # noqa: FBT001
    """Fetch the lists that are due, then build, check and publish.

    A day is due if it was never fetched, if its list is still growing, or if its counters are
    scheduled to be observed again. An interrupted refresh resumes where it stopped.

    \b
    Examples:
      papertide refresh
      papertide refresh --since 2025-01-20 --until 2025-06-30
    """
    return _run(_day(since, "--since"), _day(until, "--until"), again=again)


@click.command()
@click.option(
    "--since", metavar="DATE", default=FIRST_LISTED_ON.isoformat(), show_default=True,
    help="First listing day.",
)  # fmt: skip
@click.option("--until", metavar="DATE", help="Last listing day.  [default: today, UTC]")
@_again
def backfill(since: str, until: str | None, again: bool) -> int:  # noqa: FBT001
    """Fetch the whole history, then build, check and publish.

    Fetches every listing day since the first. Complete days are not fetched again. After Ctrl-C, a
    rate limit or a power cut, run the command again to resume.

    \b
    Examples:
      papertide backfill
      papertide backfill --since 2025-01-01
    """
    return _run(_day(since, "--since"), _day(until, "--until"), again=again)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is not a date. Write YYYY-MM-DD, for example 2025-11-06."
        ) from None
    if day < FIRST_LISTED_ON:
        raise UsageError(
            f"{option} {text} is before the first list. Use {FIRST_LISTED_ON} or a later day."
        )
    return day


def _run(since: date | None, until: date | None, *, again: bool) -> int:
    """Harvest arXiv if it is on, then refresh; 1 when a source or a day failed."""
    from pipelines.cli import report, runs
    from pipelines.defs.arxiv import HARVEST_OFF
    from pipelines.defs.results import (
        FetchedListings,
        HarvestedAnnouncements,
        LookedUpPapers,
        ParsedCaptures,
        PublishedSnapshot,
    )

    if since and since > (until or datetime.now(UTC).date()):
        raise UsageError(f"--since {since} is after the last day, {until or 'today'}.")
    settings = load_settings()
    days = {"since": since, "until": until}
    config: dict[str, Any] = {name: day.isoformat() for name, day in days.items() if day}
    config["again"] = again
    harvested: HarvestedAnnouncements | None = HarvestedAnnouncements("off", HARVEST_OFF)
    if settings.harvested_sets:
        harvest = runs.run_job(settings, "harvest", arxiv_announcements=config)
        harvested = HarvestedAnnouncements.in_events(harvest.all_events)
    result = runs.run_job(settings, "refresh", hf_daily_listings=config)
    listings = FetchedListings.in_events(result.all_events)
    parsed = ParsedCaptures.in_events(result.all_events)
    looked_up = LookedUpPapers.in_events(result.all_events)
    if listings and parsed:
        _print_listings(listings, parsed)
    for found in (harvested, looked_up):
        if found:
            click.echo(found.message, err=True)
    if PublishedSnapshot.in_events(result.all_events):
        report.published()
    else:
        click.echo("Nothing new: the published snapshot is up to date.", err=True)
    return 1 if any(found and found.failure for found in (listings, harvested, looked_up)) else 0


def _print_listings(fetched: FetchedListings, parsed: ParsedCaptures) -> None:
    """Print the days by status, with what was skipped or failed, and the items."""
    counts = fetched.n_by_status
    texts = [f"{n} {status.replace('_', ' ')}" for status, n in counts.items() if n]
    click.echo(f"{fetched.n_days} day(s): {', '.join(texts) or 'none'}.", err=True)
    for reason, n in fetched.skipped.items():
        click.echo(f"  skipped {n}: {reason}", err=True)
    for note in fetched.notes:
        click.echo(f"  {note['day']} {note['status']}: {note['note']}", err=True)
    click.echo(
        f"{parsed.n_captures_parsed} capture(s) parsed: {parsed.n_seen} items seen = "
        f"{parsed.n_accepted} accepted + {parsed.n_quarantined} quarantined.",
        err=True,
    )
    if fetched.n_days_failed:
        click.echo("Run `papertide refresh` again to retry the days that failed.", err=True)
