"""Decides when to send an alert: once for each problem, again after a pause, and on recovery.

Belongs here: the events that cause an alert, and its text. Does not: storing open problems
(`troubles.py`), sending (`channels.py`), or detecting events (sensors, the command line).

Nothing here fails its caller. An alert that no receiver accepted is sent by the next `retry`.
Problems are stored even if no receiver is configured.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import ParamSpec

from pipelines.delivery.channels import channels
from pipelines.delivery.message import Alert
from pipelines.delivery.troubles import RECOVERED, Trouble, remembered
from pipelines.delivery.webhook import DeliveryError
from pipelines.errors import NoSnapshotError
from pipelines.publishing.freshness import up_to_date_at
from pipelines.publishing.snapshot import Snapshot, current
from pipelines.settings import Settings

log = logging.getLogger("papertide")

NEXT_STEPS = {
    "run_failed": "Read the run in Dagster's UI, or run the command again by hand.",
    "publication_refused": "Readers still see the last snapshot. See docs/operations.md, A build "
    "failed.",
    "stale": "Check that the daemon or the timer is running, then run `papertide status`.",
}

P = ParamSpec("P")


def _never_failing(act: Callable[P, bool]) -> Callable[P, bool]:
    """The function, which logs a full disk or a busy lock and then returns False."""

    @wraps(act)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            return act(*args, **kwargs)
        except OSError as error:
            log.warning("can't store alerts: %s", error.strerror or type(error).__name__)
            return False

    return quietly


@_never_failing
def notify_failure(
    settings: Settings,
    job: str,
    error_message: str,
    run_id: str,
    *,
    refused: bool = False,
    now: datetime | None = None,
) -> bool:
    """Alert that a run failed, or with `refused` that a check prevented publication.

    Returns whether the problem is stored, even if no receiver accepted the alert.
    """
    kind = "publication_refused" if refused else "run_failed"
    subject = "A publication was refused" if refused else f"The job {job} failed"
    lines = (error_message, NEXT_STEPS[kind], f"job {job}, run {run_id}, {_place(settings)}")
    key = kind if refused else f"{kind}:{job}"
    _notify(settings, key, Alert(kind, subject, "\n\n".join(lines), _moment(now)))
    return True


@_never_failing
def notify_stale(settings: Settings, *, now: datetime | None = None) -> bool:
    """Alert when the snapshot is older than PAPERTIDE_STALE_AFTER_HOURS; returns whether it is.

    Without a snapshot, or with a limit of 0, nothing is stale.
    """
    at = _moment(now)
    published = _published(settings)
    if published is None or not settings.stale_after_hours:
        return False
    snapshot, published_at = published
    age = (at - published_at) / timedelta(hours=1)
    if age <= settings.stale_after_hours:
        return False
    body = (
        f"Snapshot {snapshot.snapshot_id} is {age:.0f} hours old; the limit is "
        f"{settings.stale_after_hours:g} (PAPERTIDE_STALE_AFTER_HOURS).\n\n"
        f"{NEXT_STEPS['stale']}\n\n{_place(settings)}"
    )
    _notify(settings, "stale", Alert("stale", "No new snapshot", body, at))
    return True


@_never_failing
def notify_recovered(settings: Settings, *, now: datetime | None = None) -> bool:
    """Alert once when a snapshot is published after problems; returns whether any ended."""
    at = _moment(now)
    published = _published(settings)
    if published is None or not settings.alerts_path.exists():
        return False
    snapshot, published_at = published
    with remembered(settings) as troubles:
        over = {key: t for key, t in troubles.items() if t.is_over(published_at)}
        for key in over:
            del troubles[key]
        reported = [trouble.subject for trouble in over.values() if trouble.sent_at]
        if reported:
            body = f"Snapshot {snapshot.snapshot_id} is published. Resolved: {', '.join(reported)}."
            alert = Alert(RECOVERED, "Recovered", f"{body}\n\n{_place(settings)}", at)
            troubles[RECOVERED] = Trouble.of(alert, settings)
            _send_unsent(settings, troubles, at)
    return bool(over)


@_never_failing
def retry(settings: Settings, *, now: datetime | None = None) -> bool:
    """Send the alerts that no receiver has accepted yet; returns whether any problem is open."""
    if not settings.alerts_path.exists():
        return False
    with remembered(settings) as troubles:
        _send_unsent(settings, troubles, _moment(now))
    return bool(troubles)


def send_test(settings: Settings) -> dict[str, str | None]:
    """Channel → error message of a test alert, None where the receiver accepted it."""
    alert = Alert("test", "Test alert", f"Nothing is wrong. {_place(settings)}", datetime.now(UTC))
    results: dict[str, str | None] = {}
    for channel in channels(settings):
        try:
            channel.send(alert)
        except DeliveryError as error:
            results[channel.name] = str(error)
        else:
            results[channel.name] = None
    return results


def _notify(settings: Settings, key: str, alert: Alert) -> None:
    """Send the alert unless one for the same problem was sent within the pause."""
    with remembered(settings) as troubles:
        known = troubles.get(key)
        if known and known.was_sent_within(settings.alert_repeat_hours * 3600, alert.at):
            known.last_at = alert.at.isoformat()
            return
        troubles[key] = Trouble.of(alert, settings)
        _send_unsent(settings, troubles, alert.at)


def _send_unsent(settings: Settings, troubles: dict[str, Trouble], at: datetime) -> None:
    """Send each unsent alert by all channels; it counts as sent when one receiver accepts it."""
    ways = channels(settings)
    for key, trouble in list(troubles.items()):
        if trouble.sent_at or not ways:
            continue
        accepted = [channel.accepts(trouble.alert()) for channel in ways]
        if any(accepted):
            trouble.sent_at = at.isoformat()
            if trouble.kind == RECOVERED:
                del troubles[key]


def _published(settings: Settings) -> tuple[Snapshot, datetime] | None:
    """The current snapshot, and when it was last known to be up to date."""
    try:
        snapshot = current(settings)
        published_at = datetime.fromisoformat(snapshot.package()["created"])
        return snapshot, up_to_date_at(settings.snapshots_dir, published_at)
    except NoSnapshotError:
        return None


def _place(settings: Settings) -> str:
    return f"home {settings.home} on {socket.gethostname()}"


def _moment(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)
