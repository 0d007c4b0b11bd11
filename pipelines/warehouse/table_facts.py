"""Row counts and previews of the candidate's tables, for the Dagster UI."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.runtime.sql import quote_identifier
from pipelines.runtime.text import shortened
from pipelines.settings import Settings
from pipelines.warehouse.connections import connect

_MAX_CELL_CHARS = 60


def table_facts(settings: Settings, preview_rows: int) -> dict[str, tuple[int, str]]:
    """`schema.table` → its number of rows and its first rows as a Markdown table."""
    facts = {}
    with connect(settings.candidate_path, settings) as connection:
        tables = connection.sql(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        for schema, table in tables:
            name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
            rows = connection.sql(f"select count(*) from {name}").fetchall()[0][0]
            head = connection.sql(f"select * from {name} limit {int(preview_rows)}")
            facts[f"{schema}.{table}"] = (int(rows), _markdown(head.columns, head.fetchall()))
    return facts


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    """The value on one line, without characters that have a meaning in Markdown or HTML."""
    text = "" if value is None else str(value).replace("|", "¦").replace("\n", " ")
    text = text.replace("<", "‹").replace(">", "›")
    return shortened(text, _MAX_CELL_CHARS)
