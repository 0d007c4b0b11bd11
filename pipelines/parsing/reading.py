"""Reads a body with its format's parser and passes the result through the plausibility gate.

Belongs here: what happens to every body, whatever its format: encoding, gate, verdict. Does not
belong here: parsers, or the checks of the gate (`gate`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from pipelines.parsing.encoding import utf8_stream
from pipelines.parsing.formats import Format
from pipelines.parsing.gate import Tally, passed
from pipelines.parsing.records import Hints, Parsed, Reject, empty_items


class Reading:
    """One pass over a body. `parts` yields its plausible parts in order, at least one.

    After the last part, `verdict` is the reject that replaces all items and rejects of the body, or
    None if the parts stand.
    """

    def __init__(self, detected: Format, body: BinaryIO, hints: Hints) -> None:
        self._detected = detected
        self._body = body
        self._hints = hints
        self._tally = Tally()
        self.verdict: Reject | None = None

    def parts(self) -> Iterator[Parsed]:
        """The parts of the body, each passed through the gate."""
        is_text = self._detected.is_text
        text, encoding = utf8_stream(self._body) if is_text else (self._body, None)
        for part in self._detected.parse(text, self._hints):
            checked = passed(part, self._hints)
            if encoding is not None:
                rule = f"recoded: the file is {encoding.upper()}"
                checked = replace(checked, rules=(*checked.rules, rule))
            self._tally.add(checked.items.height, checked.rejects)
            yield checked
        self.verdict = self._tally.verdict()


def refused(first: Parsed, verdict: Reject) -> Parsed:
    """The first part of a body whose items were all rejected by `verdict`."""
    return replace(first, items=empty_items(), rejects=(verdict,))
