"""What a command tells at its end: the intake's outcomes, what was published, the status."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import duckdb
import polars as pl

from pipelines.archive.receipt import receipt_paths
from pipelines.audit.coverage import MAX_AGE_WEEKDAYS, weekdays_between
from pipelines.cli import output
from pipelines.errors import NoSnapshotError
from pipelines.publishing import acceptances, build_status, freshness
from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import current
from pipelines.settings import Settings, get_settings

if TYPE_CHECKING:
    from dagster import ExecuteInProcessResult

MAX_CAPTURES_SHOWN = 12
RECENT_DAYS = 30


def intake(result: ExecuteInProcessResult, *, next_step: str = "") -> int:
    """Print what became of each file; 1 when one could not be taken in or none could be used."""
    metadata = result.asset_materializations_for_node("captures")[0].metadata
    outcomes: list[dict[str, Any]] = metadata["outcomes"].value  # type: ignore[assignment]
    settings = get_settings()
    shown = [o for o in outcomes if o["capture_id"]]
    facts = [_facts(settings, o["capture_id"]) | {"outcome": o["status"]} for o in shown]
    if facts:
        _print_captures(facts)
    for note in (o for o in outcomes if o["status"] == "skipped"):
        click.echo(f"passed over {note['origin']}: {note['message']}", err=True)
    _print_totals(outcomes, facts)
    usable = any(f["n_accepted"] or not f["n_quarantined"] for f in facts)
    if next_step and usable and any(f["outcome"] != "known" for f in facts):
        click.echo(f"Next: {next_step}", err=True)
    return 0 if usable and not any(o["status"] == "refused" for o in outcomes) else 1


def _facts(settings: Settings, capture_id: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(
        (settings.items_dir / capture_id / "capture.json").read_text()
    )
    return facts


def _print_captures(facts: list[dict[str, Any]]) -> None:
    """A few captures one by one, with their rules; of many only those with something set aside."""
    few = len(facts) <= MAX_CAPTURES_SHOWN
    rows = facts if few else [f for f in facts if f["n_quarantined"]][:MAX_CAPTURES_SHOWN]
    columns = ("origin", "outcome", "source", "listing_kind", "listed_on")
    counts = ("n_seen", "n_accepted", "n_quarantined")
    table = pl.DataFrame(
        [{name: row[name] for name in (*columns, *counts)} for row in rows],
        schema={**dict.fromkeys(columns, pl.String), **dict.fromkeys(counts, pl.Int64)},
    )
    if rows:
        output.write(table, "table", None)
    for row in rows:
        if few and len(facts) <= 3:
            said = [row["listing_kind_rule"], *row["rules"]]
            click.echo("\n".join(f"  {row['origin']}: {rule}" for rule in said))
        _print_rejects(row)


def _print_rejects(row: dict[str, Any]) -> None:
    if not row["n_quarantined"]:
        return
    path = get_settings().items_dir / row["capture_id"] / "quarantine.parquet"
    reasons = (
        pl.read_parquet(path)
        .group_by("reason")
        .agg(pl.len(), pl.col("place").first(), pl.col("detail").first())
    )
    for reason, n, place, detail in reasons.sort("reason").iter_rows():
        click.echo(f"  quarantined {n} × {reason}, first at {place}: {detail}", err=True)


def _print_totals(outcomes: list[dict[str, Any]], facts: list[dict[str, Any]]) -> None:
    by_status = Counter(o["status"] for o in outcomes)
    fresh = [f for f in facts if f["outcome"] != "known"]
    words = []
    if by_status["new"] or by_status["amended"]:
        seen, accepted, set_aside = (
            sum(f[n] for f in fresh) for n in ("n_seen", "n_accepted", "n_quarantined")
        )
        words.append(
            f"{by_status['new']} new capture(s): {seen} items seen = {accepted} accepted + "
            f"{set_aside} quarantined"
        )
    if by_status["amended"]:
        words.append(f"{by_status['amended']} known capture(s) amended with your overrides")
    if by_status["known"]:
        words.append(f"{by_status['known']} already had: nothing changed")
    if by_status["refused"]:
        words.append(f"{by_status['refused']} could not be taken in")
    click.echo("; ".join(words) + ".", err=True)


def published() -> None:
    """Print the snapshot that readers now have."""
    snapshot = current(get_settings())
    rows = {r["name"]: r["rows"] for r in snapshot.package()["resources"]}
    click.echo(
        f"published {snapshot.snapshot_id}: {rows['dim_papers']:,} papers, "
        f"{rows['fct_listings']:,} listings, {rows['rpt_capture_reconciliation']:,} captures, "
        f"{rows['rpt_quarantine']:,} items in quarantine",
        err=True,
    )


def status(*, as_json: bool) -> int:
    """Print captures, papers, coverage, quarantine, age and standing of the snapshot.

    Returns 0 when the figures are fresh, 1 when they are stale or the last build published nothing.
    Raises NoSnapshotError when nothing is published.
    """
    settings = get_settings()
    figures = _status(settings)
    if as_json:
        json.dump(figures, sys.stdout, indent=1, default=str)
        click.echo()
    else:
        _print_status(figures)
    return 0 if figures["state"] == "fresh" else 1


def _print_status(figures: dict[str, Any]) -> None:
    click.echo(
        f"snapshot  {figures['snapshot_id']}, published {figures['published_at']} "
        f"({figures['age_hours']:.1f} h ago)"
    )
    if refused := figures["refused"]:
        what = "refused" if refused["kind"] == "refused" else "failed"
        click.echo(f"state     {what} at {refused['refused_at']:%Y-%m-%d %H:%M} UTC:")
        for message in refused["messages"]:
            click.echo(f"          - {message}")
    else:
        waits = figures["n_captures_not_published"]
        why = figures["why"] or ("" if waits else "everything that was taken in is published")
        click.echo(f"state     {figures['state']}" + (f": {why}" if why else ""))
    if figures["good_at"] != figures["published_at"]:
        click.echo(f"checked   {figures['good_at']}: nothing newer had come")
    if mark := figures["rolled_back"]:
        click.echo(
            f"rollback  at {mark['rolled_back_at']}, from {mark['from'] or 'nothing readable'}"
        )
    click.echo(f"papers    {figures['n_papers']:,}")
    for population, newest in figures["newest"].items():
        click.echo(f"newest    {population}: {newest}")
    if waiting := figures["n_captures_not_published"]:
        next_step = "see above" if figures["refused"] else "run papertide build"
        click.echo(f"waiting   {waiting} capture(s) taken in since: {next_step}")
    for warning in figures["warnings"]:
        click.echo(f"warning   {warning}")
    for title, name in (
        ("captures", "captures"),
        ("coverage (expected listing days)", "coverage"),
        ("quarantine by reason", "quarantine"),
        ("accepted by an operator", "accepted"),
    ):
        if name == "accepted" and not figures[name]:
            continue
        click.echo(f"\n{title}")
        if figures[name]:
            output.write(pl.DataFrame(figures[name]), "table", None)
        else:
            click.echo("none")


def _status(settings: Settings) -> dict[str, Any]:
    reader = Reader(settings)
    try:
        snapshot = reader.snapshot()
    except NoSnapshotError as nothing:
        n_waiting = _n_captures(settings)
        if n_waiting and not (settings.snapshots_dir / build_status.POINTER).exists():
            raise NoSnapshotError(
                f"{n_waiting} capture(s) are taken in, but nothing is published in "
                f"{settings.home}.{_refused(settings)} Run `papertide build`."
            ) from None
        raise nothing from None
    except duckdb.Error:
        raise NoSnapshotError(
            f"The database of {current(settings).folder} is damaged. Run `papertide rollback` to "
            "go to the newest snapshot that is whole."
        ) from None
    published_at = datetime.fromisoformat(snapshot.package()["created"])
    captures = reader.query(
        "select source, listing_kind, count(*) as n_captures, sum(n_seen)::bigint as n_seen, "
        "sum(n_accepted)::bigint as n_accepted, sum(n_quarantined)::bigint as n_quarantined "
        "from rpt_capture_reconciliation group by all order by all"
    )
    coverage = reader.query(
        "select population, min(listed_on) as first_on, max(listed_on) as last_on, "
        "count(*) filter (where is_expected) as n_expected, "
        "count(*) filter (where is_expected and is_captured) as n_captured, "
        "count(*) filter (where is_expected and is_complete) as n_complete "
        "from rpt_coverage group by all order by all"
    )
    quarantine = reader.query(
        "select reason, count(*) as n_items, count(distinct capture_id) as n_captures "
        "from rpt_quarantine group by all order by n_items desc, reason"
    )
    n_published = int(captures["n_captures"].sum())
    return {
        "snapshot_id": snapshot.snapshot_id,
        "published_at": published_at.isoformat(),
        "age_hours": (datetime.now(UTC) - published_at).total_seconds() / 3600,
        "good_at": freshness.up_to_date_at(settings.snapshots_dir, published_at).isoformat(),
        **_freshness(settings, snapshot.snapshot_id, published_at),
        "n_papers": reader.query("select count(*) as n from dim_papers")["n"][0],
        "n_captures_not_published": max(_n_captures(settings) - n_published, 0),
        "newest": dict(coverage.select("population", "last_on").iter_rows()),
        "warnings": _warnings(reader),
        "captures": captures.to_dicts(),
        "coverage": coverage.to_dicts(),
        "quarantine": quarantine.to_dicts(),
    }


def _freshness(settings: Settings, snapshot_id: str, published_at: datetime) -> dict[str, Any]:
    """`state` (fresh, stale, refused, failed), `why`, the last refusal, roll back, acceptances."""
    found = freshness.freshness(settings.snapshots_dir, published_at, settings.stale_after_hours)
    refused = build_status.refusal(settings.snapshots_dir)
    mark = build_status.rollback_mark(settings.snapshots_dir)
    return {
        "state": found.state,
        "why": found.sentence,
        "refused": asdict(refused) if refused else None,
        "rolled_back": mark if mark and mark["to"] == snapshot_id else None,
        "accepted": [
            {**asdict(a), "holds": _holds(a, published_at)}
            for a in acceptances.acceptances(settings)
        ],
    }


def _holds(accepted: acceptances.Acceptance, published_at: datetime) -> str:
    """What an acceptance still lets pass: most of it ends with the next publication."""
    is_pending = accepted.accepted_at > published_at
    if not accepted.subject[:1].isdigit():  # a table's name, not a day
        return "for the next publication" if is_pending else "no longer"
    return "for the number of papers" + (", and the next publication" if is_pending else "")


def _refused(settings: Settings) -> str:
    refused = build_status.refusal(settings.snapshots_dir)
    if refused is None:
        return ""
    was = "was refused" if refused.kind == "refused" else "failed"
    return f" The last build {was}: {refused.messages[0]}"


def _warnings(reader: Reader) -> list[str]:
    """Weekdays of the last weeks that no capture shows, and a newest complete day long past."""
    row = reader.query(
        f"""
        select
            max(listed_on) filter (where is_complete) as newest,
            list(listed_on order by listed_on) filter (
                where is_expected and not is_captured
                    and listed_on > (select max(listed_on) from rpt_coverage) - {RECENT_DAYS}
            ) as missed
        from rpt_coverage where population = 'hf_daily'
        """
    ).row(0, named=True)
    found = []
    if row["missed"]:
        days = ", ".join(str(day) for day in row["missed"])
        found.append(f"no capture shows the daily list of {days}")
    if row["newest"]:
        age = weekdays_between(row["newest"], datetime.now(UTC).date())
        if age > MAX_AGE_WEEKDAYS:
            found.append(
                f"the newest complete daily list is of {row['newest']}, {age} weekdays ago"
            )
    return found


def _n_captures(settings: Settings) -> int:
    return sum(1 for _ in receipt_paths(settings.captures_dir))
