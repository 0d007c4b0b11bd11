"""Prints the result of a command: ingested files, the published snapshot, the status.

Belongs here: wording and layout. Does not: computing figures (`publishing.status`, `lake.reading`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from pipelines.audit.findings import name_list
from pipelines.cli.output import print_json, print_table
from pipelines.lake import reading
from pipelines.publishing import status as publishing_status
from pipelines.publishing.snapshot import current
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

MAX_CAPTURES_SHOWN = 12
MAX_CAPTURES_EXPLAINED = 3
LITTLE_SHARE = 0.5
_FACTS = ("origin", "outcome", "source", "listing_kind", "listed_on")
_COUNTS = ("n_seen", "n_accepted", "n_quarantined")


def intake(result: ExecuteInProcessResult, *, next_step: str = "") -> int:
    """Print the outcome of each file.

    Returns 1 if a file was refused or if no capture has usable items, else 0.
    """
    from pipelines.defs.results import IngestedFiles

    ingested = IngestedFiles.in_events(result.all_events)
    outcomes = [asdict(outcome) for outcome in ingested.outcomes] if ingested else []
    items_dir = load_settings().items_dir
    captures = [
        {**reading.facts(items_dir, outcome["capture_id"]), "outcome": outcome["status"]}
        for outcome in outcomes
        if outcome["capture_id"]
    ]
    if captures:
        _print_captures(captures)
    for outcome in outcomes:
        if outcome["status"] == "skipped":
            click.echo(f"skipped {outcome['origin']}: {outcome['message']}", err=True)
    _print_totals(outcomes, captures)
    is_usable = any(c["n_accepted"] or not c["n_quarantined"] for c in captures)
    if next_step and is_usable and any(c["outcome"] != "known" for c in captures):
        click.echo(f"Next: {next_step}", err=True)
    is_refused = any(outcome["status"] == "refused" for outcome in outcomes)
    return 0 if is_usable and not is_refused else 1


def _print_captures(captures: list[dict[str, Any]]) -> None:
    """Print a few captures one by one; of many, only those that need attention, worst first."""
    are_few = len(captures) <= MAX_CAPTURES_SHOWN
    notable = captures if are_few else sorted(filter(_is_notable, captures), key=_share_accepted)
    shown = notable[:MAX_CAPTURES_SHOWN]
    if shown:
        print_table(
            pl.DataFrame(
                [{name: c[name] for name in (*_FACTS, *_COUNTS)} for c in shown],
                schema={**dict.fromkeys(_FACTS, pl.String), **dict.fromkeys(_COUNTS, pl.Int64)},
            )
        )
    for capture in shown:
        if len(captures) <= MAX_CAPTURES_EXPLAINED:
            for rule in (capture["listing_kind_rule"], *capture["rules"]):
                click.echo(f"  {capture['origin']}: {rule}")
        if capture["n_quarantined"]:
            _print_quarantine(capture["capture_id"], "" if len(shown) == 1 else capture["origin"])
    if hidden := notable[len(shown) :]:
        n_items = sum(c["n_quarantined"] for c in hidden)
        click.echo(
            f"{len(hidden)} more file(s) need attention, with {n_items:,} item(s) in quarantine. "
            'After the build, `papertide sql "from rpt_quarantine"` lists every item.',
            err=True,
        )
    _print_warnings(captures)


def _is_notable(capture: dict[str, Any]) -> bool:
    return bool(capture["n_quarantined"]) or capture["listing_kind"] == "unknown"


def _share_accepted(capture: dict[str, Any]) -> float:
    return float(capture["n_accepted"] / capture["n_seen"] if capture["n_seen"] else 1)


def _print_warnings(captures: list[dict[str, Any]]) -> None:
    """Name the files from which little or nothing was read, and those of an unknown kind."""
    nothing = [c for c in captures if c["n_seen"] and not c["n_accepted"]]
    little = [c for c in captures if 0 < _share_accepted(c) < LITTLE_SHARE]
    unknown = [c for c in captures if c["listing_kind"] == "unknown" and c["n_accepted"]]
    _warn(nothing, "Nothing was read from")
    _warn(little, "Less than half of the items were read from")
    _warn(
        unknown,
        "The kind of list is unknown, so no day counts these papers (state it with --kind):",
    )


def _warn(captures: list[dict[str, Any]], problem: str) -> None:
    if captures:
        names = name_list(c["origin"] for c in captures)
        click.echo(f"warning: {problem} {len(captures):,} file(s): {names}", err=True)


def _print_quarantine(capture_id: str, origin: str) -> None:
    reasons = reading.quarantine_reasons(load_settings().items_dir, capture_id)
    file = f"{origin}: " if origin else ""
    for reason, n, place, detail in reasons.iter_rows():
        click.echo(f"  {file}quarantined {n:,} × {reason}, first at {place}: {detail}", err=True)


def _print_totals(outcomes: list[dict[str, Any]], captures: list[dict[str, Any]]) -> None:
    n_files = Counter(outcome["status"] for outcome in outcomes)
    parts = []
    if n_files["new"] or n_files["amended"]:
        changed = [c for c in captures if c["outcome"] != "known"]
        seen, accepted, quarantined = (sum(c[name] for c in changed) for name in _COUNTS)
        parts.append(
            f"{n_files['new']} new capture(s): {seen} items seen = {accepted} accepted + "
            f"{quarantined} quarantined"
        )
    if n_files["amended"]:
        parts.append(f"{n_files['amended']} known capture(s) updated with your options")
    if n_files["known"]:
        parts.append(f"{n_files['known']} already in the archive, unchanged")
    if n_files["refused"]:
        parts.append(f"{n_files['refused']} could not be ingested")
    click.echo("; ".join(parts) + ".", err=True)


def published() -> None:
    """Print the current snapshot."""
    snapshot = current(load_settings())
    rows = {r["name"]: r["rows"] for r in snapshot.package()["resources"]}
    click.echo(
        f"published {snapshot.snapshot_id}: {rows['dim_papers']:,} papers, "
        f"{rows['fct_listings']:,} listings, {rows['rpt_capture_reconciliation']:,} captures, "
        f"{rows['rpt_quarantine']:,} items in quarantine",
        err=True,
    )


def status(*, as_json: bool) -> int:
    """Print the status. Returns 0 if the published figures are fresh, else 1.

    Raises NoSnapshotError if nothing is published.
    """
    figures = publishing_status.figures(load_settings())
    if as_json:
        print_json(figures)
    else:
        _print_status(figures)
    return 0 if figures["state"] == "fresh" else 1


def _print_status(figures: dict[str, Any]) -> None:
    click.echo(
        f"snapshot  {figures['snapshot_id']}, published {figures['published_at']} "
        f"({figures['age_hours']:.1f} h ago)"
    )
    _print_state(figures)
    if figures["good_at"] != figures["published_at"]:
        click.echo(f"checked   {figures['good_at']}: no new data")
    if rollback := figures["rolled_back"]:
        source = rollback["from"] or "an unreadable pointer"
        click.echo(f"rollback  at {rollback['rolled_back_at']}, from {source}")
    click.echo(f"papers    {figures['n_papers']:,}")
    for population, newest in figures["newest"].items():
        click.echo(f"newest    {population}: {newest}")
    if n_pending := figures["n_captures_not_published"]:
        next_step = "see above" if figures["refused"] else "run papertide build"
        click.echo(f"pending   {n_pending} capture(s) ingested since: {next_step}")
    for warning in figures["warnings"]:
        click.echo(f"warning   {warning}")
    _print_part("captures", figures["captures"])
    _print_part("coverage (expected listing days)", figures["coverage"])
    _print_part("quarantine by reason", figures["quarantine"])
    if figures["accepted"]:
        _print_part("accepted by an operator", figures["accepted"])


def _print_state(figures: dict[str, Any]) -> None:
    if refused := figures["refused"]:
        outcome = "refused" if refused["kind"] == "refused" else "failed"
        click.echo(f"state     {outcome} at {refused['refused_at']:%Y-%m-%d %H:%M} UTC:")
        for message in refused["messages"]:
            click.echo(f"          - {message}")
        return
    reason = figures["why"]
    if not reason and not figures["n_captures_not_published"]:
        reason = "all ingested captures are published"
    click.echo(f"state     {figures['state']}" + (f": {reason}" if reason else ""))


def _print_part(title: str, rows: list[dict[str, Any]]) -> None:
    click.echo(f"\n{title}")
    if rows:
        print_table(pl.DataFrame(rows))
    else:
        click.echo("none")
