"""When to tell people: once for each trouble, again after a pause, and once when it is over.

Belongs here: the memory of troubles (`alerts.json` in the home) and what is said of them. Does
not: how a message travels (`mail.py`, `webhook.py`) or who calls (sensors, the command line).

Nothing here fails its caller: a run is not worth less because a mail server sleeps. What no
receiver took is told again by the next `retry`. Troubles are remembered without receivers too:
the metrics show them.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec

from filelock import FileLock

from pipelines.delivery import mail, webhook
from pipelines.delivery.message import Alert, without_secrets
from pipelines.delivery.webhook import DeliveryError
from pipelines.errors import NoSnapshotError
from pipelines.publishing.freshness import up_to_date_at
from pipelines.publishing.snapshot import Snapshot, current
from pipelines.runtime.files import write_atomic
from pipelines.settings import Settings

log = logging.getLogger("papertide")

LOCK_TIMEOUT_S = 60
MAIL_SETTINGS = ("alert_mail_to", "alert_mail_from", "smtp_url")
WHAT_TO_DO = {
    "run_failed": "Read the run in Dagster's UI, or run the command again by hand.",
    "publication_refused": "Readers keep the last snapshot. docs/operations.md, A build failed.",
    "stale": "See whether the daemon or the timer runs, then `papertide status`.",
}


@dataclass
class Trouble:
    """Something that was told, or is yet to be: `told_at` is empty until a receiver took it."""

    kind: str
    subject: str
    body: str
    last_at: str
    told_at: str | None = None


@dataclass(frozen=True)
class Channel:
    """A way to people that is configured."""

    name: str
    send: Callable[[Alert], None]


P = ParamSpec("P")


def _fails_nobody(act: Callable[P, bool]) -> Callable[P, bool]:
    """A disk that is full or a lock that is held is logged; the caller goes on, with False."""

    @wraps(act)
    def quietly(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            return act(*args, **kwargs)
        except OSError as error:
            log.warning("alerts can't be remembered: %s", error.strerror or type(error).__name__)
            return False

    return quietly


def channels(settings: Settings) -> list[Channel]:
    """The configured ways, none by default."""
    found = []
    if address := settings.alert_webhook:
        found.append(Channel("webhook", lambda alert: webhook.post(address, alert)))
    to, sender, server = settings.alert_mail_to, settings.alert_mail_from, settings.smtp_url
    if to and sender and server:
        found.append(
            Channel("mail", lambda alert: mail.send(server, mail.message_of(alert, sender, to)))
        )
    return found


def half_configured(settings: Settings) -> list[str]:
    """The settings that mail still lacks, when some of them are given."""
    lacking = [name for name in MAIL_SETTINGS if not getattr(settings, name)]
    return lacking if len(lacking) < len(MAIL_SETTINGS) else []


@_fails_nobody
def notify_failure(
    settings: Settings,
    job: str,
    error_message: str,
    run_id: str,
    *,
    refused: bool = False,
    now: datetime | None = None,
) -> bool:
    """Tell that a run failed, or with `refused` that a check kept its tables from publication.

    Whether that is remembered; a receiver that fails does not count.
    """
    kind = "publication_refused" if refused else "run_failed"
    subject = "A publication was refused" if refused else f"The job {job} failed"
    lines = (error_message, WHAT_TO_DO[kind], f"job {job}, run {run_id}, {_place(settings)}")
    key = kind if refused else f"{kind}:{job}"
    _tell(settings, key, Alert(kind, subject, "\n\n".join(lines), _moment(now)))
    return True


@_fails_nobody
def notify_stale(settings: Settings, *, now: datetime | None = None) -> bool:
    """Tell when the current snapshot is older than it may be; whether it is.

    No snapshot is not a stale one, and a limit of 0 hours is none.
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
        f"Snapshot {snapshot.snapshot_id} is {age:.0f} hours old; more than "
        f"{settings.stale_after_hours:g} are too many (PAPERTIDE_STALE_AFTER_HOURS).\n\n"
        f"{WHAT_TO_DO['stale']}\n\n{_place(settings)}"
    )
    _tell(settings, "stale", Alert("stale", "No new snapshot", body, at))
    return True


@_fails_nobody
def notify_recovered(settings: Settings, *, now: datetime | None = None) -> bool:
    """Tell once that troubles are over when a snapshot came after them; whether that was so."""
    at = _moment(now)
    published = _published(settings)
    if published is None or not settings.alerts_path.exists():
        return False
    snapshot, published_at = published
    with _memory(settings) as troubles:
        over = {k: t for k, t in troubles.items() if _is_over(t, published_at)}
        for key in over:
            del troubles[key]
        told = [trouble.subject for trouble in over.values() if trouble.told_at]
        if told:
            body = f"Snapshot {snapshot.snapshot_id} is published. Over: {', '.join(told)}."
            said = Alert("recovered", "Good again", f"{body}\n\n{_place(settings)}", at)
            troubles["recovered"] = _trouble(said, settings)
            _deliver(settings, troubles, at)
    return bool(over)


@_fails_nobody
def retry(settings: Settings, *, now: datetime | None = None) -> bool:
    """Send what no receiver took before; whether anything is remembered at all."""
    if not settings.alerts_path.exists():
        return False
    with _memory(settings) as troubles:
        _deliver(settings, troubles, _moment(now))
    return bool(troubles)


def send_test(settings: Settings) -> dict[str, str | None]:
    """Channel → what kept the test message from being taken, None where it was taken."""
    alert = Alert(
        "test", "A test of the alerts", f"Nothing is wrong. {_place(settings)}", datetime.now(UTC)
    )
    results: dict[str, str | None] = {}
    for channel in channels(settings):
        try:
            channel.send(alert)
        except DeliveryError as error:
            results[channel.name] = str(error)
        else:
            results[channel.name] = None
    return results


def _tell(settings: Settings, key: str, alert: Alert) -> None:
    with _memory(settings) as troubles:
        known = troubles.get(key)
        pause = timedelta(hours=settings.alert_repeat_hours)
        if known and known.told_at and alert.at - datetime.fromisoformat(known.told_at) < pause:
            known.last_at = alert.at.isoformat()
            return
        troubles[key] = _trouble(alert, settings)
        _deliver(settings, troubles, alert.at)


def _deliver(settings: Settings, troubles: dict[str, Trouble], at: datetime) -> None:
    """Send what was not told yet; one receiver that takes it is enough."""
    ways = channels(settings)
    for key, trouble in list(troubles.items()):
        if trouble.told_at or not ways:
            continue
        when = datetime.fromisoformat(trouble.last_at)
        alert = Alert(trouble.kind, trouble.subject, trouble.body, when)
        taken = [_sent(channel, alert) for channel in ways]  # by every way, not only the first
        if any(taken):
            trouble.told_at = at.isoformat()
            if trouble.kind == "recovered":
                del troubles[key]


def _sent(channel: Channel, alert: Alert) -> bool:
    try:
        channel.send(alert)
    except DeliveryError as error:
        log.warning("the alert %r did not go out by %s: %s", alert.subject, channel.name, error)
        return False
    return True


def _trouble(alert: Alert, settings: Settings) -> Trouble:
    clean = without_secrets(alert, settings)
    return Trouble(clean.kind, clean.subject, clean.body, clean.at.isoformat())


def _is_over(trouble: Trouble, published_at: datetime) -> bool:
    return trouble.kind != "recovered" and datetime.fromisoformat(trouble.last_at) <= published_at


@contextmanager
def _memory(settings: Settings) -> Iterator[dict[str, Trouble]]:
    """What is remembered, written back whole at the end. Raises OSError, also for a lock held."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.home / ".alerts.lock", timeout=LOCK_TIMEOUT_S):
        troubles = _read(settings)
        yield troubles
        stored = {key: asdict(trouble) for key, trouble in troubles.items()}
        write_atomic(settings.alerts_path, json.dumps(stored, indent=1) + "\n")


def _read(settings: Settings) -> dict[str, Trouble]:
    try:
        stored: dict[str, Any] = json.loads(settings.alerts_path.read_bytes())
        return {key: _checked(Trouble(**fields)) for key, fields in stored.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        log.warning("%s is damaged; troubles are remembered anew", settings.alerts_path)
        return {}


def _checked(trouble: Trouble) -> Trouble:
    for moment in filter(None, (trouble.last_at, trouble.told_at)):
        if datetime.fromisoformat(moment).tzinfo is None:
            raise ValueError("a moment without a zone")
    return trouble


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
