"""An answer before it is sent, and how it is to be sent badly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """Status, body, headers. `stall_s`: silence first. `cut_at`: bytes sent before hanging up."""

    body: bytes
    content_type: str = "application/json; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stall_s: float = 0
    cut_at: int | None = None


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(value, ensure_ascii=False).encode(), status=status)
