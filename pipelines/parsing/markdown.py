"""Markdown → lines of text and links, as clippers and readers write them.

Links may span lines, hold images, or name their address elsewhere in the text (`[text][12]`). Some
readers write an address on a line of its own below its text. Belongs here: the form of Markdown.
Does not belong here: what a line means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.parsing.clean import one_line

_TOKEN = re.compile(r"\\[^A-Za-z0-9\s]|\\(?=\s)|!?\[|\]|\n|[^\[\]\\\n!]+|.", re.DOTALL)
_TARGET = re.compile(r"\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+\"[^\"\n]*\")?\s*\)")
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,60})\]")
_DEFINITION = re.compile(r"^\s*\[([^\[\]\n]{1,60})\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*([0-9]{1,5})\.\s+(https?://\S+)\s*$", re.MULTILINE)
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+")
_BULLET = re.compile(r"^\s*[-*+]\s+(?=\S)")
_ADDRESS_LINE = re.compile(r"^\s*<?(https?://\S+?)>?\s*$")
_ALT = re.compile(r"^(?:\[[^\[\]]*\]\s*)+(?=\S)")
_EMPHASIS = re.compile(r"^(\*{1,3}|_{1,3})(?=\S)(.*\S)\1$")
_MAX_DEPTH = 50


@dataclass(frozen=True)
class Piece:
    """Text within a line, with the address that it links to; None for plain text.

    A link whose address the text lacks has the address "".
    """

    text: str
    address: str | None = None

    @property
    def name(self) -> str:
        """The text without the description of a picture in front of it."""
        return _ALT.sub("", self.text)


@dataclass(frozen=True)
class MarkdownLine:
    """A line that is not blank: its number from 1, the level of a heading or 0, its pieces."""

    number: int
    level: int
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """All text of the line."""
        return one_line(" ".join(piece.name for piece in self.pieces if piece.name))


def read(text: str, *, address_lines: bool = False) -> list[MarkdownLine]:
    """The lines of a text. With `address_lines`, an address alone links the line above it."""
    targets = dict(_NUMBERED.findall(text)) | dict(_DEFINITION.findall(text))
    lines = [line for line in map(_line, _split_lines(_pieces(text, targets))) if line is not None]
    return _with_addresses(lines) if address_lines else lines


def bare_addresses(text: str) -> list[str]:
    """The addresses that have a line of their own."""
    found = map(_ADDRESS_LINE.match, text.split("\n"))
    return [match.group(1) for match in found if match]


def _pieces(text: str, targets: dict[str, str]) -> Iterator[str | Piece]:
    """Texts, line ends and links in order. Unbalanced brackets stay text."""
    stack: list[list[str | Piece]] = [[]]
    openings: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        mark = found.group() if found else text[at]
        at += len(mark)
        if mark in ("[", "![") and len(stack) < _MAX_DEPTH:
            stack.append([])
            openings.append(mark)
        elif mark == "]" and openings:
            target = _TARGET.match(text, at) or _REFERENCE.match(text, at)
            inner, opening = stack.pop(), openings.pop()
            if target is None:
                stack[-1] += [opening, *inner, "]"]
            else:
                at = target.end()
                value = target.group(1)
                is_direct = target.group().startswith("(")
                address = value if is_direct else targets.get(value, "")
                n_ends = sum(part.count("\n") for part in inner if isinstance(part, str))
                if opening == "[":
                    stack[-1].append(Piece(_label(inner), address))
                stack[-1] += ["\r" * n_ends]  # keeps the numbers of lines
        elif mark[0] == "\\":
            stack[-1].append(mark[1:] if len(mark) > 1 else " ")
        else:
            stack[-1].append(mark)
    while openings:
        inner, opening = stack.pop(), openings.pop()
        stack[-1] += [opening, *inner]
    yield from stack[0]


def _label(inner: Sequence[str | Piece]) -> str:
    text = "".join(part.text if isinstance(part, Piece) else part for part in inner)
    return _plain(_BULLET.sub("", text.strip()))


def _plain(text: str) -> str:
    """The text on one line without emphasis around it."""
    value = one_line(text)
    found = _EMPHASIS.match(value)
    return found.group(2) if found else value


def _split_lines(parts: Iterator[str | Piece]) -> Iterator[tuple[int, list[str | Piece]]]:
    """The number and the parts of each line."""
    number, start, line = 1, 1, list[str | Piece]()
    for part in parts:
        if isinstance(part, Piece):
            line.append(part)
            continue
        if part == "\n":
            yield start, line
            number += 1
            start, line = number, []
        else:
            number += part.count("\r")
            line.append(part.replace("\r", ""))
    yield start, line


def _line(numbered: tuple[int, list[str | Piece]]) -> MarkdownLine | None:
    number, parts = numbered
    pieces: list[Piece] = []
    text = ""
    level = 0
    first = parts[0] if parts and isinstance(parts[0], str) else ""
    if found := _HEADING.match("".join(p for p in parts if isinstance(p, str)) + "x"):
        level = len(found.group(1)) if first.lstrip().startswith("#") else 0
    for part in (*parts, Piece("")):
        if isinstance(part, str):
            text += part
            continue
        bare = _HEADING.sub("", text + "x")[:-1] if level and not pieces else text
        if plain := _plain(bare):
            pieces.append(Piece(plain))
        text = ""
        if part.address is not None:
            pieces.append(part)
    return MarkdownLine(number, level, tuple(pieces)) if pieces else None


def _with_addresses(lines: Sequence[MarkdownLine]) -> list[MarkdownLine]:
    """The lines with each address that stands alone joined to the plain line above it."""
    joined: list[MarkdownLine] = []
    for line in lines:
        first = line.pieces[0]
        found = _ADDRESS_LINE.match(first.text) if len(line.pieces) == 1 else None
        if found is None or first.address is not None:
            joined.append(line)
            continue
        above = joined[-1] if joined else None
        if above is not None and all(piece.address is None for piece in above.pieces):
            piece = Piece(above.text, found.group(1))
            joined[-1] = MarkdownLine(above.number, above.level, (piece,))
        else:
            joined.append(MarkdownLine(line.number, 0, (Piece("", found.group(1)),)))
    return joined
