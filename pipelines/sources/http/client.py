"""The HTTP client of all sources: retries with backoff, rate limits, size limit, redirects, token.

Belongs here: how a URL is fetched. Does not: which URLs to fetch and what the responses mean (the
client of each source).

A client sends one request at a time on one connection, even if threads share it. Every reason to
pause (a source's interval, a retry, a rate limit) only postpones the earliest time of the next
request, so pauses don't add up.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from urllib.parse import urlencode

import httpx2
from pydantic import SecretStr

from pipelines.runtime.exceptions import exception_chain
from pipelines.runtime.text import shortened
from pipelines.settings import Settings
from pipelines.sources.errors import TerminalSourceError, TransientSourceError
from pipelines.sources.http.clock import Clock, SystemClock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.rate_limits import retry_after, seconds_until_reset

USER_AGENT = f"papertide/{version('papertide')}"
FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 60.0
# The read timeout applies to each read, so a slow body would never reach it.
MAX_TRANSFER_S = 900.0
MAX_REDIRECTS = 5
MAX_URL_CHARS = 300
RETRIED = frozenset({408, 425, 429})  # and all of 5xx
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """A complete response. `url` is the requested address without secrets."""

    url: str
    status: int
    body: bytes
    content_type: str
    fetched_at: datetime


@dataclass(frozen=True)
class Bearer:
    """A token, and the only endpoint that it is sent to."""

    token: SecretStr
    endpoint: str


class _FailedAttempt(Exception):
    """An attempt failed and another may succeed; `wait_s` is the pause that the server asks for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class HttpClient(Closing):
    """Fetches URLs. Use it as a context manager, or close it."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        *,
        interval_s: float = 0,
        bearer: Bearer | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._interval_s = interval_s
        self._bearer = bearer
        self._jitter = jitter
        self._not_before = LONG_AGO
        self._lock = threading.Lock()
        self._http = httpx2.Client(
            headers={"user-agent": USER_AGENT},
            timeout=httpx2.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            follow_redirects=False,
            verify=_ssl_context(),
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(
        self,
        url: str,
        parameters: Mapping[str, str],
        *,
        accept: str,
        accepted: frozenset[int] = frozenset(),
    ) -> Response:
        """The response, with status 200 or one in `accepted`.

        Raises TransientSourceError when all attempts failed or the source asks for a longer pause
        than the settings allow, TerminalSourceError when another attempt can't succeed.
        """
        # Encoded here: httpx2 would not encode a % in a value that looks encoded already.
        request = self._request(f"{url}?{urlencode(parameters)}", accept)
        with self._lock:
            return self._with_retries(request, accepted)

    def _request(self, url: str, accept: str) -> httpx2.Request:
        headers = {"accept": accept}
        try:
            address = httpx2.URL(url)
            if self._bearer and address.origin == httpx2.URL(self._bearer.endpoint).origin:
                headers["authorization"] = f"Bearer {self._bearer.token.get_secret_value()}"
            return self._http.build_request("GET", address, headers=headers)
        except httpx2.InvalidURL:
            raise TerminalSourceError(
                f"{url[:MAX_URL_CHARS]} is not a URL. Check the source settings."
            ) from None

    def _with_retries(self, request: httpx2.Request, accepted: frozenset[int]) -> Response:
        """The response of the first successful attempt, of at most `max_attempts`."""
        started_at = self._clock.now()
        failures: list[str] = []
        for attempt in range(1, self._settings.max_attempts + 1):
            self._wait_for_turn(request, failures)
            try:
                return self._attempt(request, accepted)
            except _FailedAttempt as failure:
                failures.append(str(failure))
                self._pause(self._backoff_s(attempt, failure.wait_s))
                _log.info("%s: %s (attempt %d)", shown(request.url), failure, attempt)
            finally:
                self._pause(self._interval_s)
        elapsed_s = (self._clock.now() - started_at).total_seconds()
        is_offline = all(failure.startswith("no connection") for failure in failures)
        check = "Check the network, the proxy and the source's address. " if is_offline else ""
        raise TransientSourceError(
            f"{shown(request.url)} could not be fetched: {_attempts(failures)} in "
            f"{elapsed_s:,.0f} s. {check}The next run continues from here."
        )

    def _backoff_s(self, attempt: int, requested_s: float | None) -> float:
        """The requested pause plus up to a second, or exponential backoff with jitter."""
        if requested_s is not None:
            return requested_s + self._jitter()
        backoff_s = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (attempt - 1))
        return backoff_s * (0.5 + self._jitter() / 2)

    def _pause(self, seconds: float) -> None:
        """Send nothing for this long from now on."""
        seconds = min(seconds, timedelta(days=365).total_seconds())
        self._not_before = max(self._not_before, self._clock.now() + timedelta(seconds=seconds))

    def _wait_for_turn(self, request: httpx2.Request, failures: list[str]) -> None:
        wait_s = (self._not_before - self._clock.now()).total_seconds()
        if wait_s > self._settings.max_wait_s:
            before = f" after {_attempts(failures)}" if failures else ""
            raise TransientSourceError(
                f"{shown(request.url)} was not fetched{before}: {request.url.host} asks for a "
                f"pause of {wait_s:,.0f} s, longer than PAPERTIDE_MAX_WAIT_S "
                f"({self._settings.max_wait_s:g}) allows. The next run continues from here."
            )
        if wait_s > 0:
            if wait_s > MAX_BACKOFF_S:
                _log.warning("%s asks for a pause of %.0f s", request.url.host, wait_s)
            self._clock.sleep(wait_s)

    def _attempt(self, request: httpx2.Request, accepted: frozenset[int]) -> Response:
        """The response of one attempt. Raises _FailedAttempt or TerminalSourceError."""
        try:
            response = self._follow(request)
            try:
                return self._checked(request, response, accepted)
            finally:
                response.close()
        except httpx2.ConnectTimeout:
            raise _FailedAttempt("no connection within the timeout") from None
        except httpx2.TimeoutException:
            raise _FailedAttempt("no response within the timeout") from None
        except httpx2.ConnectError as error:
            if _is_untrusted(error):
                raise TerminalSourceError(
                    f"{shown(request.url)}: the certificate of {request.url.host} is not trusted. "
                    "Check the system clock and the certificates of this machine."
                ) from None
            raise _FailedAttempt("no connection") from None
        except httpx2.DecodingError:
            raise _FailedAttempt("a damaged body") from None
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL):
            # The message of these errors is not shown: it may quote a header with the token.
            raise TerminalSourceError(
                f"{shown(request.url)} can't be requested, or redirects to an address that can't "
                "be. Check the source settings."
            ) from None
        except httpx2.TransportError:
            raise _FailedAttempt("a broken connection") from None

    def _follow(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and follow redirects; httpx2 drops the token for another origin."""
        step = request
        for _ in range(MAX_REDIRECTS + 1):
            response = self._http.send(step, stream=True)
            if response.next_request is None:
                return response
            response.close()  # unread: the size of a redirect's body is not limited
            step = response.next_request
        raise TerminalSourceError(
            f"{shown(request.url)} redirects more than {MAX_REDIRECTS} times. "
            "Check the source settings."
        )

    def _checked(
        self, request: httpx2.Request, response: httpx2.Response, accepted: frozenset[int]
    ) -> Response:
        """The complete response. Raises _FailedAttempt or TerminalSourceError by its status."""
        status = response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        reset_s = seconds_until_reset(headers)
        if reset_s is not None:
            self._pause(reset_s + self._jitter())
        if status in RETRIED or status >= 500:
            raise _FailedAttempt(f"HTTP {status}", retry_after(headers, self._clock.now()))
        if status != 200 and status not in accepted:
            raise TerminalSourceError(_refusal(request, response))
        body = self._read(request, response)
        if not body and status == 200:
            raise _FailedAttempt("an empty body")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Response(shown(request.url), status, body, media_type, self._clock.now())

    def _read(self, request: httpx2.Request, response: httpx2.Response) -> bytes:
        """The decompressed body. Raises TerminalSourceError once it exceeds the size limit."""
        limit = self._settings.max_listing_bytes
        deadline = self._clock.now() + timedelta(seconds=MAX_TRANSFER_S)
        body = bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > limit:
                raise TerminalSourceError(
                    f"{shown(request.url)} returned more than {limit / 1024**2:g} MiB, the limit "
                    "for one listing. To allow it, raise PAPERTIDE_MAX_LISTING_BYTES."
                )
            if self._clock.now() > deadline:
                raise _FailedAttempt(f"a body that took more than {MAX_TRANSFER_S:.0f} s")
        return bytes(body)


@lru_cache(maxsize=1)
def _ssl_context() -> ssl.SSLContext:
    """The certificates that this machine trusts. Cached: loading them is slower than a request."""
    return httpx2.create_ssl_context()


def shown(url: httpx2.URL) -> str:
    """The address for messages and receipts: without user and password, and shortened."""
    return shortened(str(url.copy_with(username=None, password=None)), MAX_URL_CHARS)


def _attempts(failures: list[str]) -> str:
    """`3 attempts (HTTP 503, no connection)`."""
    kinds = ", ".join(dict.fromkeys(failures))
    return f"{len(failures)} attempt{'s' if len(failures) > 1 else ''} ({kinds})"


def _refusal(request: httpx2.Request, response: httpx2.Response) -> str:
    status, host = response.status_code, response.url.host
    redirect = "" if host == request.url.host else f" by {host}, to which it redirects"
    has_token = "authorization" in request.headers
    if status in (401, 403) and has_token:
        advice = "Check HF_TOKEN, or unset it: listings don't need one."
    elif status in (401, 403, 407):
        advice = "Check whether a proxy or firewall blocks the request."
    else:
        advice = "Check the source settings. If they are right, the source has changed its API."
    return f"{shown(request.url)} was refused with HTTP {status}{redirect}. {advice}"


def _is_untrusted(error: BaseException) -> bool:
    """Whether an untrusted certificate caused the error."""
    return any(isinstance(e, ssl.SSLCertVerificationError) for e in exception_chain(error))
