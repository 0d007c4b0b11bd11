"""Undoes compression (gzip, zstd, bzip2, xz): a body is stored the same however it arrives.

Belongs here: streaming decompression that keeps everything before damage. Does not: zip files,
which hold files (`zips`), or the archive's own storage format.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import zstandard

BLOCK_BYTES = 1024**2
# Compressed bytes decompressed at once. Small, so that damage costs little of the data before it,
# and a decompression bomb exceeds the size limit before it exhausts memory.
PIECE_BYTES = 1024
MAGIC_BYTES = 10
MAX_XZ_MEMORY = 256 * 1024**2  # xz -9 needs 65 MiB
_BZIP2_BLOCKS = (
    b"1AY&SY",
    b"\x17\x72\x45\x38\x50\x90",
)  # of a stream with data, and of an empty one


class DamagedCompression(Exception):
    """The compressed data can't be read further; the message describes the damage."""


def decompressed(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's bytes in blocks, without its compression if it has one.

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
    for piece in pieces:
        yield from _outputs(name, decoder, piece)
        while decoder.eof:
            rest = decoder.unused_data
            while len(rest) < MAGIC_BYTES and (more := next(pieces, b"")):
                rest += more
            if not rest.strip(b"\0"):  # xz pads its streams
                return
            if _compression(rest) is None:
                raise DamagedCompression(f"bytes after the end of the {name} data were ignored")
            decoder = new_decoder()
            yield from _outputs(name, decoder, rest)
    raise DamagedCompression(f"the {name} data is truncated")


def _outputs(name: str, decoder: Any, data: bytes) -> Iterator[bytes]:
    """What the decoder returns for the data, in blocks whose size the decoder can bound."""
    is_bounded = isinstance(decoder, bz2.BZ2Decompressor | lzma.LZMADecompressor)
    limit = (BLOCK_BYTES,) if is_bounded else ()
    try:
        out = decoder.decompress(data, *limit)
        while True:
            if out:
                yield out
            if not is_bounded or decoder.eof or decoder.needs_input:
                return
            out = decoder.decompress(b"", *limit)
    except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError, ValueError):
        raise DamagedCompression(f"the {name} data is damaged") from None


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
    if block[:3] == b"BZh" and block[4:10] in _BZIP2_BLOCKS:
        return "bzip2", bz2.BZ2Decompressor
    if block[:6] == b"\xfd7zXZ\0":
        return "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY)
    return None
