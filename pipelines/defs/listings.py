"""The daily lists of Hugging Face as a partitioned asset: a partition is a listing day."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.intake import OWNERS
from pipelines.defs.resources import Home
from pipelines.settings import Settings
from pipelines.sources.errors import TransientSourceError
from pipelines.sources.http.clock import SystemClock
from pipelines.sources.huggingface import fetch
from pipelines.sources.huggingface.client import HuggingFace
from pipelines.sources.huggingface.plan import plan_days

log = logging.getLogger("papertide")

MAX_NOTES = 20
# The current day is a partition too: its list is fetched while it grows.
DAYS = dg.DailyPartitionsDefinition(
    start_date=fetch.FIRST_LISTED_ON.isoformat(), end_offset=1, timezone="UTC"
)
FETCHED = ("new", "changed", "unchanged", "empty")


class RefreshConfig(dg.Config):
    """Which days to look at (ISO dates); by default the last `observe_after_days` and today."""

    since: str | None = None
    until: str | None = None
    again: bool = False  # fetch every day of the range, due or not


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    output_required=False,
    group_name="intake",
    owners=OWNERS,
    kinds={"huggingface"},
)
def daily_listings(context: dg.AssetExecutionContext, home: Home) -> Iterator[Any]:
    """A listing day of `hf_daily`, as the API answered; asked for here it is fetched again."""
    days = sorted(date.fromisoformat(key) for key in context.partition_keys)
    outcomes = _fetch(context, home.settings, days[0], days[-1], again=True)
    # Each day was told of as it came: a plain return would tell of all, failed ones too.
    yield from ()
    _raise_if_none_came(outcomes)


@dg.asset(group_name="intake", owners=OWNERS, kinds={"huggingface"})
def live_listings(
    context: dg.AssetExecutionContext, config: RefreshConfig, home: Home
) -> dg.MaterializeResult[None]:
    """Lists that are due: still growing, never fetched, or to be observed again."""
    today = SystemClock().now().date()
    oldest = today - timedelta(days=max((1, *home.settings.observation_ages)) + 1)
    since = date.fromisoformat(config.since) if config.since else oldest
    until = date.fromisoformat(config.until) if config.until else today
    outcomes = _fetch(context, home.settings, since, until, again=config.again)
    _raise_if_none_came(outcomes)
    return dg.MaterializeResult(metadata=_summary(outcomes))


def _fetch(
    context: dg.AssetExecutionContext, settings: Settings, since: date, until: date, *, again: bool
) -> list[fetch.DayOutcome]:
    """Fetch what is due of the range, each day's figures on its partition."""
    clock = SystemClock()
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
            said = fetch.NOT_TRIED if outcome.is_postponed else outcome.status
            log.info("%s %s", outcome.day, said, extra={"progress": (n_done, n_due)})
            if outcome.status in FETCHED:
                context.log_event(_materialization(outcome))
    return outcomes


def _materialization(outcome: fetch.DayOutcome) -> dg.AssetMaterialization:
    counts = {"n_pages": outcome.n_pages}
    if outcome.n_items is not None:
        counts["n_items"] = outcome.n_items
    return dg.AssetMaterialization(
        daily_listings.key,
        partition=outcome.day.isoformat(),
        metadata={"status": outcome.status, **counts},
    )


def _raise_if_none_came(outcomes: list[fetch.DayOutcome]) -> None:
    """A source that is down fails the run; a single day that failed is told in the summary."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if failed and not any(outcome.status in FETCHED for outcome in outcomes):
        raise TransientSourceError(
            f"No day could be fetched; nothing was changed. {failed[0].day}: {failed[0].note}"
        )


def _summary(outcomes: list[fetch.DayOutcome]) -> dict[str, Any]:
    counts: Counter[str] = Counter(outcome.status for outcome in outcomes)
    told = [o for o in outcomes if o.note and o.status != "skipped"]
    return {
        "n_days": len(outcomes),
        **{f"n_days_{s}": counts[s] for s in (*FETCHED, "not_open", "failed", "skipped")},
        "n_items_fetched": sum(outcome.n_items or 0 for outcome in outcomes),
        "skipped": dg.MetadataValue.json(
            dict(Counter(o.note for o in outcomes if o.status == "skipped"))
        ),
        "notes": dg.MetadataValue.json(
            [{"day": str(o.day), "status": o.status, "note": o.note} for o in told[:MAX_NOTES]]
        ),
    }
