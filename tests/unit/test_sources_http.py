"""The HTTP client against a real server: retries, pauses, size limit, redirects, the token."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from pipelines.sources.errors import (
    SourceError,
    TerminalSourceError,
    TransientSourceError,
)
from pipelines.sources.http.client import (
    MAX_REDIRECTS,
    MAX_TRANSFER_S,
    USER_AGENT,
    Bearer,
    HttpClient,
    Response,
)
from pipelines.sources.http.rate_limits import retry_after, seconds_until_reset
from tests.replay import InlineListings, JumpingClock, Limit, ReplayServer, Rule, settings_for

pytestmark = pytest.mark.unit
pytest_plugins = ["tests.replay.fixtures"]

DAY = {"date": "2025-06-02"}
TOKEN = "hf_madeUpForThisTest"  # noqa: S105


@pytest.fixture
def server(clock: JumpingClock) -> Iterator[ReplayServer]:
    with ReplayServer(InlineListings({"2025-06-02": [{"paper": {"id": "1"}}]}), clock=clock) as it:
        yield it


def client(server: ReplayServer, *, interval_s: float = 0, **settings: Any) -> HttpClient:
    """Without jitter: backoff is half of its maximum, and requested pauses are exact."""
    return HttpClient(
        settings_for(server, **settings),
        server.clock,  # type: ignore[arg-type]
        interval_s=interval_s,
        jitter=lambda: 0.0,
    )


def get(server: ReplayServer, http: HttpClient, **more: str) -> Response:
    url = f"{server.url}/api/daily_papers"
    return http.get(url, {**DAY, **more}, accept="application/json")


def fetch(server: ReplayServer, **settings: Any) -> Response:
    with client(server, **settings) as http:
        return get(server, http)


# Successful requests


def test_a_response_is_unchanged(server: ReplayServer, clock: JumpingClock) -> None:
    answer = fetch(server)
    assert answer.body == b'[{"paper": {"id": "1"}}]'
    assert answer.content_type == "application/json"
    assert answer.url == f"{server.url}/api/daily_papers?date=2025-06-02"
    assert answer.fetched_at == clock.now()
    assert answer.fetched_at.utcoffset() == timedelta(0)
    assert clock.slept == []
    (seen,) = server.seen
    assert seen.headers["user-agent"] == USER_AGENT
    assert USER_AGENT.startswith("papertide/0.")
    assert seen.headers["accept"] == "application/json"


def test_transport_compression_is_undone(server: ReplayServer) -> None:
    server.add(Rule("gzip"))
    assert fetch(server).body == b'[{"paper": {"id": "1"}}]'


def test_a_value_that_looks_encoded_is_encoded(server: ReplayServer) -> None:
    with client(server) as http:
        get(server, http, words="a%3Db%2526c d&e")
    assert server.seen[0].query["words"] == "a%3Db%2526c d&e"


def test_a_client_sends_one_request_at_a_time(server: ReplayServer) -> None:
    server.add(Rule("slow", times=None, options={"seconds": 0.02}))
    with client(server) as http:
        threads = [threading.Thread(target=get, args=(server, http)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [seen.n_under_way for seen in server.seen] == [1, 1, 1, 1]


# Failures that are retried


@pytest.mark.parametrize(
    "rule",
    [
        Rule("status", options={"status": 429}),
        Rule("status", options={"status": 500}),
        Rule("status", options={"status": 503}),
        Rule("status", options={"status": 408}),
        Rule("cut", options={"share": 0.5}),
        Rule("cut", options={"share": 0}),
        Rule("empty"),
        Rule("gzip", options={"damage": True}),
        Rule("slow", options={"seconds": 1.5}),
    ],
    ids=lambda rule: " ".join([rule.action, *map(str, rule.options.values())]),
)
def test_one_failure_is_retried(server: ReplayServer, clock: JumpingClock, rule: Rule) -> None:
    server.add(rule)
    assert fetch(server, read_timeout_s=0.5).body == b'[{"paper": {"id": "1"}}]'
    assert len(server.seen) == 2
    assert clock.slept == [0.5]


def test_backoff_doubles_up_to_a_limit(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", times=9))
    fetch(server, max_attempts=10)
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_stays_within_the_backoff(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", times=4))
    with HttpClient(settings_for(server), clock) as http:
        get(server, http)
    for slept, most in zip(clock.slept, [1, 2, 4, 8], strict=True):
        assert most / 2 <= slept <= most


def test_the_error_lists_the_failed_attempts(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", times=2), Rule("cut", skip=2, times=None))
    with pytest.raises(TransientSourceError) as failed:
        fetch(server)
    message = str(failed.value)
    assert f"{server.url}/api/daily_papers?date=2025-06-02" in message
    assert "5 attempts (HTTP 500, a broken connection) in 8 s" in message
    assert "The next run continues" in message
    assert len(server.seen) == 5
    assert clock.slept == [0.5, 1, 2, 4], "no pause after the last attempt"


def test_a_server_that_is_down(server: ReplayServer, clock: JumpingClock) -> None:
    gone = ReplayServer(clock=clock)
    gone._http.server_close()
    with pytest.raises(TransientSourceError, match=r"no connection.* Check the network"):
        fetch(gone, max_attempts=2)


def test_a_body_that_never_ends_is_abandoned(server: ReplayServer, clock: JumpingClock) -> None:
    class Racing(JumpingClock):
        def now(self) -> datetime:
            self.sleep(MAX_TRANSFER_S * 0.6)
            return super().now()

    server.add(Rule("oversize", times=None, options={"n_bytes": 3_000_000}))
    with (
        HttpClient(settings_for(server, max_attempts=2), Racing()) as http,
        pytest.raises(TransientSourceError, match="a body that took more than"),
    ):
        get(server, http)


# Pauses that the server asks for


@pytest.mark.parametrize("value", ["7", "date:7"])
def test_retry_after_is_obeyed(server: ReplayServer, clock: JumpingClock, value: str) -> None:
    server.add(Rule("status", options={"status": 429, "retry_after": value}))
    fetch(server)
    assert clock.slept == [7]


def test_the_servers_clock_may_differ(server: ReplayServer) -> None:
    ours = JumpingClock(datetime(2031, 1, 1, tzinfo=UTC))
    server.add(Rule("status", options={"status": 503, "retry_after": "date:7"}))
    with HttpClient(settings_for(server), ours, jitter=lambda: 0.0) as http:
        get(server, http)
    assert ours.slept == [7]


def test_an_invalid_retry_after_is_ignored(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", options={"status": 503, "retry_after": "soon"}))
    fetch(server)
    assert clock.slept == [0.5]


def test_too_long_a_pause_ends_the_run(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", options={"status": 503, "retry_after": "3600"}))
    with client(server) as http:
        with pytest.raises(TransientSourceError) as failed:
            get(server, http)
        assert "a pause of 3,600 s" in str(failed.value)
        assert "1 attempt (HTTP 503)" in str(failed.value)
        assert "PAPERTIDE_MAX_WAIT_S (600)" in str(failed.value)
        with pytest.raises(TransientSourceError, match="was not fetched: "):
            get(server, http)
        assert len(server.seen) == 1, "nothing is sent until the pause is over"
        assert clock.slept == []
        clock.set(clock.now() + timedelta(hours=1))
        assert get(server, http).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": '"api";r=0;t=55'},
        {"RateLimit": '"pages";r=7;t=90, "api";r=0;t=55'},
        {"RateLimit": '"api";r=0', "RateLimit-Policy": '"fixed window";"api";q=500;w=55'},
        {"RateLimit-Remaining": "0", "RateLimit-Reset": "55"},
    ],
    ids=["draft", "two of them", "policy only", "older pair"],
)
def test_an_exhausted_limit_delays_the_next_request(
    server: ReplayServer, clock: JumpingClock, headers: dict[str, str]
) -> None:
    server.add(Rule("headers", options=headers))
    with client(server) as http:
        get(server, http)
        assert clock.slept == []
        get(server, http)
        assert clock.slept == [55]
        get(server, http)
    assert clock.slept == [55]


def test_a_backfill_stays_within_the_rate_limit(clock: JumpingClock) -> None:
    with (
        ReplayServer(clock=clock, limit=Limit(requests=20, window_s=300)) as server,
        client(server) as http,
    ):
        for _ in range(65):
            get(server, http)
        assert [seen.status for seen in server.seen] == [200] * 65
    assert len(clock.slept) == 3


def test_requests_are_spaced_by_the_interval(server: ReplayServer, clock: JumpingClock) -> None:
    server.add(Rule("status", skip=1))
    with client(server, interval_s=3) as http:
        for _ in range(3):
            get(server, http)
    moments = [seen.at for seen in server.seen]
    gaps = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert gaps == [3, 3, 3], "also for a retry, and pauses do not add up"


# Failures that are not retried


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 304])
def test_a_refusal_is_final(server: ReplayServer, clock: JumpingClock, status: int) -> None:
    server.add(Rule("status", options={"status": status}))
    with pytest.raises(TerminalSourceError) as failed:
        fetch(server)
    assert f"{server.url}/api/daily_papers?date=2025-06-02" in str(failed.value)
    assert f"HTTP {status}" in str(failed.value)
    assert "Check" in str(failed.value)
    assert len(server.seen) == 1


def test_an_accepted_status_is_a_response(server: ReplayServer) -> None:
    server.add(Rule("status", options={"status": 400}))
    with client(server) as http:
        answer = http.get(f"{server.url}/x", {}, accept="*/*", accepted=frozenset({400}))
    assert answer.status == 400
    assert answer.body


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_too_large_a_body_is_refused(server: ReplayServer, *, packed: bool) -> None:
    server.add(Rule("oversize", options={"n_bytes": 8_000_000 if packed else 5_000}))
    if packed:
        server.add(Rule("gzip"))
    with pytest.raises(TerminalSourceError, match="PAPERTIDE_MAX_LISTING_BYTES"):
        fetch(server, max_listing_bytes=4_096)
    assert len(server.seen) == 1


def test_an_untrusted_certificate_is_named(
    server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ssl

    def send(self: object, request: httpx2.Request, **options: object) -> None:
        try:
            raise ssl.SSLCertVerificationError("certificate has expired")
        except ssl.SSLError as cause:
            raise httpx2.ConnectError("no") from cause

    monkeypatch.setattr(httpx2.Client, "send", send)
    with pytest.raises(TerminalSourceError, match=r"certificate of 127\.0\.0\.1 is not trusted"):
        fetch(server)


@pytest.mark.parametrize("url", ["http://[::1", "nothing", "ftp://127.0.0.1/x"])
def test_an_invalid_url(server: ReplayServer, url: str) -> None:
    with client(server) as http, pytest.raises(TerminalSourceError, match="settings"):
        http.get(url, {}, accept="*/*")


# Redirects and the token


@pytest.fixture
def elsewhere(clock: JumpingClock) -> Iterator[ReplayServer]:
    with ReplayServer(clock=clock) as other:
        yield other


def with_token(server: ReplayServer) -> HttpClient:
    return HttpClient(
        settings_for(server),
        server.clock,  # type: ignore[arg-type]
        bearer=Bearer(SecretStr(TOKEN), server.url),
    )


def test_the_token_goes_to_its_endpoint(server: ReplayServer) -> None:
    server.add(Rule("redirect", options={"to": "/api/daily_papers?date=2025-06-02&moved=1"}))
    with with_token(server) as http:
        get(server, http)
    assert [seen.headers.get("authorization") for seen in server.seen] == [f"Bearer {TOKEN}"] * 2


def test_the_token_does_not_follow_to_another_host(
    server: ReplayServer, elsewhere: ReplayServer
) -> None:
    server.add(Rule("redirect", options={"to": f"{elsewhere.url}/api/daily_papers"}))
    with with_token(server) as http:
        assert get(server, http).status == 200
    assert "authorization" in server.seen[0].headers
    assert "authorization" not in elsewhere.seen[0].headers


def test_the_token_is_not_sent_to_other_hosts(
    server: ReplayServer, elsewhere: ReplayServer
) -> None:
    with with_token(server) as http:
        http.get(f"{elsewhere.url}/api/daily_papers", {}, accept="*/*")
    assert "authorization" not in elsewhere.seen[0].headers


@pytest.mark.parametrize("status", [401, 500])
def test_the_token_is_in_no_message_and_no_log(
    server: ReplayServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    server.add(Rule("status", times=None, options={"status": status}))
    with (
        with_token(server) as http,
        pytest.raises((TerminalSourceError, TransientSourceError)) as failed,
    ):
        get(server, http)
    assert TOKEN not in str(failed.value)
    assert TOKEN not in repr(failed.value)
    assert caplog.records
    assert TOKEN not in caplog.text
    if status == 401:
        assert "HF_TOKEN" in str(failed.value)


def test_user_and_password_of_an_address_are_not_shown(server: ReplayServer) -> None:
    server.add(Rule("status", options={"status": 404}))
    url = server.url.replace("://", "://me:secret@")
    with client(server) as http, pytest.raises(TerminalSourceError) as failed:
        http.get(f"{url}/api", {}, accept="*/*")
    assert "secret" not in str(failed.value)


def test_a_redirect_to_an_invalid_url(server: ReplayServer) -> None:
    """Some versions of httpx2 report a broken connection, others an invalid URL."""
    server.add(Rule("redirect", times=None, options={"to": "http://[::1"}))
    with pytest.raises(SourceError):
        fetch(server)


def test_a_refusal_after_a_redirect_names_the_host(
    server: ReplayServer, elsewhere: ReplayServer
) -> None:
    there = elsewhere.url.replace("127.0.0.1", "localhost")
    server.add(Rule("redirect", options={"to": f"{there}/nothing"}))
    with pytest.raises(TerminalSourceError, match="HTTP 404 by localhost, to which it redirects"):
        fetch(server)


def test_circular_redirects_end(server: ReplayServer) -> None:
    server.add(Rule("redirect", times=None, options={"to": "/api/daily_papers"}))
    with pytest.raises(TerminalSourceError, match="redirects more than"):
        fetch(server)
    assert len(server.seen) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("to", ["ftp://127.0.0.1/", "file:///etc/passwd"])
def test_redirects_to_other_protocols_are_refused(server: ReplayServer, to: str) -> None:
    server.add(Rule("redirect", times=None, options={"to": to}))
    with pytest.raises(TerminalSourceError):
        fetch(server)
    assert len(server.seen) == 1


# Headers, without a server

NOW = datetime(2025, 6, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("", None),
        ("-3", None),
        ("soon", None),
        ("Mon, 99 Foo 2025", None),
        ("٣", None),
        ("9" * 40, None),
    ],
)
def test_forms_of_retry_after(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"ratelimit": '"api";r=1;t=55'}, None),
        ({"ratelimit": '"api"; R=0 ; T=55'}, 55),
        ({"ratelimit": '"api";r=0;t=soon'}, None),
        ({"ratelimit": '"api";r=0'}, None),
        ({"ratelimit": '"a";r=0', "ratelimit-policy": '"a";q=5;w=60, "b";q=9;w=300'}, 300),
        ({"ratelimit-remaining": "3", "ratelimit-reset": "55"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "nonsense"}, None),
        ({"ratelimit": ";;=,,;r", "ratelimit-policy": "=;=,"}, None),
    ],
)
def test_forms_of_rate_limits(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_until_reset(headers) == seconds
