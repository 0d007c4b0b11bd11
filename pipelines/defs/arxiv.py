"""arXiv as a source: its announcements by month, and what is due of them in a refresh."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.defs.intake import OWNERS
from pipelines.defs.resources import Home
from pipelines.errors import BusyError, NoSnapshotError, SettingsError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from pipelines.sources.arxiv import fetch, lookups
from pipelines.sources.arxiv.client import Arxiv
from pipelines.sources.arxiv.fetch import WindowOutcome
from pipelines.sources.arxiv.lookups import LookUpOutcome
from pipelines.sources.arxiv.plan import plan_windows
from pipelines.sources.errors import TransientSourceError
from pipelines.sources.http.clock import SystemClock

log = logging.getLogger("papertide")

MAX_NOTES = 20
POOL = "arxiv"  # one run at a time: arXiv allows one connection
# From the first month of arXiv's harvests; the current one is a partition too.
MONTHS = dg.MonthlyPartitionsDefinition(start_date="2005-09-01", end_offset=1, timezone="UTC")
OFF = (
    "arXiv: off (PAPERTIDE_ARXIV_SETS names no set to harvest, and PAPERTIDE_ARXIV_LOOKUPS allows "
    "no look-up)."
)


class HarvestConfig(dg.Config):
    """Which days to harvest (ISO dates); by default the month before this one and what is new."""

    since: str | None = None
    until: str | None = None
    again: bool = False  # harvest every day of the range, known or not


@dg.asset(
    partitions_def=MONTHS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    output_required=False,
    group_name="intake",
    owners=OWNERS,
    kinds={"arxiv"},
    pool=POOL,
)
def arxiv_announcements(context: dg.AssetExecutionContext, home: Home) -> Iterator[Any]:
    """A month of arXiv's records, by the day of their last change; asked for here it comes anew."""
    settings = home.settings
    if not settings.harvested_sets:
        raise SettingsError("PAPERTIDE_ARXIV_SETS names no set to harvest, for example cs,stat.")
    months = sorted(date.fromisoformat(key) for key in context.partition_keys)
    last = (months[-1] + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with fetch.exclusive_access(settings):
        outcomes = _harvest(context, settings, months[0], last, again=True)
    # Each month was told of as it came: a plain return would tell of all, failed ones too.
    yield from ()
    if failed := [outcome for outcome in outcomes if outcome.status == "failed"]:
        raise TransientSourceError(
            f"{len(failed)} window(s) of arXiv could not be harvested to their end; what came is "
            f"kept. {failed[0].window}: {failed[0].note}"
        )


@dg.asset(group_name="intake", owners=OWNERS, kinds={"arxiv"}, pool=POOL)
def live_arxiv(
    context: dg.AssetExecutionContext, config: HarvestConfig, home: Home
) -> dg.MaterializeResult[None]:
    """What arXiv announced since the last harvest, and look-ups; off unless settings say so.

    When arXiv fails the run goes on without it: `status` and `message` say so.
    """
    settings = home.settings
    if not settings.harvested_sets and not settings.arxiv_lookups:
        log.info(OFF)
        return dg.MaterializeResult(metadata={"status": "off", "message": OFF})
    since, until = (date.fromisoformat(d) if d else None for d in (config.since, config.until))
    outcomes: list[WindowOutcome] = []
    found = LookUpOutcome()
    try:
        with fetch.exclusive_access(settings):
            outcomes = _harvest(context, settings, since, until, again=config.again)
            if not any(outcome.status == "failed" for outcome in outcomes):
                found = _look_up(settings)
    except BusyError as busy:
        found = LookUpOutcome(failed=str(busy))
    metadata = _summary(outcomes, found)
    if metadata["status"] == "failed":
        log.warning(metadata["message"])
    return dg.MaterializeResult(metadata=metadata)


def _harvest(
    context: dg.AssetExecutionContext,
    settings: Settings,
    since: date | None,
    until: date | None,
    *,
    again: bool,
) -> list[WindowOutcome]:
    """Harvest what is due of the range, each window's figures on the partition of its month."""
    clock, archive = SystemClock(), Archive(settings)
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
                context.log_event(_materialization(outcome))
    return outcomes


def _materialization(outcome: WindowOutcome) -> dg.AssetMaterialization:
    window = outcome.window
    return dg.AssetMaterialization(
        arxiv_announcements.key,
        partition=window.last.replace(day=1).isoformat(),
        metadata={
            "set": window.set_spec,
            "window_from": window.first.isoformat(),
            "window_until": window.last.isoformat(),
            "n_pages": outcome.n_pages,
            "n_records": outcome.n_records,
        },
    )


def _look_up(settings: Settings) -> LookUpOutcome:
    if not settings.arxiv_lookups:
        return LookUpOutcome()
    clock, archive = SystemClock(), Archive(settings)
    asked = lookups.recently_asked(archive.receipts(), clock.now())
    try:
        found = lookups.plan_lookups(Reader(settings), asked)
    except NoSnapshotError:
        return LookUpOutcome(notes=("nothing is published yet that could be looked up",))
    log.info("looking papers up at %s", settings.arxiv_api_url)
    with Arxiv(settings, clock) as source:
        return lookups.fetch_lookups(archive, source, found, settings.arxiv_lookups)


def _summary(outcomes: Sequence[WindowOutcome], found: LookUpOutcome) -> dict[str, Any]:
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    notes = [f"{o.window}: {o.note}" for o in failed] + list(found.notes)
    return {
        "status": "failed" if failed or found.failed else "done",
        "message": _message(outcomes, failed, found),
        "n_windows": len(outcomes),
        "n_windows_failed": len(failed),
        "n_pages": sum(outcome.n_pages for outcome in outcomes),
        "n_records": sum(outcome.n_records for outcome in outcomes),
        "n_look_ups": found.n_requests,
        "n_ids_asked": found.n_ids,
        "n_titles_asked": found.n_titles,
        "n_papers_found": found.n_found,
        "n_left_to_look_up": found.n_left,
        "notes": dg.MetadataValue.json(notes[:MAX_NOTES]),
    }


def _message(
    outcomes: Sequence[WindowOutcome], failed: Sequence[WindowOutcome], found: LookUpOutcome
) -> str:
    """One line for people."""
    n_pages, n_records = (sum(getattr(o, n) for o in outcomes) for n in ("n_pages", "n_records"))
    words = (
        f"{len(outcomes) - len(failed)} window(s) harvested, {n_records:,} records in {n_pages} "
        f"page(s); {found.n_ids:,} id(s) and {found.n_titles:,} title(s) looked up, "
        f"{found.n_found:,} paper(s) found, {found.n_left:,} left"
    )
    why = found.failed or (f"{failed[0].window}: {failed[0].note}" if failed else "")
    return f"arXiv failed: {why} Until then {words}." if why else f"arXiv: {words}."
