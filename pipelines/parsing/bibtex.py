"""BibTeX and BibLaTeX files: one item per entry."""

from __future__ import annotations

import logging
import re
from typing import Any

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, Entry

from pipelines.parsing.author_names import split_names, tidy, turned
from pipelines.parsing.clean import one_line
from pipelines.parsing.foreign_lines import foreign_line
from pipelines.parsing.head import Head
from pipelines.parsing.limits import BIBTEX_LIMITS, MAX_ITEMS, too_large, too_many_items
from pipelines.parsing.paper_fields import columns_of, mapping_rule, normalised, paper_row, parsed
from pipelines.parsing.records import Hints, Parsed, Reject, excerpt, reject_body

_ENTRY = re.compile(
    rb"^[^\S\n]*@[A-Za-z]{3,30}\s*[{(]\s*[^\s,{}\"=]+\s*,\s*[\w-]+\s*=", re.MULTILINE
)
_NEXT_FIELD = re.compile(r"\n\s*[A-Za-z][\w-]*\s*=\s*[{\"]")
# A word or number, or texts that `#` joins.
_BARE_VALUE = re.compile(r"\s*[^\s{}\"]+\s*|(?:[^#]+#)+[^#]+")
# The parser reports each damaged block in its log as well.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)


def matches(head: Head) -> bool:
    """Whether it is text with an entry of BibTeX."""
    return not head.is_markup and not head.is_json_value and bool(_ENTRY.search(head.start))


def parse(body: bytes, hints: Hints) -> Parsed:
    """One item per entry; an entry that can't be parsed is a reject, with its line as place."""
    if rejected := too_large(body, BIBTEX_LIMITS):
        return rejected
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    library = parse_string(text)
    blocks: list[tuple[int, Entry | str]] = [((e.start_line or 0) + 1, e) for e in library.entries]
    for block in library.failed_blocks:
        kept = block.ignore_error_block if isinstance(block, DuplicateBlockKeyBlock) else None
        blocks.append(
            ((block.start_line or 0) + 1, kept if isinstance(kept, Entry) else block.raw or "")
        )
    if len(blocks) > MAX_ITEMS:
        return too_many_items("The file", body)
    if not blocks:
        return reject_body("not_a_listing", "The BibTeX file has no entries.", body)
    return _parsed(sorted(blocks, key=lambda numbered: numbered[0]), hints)


def _parsed(blocks: list[tuple[int, Entry | str]], hints: Hints) -> Parsed:
    names = list(dict.fromkeys(f.key for _, b in blocks if isinstance(b, Entry) for f in b.fields))
    columns = columns_of(names, hints.columns)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, (line, block) in enumerate(blocks, start=1):
        place = f"entry {position}, line {line}"
        if isinstance(block, Entry) and (detail := _problem(block)):
            rejects.append(Reject(place, "broken_bibtex", detail, excerpt(block.raw or "")))
            continue
        if isinstance(block, str):
            detail = "The entry can't be parsed; check its braces and quotes."
            rejects.append(Reject(place, "broken_bibtex", detail, excerpt(block)))
            continue
        if damaged := _damaged_fields(block):
            detail = f"Text around the braces or quotes of `{damaged[0]}`: the entry is damaged."
            rejects.append(Reject(place, "broken_bibtex", detail, excerpt(block.key)))
            continue
        outcome = paper_row(_values(block), columns, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    return parsed(rows, rejects, hints, (mapping_rule(columns, names),))


def _damaged_fields(entry: Entry) -> list[str]:
    """Fields whose value is neither enclosed nor a single word, such as a number or a month.

    Text before or after braces shows that a line was lost or does not belong there.
    """
    enclosing = entry.parser_metadata.get("removed_enclosing", {})
    return [
        field.key
        for field in entry.fields
        if enclosing.get(field.key) == "no-enclosing"
        and not _BARE_VALUE.fullmatch(str(field.value))
    ]


def _values(entry: Entry) -> dict[str, Any]:
    """Field → text; of authors, the names in order."""
    values: dict[str, Any] = {f.key: one_line(str(f.value)) for f in entry.fields}
    return {k: _names(v) if normalised(k) == "author" else v for k, v in values.items()}


def _problem(entry: Entry) -> str | None:
    """Why the fields are not those of one entry; None if they are."""
    values = [str(field.value) for field in entry.fields]
    if any(map(_NEXT_FIELD.search, values)):
        return "A comma between two fields of the entry is missing."
    return next(
        filter(None, (foreign_line(v.split("\n")) for v in values if "\n" in v.strip())), None
    )


def _names(text: str) -> list[str]:
    """Names of a list in BibTeX's form: `and` separates, a comma turns a name around.

    A name in braces is a group. More than two commas are a list that is not in this form.
    """
    names: list[str] = []
    for person in split_multiple_persons_names(text):
        is_group = person.startswith("{") and person.endswith("}")
        is_list = not is_group and person.count(",") > 2
        names += split_names(person) if is_list else [person if is_group else turned(person)]
    return tidy(names)
