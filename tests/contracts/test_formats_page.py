"""docs/formats.md lists every form that is detected, with the fields that its samples give.

After a change run this file with PAPERTIDE_UPDATE_SNAPSHOTS=1: it writes the columns of fields and
adds rows for new forms, whose example must then be written by hand.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelines.lake.schemas import ITEM_COLUMNS
from pipelines.parsing.formats import FORMATS, detect
from pipelines.parsing.reading import Reading
from tests.damage.campaign import HINTS
from tests.damage.papers import PAPERS
from tests.damage.samples import SAMPLES

pytestmark = pytest.mark.contracts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
HEADER = "| form | example | fields read | fields that cannot be known |"
NOT_SHOWN = ("position", "place", "title_key", "published_on_basis", "primary_category")
FIELDS = [column.name for column in ITEM_COLUMNS if column.name not in NOT_SHOWN]


class Row(NamedTuple):
    """A row of the table."""

    form: str
    example: str
    read: str
    unknown: str


def fields_read(form: str) -> tuple[str, str]:
    """The fields that the samples of a form give, and those that none gives."""
    found: set[str] = set()
    by_month = True
    for name, write in SAMPLES.items():
        if name.partition(":")[0] != form:
            continue
        body = write(PAPERS)
        for part in Reading(detect(body), io.BytesIO(body), HINTS).parts():
            for item in part.items.to_dicts():
                found |= {field for field in FIELDS if item[field] is not None}
                basis = item["published_on_basis"] or "arxiv_id_month"
                by_month &= basis.startswith("arxiv_id_month")
    shown = [
        "`published_on` (month)" if field == "published_on" and by_month else f"`{field}`"
        for field in FIELDS
        if field in found
    ]
    return ", ".join(shown), ", ".join(f"`{field}`" for field in FIELDS if field not in found)


def documented() -> list[Row]:
    """The rows of the page's table."""
    table = PAGE.read_text(encoding="utf-8").partition(HEADER)[2].partition("\n\n")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [Row(*(cell.strip().replace("\\|", "|") for cell in row)) for row in rows]


def expected() -> list[Row]:
    """The rows that the page must have, with the examples that it has."""
    examples = {row.form: row.example for row in documented()}
    return [
        Row(f"`{format_.name}`", examples.get(f"`{format_.name}`", ""), *fields_read(format_.name))
        for format_ in FORMATS
    ]


def test_the_page_lists_every_form_with_its_fields() -> None:
    rows = expected()
    if os.environ.get("PAPERTIDE_UPDATE_SNAPSHOTS"):
        text = PAGE.read_text(encoding="utf-8")
        lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        pattern = re.escape(HEADER) + r"\n\|[- |]+\|\n(?:\|.*\n)*"
        table = f"{HEADER}\n| --- | --- | --- | --- |\n{lines}\n"
        PAGE.write_text(re.sub(pattern, lambda _: table, text), encoding="utf-8")
    assert documented() == rows


def test_every_form_has_an_example() -> None:
    assert [row.form for row in documented() if len(row.example) < 10] == []
