"""Tables of papers as Parquet. Columns are chosen as for other tables (`table`)."""

from __future__ import annotations

import io
from typing import Any

import polars as pl

from pipelines.parsing.paper_fields import columns_of, mapping_rule, paper_row, parsed
from pipelines.parsing.records import Hints, Parsed, Reject, reject_body
from pipelines.parsing.table import without_title

MAGIC = b"PAR1"
MAX_ROWS = 200_000


def matches_bytes(start: bytes) -> bool:
    """Whether the bytes open as Parquet, which is the only binary format."""
    return start.startswith(MAGIC)


def parse(body: bytes, hints: Hints) -> Parsed:
    """One item per row; places are the numbers of rows. A damaged file is rejected as a whole."""
    try:
        scan = pl.scan_parquet(io.BytesIO(body))
        names = scan.collect_schema().names()
        columns = columns_of(names, hints.columns)
        if "title" not in columns:
            return without_title(names, body)
        read = [name for found in columns.values() for name in found]
        n_rows = scan.select(pl.len()).collect().item()
        if n_rows > MAX_ROWS:
            detail = f"The table has {n_rows:,} rows; the limit is {MAX_ROWS:,}."
            return reject_body("too_large", detail, body)
        table = scan.select(list(dict.fromkeys(read))).collect()
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        detail = f"The Parquet file can't be read: {str(error).splitlines()[0][:200]}."
        return reject_body("broken_parquet", detail, body)
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for position, record in enumerate(table.iter_rows(named=True), start=1):
        place = f"row {position}"
        outcome = paper_row(record, columns, place)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        else:
            rows.append({"position": position, "place": place, **outcome})
    return parsed(rows, rejects, hints, (mapping_rule(columns, names),))
