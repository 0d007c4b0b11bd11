"""The encoding of a body: UTF-16 and UTF-32 become UTF-8, and byte order marks are dropped.

Belongs here: recognising an encoding by its first bytes, and a stream that recodes. Does not belong
here: bytes that are not valid in the encoding, which parsers report.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import Any, BinaryIO

UTF8_MARK = codecs.BOM_UTF8
# A mark of UTF-32 begins with one of UTF-16, so it is tried first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 512
_MIN_SAMPLE_BYTES = 8
_MIN_NUL_SHARE = 0.8  # of one byte of each pair, in UTF-16 text that is mostly English
_BLOCK_BYTES = 1024**2
_DECLARED = re.compile(rb"""^(\s*<\?xml[^>]{0,100}?)\s+encoding\s*=\s*["'][^"'>]{0,40}["']""")


def encoding_of(start: bytes) -> str | None:
    """`utf-16-le`, `utf-16-be`, `utf-32-le` or `utf-32-be`; None for any other encoding.

    Without a byte order mark, UTF-16 is recognised by the zero bytes of its ASCII characters.
    """
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    sample = start[:_SAMPLE_BYTES]
    n_pairs = len(sample) // 2
    if len(sample) < _MIN_SAMPLE_BYTES:
        return None
    n_even, n_odd = sample[0::2].count(0), sample[1::2].count(0)
    if not n_even and n_odd >= _MIN_NUL_SHARE * n_pairs:
        return "utf-16-le"
    if not n_odd and n_even >= _MIN_NUL_SHARE * n_pairs:
        return "utf-16-be"
    return None


def as_utf8(start: bytes) -> bytes:
    """The start of a body in UTF-8 without byte order marks; a cut last character is dropped."""
    encoding = encoding_of(start)
    if encoding is None:
        return _without_marks(start)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    return _without_declaration(_without_marks(text.encode("utf-8", "replace")))


def utf8_stream(body: BinaryIO) -> tuple[BinaryIO, str | None]:
    """The body as a stream of UTF-8 without byte order marks, and its encoding if that differs.

    Bytes of any encoding that `encoding_of` does not know pass unchanged.
    """
    start = body.read(_BLOCK_BYTES)
    encoding = encoding_of(start)
    recoder = _Recoded(body, start, encoding)
    return io.BufferedReader(recoder, _BLOCK_BYTES), encoding


def _without_marks(start: bytes) -> bytes:
    while start.startswith(UTF8_MARK):  # joined files can have several
        start = start[len(UTF8_MARK) :]
    return start


def _without_declaration(start: bytes) -> bytes:
    """XML without the name of the encoding that it no longer has."""
    return _DECLARED.sub(rb"\1", start, count=1)


class _Recoded(io.RawIOBase):
    """A body read as UTF-8."""

    def __init__(self, body: BinaryIO, start: bytes, encoding: str | None) -> None:
        self._body = body
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        first = self._utf8(start, is_last=not start)
        if encoding:
            first = _without_declaration(_without_marks(first))
        self._ready = memoryview(_without_marks(first))
        self._is_over = not start

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._is_over:
            block = self._body.read(_BLOCK_BYTES)
            self._is_over = not block
            self._ready = memoryview(self._utf8(block, is_last=not block))
        n = min(len(buffer), len(self._ready))
        buffer[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        return n

    def _utf8(self, block: bytes, *, is_last: bool) -> bytes:
        if self._decoder is None:
            return block
        return self._decoder.decode(block, is_last).encode("utf-8", "replace")
