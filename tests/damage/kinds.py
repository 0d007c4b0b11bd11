"""Kinds of damage to a body, each a function of its bytes and a source of chance.

Damage that makes another well-formed body can't be found by any reader, and is not generated: a
letter changed in a word, a value replaced by a similar one, two values of a kind exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MAX_LINES = 3
JUNK = (
    "Sep 11", "https://example.org/list", "Microsoft", "<div class='x'>", "5 authors", "[]",
    "{'name': 'nobody'}", "Subscribe", "2025-10-03", "Content-Type: text/html", "---", "None",
    "NaN", "}", "]", "\x0b", "## Daily Papers", "12,345", "• 3 authors", "·",
)  # fmt: skip

Damage = Callable[[bytes, Random], bytes]


def swapped(body: bytes, chance: Random) -> bytes:
    """Two adjacent lines exchanged."""
    lines = body.split(b"\n")
    if len(lines) > 1:
        at = chance.randrange(len(lines) - 1)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return b"\n".join(lines)


def missing(body: bytes, chance: Random) -> bytes:
    """One to three adjacent lines gone."""
    lines = body.split(b"\n")
    at = chance.randrange(len(lines))
    del lines[at : at + chance.randint(1, MAX_LINES)]
    return b"\n".join(lines)


def extra(body: bytes, chance: Random) -> bytes:
    """A line repeated, or a line that belongs elsewhere."""
    lines = body.split(b"\n")
    at = chance.randrange(len(lines))
    added = lines[at] if chance.random() < 0.3 else chance.choice(JUNK).encode()
    lines.insert(at, added)
    return b"\n".join(lines)


def truncated(body: bytes, chance: Random) -> bytes:
    """The end gone, anywhere."""
    return body[: chance.randrange(len(body))]


def beheaded(body: bytes, chance: Random) -> bytes:
    """The first lines gone."""
    lines = body.split(b"\n")
    return b"\n".join(lines[chance.randrange(len(lines)) :])


def mojibake(body: bytes, chance: Random) -> bytes:
    """UTF-8 read in a Western encoding, once or twice."""
    text = body
    for _ in range(chance.randint(1, 2)):
        text = text.decode(chance.choice(("cp1252", "latin-1")), "replace").encode()
    return text


def torn(body: bytes, chance: Random) -> bytes:
    """The first byte of some characters beyond ASCII gone."""
    places = [at for at, byte in enumerate(body) if byte >= 0xC0]
    gone = set(chance.sample(places, min(len(places), 3)))
    return bytes(byte for at, byte in enumerate(body) if at not in gone)


def noisy(body: bytes, chance: Random) -> bytes:
    """A run of random bytes put in, none of which is a character."""
    at = chance.randrange(len(body) + 1)
    noise = bytes(byte | 0x80 for byte in chance.randbytes(chance.randint(2, 40)))
    return body[:at] + b"\xff" + noise + body[at:]


KINDS: tuple[Damage, ...] = (
    swapped, missing, extra, truncated, beheaded, mojibake, torn, noisy,
)  # fmt: skip
OF_BYTES = (mojibake, torn, noisy)  # at most one of them, so that its traces stay


def mixed(body: bytes, other: bytes, chance: Random) -> bytes:
    """The first lines of one body and the last lines of another form."""
    lines, others = body.split(b"\n"), other.split(b"\n")
    kept = lines[: chance.randrange(len(lines)) + 1]
    return b"\n".join([*kept, *others[chance.randrange(len(others)) :]])
