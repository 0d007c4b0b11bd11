"""The one HTTP client: it asks politely, tries again when that can help, and gives up clearly.

Belongs here: timeouts, the limit of size, retries, pauses, redirects, the token. Does not: which
addresses to ask and what their answers mean (one module a source).

A client asks one thing at a time, on one connection, also when threads share it. Whatever asks
for a pause (the interval of a source, a retry, a rate limit) only moves the moment before which
nothing is sent, so pauses never add up.
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

from pipelines.settings import Settings
from pipelines.sources.errors import TerminalSourceError, TransientSourceError
from pipelines.sources.http.clock import Clock, SystemClock
from pipelines.sources.http.closing import Closing
from pipelines.sources.http.rate_limits import retry_after, seconds_until_reset

USER_AGENT = f"papertide/{version('papertide')}"
FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 60.0
# A body that drips in byte by byte never meets the read timeout.
MAX_TRANSFER_S = 900.0
MAX_REDIRECTS = 5
SHOWN_URL_CHARS = 300
RETRIED = frozenset({408, 425, 429})  # besides all of 5xx
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A complete answer. `url` is the address as asked, without secrets."""

    url: str
    status: int
    body: bytes
    content_type: str
    fetched_at: datetime


@dataclass(frozen=True)
class Bearer:
    """A token and the one place that may see it."""

    token: SecretStr
    endpoint: str


class _Hiccup(Exception):
    """An attempt that failed in a way that another one may not; perhaps with a wish to wait."""

    def __init__(self, what: str, wait_s: float | None = None) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class HttpClient(Closing):
    """Fetches addresses. Use it as a context manager, or close it."""

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
        self._one_at_a_time = threading.Lock()
        self._http = httpx2.Client(
            headers={"user-agent": USER_AGENT},
            timeout=httpx2.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            follow_redirects=False,
            verify=_trusted(),
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
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        """The answer with status 200, or another one that the caller named in `also`.

        Raises TransientSourceError when all attempts failed or the source asks for a longer pause
        than settings allow, TerminalSourceError for what no repetition can mend.
        """
        # Quoted here: httpx2 takes a % in a value that looks quoted for one that is.
        request = self._request(f"{url}?{urlencode(parameters)}", accept)
        with self._one_at_a_time:
            return self._persist(request, also)

    def _request(self, url: str, accept: str) -> httpx2.Request:
        headers = {"accept": accept}
        try:
            address = httpx2.URL(url)
            if self._bearer and address.origin == httpx2.URL(self._bearer.endpoint).origin:
                headers["authorization"] = f"Bearer {self._bearer.token.get_secret_value()}"
            return self._http.build_request("GET", address, headers=headers)
        except httpx2.InvalidURL:
            raise TerminalSourceError(
                f"{url[:SHOWN_URL_CHARS]} is not an address. Check the settings of the sources."
            ) from None

    def _persist(self, request: httpx2.Request, also: frozenset[int]) -> Answer:
        """Try until it works, up to the number of attempts."""
        began = self._clock.now()
        failures: list[str] = []
        for attempt in range(1, self._settings.max_attempts + 1):
            self._wait_for_turn(request, failures)
            try:
                return self._once(request, also)
            except _Hiccup as hiccup:
                failures.append(str(hiccup))
                self._hold(self._pause_s(attempt, hiccup.wait_s))
                _log.info("%s: %s (attempt %d)", shown(request.url), hiccup, attempt)
            finally:
                self._hold(self._interval_s)
        spent_s = (self._clock.now() - began).total_seconds()
        is_cut_off = all(failure.startswith("no connection") for failure in failures)
        check = "Check the network, its proxy, and the source's address. " if is_cut_off else ""
        raise TransientSourceError(
            f"{shown(request.url)} could not be fetched: {self._tried(failures)} in "
            f"{spent_s:,.0f} s. {check}Nothing is lost: the next run goes on from here."
        )

    @staticmethod
    def _tried(failures: list[str]) -> str:
        kinds = ", ".join(dict.fromkeys(failures))
        return f"{len(failures)} attempt{'s' if len(failures) > 1 else ''} ({kinds})"

    def _pause_s(self, attempt: int, wished_s: float | None) -> float:
        """What the server asked for and up to a second more; else twice as long each time."""
        if wished_s is not None:
            return wished_s + self._jitter()
        backoff_s = min(MAX_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (attempt - 1))
        return backoff_s * (0.5 + self._jitter() / 2)

    def _hold(self, seconds: float) -> None:
        """Send nothing for that long from now on."""
        seconds = min(seconds, timedelta(days=365).total_seconds())
        self._not_before = max(self._not_before, self._clock.now() + timedelta(seconds=seconds))

    def _wait_for_turn(self, request: httpx2.Request, failures: list[str]) -> None:
        wait_s = (self._not_before - self._clock.now()).total_seconds()
        if wait_s > self._settings.max_wait_s:
            before = f" after {self._tried(failures)}" if failures else ""
            raise TransientSourceError(
                f"{shown(request.url)} was not fetched{before}: {request.url.host} asks for a "
                f"pause of {wait_s:,.0f} s, longer than PAPERTIDE_MAX_WAIT_S "
                f"({self._settings.max_wait_s:g}) allows. Nothing is lost: the next run goes on "
                "from here."
            )
        if wait_s > 0:
            if wait_s > MAX_BACKOFF_S:
                _log.warning("%s asks for a pause of %.0f s", request.url.host, wait_s)
            self._clock.sleep(wait_s)

    def _once(self, request: httpx2.Request, also: frozenset[int]) -> Answer:
        """One attempt. Raises _Hiccup or TerminalSourceError."""
        try:
            response = self._follow(request)
            try:
                return self._answer(request, response, also)
            finally:
                response.close()
        except httpx2.ConnectTimeout:
            raise _Hiccup("no connection in time") from None
        except httpx2.TimeoutException:
            raise _Hiccup("no answer in time") from None
        except httpx2.ConnectError as error:
            if _is_untrusted(error):
                raise TerminalSourceError(
                    f"{shown(request.url)}: the certificate of {request.url.host} is not trusted. "
                    "Check the machine's clock and its certificates."
                ) from None
            raise _Hiccup("no connection") from None
        except httpx2.DecodingError:
            raise _Hiccup("a damaged body") from None
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL):
            # Their texts may quote a header, and with it the token.
            raise TerminalSourceError(
                f"{shown(request.url)} can't be asked for, or leads to an address that can't. "
                "Check the settings of the sources."
            ) from None
        except httpx2.TransportError:
            raise _Hiccup("a broken connection") from None

    def _follow(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, and go where redirects lead; httpx2 drops the token when the origin changes."""
        step = request
        for _ in range(MAX_REDIRECTS + 1):
            response = self._http.send(step, stream=True)
            if response.next_request is None:
                return response
            response.close()  # unread: the body of a redirect has no limit of size
            step = response.next_request
        raise TerminalSourceError(
            f"{shown(request.url)} redirects more than {MAX_REDIRECTS} times. "
            "Check the settings of the sources."
        )

    def _answer(
        self, request: httpx2.Request, response: httpx2.Response, also: frozenset[int]
    ) -> Answer:
        status = response.status_code
        headers = {name.lower(): value for name, value in response.headers.items()}
        reset_s = seconds_until_reset(headers)
        if reset_s is not None:
            self._hold(reset_s + self._jitter())
        if status in RETRIED or status >= 500:
            raise _Hiccup(f"HTTP {status}", retry_after(headers, self._clock.now()))
        if status != 200 and status not in also:
            raise TerminalSourceError(_refusal(request, response))
        body = self._read(request, response)
        if not body and status == 200:
            raise _Hiccup("an empty body")
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(shown(request.url), status, body, media_type, self._clock.now())

    def _read(self, request: httpx2.Request, response: httpx2.Response) -> bytes:
        """The body, decompressed. Raises TerminalSourceError as soon as it is too large."""
        limit = self._settings.max_listing_bytes
        late = self._clock.now() + timedelta(seconds=MAX_TRANSFER_S)
        body = bytearray()
        for block in response.iter_bytes():
            body += block
            if len(body) > limit:
                raise TerminalSourceError(
                    f"{shown(request.url)} sends more than {limit / 1024**2:g} MiB, more than any "
                    "listing needs: it was not taken. If it is one, raise "
                    "PAPERTIDE_MAX_LISTING_BYTES."
                )
            if self._clock.now() > late:
                raise _Hiccup("a body that does not end")
        return bytes(body)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The certificates that the machine trusts; reading them costs more than a request."""
    return httpx2.create_ssl_context()


def shown(url: httpx2.URL) -> str:
    """The address for people and receipts: without user and password, and not endless."""
    text = str(url.copy_with(username=None, password=None))
    return text if len(text) <= SHOWN_URL_CHARS else f"{text[:SHOWN_URL_CHARS]}…"


def _refusal(request: httpx2.Request, response: httpx2.Response) -> str:
    status, host = response.status_code, response.url.host
    led = "" if host == request.url.host else f", by {host}, where it redirects"
    with_token = "authorization" in request.headers
    if status in (401, 403) and with_token:
        advice = "Check HF_TOKEN, or unset it: listings need none."
    elif status in (401, 403, 407):
        advice = "Check whether a proxy or a block stands between."
    else:
        advice = "Check the settings of the sources; if they are right, the source has changed."
    return f"{shown(request.url)} was refused with HTTP {status}{led}. {advice}"


def _is_untrusted(error: BaseException) -> bool:
    """Whether a certificate was the cause, at any depth."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
