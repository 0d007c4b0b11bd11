"""Scripted faults: which requests fail, and how.

A file of rules (`--faults`) is a list of objects with the fields of `Rule`:

    [{"path": "/api/daily_papers", "query": {"date": "2025-06-02"}, "times": 3,
      "action": "status", "options": {"status": 429, "retry_after": "7"}}]
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from tests.replay.reply import Reply

Action = Callable[..., Reply]


@dataclass(frozen=True)
class Rule:
    """Applies `action` to requests whose path starts with `path` and whose query has `query`.

    The first `skip` such requests are not affected, and at most `times` of the others are (None:
    all).
    """

    action: str
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int | None = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.action != "drop_parameter" and self.action not in ACTIONS:
            known = ", ".join(["drop_parameter", *ACTIONS])
            raise ValueError(f"{self.action} is not an action; choose one of {known}")

    def matches(self, path: str, query: Mapping[str, str]) -> bool:
        return path.startswith(self.path) and all(
            query.get(name) == value for name, value in self.query.items()
        )


class Script:
    """The rules, and how many requests each has matched."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = list(rules)
        self._n_matched = [0] * len(rules)
        self._lock = threading.Lock()

    def add(self, *rules: Rule) -> None:
        with self._lock:
            self._rules += rules
            self._n_matched += [0] * len(rules)

    def due(self, path: str, query: Mapping[str, str]) -> list[Rule]:
        """The rules that apply to this request."""
        due = []
        with self._lock:
            for position, rule in enumerate(self._rules):
                if rule.matches(path, query):
                    n = self._n_matched[position]
                    self._n_matched[position] += 1
                    if n >= rule.skip and (rule.times is None or n < rule.skip + rule.times):
                        due.append(rule)
        return due


def read_rules(path: Path) -> list[Rule]:
    """The rules of a JSON file. Raises ValueError or TypeError for an invalid one."""
    return [Rule(**rule) for rule in json.loads(path.read_text(encoding="utf-8"))]


def apply(rules: list[Rule], reply: Reply, now: datetime) -> Reply:
    for rule in rules:
        if rule.action != "drop_parameter":
            reply = ACTIONS[rule.action](reply, now, **rule.options)
    return reply


def _status(reply: Reply, now: datetime, status: int = 500, retry_after: str = "") -> Reply:
    """`retry_after`: seconds, `date:SECONDS` for an HTTP date that far ahead, or any text."""
    headers = {}
    if retry_after.startswith("date:"):
        then = now + timedelta(seconds=float(retry_after.removeprefix("date:")))
        headers["Retry-After"] = format_datetime(then, usegmt=True)
    elif retry_after:
        headers["Retry-After"] = retry_after
    return Reply(b'{"error":"injected by a test"}', status=status, headers=headers)


def _slow(reply: Reply, now: datetime, seconds: float = 1) -> Reply:
    return replace(reply, stall_s=seconds)


def _cut(reply: Reply, now: datetime, share: float = 0.5) -> Reply:
    return replace(reply, cut_at=int(len(reply.body) * share))


def _html(reply: Reply, now: datetime, status: int = 200) -> Reply:
    page = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
    return Reply(page, "text/html; charset=utf-8", status)


def _truncate(reply: Reply, now: datetime, share: float = 0.5) -> Reply:
    return replace(reply, body=reply.body[: int(len(reply.body) * share)])


def _schema(
    reply: Reply,
    now: datetime,
    rename: Mapping[str, str] | None = None,
    add: Mapping[str, Any] | None = None,
) -> Reply:
    """Rename and add keys of each item and of its paper."""

    def changed(value: dict[str, Any]) -> dict[str, Any]:
        renamed = {(rename or {}).get(key, key): inner for key, inner in value.items()}
        return {**renamed, **(add or {})}

    items = [changed({**item, "paper": changed(item["paper"])}) for item in json.loads(reply.body)]
    return replace(reply, body=json.dumps(items).encode())


def _empty(reply: Reply, now: datetime) -> Reply:
    return replace(reply, body=b"")


def _body(reply: Reply, now: datetime, text: str = "") -> Reply:
    return replace(reply, body=text.encode())


def _redirect(reply: Reply, now: datetime, to: str = "/", status: int = 302) -> Reply:
    return Reply(b"moved", "text/plain", status, {"Location": to})


def _oversize(reply: Reply, now: datetime, n_bytes: int = 1024**2) -> Reply:
    return replace(reply, body=b'["' + b"x" * n_bytes + b'"]')


def _gzip(reply: Reply, now: datetime, damage: bool = False) -> Reply:
    packed = gzip.compress(reply.body)
    packed = packed[:15] + b"\xff" * 8 + packed[23:] if damage else packed
    return replace(reply, body=packed, headers={**reply.headers, "Content-Encoding": "gzip"})


def _headers(reply: Reply, now: datetime, **headers: str) -> Reply:
    return replace(reply, headers={**reply.headers, **headers})


def _content_type(reply: Reply, now: datetime, value: str = "text/plain") -> Reply:
    return replace(reply, content_type=value)


ACTIONS: dict[str, Action] = {
    "status": _status,
    "slow": _slow,
    "cut": _cut,
    "html": _html,
    "truncate": _truncate,
    "schema": _schema,
    "empty": _empty,
    "body": _body,
    "redirect": _redirect,
    "oversize": _oversize,
    "gzip": _gzip,
    "headers": _headers,
    "content_type": _content_type,
}
