"""`papertide snapshots`, `rollback`, `diff` and `accept`: commands on published snapshots."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import PapertideError, UsageError
from pipelines.settings import DBT_PROJECT_DIR, load_settings

if TYPE_CHECKING:
    import polars as pl

    from pipelines.publishing.history import Entry

MAX_ROWS = 20


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def snapshots(as_json: bool) -> None:  # noqa: FBT001  click passes it
    """List all snapshots, newest first.

    Shows row counts, size, content hash and damage of each.
    """
    import polars as pl

    from pipelines.cli import output
    from pipelines.publishing import history

    lines = [_line(entry) for entry in history.entries(load_settings())]
    if as_json:
        output.print_json(lines)
    elif lines:
        output.print_table(pl.DataFrame(lines, infer_schema_length=None))
    else:
        click.echo("Nothing is published yet. Run `papertide build`.", err=True)


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
    """Point readers at an earlier snapshot.

    Uses ID, or by default the newest intact snapshot before the current one. Nothing is deleted.
    The next build publishes all captures again, so fix the cause first.

    \b
    Examples:
      papertide rollback
      papertide rollback 20260105T061500Z-1a2b3c4d
    """
    from pipelines.publishing import history
    from pipelines.warehouse.candidate import writer_lock

    settings = load_settings()
    with writer_lock(settings):
        move = history.rollback(settings, snapshot_id)
    to = move.to
    click.echo(
        f"Readers now see {to.snapshot.snapshot_id} (published {to.published_at}, "
        f"{to.rows.get('dim_papers', 0):,} papers) instead of {move.left or 'an invalid pointer'}. "
        "Fix the cause before the next build, or before a refresh finds new data: both publish "
        "all captures again.",
        err=True,
    )


@click.command()
@click.argument("older", required=False)
@click.argument("newer", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON with every row.")
def diff(older: str | None, newer: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Compare two snapshots.

    Compares papers, listings, captures, coverage and topics. Without arguments, compares the
    snapshot before the current one with the current one; with one argument, that snapshot with the
    current one.

    \b
    Examples:
      papertide diff
      papertide diff 20260104T061500Z-9f8e7d6c 20260105T061500Z-1a2b3c4d --json
    """
    from pipelines.cli import output
    from pipelines.publishing import difference, history

    settings = load_settings()
    listed = history.entries(settings)
    new = history.named(settings, newer) if newer else _current(listed)
    old = history.named(settings, older) if older else _before(listed, new)
    frames = difference.compare(settings, old.snapshot, new.snapshot)
    if as_json:
        rows = {name.replace(" ", "_"): frame.to_dicts() for name, frame in frames.items()}
        output.print_json(
            {"from": old.snapshot.snapshot_id, "to": new.snapshot.snapshot_id, **rows}
        )
        return
    click.echo(f"from {old.snapshot.snapshot_id}\nto   {new.snapshot.snapshot_id}")
    if all(frame.is_empty() for frame in frames.values()):
        same = old.content_hash == new.content_hash
        click.echo(
            "\nThe tables are equal." if same else "\nNo differences in the compared tables."
        )
        return
    for name, frame in frames.items():
        _print_part(name, frame)


def _current(listed: list[Entry]) -> Entry:
    for entry in listed:
        if entry.is_current:
            return entry
    raise PapertideError(
        "There is no current snapshot. Name two snapshots; `papertide snapshots` lists them."
    )


def _before(listed: list[Entry], new: Entry) -> Entry:
    position = listed.index(new)
    older = [entry for entry in listed[position + 1 :] if not entry.damage]
    if not older:
        raise PapertideError(f"There is no intact snapshot older than {new.snapshot.snapshot_id}.")
    return older[0]


def _print_part(name: str, frame: pl.DataFrame) -> None:
    from pipelines.cli import output

    click.echo(f"\n{name}: {_summary(name, frame)}")
    if not frame.is_empty():
        output.print_table(frame.head(MAX_ROWS))
        if frame.height > MAX_ROWS:
            click.echo(f"… and {frame.height - MAX_ROWS:,} more (--json prints all)")


def _summary(name: str, frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return "no changes"
    if "change" in frame.columns:
        counts = frame["change"].value_counts().sort("change").iter_rows()
        return ", ".join(f"{n:,} {change}" for change, n in counts)
    if name == "listings":
        return f"{frame['n_added'].sum():,} added, {frame['n_gone'].sum():,} removed"
    return f"{frame.height:,} changed"


@click.command()
@click.argument("subject", metavar="DAY")
@click.option("--why", default="", help="Reason to record.")
@click.option("--undo", is_flag=True, help="Withdraw the acceptance.")
def accept(subject: str, why: str, undo: bool) -> None:  # noqa: FBT001
    """Accept a finding for which a build was refused. DAY is a listing day or the name of a mart.

    An unusual number of papers on a day is accepted permanently. Any other finding (a list that
    does not look like a daily list, fewer papers than before) is accepted for one publication.

    \b
    Examples:
      papertide accept 2025-06-20 --why "the Friday after Juneteenth"
      papertide accept dim_papers --why "the test captures were removed"
      papertide accept 2025-06-20 --undo
    """
    from pipelines.publishing import acceptances, build_status

    name = _subject(subject)
    if undo:
        if not acceptances.withdraw(load_settings(), name):
            raise UsageError(f"{name} was not accepted. `papertide status` lists all acceptances.")
        click.echo(f"{name} is no longer accepted.", err=True)
        return
    if not why.strip():
        raise UsageError("--why is missing. State the reason in a few words.")
    acceptances.accept(load_settings(), name, " ".join(why.split()))
    refused = build_status.refusal(load_settings().snapshots_dir)
    if not any(name in message for message in (refused.messages if refused else ())):
        click.echo(f"No build was refused for {name}. Check the name.", err=True)
    click.echo(f"{name} is accepted. Next: papertide build", err=True)


def _subject(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        marts = {path.stem for path in (DBT_PROJECT_DIR / "models" / "marts").glob("*.sql")}
    if text not in marts:
        raise UsageError(
            f"{text!r} is neither a day (YYYY-MM-DD) nor a published table. Copy the name from "
            "`papertide status`."
        )
    return text


ALL = (snapshots, rollback, diff, accept)
