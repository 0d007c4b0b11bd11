"""Sensors: the inbox starts runs; failures and stale snapshots raise alerts.

Belongs here: reading Dagster's runs and deciding what to do. Does not: moving files
(`intake/inbox`) or sending alerts (`delivery`).
"""

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from pipelines.defs.fetching import BY_HAND
from pipelines.defs.jobs import WRITER
from pipelines.defs.results import IngestedFiles, PublishedSnapshot
from pipelines.defs.run_errors import errors_of, reason, was_stopped
from pipelines.delivery import alerts
from pipelines.errors import BusyError
from pipelines.intake import inbox
from pipelines.intake.ingest import Outcome
from pipelines.intake.verdict import BuildResult
from pipelines.settings import Settings
from pipelines.warehouse.candidate import writer_lock

log = logging.getLogger("papertide")

TRIGGER = {"papertide/trigger": "inbox"}
FILES_KEY = "papertide/inbox"  # tag: names, sizes and times of the files
MAX_ATTEMPTS = 3
DEAD_AFTER_S = 120
RUNNING = dg.DefaultSensorStatus.RUNNING
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    name="inbox",
    job_name="main",
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="Ingest files from the inbox, build, and move them out of it with a verdict.",
)
def inbox_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.RunRequest | dg.SkipReason:
    """Request one run at a time; the files of a finished run are moved first.

    The tags of a run name its files, so the first tick after a crash finds it. Files that a run
    could not ingest are tried again a few times, then stay in the inbox.
    """
    instance = context.instance
    last = next(iter(instance.get_runs(dg.RunsFilter(tags=TRIGGER), limit=1)), None)
    if last and not last.is_finished and last.run_id not in _fail_dead_runs(instance, settings):
        return dg.SkipReason(f"Run {last.run_id} is processing the inbox.")
    waiting = inbox.settled_files(settings)
    if last:
        waiting = _put_aside(instance, last.run_id, waiting, settings)
    if not waiting:
        return dg.SkipReason(f"No files in {settings.inbox_dir}.")
    key = inbox.fingerprint(waiting)
    attempts = instance.get_runs_count(dg.RunsFilter(tags={FILES_KEY: key}))
    if attempts >= MAX_ATTEMPTS:
        return dg.SkipReason(
            f"{len(waiting)} file(s) could not be ingested: {attempts} runs failed. See the errors "
            "of the runs. The files are tried again when one of them changes or another arrives."
        )
    if instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)) and _is_busy(settings):
        return dg.SkipReason("Another build is running; the inbox is next.")
    return dg.RunRequest(
        run_key=f"{key}-{attempts + 1}",
        run_config={"ops": {"captures": {"config": {"paths": [str(path) for path in waiting]}}}},
        tags={**TRIGGER, FILES_KEY: key},
    )


@dg.run_failure_sensor(
    name="failure_alert",
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="Send an alert for a failed run that the command line did not start.",
)
def failure_alert(
    context: dg.RunFailureSensorContext, settings: dg.ResourceParam[Settings]
) -> dg.SkipReason | None:
    """Send at most one alert per kind of failure within the pause; see `delivery/alerts.py`."""
    run = context.dagster_run
    if BY_HAND in run.tags:
        return dg.SkipReason("The command line reports its own runs.")
    errors = errors_of(context.instance, run.run_id)
    if was_stopped(context.instance, run.run_id, errors):
        return dg.SkipReason("The run was stopped together with `papertide up`.")
    message, is_refusal = reason(errors)
    message = message or context.failure_event.message or "Run process exited unexpectedly."
    alerts.notify_failure(settings, run.job_name, message, run.run_id, refused=is_refusal)
    return None


@dg.sensor(
    name="watch",
    minimum_interval_seconds=600,
    default_status=RUNNING,
    description="Send an alert when the snapshot is stale, and when a problem is resolved.",
)
def watch(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.SkipReason:
    """Start no run. Also send again what was not delivered, and fail runs whose process died."""
    _fail_dead_runs(context.instance, settings)
    is_over = alerts.notify_recovered(settings)
    alerts.retry(settings)
    if alerts.notify_stale(settings):
        return dg.SkipReason("The snapshot is stale.")
    return dg.SkipReason("Problems are resolved." if is_over else "No problems.")


def _put_aside(
    instance: dg.DagsterInstance, run_id: str, waiting: Sequence[Path], settings: Settings
) -> list[Path]:
    """Move the files that this run ingested, if they have not changed; return the remaining."""
    run = instance.get_run_by_id(run_id)
    ingested = IngestedFiles.in_run(instance, run_id)
    outcomes: dict[str, Outcome] = {o.origin: o for o in ingested.outcomes} if ingested else {}
    done = [path for path in waiting if str(path) in outcomes]
    if run is None or not done or inbox.fingerprint(_files_of(run)) != run.tags[FILES_KEY]:
        return list(waiting)
    built = _built(instance, run)
    remaining = [path for path in waiting if str(path) not in outcomes]
    for path in done:
        try:
            inbox.move_aside(settings, path, outcomes[str(path)], built)
        except OSError as error:  # it stays, and is tried again as often as a run that fails
            log.warning("%s can't be moved out of the inbox: %s", path, error.strerror)
            remaining.append(path)
    return remaining


def _files_of(run: dg.DagsterRun) -> list[Path]:
    config: Any = run.run_config
    return [Path(name) for name in config["ops"]["captures"]["config"]["paths"]]


def _built(instance: dg.DagsterInstance, run: dg.DagsterRun) -> BuildResult:
    published = PublishedSnapshot.in_run(instance, run.run_id)
    succeeded = run.status == dg.DagsterRunStatus.SUCCESS
    return BuildResult(
        snapshot_id=published.snapshot_id if published else None,
        error="" if succeeded else reason(errors_of(instance, run.run_id))[0],
    )


def _fail_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> set[str]:
    """Mark runs as failed whose process was killed: they need the writer lock and it is free.

    Dagster's run monitoring does not see processes that its default launcher started, and a run
    that seems to be running would block the queue. Returns the ids of these runs.
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags=WRITER)
    dead = [
        record.dagster_run
        for record in instance.get_run_records(started)
        if record.start_time is not None and time.time() - record.start_time > DEAD_AFTER_S
    ]
    if not dead or _is_busy(settings):
        return set()
    for run in dead:
        instance.report_run_failed(run, "Run process exited unexpectedly.")
    return {run.run_id for run in dead}


def _is_busy(settings: Settings) -> bool:
    """Whether a process holds the writer lock."""
    try:
        with writer_lock(settings):
            return False
    except BusyError:
        return True
