"""What starts a run or tells people without being asked: the inbox, failures, staleness.

Belongs here: reading Dagster's runs, and calling the rooms that do the work. Does not: moving
files (`inbox.py`) or sending (`delivery/`).
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from pipelines.defs.resources import Home
from pipelines.delivery import alerts
from pipelines.errors import BusyError, PapertideError
from pipelines.intake import inbox
from pipelines.intake.ingest import Outcome
from pipelines.intake.verdict import BuildResult
from pipelines.runtime.faults import INTERRUPT_MESSAGES
from pipelines.settings import Settings
from pipelines.warehouse.candidate import writer_lock

log = logging.getLogger("papertide")

BY_THE_INBOX = {"papertide/trigger": "inbox"}
KEY = "papertide/inbox"
WRITES = {"papertide/writer": "yes"}  # jobs that hold the writer's lock; the queue counts them
BY_HAND = "papertide/cli"  # the command line tells of its own failures
MAX_ATTEMPTS = 3
DEAD_AFTER_S = 120
STOPS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
REFUSALS = {"CheckFailed", "DagsterAssetCheckFailedError"}
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
    description="Take in what was dropped into the inbox, build, and move it aside with a verdict.",
)
def inbox_sensor(
    context: dg.SensorEvaluationContext, home: Home
) -> dg.RunRequest | dg.SkipReason | None:
    """One run at a time; the files of a finished one are moved first.

    A run is known by its files' names, sizes and times: after a crash the next tick finds it, and
    files that a run could not take in are tried again a few times, then left where they are.
    """
    settings, instance = home.settings, context.instance
    last = next(iter(instance.get_runs(dg.RunsFilter(tags=BY_THE_INBOX), limit=1)), None)
    if last and not last.is_finished and last.run_id not in _bury(instance, settings):
        return dg.SkipReason(f"Run {last.run_id} is at work on the inbox.")
    waiting = inbox.settled_files(settings)
    if last:
        waiting = _put_aside(instance, last.run_id, waiting, settings)
    if not waiting:
        return dg.SkipReason(f"Nothing waits in {settings.inbox_dir}.")
    key = inbox.fingerprint(waiting)
    attempts = instance.get_runs_count(dg.RunsFilter(tags={KEY: key}))
    if attempts >= MAX_ATTEMPTS:
        return dg.SkipReason(
            f"{len(waiting)} file(s) could not be taken in, {attempts} runs failed. See their "
            "errors; the files are tried again when one of them changes or another one comes."
        )
    if instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED)) and _is_busy(settings):
        return dg.SkipReason("A build is at work; the inbox is next.")
    paths = [str(path) for path in waiting]
    return dg.RunRequest(
        run_key=f"{key}-{attempts + 1}",
        run_config={"ops": {"captures": {"config": {"paths": paths}}}},
        tags={**BY_THE_INBOX, KEY: key},
    )


@dg.run_failure_sensor(
    name="failure_alert",
    minimum_interval_seconds=30,
    default_status=RUNNING,
    description="Tell people of a run that failed, unless the command line does.",
)
def failure_alert(context: dg.RunFailureSensorContext, home: Home) -> dg.SkipReason | None:
    """One alert for each kind of failure and pause; see `delivery/alerts.py`."""
    run = context.dagster_run
    if BY_HAND in run.tags:
        return dg.SkipReason("The command line tells of its own runs.")
    errors = _errors(context.instance, run.run_id)
    if _was_stopped(context.instance, run.run_id, errors):
        return dg.SkipReason("It was stopped, with all else that `papertide up` runs.")
    message, is_refusal = _reason(errors)
    message = message or context.failure_event.message or "The run ended without a word."
    alerts.notify_failure(home.settings, run.job_name, message, run.run_id, refused=is_refusal)
    return None


@dg.sensor(
    name="watch",
    minimum_interval_seconds=600,
    default_status=RUNNING,
    description="Tell people of a snapshot gone stale, and of troubles that are over.",
)
def watch(context: dg.SensorEvaluationContext, home: Home) -> dg.SkipReason:
    """Starts nothing; also sends again what no receiver took, and ends what died without a word."""
    settings = home.settings
    _bury(context.instance, settings)
    is_over = alerts.notify_recovered(settings)
    alerts.retry(settings)
    is_stale = alerts.notify_stale(settings)
    return dg.SkipReason(
        "The snapshot is stale."
        if is_stale
        else "Troubles are over."
        if is_over
        else "All is well."
    )


ALL = [inbox_sensor, failure_alert, watch]


def _put_aside(
    instance: dg.DagsterInstance, run_id: str, waiting: Sequence[Path], settings: Settings
) -> list[Path]:
    """Move the files that this run took in, if they are still the same; those that are left."""
    run = instance.get_run_by_id(run_id)
    outcomes = _outcomes(instance, run_id)
    taken = [path for path in waiting if str(path) in outcomes]
    if run is None or not taken or inbox.fingerprint(_files_of(run)) != run.tags[KEY]:
        return list(waiting)
    built = _built(instance, run)
    left = [path for path in waiting if str(path) not in outcomes]
    for path in taken:
        try:
            inbox.move_aside(settings, path, outcomes[str(path)], built)
        except OSError as error:  # it stays, and is tried again as often as a run that fails
            log.warning("%s can't be moved aside: %s", path, error.strerror)
            left.append(path)
    return left


def _files_of(run: dg.DagsterRun) -> list[Path]:
    config: Any = run.run_config
    return [Path(name) for name in config["ops"]["captures"]["config"]["paths"]]


def _outcomes(instance: dg.DagsterInstance, run_id: str) -> dict[str, Outcome]:
    """Path → what became of it in this run; none when it did not get so far."""
    stored = _metadata(instance, run_id, "captures").get("outcomes", [])
    return {fields["origin"]: Outcome(**fields) for fields in stored}


def _built(instance: dg.DagsterInstance, run: dg.DagsterRun) -> BuildResult:
    found = _metadata(instance, run.run_id, "snapshot").get("snapshot_id")
    succeeded = run.status == dg.DagsterRunStatus.SUCCESS
    return BuildResult(
        snapshot_id=str(found) if found else None,
        error="" if succeeded else _reason(_errors(instance, run.run_id))[0],
    )


def _metadata(instance: dg.DagsterInstance, run_id: str, asset: str) -> dict[str, Any]:
    """The metadata of an asset's materialization in a run; empty when there was none."""
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    for entry in instance.all_logs(run_id, of_type=materialized):
        found = entry.asset_materialization
        if found and found.asset_key == dg.AssetKey(asset):
            return {name: value.value for name, value in found.metadata.items()}
    return {}


def _bury(instance: dg.DagsterInstance, settings: Settings) -> set[str]:
    """Mark as failed the runs whose process was killed: they should hold the lock, and nobody does.

    Dagster's own monitoring does not see into processes that its default launcher started, and a
    run that seems to go on would keep the queue waiting. Returns their ids.
    """
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags=WRITES)
    dead = [
        record.dagster_run
        for record in instance.get_run_records(started)
        if record.start_time is not None and time.time() - record.start_time > DEAD_AFTER_S
    ]
    if not dead or _is_busy(settings):
        return set()
    for run in dead:
        instance.report_run_failed(run, "Its process ended without a word.")
    return {run.run_id for run in dead}


def _is_busy(settings: Settings) -> bool:
    """Whether somebody builds in this home."""
    try:
        with writer_lock(settings):
            return False
    except BusyError:
        return True


def _errors(instance: dg.DagsterInstance, run_id: str) -> list[SerializableErrorInfo]:
    """The errors of a run's steps and of the run, each before what it came from."""
    types = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    errors = [
        getattr(entry.dagster_event.event_specific_data, "error", None)
        for entry in instance.all_logs(run_id, of_type=types)
        if entry.dagster_event
    ]
    return [link for error in errors if error for link in _chain(error)]


def _was_stopped(
    instance: dg.DagsterInstance, run_id: str, errors: Sequence[SerializableErrorInfo]
) -> bool:
    """Whether it ended with the processes that it ran under, and not because it took too long.

    Dagster ends what exceeds its time by an interruption too, and says first that it does.
    """
    if instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_CANCELING):
        return False
    return any(link.cls_name in STOPS or _words(link) in INTERRUPT_MESSAGES for link in errors)


def _reason(chain: Sequence[SerializableErrorInfo]) -> tuple[str, bool]:
    """Why a run failed, in the words of the error at its root, and whether it was a refusal."""
    ours = [link for link in chain if link.cls_name in _names(PapertideError)]
    is_refusal = any(link.cls_name in REFUSALS for link in chain)
    told = ours or chain[-1:]
    return (_words(told[0]) if told else ""), is_refusal


def _chain(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    """The error and what it came from, the outermost first."""
    link: SerializableErrorInfo | None = error
    while link is not None:
        yield link
        link = link.cause or link.context


def _words(error: SerializableErrorInfo) -> str:
    """The message without the name of its class."""
    name, colon, rest = error.message.strip().partition(": ")
    return rest if colon and name.rpartition(".")[2] == error.cls_name else error.message.strip()


def _names(root: type[Exception]) -> set[str]:
    return {root.__name__}.union(*(_names(child) for child in root.__subclasses__()))
