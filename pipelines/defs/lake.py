"""From the archive to the candidate warehouse: parsed items, raw tables, topic matches.

Belongs here: the assets between the sources and dbt. Does not: parsing, matching or loading
(`lake`, `topics`, `warehouse`).
"""

import logging
from collections import Counter
from collections.abc import Iterator

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.resources import WriterLock
from pipelines.defs.results import (
    PREVIEW_ROWS,
    FetchedListings,
    HarvestedAnnouncements,
    LookedUpPapers,
    ParsedCaptures,
    markdown_table,
)
from pipelines.errors import NoSnapshotError
from pipelines.lake import items
from pipelines.lake.schemas import LAKE_TABLES
from pipelines.publishing import build_status
from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.warehouse import candidate, loading, topic_matches

log = logging.getLogger("papertide")

SOURCES = ("captures", "hf_daily_listings", "arxiv_announcements", "arxiv_lookups")
TEXT_TABLES = ("topic_matches", "topic_texts")
REFRESH_JOB = "refresh"  # the job that builds only when something new arrived


@dg.asset(name="items", deps=SOURCES, group_name="lake", kinds={"polars", "parquet"})
def parsed_items(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """Captures parsed into items and quarantine: new captures, or all if the parser changed."""
    archive = Archive(settings)
    waiting = items.pending(archive, settings.items_dir)
    log.info("parsing %s capture(s)", len(waiting))
    totals: Counter[str] = Counter()
    preview: list[list[object]] = []
    for receipt in waiting:
        facts = items.load(archive, receipt, settings.items_dir)
        totals.update({n: facts[n] for n in ("n_seen", "n_accepted", "n_quarantined")})
        if len(preview) < PREVIEW_ROWS:
            columns = ("origin", "listing_kind", "n_seen", "n_accepted", "n_quarantined")
            preview.append([facts[name] for name in columns])
    result = ParsedCaptures(
        len(waiting), totals["n_seen"], totals["n_accepted"], totals["n_quarantined"]
    )
    header = ("capture", "kind", "seen", "accepted", "quarantined")
    return dg.MaterializeResult(
        metadata={**result.to_metadata(), "preview": markdown_table(header, preview)}
    )


@dg.asset_check(asset="items", blocking=True)
def every_capture_is_parsed(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """Every capture of the archive is in the lake, parsed by the current rules."""
    waiting = items.pending(Archive(settings), settings.items_dir)
    return dg.AssetCheckResult(
        passed=not waiting,
        description=f"{len(waiting)} capture(s) wait to be parsed",
        metadata={"n_waiting": len(waiting)},
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table],
            deps=["items"],
            description=description,
            group_name="raw",
            kinds={"duckdb"},
            skippable=True,
        )
        for table, (description, _) in LAKE_TABLES.items()
        if table not in TEXT_TABLES
    ]
)
def lake_tables(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    writer: dg.ResourceParam[WriterLock],
) -> Iterator[dg.MaterializeResult[None]]:
    """The lake's rows as tables of the candidate, and what changed since the last build.

    A refresh that finds nothing new ends here and records that the snapshot is up to date.
    """
    if context.run.job_name == REFRESH_JOB and is_published(settings):
        _note_nothing_new(context.instance, context.run_id, settings)
        return
    is_full = candidate.begin(settings)
    log.info("loading the lake into %s", "a new warehouse" if is_full else "the warehouse's copy")
    loaded = loading.load_lake(settings)
    for table, n_rows in loaded.n_rows.items():
        yield dg.MaterializeResult(
            asset_key=["raw", table],
            metadata={
                "dagster/row_count": n_rows,
                "is_full": is_full,
                "n_changed_captures": loaded.n_changed_captures,
            },
        )


def is_published(settings: Settings) -> bool:
    """Whether readers have what a build would publish now, the site included.

    False when the last build ended before its last step. A snapshot that an operator rolled back
    to stays until something new arrives.
    """
    try:
        snapshot = current(settings)
        snapshot.package()
    except NoSnapshotError:
        return False
    checked = build_status.checked(settings.snapshots_dir)
    mark = build_status.rollback_mark(settings.snapshots_dir)
    is_complete = checked is not None and checked[0] == snapshot.snapshot_id
    is_chosen = mark is not None and mark["to"] == snapshot.snapshot_id
    return (is_complete or is_chosen) and candidate.is_up_to_date(settings)


def _note_nothing_new(instance: dg.DagsterInstance, run_id: str, settings: Settings) -> None:
    """Record that the snapshot is up to date, or which source could not be fetched."""
    log.info("nothing new")
    snapshot_id = current(settings).snapshot_id
    harvest = HarvestedAnnouncements.latest(instance) if settings.harvested_sets else None
    results = (
        FetchedListings.in_run(instance, run_id),
        harvest,  # a run of its own: the latest counts
        LookedUpPapers.in_run(instance, run_id),
    )
    failures = [result.failure for result in results if result and result.failure]
    if failures:
        build_status.note_refusal(settings, failures, snapshot_id, kind="not_fetched")
    else:
        build_status.note_checked(settings, snapshot_id)


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["raw", table],
            deps=[["raw", "items"]],
            description=LAKE_TABLES[table][0],
            group_name="raw",
            kinds={"polars", "parquet", "duckdb"},
        )
        for table in TEXT_TABLES
    ]
)
def text_features(
    settings: dg.ResourceParam[Settings], writer: dg.ResourceParam[WriterLock]
) -> Iterator[dg.MaterializeResult[None]]:
    """Topic phrases found in titles, abstracts and keywords; one search per text and rules."""
    taxonomy = in_force.in_force(settings)
    log.info("matching %s topics' phrases", len(taxonomy.topics))
    n_texts, n_matches = topic_matches.load_matches(settings, taxonomy)
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
