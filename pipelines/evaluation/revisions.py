"""Revisions of papers as records of arXiv, and the dates that the parsers give them.

Belongs here: drawing revised papers, writing their records, parsing them. Does not belong here: the
effect on verdicts (`selection.py`).
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import orjson
import polars as pl

from pipelines.parsing import arxiv_oai, arxiv_snapshot
from pipelines.parsing.records import Hints

REVISED: Final = 0.5
"""Share of a topic's earlier papers that are revised."""

_HARVESTED: Final = 3
"""The form of record that is an OAI-PMH record; the others are lines of metadata."""


def draw_revisions(earlier: pl.DataFrame, window: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return a sample of papers with `revised_on`, a day of the window, and `form`, 0 to 3.

    `window` is the first day of the window, in days since 1970-01-01.
    """
    revised = earlier.sample(fraction=REVISED, seed=int(rng.integers(1 << 31)))
    day = pl.Series(window + rng.integers(0, 28, revised.height), dtype=pl.Int32).cast(pl.Date)
    return revised.with_columns(revised_on=day, form=pl.int_range(pl.len()) % 4)


def parse_revisions(revised: pl.DataFrame) -> pl.DataFrame:
    """Return paper_id and day (null if unknown) of papers known by a revision only."""
    hints = Hints(datetime(9999, 1, 1, tzinfo=UTC))
    is_harvested = pl.col("form") == _HARVESTED
    lines = _metadata_lines(revised.filter(~is_harvested))
    parts = [*arxiv_snapshot.parse(io.BytesIO(lines), hints)] if lines else []
    parts.append(arxiv_oai.parse(_harvest_page(revised.filter(is_harvested)), hints))
    items = pl.concat([part.items.select("arxiv_id", "published_on") for part in parts])
    return revised.select("paper_id", "arxiv_id").join(items, on="arxiv_id", how="left").select(
        "paper_id", day="published_on"
    )  # fmt: skip


def n_misdated(parsed: pl.DataFrame, revised: pl.DataFrame) -> int:
    """Return the number of revised papers dated on the day of their revision."""
    return parsed.join(revised, on="paper_id").filter(pl.col("day") == pl.col("revised_on")).height


def _metadata_lines(revised: pl.DataFrame) -> bytes:
    """Lines of arXiv metadata that name version 1, version 2 only, or no version."""
    created = pl.col("revised_on").dt.strftime("%a, %d %b %Y 00:00:00 GMT")
    versions = [["v1"], ["v2"], []]
    return b"\n".join(
        orjson.dumps(
            {
                "id": row["arxiv_id"],
                "title": row["title"],
                "authors": "A. Author",
                "categories": "cs.LG",
                "versions": [
                    {"version": v, "created": row["created"]} for v in versions[row["form"]]
                ],
                "update_date": row["revised_on"].isoformat(),
            }
        )
        for row in revised.with_columns(created=created).iter_rows(named=True)
    )


def _harvest_page(revised: pl.DataFrame) -> bytes:
    """An OAI-PMH page whose records have `updated` but no `created`."""
    records = "".join(
        f"<record><header><identifier>oai:arXiv.org:{row['arxiv_id']}</identifier>"
        f"<datestamp>{row['revised_on']}</datestamp></header><metadata>"
        f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{row["arxiv_id"]}</id>'
        f"<updated>{row['revised_on']}</updated><title>{escape(row['title'])}</title>"
        "<categories>cs.LG</categories></arXiv></metadata></record>"
        for row in revised.iter_rows(named=True)
    )
    page = f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{records}'
    return f"{page}</ListRecords></OAI-PMH>".encode()
