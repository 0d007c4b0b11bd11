"""The commands that fetch: `refresh` for what is due now, `backfill` for the whole history."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import UsageError
from pipelines.sources.huggingface.fetch import FIRST_LISTED_ON

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

_again = click.option("--again", is_flag=True, help="Fetch every day of the range, due or not.")


@click.command()
@click.option("--since", metavar="DATE", help="First listing day.  [default: 92 days ago]")
@click.option("--until", metavar="DATE", help="Last listing day.  [default: today, UTC]")
@_again
def refresh(since: str | None, until: str | None, again: bool) -> int:  # noqa: FBT001
    """Fetch the lists that are due, then build, check and publish.

    Due are days that were never fetched, lists that still grow, and lists whose counters are to be
    observed again. Stopped and run again it goes on where it was.

    \b
    Examples:
      papertide refresh
      papertide refresh --since 2025-01-20 --until 2025-06-30
    """
    return _run(_day(since, "--since"), _day(until, "--until"), again=again)


@click.command()
@click.option("--since", metavar="DATE", default=FIRST_LISTED_ON.isoformat(), show_default=True)
@click.option("--until", metavar="DATE", help="Last listing day.  [default: today, UTC]")
@_again
def backfill(since: str, until: str | None, again: bool) -> int:  # noqa: FBT001
    """Fetch every listing day there has been, then build, check and publish.

    Finished days are not fetched again: stopped by Ctrl-C, a rate limit or a power cut, run it
    again and it goes on.

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
            f"{option} {text!r} is no date; write it as YYYY-MM-DD, for example 2025-11-06."
        ) from None
    if day < FIRST_LISTED_ON:
        raise UsageError(f"{option} {text}: the first list is of {FIRST_LISTED_ON}.")
    return day


def _run(since: date | None, until: date | None, *, again: bool) -> int:
    from pipelines.cli import report, runs

    if since and since > (until or datetime.now(UTC).date()):
        raise UsageError(f"--since {since} lies after the last day, {until or 'today'}.")
    days = {"since": since, "until": until}
    config: dict[str, Any] = {name: day.isoformat() for name, day in days.items() if day}
    asked = {**config, "again": again}
    result = runs.run_job("refresh", live_listings=asked, live_arxiv=asked)
    n_failed = _print_summary(result)
    has_arxiv = _print_arxiv(result)
    if result.asset_materializations_for_node("snapshot"):
        report.published()
    else:
        click.echo("Nothing new: the published snapshot is up to date.", err=True)
    return 0 if has_arxiv and not n_failed else 1


def _print_arxiv(result: ExecuteInProcessResult) -> bool:
    """Say what came of arXiv in one line; False when it failed."""
    fetched = result.asset_materializations_for_node("live_arxiv")[-1].metadata
    click.echo(fetched["message"].value, err=True)
    return fetched["status"].value != "failed"


def _print_summary(result: ExecuteInProcessResult) -> int:
    """Say what became of the days and of their items; the number of days that failed."""
    fetched = result.asset_materializations_for_node("live_listings")[-1].metadata
    parsed = result.asset_materializations_for_node("items")[0].metadata
    counts = {
        status: int(fetched[f"n_days_{status}"].value)  # type: ignore[arg-type]
        for status in ("new", "changed", "unchanged", "empty", "not_open", "failed", "skipped")
    }
    words = [f"{n} {status.replace('_', ' ')}" for status, n in counts.items() if n]
    click.echo(f"{fetched['n_days'].value} day(s): {', '.join(words) or 'none'}.", err=True)
    skipped: dict[str, int] = fetched["skipped"].value  # type: ignore[assignment]
    for reason, n in skipped.items():
        click.echo(f"  skipped {n}: {reason}", err=True)
    notes: list[dict[str, str]] = fetched["notes"].value  # type: ignore[assignment]
    for note in notes:
        click.echo(f"  {note['day']} {note['status']}: {note['note']}", err=True)
    seen, accepted, quarantined = (
        parsed[name].value for name in ("n_seen", "n_accepted", "n_quarantined")
    )
    click.echo(
        f"{parsed['n_captures_parsed'].value} capture(s) parsed: {seen} items seen = "
        f"{accepted} accepted + {quarantined} quarantined.",
        err=True,
    )
    if counts["failed"]:
        click.echo("Run `papertide refresh` again for the days that failed.", err=True)
    return counts["failed"]
