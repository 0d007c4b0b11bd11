"""Why a recorded run failed, read from Dagster's event log.

Belongs here: finding the errors of a run and the message for an alert. Does not: sending alerts.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import dagster as dg

from pipelines.errors import PapertideError
from pipelines.runtime.faults import INTERRUPT_MESSAGES

INTERRUPTS = {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}
REFUSALS = {"CheckFailed", "DagsterAssetCheckFailedError"}


class LoggedError(Protocol):
    """An error as the event log keeps it: text, not an exception."""

    @property
    def message(self) -> str:
        """The name of the class and the message."""

    @property
    def cls_name(self) -> str | None:
        """The name of the class, without its module."""

    @property
    def cause(self) -> "LoggedError | None":
        """The error that this one was raised from."""

    @property
    def context(self) -> "LoggedError | None":
        """The error that was being handled when this one was raised."""


def errors_of(instance: dg.DagsterInstance, run_id: str) -> list[LoggedError]:
    """Errors of the run's steps and of the run, each followed by its causes."""
    types = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    errors = [
        getattr(entry.dagster_event.event_specific_data, "error", None)
        for entry in instance.all_logs(run_id, of_type=types)
        if entry.dagster_event
    ]
    return [link for error in errors if error for link in _chain(error)]


def was_stopped(instance: dg.DagsterInstance, run_id: str, errors: Sequence[LoggedError]) -> bool:
    """Whether the run was interrupted from outside, for example by stopping `papertide up`.

    A run that Dagster ends for exceeding its maximum runtime is interrupted too, but that is a
    failure: Dagster reports first that it cancels the run.
    """
    if instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_CANCELING):
        return False
    return any(e.cls_name in INTERRUPTS or _text(e) in INTERRUPT_MESSAGES for e in errors)


def reason(errors: Sequence[LoggedError]) -> tuple[str, bool]:
    """The message of the error behind a failure, and whether a check refused the candidate.

    Papertide's own error if there is one, else the root cause; empty when nothing was logged.
    """
    ours = [error for error in errors if error.cls_name in _class_names(PapertideError)]
    is_refusal = any(error.cls_name in REFUSALS for error in errors)
    found = ours[:1] or errors[-1:]
    return (_text(found[0]) if found else ""), is_refusal


def _chain(error: LoggedError) -> Iterator[LoggedError]:
    link: LoggedError | None = error
    while link is not None:
        yield link
        link = link.cause or link.context


def _text(error: LoggedError) -> str:
    """The message without the name of its class."""
    name, colon, rest = error.message.strip().partition(": ")
    return rest if colon and name.rpartition(".")[2] == error.cls_name else error.message.strip()


def _class_names(root: type[Exception]) -> set[str]:
    return {root.__name__}.union(*(_class_names(child) for child in root.__subclasses__()))
