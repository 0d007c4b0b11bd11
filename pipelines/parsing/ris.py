"""RIS files, as reference managers and publishers export them: one item per reference."""

from __future__ import annotations

import re
from typing import Any

import rispy

from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import MAX_ITEMS, TEXT_LIMITS, too_large, too_many_items
from pipelines.parsing.paper_fields import columns_of, mapping_rule, paper_row, parsed
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_START = re.compile(r"^TY  - ", re.MULTILINE)
_START_BYTES = re.compile(rb"^TY  - [A-Z]{3,8}\s*$", re.MULTILINE)
_END = re.compile(r"^ER  -\s*$", re.MULTILINE)

_TAG = re.compile(r"^([A-Z][A-Z0-9])  - ?")
_ONCE = ("TY", "TI", "T1", "AB", "DO")


def matches(head: Head) -> bool:
    """Whether it is text with the first line of a reference."""
    return not head.is_markup and _START_BYTES.search(head.start) is not None


def parse(body: bytes, hints: Hints) -> Parsed:
    """One item per reference; a damaged or cut one is a reject."""
    if rejected := too_large(body, TEXT_LIMITS):
        return rejected
    text = body.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    starts = [found.start() for found in _START.finditer(text)]
    if not starts:
        return reject_body("not_a_listing", "The RIS file has no references.", body)
    if len(starts) > MAX_ITEMS:
        return too_many_items("The file", body)
    blocks = [text[a:b] for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    records = [_record(block) for block in blocks]
    names = list(dict.fromkeys(name for r in records if isinstance(r, dict) for name in r))
    columns = columns_of(names, hints.columns)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, (record, block) in enumerate(zip(records, blocks, strict=True), start=1):
        place = f"reference {position}"
        if isinstance(record, str):
            rejects.append(Reject(place, "broken_ris", record, excerpt(block)))
            continue
        outcome = paper_row(record, columns, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    return parsed(rows, rejects, hints, (mapping_rule(columns, names),))


def _record(block: str) -> dict[str, Any] | str:
    """The fields of a reference, or why it can't be read."""
    end = _END.search(block)
    if end is None:
        return "The reference has no line `ER  - `; the file was cut or damaged here."
    lines = block[: end.start()].split("\n")
    tags = [found.group(1) for line in lines if (found := _TAG.match(line))]
    if any(tags.count(tag) > 1 for tag in _ONCE):
        return "The reference has a tag twice; lines between two references are missing."
    if problem := foreign_line(line for line in lines if not _TAG.match(line)):
        return problem
    try:
        records = rispy.loads(block[: end.end()])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        return f"The reference can't be parsed: {str(error)[:200]}."
    if len(records) != 1:
        return "The reference can't be parsed."
    record = {name: value for name, value in records[0].items() if name != "unknown_tag"}
    record.setdefault("title", record.get("primary_title"))
    record.setdefault("authors", record.get("first_authors"))
    return {name: value for name, value in record.items() if value is not None}
