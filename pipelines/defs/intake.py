"""Assets left of the warehouse: captures, items, topic matches, and the lake's tables."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.resources import Home, Writer
from pipelines.errors import NoSnapshotError
from pipelines.intake.facts import overrides
from pipelines.intake.ingest import ingest_paths
from pipelines.lake import items
from pipelines.lake.schemas import LAKE_TABLES
from pipelines.publishing import build_status
from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.warehouse import candidate, loading
from pipelines.warehouse import topic_matches as text_features_room

log = logging.getLogger("papertide")

OWNERS = ["team:warehouse"]
PREVIEW_ROWS = 10
TEXT_TABLES = ("topic_matches", "topic_texts")
QUIET_JOB = "refresh"  # the job that builds only when something new came
# Assets that put into the archive what sources answer.
FETCHED = ("live_listings", "daily_listings", "live_arxiv", "arxiv_announcements")


class IngestConfig(dg.Config):
    """What to take in. Empty: nothing new, work on with what the archive holds."""

    paths: list[str] = []
    kind: str | None = None
    captured_on: str | None = None
    listing_day: str | None = None
    source: str | None = None


@dg.asset(group_name="intake", owners=OWNERS, kinds={"file"})
def captures(
    context: dg.AssetExecutionContext, config: IngestConfig, home: Home
) -> dg.MaterializeResult[None]:
    """Bytes as received, stored once, never changed: the archive."""
    archive = Archive(home.settings)
    given = overrides(config.kind, config.captured_on, config.listing_day, config.source)
    outcomes = list(ingest_paths(archive, config.paths, given))
    counts = Counter(outcome.status for outcome in outcomes)
    for outcome in outcomes:
        if outcome.status == "refused":
            log.warning(outcome.message)
    preview = [f"| {o.origin} | {o.status} | {o.message} |" for o in outcomes[:PREVIEW_ROWS]]
    return dg.MaterializeResult(
        metadata={
            "n_paths": len(outcomes),
            **{f"n_{status}": counts[status] for status in ("new", "known", "amended", "refused")},
            "outcomes": dg.MetadataValue.json([asdict(outcome) for outcome in outcomes]),
            "preview": dg.MetadataValue.md(
                "\n".join(["| file | outcome | note |", "| --- | --- | --- |", *preview])
            ),
        }
    )


@dg.asset(
    name="items",
    deps=[captures, *map(dg.AssetKey, FETCHED)],
    group_name="intake",
    owners=OWNERS,
    kinds={"polars", "parquet"},
)
def parsed_items(context: dg.AssetExecutionContext, home: Home) -> dg.MaterializeResult[None]:
    """Captures parsed to items and quarantine; only what is new, or under changed rules."""
    archive = Archive(home.settings)
    waiting = items.pending(archive, home.settings.items_dir)
    log.info("parsing %s capture(s)", len(waiting))
    totals: Counter[str] = Counter()
    lines = [
        "| capture | kind | seen | accepted | quarantined |",
        "| --- | --- | --- | --- | --- |",
    ]
    for receipt in waiting:
        facts = items.load(archive, receipt, home.settings.items_dir)
        totals.update({k: facts[k] for k in ("n_seen", "n_accepted", "n_quarantined")})
        if len(lines) < PREVIEW_ROWS + 2:
            lines.append(
                f"| {facts['origin']} | {facts['listing_kind']} | {facts['n_seen']} "
                f"| {facts['n_accepted']} | {facts['n_quarantined']} |"
            )
    return dg.MaterializeResult(
        metadata={
            "n_captures_parsed": len(waiting),
            **{name: totals[name] for name in ("n_seen", "n_accepted", "n_quarantined")},
            "preview": dg.MetadataValue.md("\n".join(lines)),
        }
    )


def _raw_spec(table: str, description: str, dep: dg.AssetsDefinition) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["raw", table],
        deps=[dep],
        description=description,
        group_name="raw",
        owners=OWNERS,
        kinds={"duckdb"},
        skippable=True,
    )


@dg.multi_asset(
    specs=[
        _raw_spec(table, description, parsed_items)
        for table, (description, _) in LAKE_TABLES.items()
        if table not in TEXT_TABLES
    ]
)
def lake_tables(context: dg.AssetExecutionContext, home: Home, writer: Writer):  # type: ignore[no-untyped-def]
    """The lake's rows as tables of the candidate, and what of them came since the last build.

    A refresh to which nothing new came ends here: what is published is noted to be up to date.
    """
    if context.run.job_name == QUIET_JOB and _is_published(home.settings):
        _note_nothing_new(context, home.settings)
        return
    is_new = candidate.begin(home.settings)
    log.info("loading the lake into %s", "a fresh warehouse" if is_new else "the warehouse's copy")
    loaded = loading.load_lake(home.settings)
    for table, rows in loaded.n_rows.items():
        yield dg.MaterializeResult(
            asset_key=["raw", table],
            metadata={
                "dagster/row_count": rows,
                "is_full": is_new,
                "n_changed_captures": loaded.n_changed_captures,
            },
        )


def _is_published(settings: Settings) -> bool:
    """Whether readers have what a build would make now, the site included.

    Not where a build ended before its last step. Who went back keeps that until something comes.
    """
    try:
        snapshot = current(settings)
        snapshot.package()
    except NoSnapshotError:
        return False
    checked = build_status.checked(settings.snapshots_dir)
    mark = build_status.rollback_mark(settings.snapshots_dir)
    is_ended = checked is not None and checked[0] == snapshot.snapshot_id
    is_chosen = mark is not None and mark["to"] == snapshot.snapshot_id
    return (is_ended or is_chosen) and candidate.is_up_to_date(settings)


def _note_nothing_new(context: dg.AssetExecutionContext, settings: Settings) -> None:
    """Note that the snapshot is up to date; or, where a source did not answer, that."""
    log.info("nothing new came")
    pointed = current(settings).snapshot_id
    if failures := _fetches_that_failed(context):
        build_status.note_refusal(settings, failures, pointed, kind="not_fetched")
    else:
        build_status.note_checked(settings, pointed)


def _fetches_that_failed(context: dg.AssetExecutionContext) -> list[str]:
    """What this run could not fetch, in the words of the assets that fetch."""
    found = []
    for asset in ("live_listings", "live_arxiv"):
        event = context.instance.get_latest_materialization_event(dg.AssetKey(asset))
        told = event.asset_materialization if event and event.run_id == context.run_id else None
        metadata: dict[str, Any] = {k: v.value for k, v in told.metadata.items()} if told else {}
        if n_failed := metadata.get("n_days_failed"):
            notes = [note for note in metadata["notes"] if note["status"] == "failed"]
            first = f" {notes[0]['day']}: {notes[0]['note']}" if notes else ""
            found.append(f"{n_failed} day(s) could not be fetched.{first}")
        if metadata.get("status") == "failed":
            found.append(str(metadata["message"]))
    return found


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table],
            deps=[dg.AssetKey(["raw", "items"])],
            description=LAKE_TABLES[table][0],
            group_name="text",
            owners=OWNERS,
            kinds={"polars", "parquet", "duckdb"},
        )
        for table in TEXT_TABLES
    ],
    name="text_features",
)
def text_features(
    context: dg.AssetExecutionContext, home: Home, writer: Writer
) -> Iterator[dg.MaterializeResult[None]]:
    """Topic phrases found in titles, abstracts and keywords; a text is searched once per rules."""
    taxonomy = in_force.in_force(home.settings)
    log.info("matching %s topics' phrases", len(taxonomy.topics))
    n_texts, n_matches = text_features_room.load_matches(home.settings, taxonomy)
    yield dg.MaterializeResult(
        asset_key=["raw", "topic_matches"],
        metadata={
            "rules_version": taxonomy.rules_version,
            "n_topics": len(taxonomy.topics),
            "dagster/row_count": n_matches,
        },
    )
    yield dg.MaterializeResult(
        asset_key=["raw", "topic_texts"],
        metadata={"rules_version": taxonomy.rules_version, "n_new_texts": n_texts},
    )
