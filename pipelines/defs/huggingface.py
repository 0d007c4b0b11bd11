"""Hugging Face's Daily Papers as a source: one asset, partitioned by listing day.

Belongs here: which partitions a run fetches and reports. Does not: deciding what is due, or
requests to the API (`sources/huggingface`).
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.fetching import FetchConfig, chosen_partitions, retried_when_transient
from pipelines.defs.results import FetchedListings
from pipelines.settings import Settings
from pipelines.sources.errors import TransientSourceError
from pipelines.sources.http.clock import Clock
from pipelines.sources.huggingface import fetch
from pipelines.sources.huggingface.client import HuggingFace
from pipelines.sources.huggingface.fetch import DayOutcome
from pipelines.sources.huggingface.plan import plan_days

log = logging.getLogger("papertide")

MAX_NOTES = 20
# The current day is a partition too: its list is fetched while it grows.
DAYS = dg.DailyPartitionsDefinition(
    start_date=fetch.FIRST_LISTED_ON.isoformat(), end_offset=1, timezone="UTC"
)
FETCHED = ("new", "changed", "unchanged", "empty")


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="sources",
    kinds={"huggingface"},
)
def hf_daily_listings(
    context: dg.AssetExecutionContext,
    config: FetchConfig,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult[None]:
    """Daily lists as returned by the API, by listing day.

    Selected partitions are fetched again. Without a selection, the days that are due are fetched:
    lists that are still growing, were never fetched, or are scheduled to be observed again.
    """
    chosen = chosen_partitions(context)
    today = clock.now().date()
    oldest = today - timedelta(days=max((1, *settings.observation_ages)) + 1)
    since, until = (
        (chosen[0], chosen[-1]) if chosen else (config.since_on or oldest, config.until_on or today)
    )
    outcomes = _fetch(context, settings, clock, since, until, again=bool(chosen) or config.again)
    with retried_when_transient(context):
        _require_one_fetched(outcomes)
    if chosen:
        _require_all_fetched(outcomes)
    return dg.MaterializeResult(metadata=_result(outcomes).to_metadata())


backfill_job = dg.define_asset_job(
    "backfill",
    dg.AssetSelection.assets("hf_daily_listings"),
    description="Fetch the selected listing days again, in one run.",
)


def _fetch(
    context: dg.AssetExecutionContext,
    settings: Settings,
    clock: Clock,
    since: date,
    until: date,
    *,
    again: bool,
) -> list[DayOutcome]:
    """Fetch the due days of the range, and materialize the partition of each as it arrives."""
    archive = Archive(settings)
    decided = plan_days(
        archive.receipts(), since, until, clock.now(), settings.observation_ages, again=again
    )
    n_due = sum(decision.is_due for decision in decided)
    log.info("fetching %s of %s day(s) from %s", n_due, len(decided), settings.hf_endpoint)
    outcomes, n_done = [], 0
    with HuggingFace(settings, clock) as source:
        for outcome in fetch.fetch_days(archive, source, decided):
            outcomes.append(outcome)
            if outcome.status == "skipped":
                continue
            n_done += 1
            status = fetch.NOT_TRIED if outcome.is_postponed else outcome.status
            log.info("%s %s", outcome.day, status, extra={"progress": (n_done, n_due)})
            if outcome.status in FETCHED:
                _materialize(context, outcome)
    return outcomes


def _materialize(context: dg.AssetExecutionContext, outcome: DayOutcome) -> None:
    metadata: dict[str, str | int] = {"status": outcome.status, "n_pages": outcome.n_pages}
    if outcome.n_items is not None:
        metadata["n_items"] = outcome.n_items
    partition = outcome.day.isoformat()
    context.log_event(
        dg.AssetMaterialization(context.asset_key, partition=partition, metadata=metadata)
    )
    if chosen_partitions(context):  # the asset's own result replaces this one
        context.add_asset_metadata(metadata, partition_key=partition)


def _require_one_fetched(outcomes: Sequence[DayOutcome]) -> None:
    """Raise TransientSourceError if days failed and none was fetched: the source is down."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if failed and not any(outcome.status in FETCHED for outcome in outcomes):
        raise TransientSourceError(
            f"No day could be fetched; nothing was changed. {failed[0].day}: {failed[0].note}"
        )


def _require_all_fetched(outcomes: Sequence[DayOutcome]) -> None:
    """Raise TransientSourceError if a selected day was not fetched: it stays unmaterialized."""
    missing = [outcome for outcome in outcomes if outcome.status not in FETCHED]
    if missing:
        raise TransientSourceError(
            f"{len(missing)} of {len(outcomes)} day(s) could not be fetched; the others are kept. "
            f"{missing[0].day}: {missing[0].note}"
        )


def _result(outcomes: Sequence[DayOutcome]) -> FetchedListings:
    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    noted = [o for o in outcomes if o.note and o.status != "skipped"]
    return FetchedListings(
        n_days=len(outcomes),
        n_days_new=counts["new"],
        n_days_changed=counts["changed"],
        n_days_unchanged=counts["unchanged"],
        n_days_empty=counts["empty"],
        n_days_not_open=counts["not_open"],
        n_days_failed=counts["failed"],
        n_days_skipped=counts["skipped"],
        n_items_fetched=sum(outcome.n_items or 0 for outcome in outcomes),
        skipped=dict(Counter(o.note for o in outcomes if o.status == "skipped")),
        notes=[{"day": str(o.day), "status": o.status, "note": o.note} for o in noted[:MAX_NOTES]],
    )
