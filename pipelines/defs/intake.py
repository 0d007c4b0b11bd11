"""Assets left of the warehouse: captures, items, topic matches, and the lake's tables."""

import logging
from collections import Counter
from dataclasses import asdict

import dagster as dg

from pipelines import intake, items, warehouse
from pipelines import text_features as text_features_room
from pipelines.captures import Archive
from pipelines.defs.resources import Home, Writer
from pipelines.schemas import BUILD_TABLES, LAKE_TABLES
from pipelines.settings import DBT_PROJECT_DIR
from pipelines.topics.taxonomy import Taxonomy, load_taxonomy

log = logging.getLogger("papertide")

OWNERS = ["team:warehouse"]
PREVIEW_ROWS = 10
# Assets that put into the archive what sources answer.
FETCHED = ("live_listings", "daily_listings", "live_arxiv", "arxiv_announcements")


class IngestConfig(dg.Config):
    """What to take in. Empty: nothing new, work on with what the archive holds."""

    paths: list[str] = []
    kind: str | None = None
    captured_on: str | None = None
    listing_day: str | None = None
    source: str | None = None


def taxonomy() -> Taxonomy:
    """The bundled taxonomy."""
    seeds = DBT_PROJECT_DIR / "seeds"
    return load_taxonomy(seeds / "topics.csv", seeds / "topic_phrases.csv")


@dg.asset(group_name="intake", owners=OWNERS, kinds={"file"})
def captures(
    context: dg.AssetExecutionContext, config: IngestConfig, home: Home
) -> dg.MaterializeResult[None]:
    """Bytes as received, stored once, never changed: the archive."""
    archive = Archive(home.settings)
    given = intake.overrides(config.kind, config.captured_on, config.listing_day, config.source)
    outcomes = list(intake.take_in(archive, config.paths, given))
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


def _lake_spec(table: str, description: str, dep: dg.AssetsDefinition) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["lake", table],
        deps=[dep],
        description=description,
        group_name="lake",
        owners=OWNERS,
        kinds={"duckdb"},
    )


@dg.multi_asset(
    specs=[
        _lake_spec(table, description, parsed_items)
        for table, (description, _) in (LAKE_TABLES | BUILD_TABLES).items()
        if table != "topic_matches"
    ]
)
def lake_tables(context: dg.AssetExecutionContext, home: Home, writer: Writer):  # type: ignore[no-untyped-def]
    """The lake's rows as tables of the candidate, and what of them came since the last build."""
    is_new = warehouse.begin(home.settings)
    log.info("loading the lake into %s", "a fresh warehouse" if is_new else "the warehouse's copy")
    for table, rows in warehouse.load_lake(home.settings).items():
        yield dg.MaterializeResult(
            asset_key=["lake", table], metadata={"dagster/row_count": rows, "is_full": is_new}
        )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            ["lake", "topic_matches"],
            deps=[dg.AssetKey(["lake", "items"]), dg.AssetKey(["lake", "touched_captures"])],
            description=LAKE_TABLES["topic_matches"][0],
            group_name="text",
            owners=OWNERS,
            kinds={"polars", "parquet", "duckdb"},
        )
    ],
    name="text_features",
)
def text_features(
    context: dg.AssetExecutionContext, home: Home, writer: Writer
) -> dg.MaterializeResult[None]:
    """Topic phrases found in titles, abstracts and keywords; a text is searched once per rules."""
    rules = taxonomy()
    log.info("matching %s topics' phrases", len(rules.topics))
    n_texts, n_matches = text_features_room.load_matches(home.settings, rules)
    return dg.MaterializeResult(
        metadata={
            "rules_version": rules.rules_version,
            "n_topics": len(rules.topics),
            "n_new_texts": n_texts,
            "dagster/row_count": n_matches,
        }
    )
