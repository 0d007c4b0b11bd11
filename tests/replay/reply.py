"""A response before it is sent, with the faults to apply while sending."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A response. `stall_s`: delay before it. `cut_at`: bytes sent before the connection closes."""

    body: bytes
    content_type: str = "application/json; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stall_s: float = 0
    cut_at: int | None = None


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(), status=status)
