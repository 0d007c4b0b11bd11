"""The start of a capture, from which its format is detected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

HEAD_BYTES = 1024**2
_TEXT_BYTES = 8192
_OPENING_BYTES = 4096
_LINES = 50
# A listing's title may open with a bracket too: "[Re] …".
_JSON_ARRAY = re.compile(rb'\[\s*(?:[\[\]{"\da-zN-]|$)')
_JSON_SCALAR = re.compile(rb'(?:[-\d.eE+]+|true|false|null|"[^"]*")\s*')
_MAX_SCALAR_BYTES = 64


def is_binary(body: bytes) -> bool:
    """Whether the first 8 KiB contain a NUL byte."""
    return b"\0" in body[:_TEXT_BYTES]


@dataclass(frozen=True)
class Head:
    """At most 1 MiB of a body, without its byte order mark and leading white space."""

    start: bytes
    is_full: bool
    """Whether the body fills the head, so that its last line may be cut."""

    @classmethod
    def of(cls, body: bytes, *, is_full: bool | None = None) -> Head:
        """The head of a body, given as a whole or by its first MiB, or as `is_full` says."""
        start = body[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
        return cls(start, len(body) >= HEAD_BYTES if is_full is None else is_full)

    @property
    def is_markup(self) -> bool:
        """Whether it opens like XML or HTML."""
        return self.start[:1] == b"<"

    @cached_property
    def opening(self) -> bytes:
        """The first 4 KiB in lower case."""
        return self.start[:_OPENING_BYTES].lower()

    @property
    def is_json_object(self) -> bool:
        """Whether it opens like a JSON object."""
        return self.start[:1] == b"{"

    @cached_property
    def is_json_value(self) -> bool:
        """Whether it opens like a JSON array or is a single JSON value."""
        is_scalar = len(self.start) <= _MAX_SCALAR_BYTES and _JSON_SCALAR.fullmatch(self.start)
        return bool(is_scalar or _JSON_ARRAY.match(self.start))

    @cached_property
    def lines(self) -> list[bytes]:
        """The first 50 lines; none if the head is a single cut line."""
        lines = self.start.split(b"\n", _LINES)[:_LINES]
        return [] if len(lines) == 1 and self.is_full else lines
