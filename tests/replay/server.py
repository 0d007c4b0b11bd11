"""The server: routes, rate limit, faults, and a record of every request."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import parse_qsl, urlsplit

from tests.replay import atom, daily
from tests.replay.clock import ShiftedClock
from tests.replay.faults import Rule, Script, apply
from tests.replay.listings import InlineListings, Listings
from tests.replay.oai import Oai
from tests.replay.papers import ArxivPapers
from tests.replay.reply import Reply, json_reply


class Clock(Protocol):
    def now(self) -> datetime: ...


@dataclass(frozen=True)
class Limit:
    """At most `requests` per `window_s` seconds, in fixed windows as on Hugging Face."""

    requests: int = 500
    window_s: int = 300


@dataclass(frozen=True)
class Seen:
    """A received request, the number of requests in progress, and the status of its response."""

    at: datetime
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    n_under_way: int
    status: int


class ReplayServer:
    """Serves on loopback during its `with` block. `port` 0 selects a free one."""

    def __init__(
        self,
        listings: Listings | None = None,
        papers: ArxivPapers | None = None,
        *,
        clock: Clock | None = None,
        rules: Iterable[Rule] = (),
        limit: Limit | None = None,
        page_records: int = 1_000,
        port: int = 0,
    ) -> None:
        self.clock = clock or ShiftedClock()
        self.seen: list[Seen] = []
        self._listings = listings or InlineListings({})
        self._papers = papers or ArxivPapers()
        self._script = Script(list(rules))
        self._limit = limit
        self._window: tuple[int, int] = (-1, 0)
        self._lock = threading.Lock()
        self._n_under_way = 0
        self._http = _Server(("127.0.0.1", port), _Handler)
        self._http.replay = self
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._oai = Oai(self._papers, f"{self.url}/oai", page_records)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def serve(self) -> None:
        """Serve in this thread, until Ctrl-C."""
        with self._http:
            self._http.serve_forever()

    def add(self, *rules: Rule) -> None:
        """Add faults while the server runs."""
        self._script.add(*rules)

    def asked(self, path: str = "/", **query: str) -> list[Seen]:
        """Requests whose path starts with `path` and whose query has these parameters."""
        return [
            seen
            for seen in self.seen
            if seen.path.startswith(path) and query.items() <= seen.query.items()
        ]

    def reply(self, target: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        now = self.clock.now()
        with self._lock:
            self._n_under_way += 1
            under_way = self._n_under_way
        rules = self._script.due(parts.path, query)
        reply = apply(rules, self._limited(parts.path, _without(query, rules), now), now)
        with self._lock:
            self.seen.append(Seen(now, parts.path, query, headers, under_way, reply.status))
        return reply

    def done(self) -> None:
        """Note that a request is no longer in progress."""
        with self._lock:
            self._n_under_way -= 1

    def _limited(self, path: str, query: dict[str, str], now: datetime) -> Reply:
        if self._limit is None:
            return self._route(path, query, now)
        moment = int(now.timestamp())
        with self._lock:
            window = moment // self._limit.window_s
            n = self._window[1] + 1 if self._window[0] == window else 1
            self._window = (window, n)
        left = max(0, self._limit.requests - n)
        reset_s = (window + 1) * self._limit.window_s - moment
        refused = n > self._limit.requests
        reply = json_reply({"error": "rate limit"}, 429) if refused else None
        reply = reply or self._route(path, query, now)
        reply.headers["RateLimit"] = f'"api";r={left};t={reset_s}'
        policy = f'"fixed window";"api";q={self._limit.requests};w={self._limit.window_s}'
        reply.headers["RateLimit-Policy"] = policy
        return reply

    def _route(self, path: str, query: dict[str, str], now: datetime) -> Reply:
        match path:
            case "/api/daily_papers":
                return daily.answer(query, self._listings, now)
            case "/oai":
                return self._oai.answer(query, now)
            case "/arxiv/api/query":
                return atom.answer(query, self._papers, now)
        return json_reply({"error": f"there is no {path}"}, 404)


def _without(query: dict[str, str], rules: list[Rule]) -> dict[str, str]:
    dropped = {rule.options["name"] for rule in rules if rule.action == "drop_parameter"}
    return {name: value for name, value in query.items() if name not in dropped}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    replay: ReplayServer

    def server_bind(self) -> None:
        """Bind without the host name look-up of HTTPServer."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that close the connection; report other errors."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits until the headers are acknowledged
    server: _Server

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.replay.reply(self.path, headers))

    def _send(self, reply: Reply) -> None:
        if reply.stall_s:
            time.sleep(reply.stall_s)
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        # Before the last byte is sent, since the client may send its next request right after it.
        self.server.replay.done()
        self.end_headers()
        self.wfile.write(reply.body[: reply.cut_at])
        self.wfile.flush()
        if reply.cut_at is not None:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        if timestamp is None:  # the Date header has the server's virtual time
            timestamp = self.server.replay.clock.now().timestamp()
        return super().date_time_string(timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Requests are recorded, not printed."""
