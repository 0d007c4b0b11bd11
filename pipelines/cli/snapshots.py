"""`papertide snapshots`, `rollback`, `diff`, `accept`: what was published, and going back."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import PapertideError, UsageError
from pipelines.settings import DBT_PROJECT_DIR, get_settings

if TYPE_CHECKING:
    import polars as pl

    from pipelines.publishing.history import Entry

MAX_ROWS = 20


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def snapshots(as_json: bool) -> None:  # noqa: FBT001  click passes it
    """Every snapshot in the home, newest first: when, how much, and whether it is whole."""
    import polars as pl

    from pipelines.cli import output
    from pipelines.publishing import history

    lines = [_line(entry) for entry in history.entries(get_settings())]
    if as_json:
        _print_json(lines)
    elif lines:
        output.write(pl.DataFrame(lines, infer_schema_length=None), "table", None)
    else:
        click.echo("Nothing is published yet: papertide build", err=True)


def _line(entry: Entry) -> dict[str, Any]:
    moment = entry.published_at
    return {
        "current": "*" if entry.is_current else "",
        "snapshot_id": entry.snapshot.snapshot_id,
        "published_at": moment.isoformat() if moment else None,
        "n_papers": entry.rows.get("dim_papers"),
        "n_listings": entry.rows.get("fct_listings"),
        "n_quarantined": entry.rows.get("rpt_quarantine"),
        "megabytes": round(entry.n_bytes / 1e6, 1),
        "content_hash": entry.content_hash[:12],
        "damage": entry.damage,
    }


@click.command()
@click.argument("snapshot_id", required=False, metavar="[ID]")
def rollback(snapshot_id: str | None) -> None:
    """Let readers go back to the snapshot before the current one, or to ID.

    Nothing is deleted. A later build publishes on from what the archive holds, so mend what was
    wrong first.

    \b
    Examples:
      papertide rollback
      papertide rollback 20260105T061500Z-1a2b3c4d
    """
    from pipelines.publishing import history
    from pipelines.warehouse.candidate import writer_lock

    settings = get_settings()
    with writer_lock(settings):
        move = history.rollback(settings, snapshot_id)
    to = move.to
    click.echo(
        f"Readers now have {to.snapshot.snapshot_id} (published {to.published_at}, "
        f"{to.rows.get('dim_papers', 0):,} papers) instead of "
        f"{move.left or 'a pointer that led nowhere'}. "
        "The next build publishes on from all captures, and a refresh as soon as something new "
        "comes: mend what was wrong before.",
        err=True,
    )


@click.command()
@click.argument("older", required=False)
@click.argument("newer", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines: every row.")
def diff(older: str | None, newer: str | None, as_json: bool) -> None:  # noqa: FBT001
    """What changed between two snapshots: papers, listings, captures, coverage, topics.

    Without arguments: from the one before the current to the current; with one: from that to the
    current.

    \b
    Examples:
      papertide diff
      papertide diff 20260104T061500Z-9f8e7d6c 20260105T061500Z-1a2b3c4d --json
    """
    from pipelines.publishing import difference, history

    settings = get_settings()
    listed = history.entries(settings)
    new = history.named(settings, newer) if newer else _current(listed)
    old = history.named(settings, older) if older else _before(listed, new)
    frames = difference.compare(settings, old.snapshot, new.snapshot)
    if as_json:
        rows = {name.replace(" ", "_"): frame.to_dicts() for name, frame in frames.items()}
        _print_json({"from": old.snapshot.snapshot_id, "to": new.snapshot.snapshot_id, **rows})
        return
    click.echo(f"from {old.snapshot.snapshot_id}\nto   {new.snapshot.snapshot_id}")
    if all(frame.is_empty() for frame in frames.values()):
        same = old.content_hash == new.content_hash
        click.echo("\nThe tables are the same." if same else "\nNothing that is compared changed.")
        return
    for name, frame in frames.items():
        _print_part(name, frame)


def _current(listed: list[Entry]) -> Entry:
    for entry in listed:
        if entry.is_current:
            return entry
    raise PapertideError(
        "There is no current snapshot to compare with: name two. `papertide snapshots` lists them."
    )


def _before(listed: list[Entry], new: Entry) -> Entry:
    place = listed.index(new)
    older = [entry for entry in listed[place + 1 :] if not entry.damage]
    if not older:
        raise PapertideError(
            f"There is no whole snapshot older than {new.snapshot.snapshot_id} to compare with."
        )
    return older[0]


def _print_part(name: str, frame: pl.DataFrame) -> None:
    from pipelines.cli import output

    click.echo(f"\n{name}: {_summary(name, frame)}")
    if not frame.is_empty():
        output.write(frame.head(MAX_ROWS), "table", None)
        if frame.height > MAX_ROWS:
            click.echo(f"… and {frame.height - MAX_ROWS:,} more (--json gives all)")


def _summary(name: str, frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return "the same"
    if "change" in frame.columns:
        counts = frame["change"].value_counts().sort("change").iter_rows()
        return ", ".join(f"{n:,} {change}" for change, n in counts)
    if name == "listings":
        return f"{frame['n_added'].sum():,} added, {frame['n_gone'].sum():,} gone"
    return f"{frame.height:,} changed"


@click.command()
@click.argument("subject", metavar="DAY")
@click.option("--why", default="", help="The reason, for whoever reads it later.")
@click.option("--undo", is_flag=True, help="Take an acceptance back.")
def accept(subject: str, why: str, undo: bool) -> None:  # noqa: FBT001
    """Say that something a build was refused for is right: a listing day, or a mart's name.

    An unusual number of papers on a day is accepted for good. Anything else (a list that does not
    look like a day's, fewer papers than before) is accepted for the next publication only.

    \b
    Examples:
      papertide accept 2025-06-20 --why "the Friday after Juneteenth"
      papertide accept dim_papers --why "the test captures were removed"
      papertide accept 2025-06-20 --undo
    """
    from pipelines.publishing import acceptances, build_status

    named = _subject(subject)
    if undo:
        if not acceptances.withdraw(get_settings(), named):
            raise UsageError(f"{named} was not accepted. `papertide status` lists what was.")
        click.echo(f"{named} is no longer accepted.", err=True)
        return
    if not why.strip():
        raise UsageError("--why is empty: say in a few words why it is right.")
    acceptances.accept(get_settings(), named, " ".join(why.split()))
    refused = build_status.refusal(get_settings().snapshots_dir)
    if not any(named in message for message in (refused.messages if refused else ())):
        click.echo(f"Nothing was refused for {named}: is that what you meant?", err=True)
    click.echo(f"{named} is accepted. Next: papertide build", err=True)


def _subject(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        marts = {path.stem for path in (DBT_PROJECT_DIR / "models" / "marts").glob("*.sql")}
    if text not in marts:
        raise UsageError(f"{text!r} is neither a day (YYYY-MM-DD) nor a table that is published.")
    return text


def _print_json(content: object) -> None:
    json.dump(content, sys.stdout, indent=1, default=str, ensure_ascii=False)
    click.echo()


ALL = (snapshots, rollback, diff, accept)
