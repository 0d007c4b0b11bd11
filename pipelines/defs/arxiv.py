"""arXiv as a source: announcements, partitioned by month, and look-ups of single papers.

Belongs here: which partitions a run harvests and reports. Does not: deciding what is due, or
requests to arXiv (`sources/arxiv`).
"""

import logging
from collections.abc import Sequence
from datetime import date, timedelta

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.fetching import FetchConfig, chosen_partitions, retried_when_transient
from pipelines.defs.results import HarvestedAnnouncements, LookedUpPapers
from pipelines.errors import BusyError, NoSnapshotError, SettingsError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from pipelines.sources.arxiv import fetch, lookups
from pipelines.sources.arxiv.client import Arxiv
from pipelines.sources.arxiv.fetch import WindowOutcome
from pipelines.sources.arxiv.lookups import LookUpOutcome
from pipelines.sources.arxiv.plan import plan_windows
from pipelines.sources.errors import TransientSourceError
from pipelines.sources.http.clock import Clock

log = logging.getLogger("papertide")

MAX_HARVEST_S = 3 * 60 * 60
POOL = "arxiv"  # one run at a time: arXiv allows one connection
# From the first month of arXiv's harvests; the current one is a partition too.
MONTHS = dg.MonthlyPartitionsDefinition(start_date="2005-09-01", end_offset=1, timezone="UTC")
HARVEST_OFF = "arXiv harvest: off (PAPERTIDE_ARXIV_SETS names no set)."
LOOKUPS_OFF = "arXiv look-ups: off (PAPERTIDE_ARXIV_LOOKUPS is 0)."


@dg.asset(
    partitions_def=MONTHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="sources",
    kinds={"arxiv"},
    pool=POOL,
)
def arxiv_announcements(
    context: dg.AssetExecutionContext,
    config: FetchConfig,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult[None]:
    """arXiv's records by the month of their last change; off unless `PAPERTIDE_ARXIV_SETS` is set.

    Selected partitions are harvested again, and the run fails if one can't be. Without a selection,
    the windows that are due are harvested, and a failure is reported in `status` and `message`.
    """
    months = chosen_partitions(context)
    if not settings.harvested_sets:
        if months:
            raise SettingsError("PAPERTIDE_ARXIV_SETS names no set to harvest. Example: cs,stat.")
        log.info(HARVEST_OFF)
        off = HarvestedAnnouncements("off", HARVEST_OFF)
        return dg.MaterializeResult(metadata=off.to_metadata())
    if months:
        with retried_when_transient(context), fetch.exclusive_access(settings):
            outcomes = _harvest(
                context, settings, clock, months[0], _last_day(months[-1]), again=True
            )
            _require_all_harvested(outcomes)
        result = _harvested(outcomes)
    else:
        result = _harvest_due(context, config, settings, clock)
    return dg.MaterializeResult(metadata=result.to_metadata())


harvest_job = dg.define_asset_job(
    "harvest",
    dg.AssetSelection.assets("arxiv_announcements"),
    description="Harvest arXiv's sets: what is due, or the selected months again, in one run.",
    # A killed harvest blocks the pool, and so every refresh, until Dagster ends it.
    tags={"dagster/max_runtime": str(MAX_HARVEST_S)},
)


@dg.asset(group_name="sources", kinds={"arxiv"}, pool=POOL)
def arxiv_lookups(
    settings: dg.ResourceParam[Settings], clock: dg.ResourceParam[Clock]
) -> dg.MaterializeResult[None]:
    """arXiv's metadata of published papers that lack it; off unless `PAPERTIDE_ARXIV_LOOKUPS` > 0.

    If arXiv fails, the run continues without it; `status` and `message` report the failure.
    """
    if not settings.arxiv_lookups:
        result = LookedUpPapers("off", LOOKUPS_OFF)
    else:
        result = _looked_up(_look_up(settings, clock))
    if result.status == "failed":
        log.warning(result.message)
    return dg.MaterializeResult(metadata=result.to_metadata())


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _harvest_due(
    context: dg.AssetExecutionContext, config: FetchConfig, settings: Settings, clock: Clock
) -> HarvestedAnnouncements:
    """Harvest what is due; a failure becomes the result's `status` and `message`."""
    try:
        with fetch.exclusive_access(settings):
            outcomes = _harvest(
                context, settings, clock, config.since_on, config.until_on, again=config.again
            )
    except BusyError as busy:
        result = HarvestedAnnouncements("failed", f"arXiv failed: {busy}")
    else:
        result = _harvested(outcomes)
    if result.status == "failed":
        log.warning(result.message)
    return result


def _harvest(
    context: dg.AssetExecutionContext,
    settings: Settings,
    clock: Clock,
    since: date | None,
    until: date | None,
    *,
    again: bool,
) -> list[WindowOutcome]:
    """Harvest the due windows of the range, and materialize the partition of each in turn."""
    archive = Archive(settings)
    windows = plan_windows(
        archive.receipts(), settings.harvested_sets, clock.now(), since, until, again=again
    )
    log.info("harvesting %s window(s) from %s", len(windows), settings.arxiv_oai_url)
    outcomes: list[WindowOutcome] = []
    with Arxiv(settings, clock) as source:
        for outcome in fetch.fetch_windows(archive, source, settings.harvest_dir, windows):
            outcomes.append(outcome)
            progress = (len(outcomes), len(windows))
            log.info("%s %s", outcome.window, outcome.status, extra={"progress": progress})
            if outcome.status != "failed":
                context.log_event(_materialization(context.asset_key, outcome))
    return outcomes


def _materialization(key: dg.AssetKey, outcome: WindowOutcome) -> dg.AssetMaterialization:
    window = outcome.window
    return dg.AssetMaterialization(
        key,
        partition=window.last.replace(day=1).isoformat(),
        metadata={
            "set": window.set_spec,
            "window_from": window.first.isoformat(),
            "window_until": window.last.isoformat(),
            "n_pages": outcome.n_pages,
            "n_records": outcome.n_records,
        },
    )


def _require_all_harvested(outcomes: Sequence[WindowOutcome]) -> None:
    """Raise TransientSourceError if a window of the selected months failed."""
    if failed := [outcome for outcome in outcomes if outcome.status == "failed"]:
        raise TransientSourceError(
            f"{len(failed)} window(s) of arXiv could not be harvested in full; the pages received "
            f"are kept. {failed[0].window}: {failed[0].note}"
        )


def _harvested(outcomes: Sequence[WindowOutcome]) -> HarvestedAnnouncements:
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    n_pages = sum(outcome.n_pages for outcome in outcomes)
    n_records = sum(outcome.n_records for outcome in outcomes)
    counts = (
        f"{len(outcomes) - len(failed)} window(s) harvested, {n_records:,} records in {n_pages} "
        "page(s)"
    )
    return HarvestedAnnouncements(
        status="failed" if failed else "done",
        message=(
            f"arXiv failed: {failed[0].window}: {failed[0].note} Before that: {counts}."
            if failed
            else f"arXiv: {counts}."
        ),
        n_windows=len(outcomes),
        n_windows_failed=len(failed),
        n_pages=n_pages,
        n_records=n_records,
    )


def _look_up(settings: Settings, clock: Clock) -> LookUpOutcome:
    """Look up papers of the published snapshot at arXiv; a failure is part of the outcome."""
    archive = Archive(settings)
    asked = lookups.recently_asked(archive.receipts(), clock.now())
    try:
        questions = lookups.plan_lookups(Reader(settings), asked)
    except NoSnapshotError:
        return LookUpOutcome(notes=("no published papers to look up yet",))
    log.info("looking papers up at %s", settings.arxiv_api_url)
    try:
        with fetch.exclusive_access(settings), Arxiv(settings, clock) as source:
            return lookups.fetch_lookups(archive, source, questions, settings.arxiv_lookups)
    except BusyError as busy:
        return LookUpOutcome(failed=str(busy))


def _looked_up(found: LookUpOutcome) -> LookedUpPapers:
    counts = (
        f"{found.n_ids:,} id(s) and {found.n_titles:,} title(s) looked up, {found.n_found:,} "
        f"paper(s) found, {found.n_left:,} left"
    )
    return LookedUpPapers(
        status="failed" if found.failed else "done",
        message=(
            f"arXiv failed: {found.failed} Before that: {counts}."
            if found.failed
            else f"arXiv: {counts}."
        ),
        n_requests=found.n_requests,
        n_ids=found.n_ids,
        n_titles=found.n_titles,
        n_found=found.n_found,
        n_left=found.n_left,
        notes=found.notes,
    )
