"""Undoes transport compression (gzip, zstd), so that a body is stored the same however it arrived.

Belongs here: streaming decompression that keeps everything before damage. Does not: the archive's
own storage format.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import zstandard

BLOCK_BYTES = 1024**2
# Compressed bytes decompressed at once. Small, so that damage costs little of the data before it,
# and a decompression bomb exceeds the size limit before it exhausts memory.
PIECE_BYTES = 1024
MAGIC_BYTES = 4


class DamagedCompression(Exception):
    """The compressed data can't be read further; the message describes the damage."""


def decompressed(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes in blocks, without gzip or zstd compression if it has one.

    Concatenated members are read as one. Raises DamagedCompression after the last readable block.
    """
    first = stream.read(BLOCK_BYTES)
    compression = _compression(first)
    if compression is None:
        yield from _blocks(stream, first)
        return
    name, new_decoder = compression
    pieces = (
        block[at : at + PIECE_BYTES]
        for block in _blocks(stream, first)
        for at in range(0, len(block), PIECE_BYTES)
    )
    decoder = new_decoder()
    try:
        for piece in pieces:
            if data := decoder.decompress(piece):
                yield data
            while decoder.eof:
                rest = decoder.unused_data
                while len(rest) < MAGIC_BYTES and (more := next(pieces, b"")):
                    rest += more
                if not rest:
                    return
                if _compression(rest) is None:
                    raise DamagedCompression(f"bytes after the end of the {name} data were ignored")
                decoder = new_decoder()
                if data := decoder.decompress(rest):
                    yield data
    except (zlib.error, zstandard.ZstdError):
        raise DamagedCompression(f"the {name} data is damaged") from None
    raise DamagedCompression(f"the {name} data is truncated")


def _blocks(stream: BinaryIO, first: bytes) -> Iterator[bytes]:
    while first:
        yield first
        first = stream.read(BLOCK_BYTES)


def _compression(block: bytes) -> tuple[str, Callable[[], Any]] | None:
    """Name and decoder of the compression that the first bytes identify; None for plain data."""
    if block[:2] == b"\x1f\x8b":
        return "gzip", lambda: zlib.decompressobj(31)
    if block[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd", lambda: zstandard.ZstdDecompressor().decompressobj()
    return None
