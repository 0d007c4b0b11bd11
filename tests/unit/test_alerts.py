"""Alerts are sent once to real receivers, and never fail their caller."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from pipelines.cli import runs
from pipelines.delivery import alerts
from pipelines.delivery.channels import channels, missing_mail_settings
from pipelines.delivery.message import MAX_SUBJECT_CHARS, Alert
from pipelines.delivery.webhook import payload
from pipelines.errors import BusyError, CheckFailed, SettingsError, UsageError
from pipelines.settings import PROJECT_ROOT, Settings, load_settings, secrets
from tests.conftest import Run
from tests.fixtures.receivers import Hook, Letters, certificate, mail_server, web_server

pytestmark = pytest.mark.unit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


@pytest.fixture
def letters() -> Iterator[Letters]:
    with mail_server() as letters:
        yield letters


@pytest.fixture
def hooked(hook: Hook, tmp_path: Path) -> Settings:
    """A home whose alerts go to the web server."""
    return Settings(home=tmp_path / "home", alert_webhook=f"{hook.url}/token-5ecret")


def mailed(tmp_path: Path, url: str, to: str = "ops@example.org") -> Settings:
    return Settings(
        home=tmp_path / "home",
        alert_mail_to=to,
        alert_mail_from="papertide@example.org",
        smtp_url=url,
    )


def publish(settings: Settings, at: datetime) -> None:
    """A snapshot with the files that its age is read from."""
    folder = settings.snapshots_dir / f"{at:%Y%m%dT%H%M%SZ}"
    folder.mkdir(parents=True)
    (folder / "papertide.duckdb").write_bytes(bytes(8) + b"DUCK")
    (folder / "datapackage.json").write_text(
        json.dumps({"created": at.isoformat(), "resources": []})
    )
    (settings.snapshots_dir / "CURRENT").write_text(folder.name)


def fail(settings: Settings, hours: float = 0, **more: bool) -> None:
    alerts.notify_failure(settings, "main", "boom", "r1", now=NOON + timedelta(hours=hours), **more)


def kinds(hook: Hook) -> list[str]:
    return [body["kind"] for body in hook.bodies]


# When an alert is sent


def test_a_failure_is_reported_once_and_again_after_the_pause(hooked: Settings, hook: Hook) -> None:
    for hours in (0, 1, 23.9, 24.1, 25):
        fail(hooked, hours)
    assert [body["at"][:16] for body in hook.bodies] == ["2026-03-02T12:00", "2026-03-03T12:06"]


def test_other_jobs_and_refusals_have_their_own_alerts(hooked: Settings, hook: Hook) -> None:
    fail(hooked)
    fail(hooked, refused=True)
    alerts.notify_failure(hooked, "listings", "boom", "r2", now=NOON)
    assert kinds(hook) == ["run_failed", "publication_refused", "run_failed"]


def test_the_next_snapshot_reports_recovery_once(hooked: Settings, hook: Hook) -> None:
    publish(hooked, NOON - timedelta(hours=1))
    fail(hooked, refused=True)
    assert not alerts.notify_recovered(hooked)  # the snapshot is older than the trouble
    publish(hooked, NOON + timedelta(hours=1))
    assert alerts.notify_recovered(hooked)
    assert not alerts.notify_recovered(hooked)
    assert kinds(hook) == ["publication_refused", "recovered"]
    assert "A publication was refused" in hook.bodies[-1]["body"]


def test_after_recovery_the_same_failure_is_reported_again(hooked: Settings, hook: Hook) -> None:
    fail(hooked)
    publish(hooked, NOON + timedelta(hours=1))
    alerts.notify_recovered(hooked)
    fail(hooked, 2)
    assert kinds(hook) == ["run_failed", "recovered", "run_failed"]


def test_a_failure_after_the_snapshot_is_not_over(hooked: Settings, hook: Hook) -> None:
    fail(hooked)
    publish(hooked, NOON + timedelta(hours=1))
    fail(hooked, 2)
    assert not alerts.notify_recovered(hooked)


def test_a_snapshot_goes_stale(hooked: Settings, hook: Hook) -> None:
    assert not alerts.notify_stale(hooked, now=NOON)  # nothing published is not stale
    publish(hooked, NOON)
    assert not alerts.notify_stale(hooked, now=NOON + timedelta(hours=36))
    assert alerts.notify_stale(hooked, now=NOON + timedelta(hours=37))
    assert alerts.notify_stale(hooked, now=NOON + timedelta(hours=38))
    assert kinds(hook) == ["stale"]
    publish(hooked, NOON + timedelta(hours=39))
    alerts.notify_recovered(hooked)
    assert kinds(hook) == ["stale", "recovered"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CheckFailed("2 checks failed"), ["publication_refused"]),
        (ValueError("a defect"), ["run_failed"]),
        (BusyError("another build"), []),
        (UsageError("no such kind"), []),
    ],
    ids=["refused", "defect", "busy", "usage"],
)
def test_the_command_line_reports_its_failures(
    hooked: Settings, hook: Hook, error: Exception, kind: list[str]
) -> None:
    runs._alert(hooked, "build", error)
    assert kinds(hook) == kind


# Receivers that fail


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_receiver_that_refuses_is_logged(
    hooked: Settings, hook: Hook, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    hook.status = status
    with caplog.at_level(logging.WARNING, logger="papertide"):
        fail(hooked)
    (line,) = [record.getMessage() for record in caplog.records]
    assert str(status) in line
    assert "5ecret" not in line
    assert line.count("\n") == 0
    assert hook.paths == ["/token-5ecret"]  # no redirect is followed


def test_an_alert_that_was_not_accepted_is_sent_later(hooked: Settings, hook: Hook) -> None:
    hook.status = 500
    fail(hooked)
    hook.status, hook.bodies[:] = 200, []
    assert alerts.retry(hooked)
    assert alerts.retry(hooked)
    assert kinds(hook) == ["run_failed"]
    assert hook.bodies[0]["at"] == NOON.isoformat()


def test_recovery_waits_for_a_receiver_too(hooked: Settings, hook: Hook) -> None:
    fail(hooked)
    publish(hooked, NOON + timedelta(hours=1))
    hook.status = 500
    alerts.notify_recovered(hooked)
    hook.status, hook.bodies[:] = 200, []
    assert not alerts.retry(hooked)  # nothing is remembered any more
    assert kinds(hook) == ["recovered"]


def test_an_unreachable_receiver_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with web_server() as gone:
        settings = Settings(home=tmp_path, alert_webhook=f"{gone.url}/5ecret")
    fail(settings)
    assert "can't be reached" in caplog.text
    assert "5ecret" not in caplog.text


def test_without_receivers_troubles_are_remembered(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fail(settings, refused=True)
    assert list(json.loads(settings.alerts_path.read_text())) == ["publication_refused"]
    publish(settings, NOON + timedelta(hours=1))
    assert alerts.notify_recovered(settings)
    assert json.loads(settings.alerts_path.read_text()) == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}x", '{"a": 1}', '{"a": {"kind": 1}}',
     '{"stale": {"kind": "stale", "subject": "", "body": "", "last_at": "2026-01-01"}}'],
)  # fmt: skip
def test_a_damaged_file_is_replaced(hooked: Settings, hook: Hook, text: str) -> None:
    hooked.home.mkdir()
    hooked.alerts_path.write_text(text)
    fail(hooked)
    assert kinds(hook) == ["run_failed"]


def test_an_invalid_home_does_not_fail_the_caller(tmp_path: Path, hook: Hook) -> None:
    (tmp_path / "file").touch()
    settings = Settings(home=tmp_path / "file" / "home", alert_webhook=hook.url)
    assert not alerts.notify_failure(settings, "main", "boom", "r1")


# Files of earlier versions


def test_an_alert_sent_by_an_earlier_version_is_not_repeated(hooked: Settings, hook: Hook) -> None:
    """Version 0.1.0 had another name for `sent_at`."""
    hooked.home.mkdir()
    shutil.copy(PROJECT_ROOT / "tests" / "fixtures" / "alerts_0.1.0.json", hooked.alerts_path)
    fail(hooked, 1)
    assert kinds(hook) == []


# The text


def test_secrets_are_removed_from_messages(hook: Hook, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, alert_webhook=hook.url, postgres_url="postgresql://u:pa55@db/x"
    )
    alerts.notify_failure(settings, "main", "no route to postgresql://u:pa55@db/x", "r1")
    assert "pa55" not in json.dumps(hook.bodies)
    assert "pa55" not in settings.alerts_path.read_text()


def test_control_characters_and_mentions_are_removed() -> None:
    alert = Alert(
        "run_failed", "a\r\nBcc: x@y\x00\u2028z" + "…" * 900, "<!channel> @all\x1b[1m", NOON
    )
    assert alert.subject.isprintable()
    assert len(alert.subject) <= MAX_SUBJECT_CHARS
    sent = payload(alert)
    assert "<!" not in sent["text"]
    assert "@all" not in sent["text"]
    assert "\x1b" not in sent["body"]
    assert set(sent) == {"text", "kind", "subject", "body", "at", "host"}


def test_a_lone_surrogate_can_be_sent(hooked: Settings, hook: Hook) -> None:
    alerts.notify_failure(hooked, "main", "name \udcff", "r1")
    assert "name ?" in hook.bodies[0]["body"]


# Mail


def test_mail_arrives_with_nothing_injected(letters: Letters, tmp_path: Path) -> None:
    settings = mailed(
        tmp_path, f"smtp://u%40x:p%3Aw@127.0.0.1:{letters.port}", "a@example.org, b@example.org"
    )
    alerts.notify_failure(settings, "x\r\nBcc: evil@example.org\r\n\r\nhi", "Größe\n.\nQUIT", "r1")
    (envelope,) = letters.envelopes
    assert envelope.rcpt_tos == ["a@example.org", "b@example.org"]
    assert letters.logins == [("u@x", "p:w")]
    message = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[arg-type]
    assert message["Bcc"] is None
    assert message["Subject"].startswith("[Papertide] The job x Bcc: evil@example.org hi failed")
    assert message["X-Papertide-Alert"] == "run_failed"
    assert message["Date"]
    assert message["Message-ID"].endswith("@example.org>")
    assert "Größe\n.\nQUIT" in message.get_content().replace("\r\n", "\n")  # type: ignore[attr-defined]


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_mail_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    context, cert = certificate(tmp_path)
    with mail_server(**{"starttls" if "start" in scheme else "tls": context}) as letters:
        settings = mailed(tmp_path, f"{scheme}://u:pw@127.0.0.1:{letters.port}")
        assert "TLS with the mail server failed" in str(alerts.send_test(settings)["mail"])
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert alerts.send_test(settings) == {"mail": None}
        assert letters.logins == [("u", "pw")]


@pytest.mark.parametrize(
    ("refuses", "message"),
    [("login", "refused the login"), ("recipients", "refused all recipients"),
     ("data", r"did not accept the message \(451\)")],
)  # fmt: skip
def test_a_mail_server_that_refuses(
    letters: Letters, tmp_path: Path, caplog: pytest.LogCaptureFixture, refuses: str, message: str
) -> None:
    letters.refuses = refuses
    settings = mailed(tmp_path, f"smtp://user:hush@127.0.0.1:{letters.port}")
    fail(settings)
    (line,) = [r.getMessage() for r in caplog.records if r.name == "papertide"]
    assert re.search(message, line)
    assert "hush" not in line


def test_one_working_channel_is_enough(hook: Hook, letters: Letters, tmp_path: Path) -> None:
    settings = mailed(tmp_path, f"smtp://127.0.0.1:{letters.port}").model_copy(
        update={"alert_webhook": Settings(alert_webhook=hook.url).alert_webhook}
    )
    hook.status = 500
    fail(settings)
    fail(settings, 1)
    assert len(letters.envelopes) == 1
    assert len(hook.bodies) == 1


# Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAPERTIDE_ALERT_WEBHOOK", "ftp://hush@example.org"),
        ("PAPERTIDE_ALERT_WEBHOOK", "https://hush.example.org:99999"),
        ("PAPERTIDE_SMTP_URL", "smtp://u:hush@mail.example.org"),
        ("PAPERTIDE_SMTP_URL", "mail.example.org/hush"),
        ("PAPERTIDE_POSTGRES_URL", "sqlite:///hush"),
    ],
)
def test_a_wrong_secret_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert name in secrets()
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as wrong:
        load_settings()
    assert str(wrong.value).startswith(f"{name} is invalid: ")
    assert "hush" not in str(wrong.value)


@pytest.mark.parametrize("value", ["a@b\nBcc: c@d", "A <a@b>", "a b@c", "a@"])
def test_only_bare_addresses_are_accepted(value: str) -> None:
    with pytest.raises(ValueError, match="name@host"):
        Settings(alert_mail_to=value)


def test_empty_variables_are_not_set() -> None:
    settings = Settings(alert_webhook="", alert_mail_to=" ", smtp_url="", postgres_url="")
    assert not channels(settings)
    assert not missing_mail_settings(settings)
    assert missing_mail_settings(Settings(alert_mail_to="a@b")) == ["alert_mail_from", "smtp_url"]


# The command


def test_alert_test_reports_each_channel(hook: Hook, letters: Letters, papertide: Run) -> None:
    mail = {
        "PAPERTIDE_ALERT_MAIL_TO": "a@example.org",
        "PAPERTIDE_ALERT_MAIL_FROM": "p@example.org",
        "PAPERTIDE_SMTP_URL": f"smtp://127.0.0.1:{letters.port}",
    }
    both = papertide("alert-test", PAPERTIDE_ALERT_WEBHOOK=hook.url, **mail)
    assert (both.returncode, both.stderr) == (0, "webhook: sent\nmail: sent\n")
    assert kinds(hook) == ["test"]
    assert len(letters.envelopes) == 1
    hook.status = 403
    refused = papertide("alert-test", PAPERTIDE_ALERT_WEBHOOK=hook.url, **mail)
    assert refused.returncode == 1
    assert "webhook: The webhook returned HTTP 403" in refused.stderr
    del mail["PAPERTIDE_SMTP_URL"]
    half = papertide("alert-test", **mail)
    assert half.returncode == 1
    assert half.stderr == "mail: off, because PAPERTIDE_SMTP_URL is not set\n"
    none = papertide("alert-test")
    assert none.returncode == 2
