"""Loading the lake's Parquet and JSON files into the candidate's schema `raw`.

Belongs here: replacing the rows of changed captures, and handling unreadable files. Does not: topic
matches (`topic_matches`), or finding the papers and periods that changed (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from pipelines.errors import CaptureError, PapertideError
from pipelines.lake import items
from pipelines.lake.schemas import LAKE_TABLES, SQL_TYPES, Column
from pipelines.settings import Settings
from pipelines.warehouse.candidate import loaded_stamps
from pipelines.warehouse.connections import connect

LOADED = ("captures", "items", "quarantine")
MODELS_STARTED = "raw.models_started"


class Loaded(NamedTuple):
    """The captures whose rows were replaced or removed, and the rows of each table in `raw`."""

    n_changed_captures: int
    n_rows: dict[str, int]


def load_lake(settings: Settings) -> Loaded:
    """Replace the rows of changed captures in `raw`.

    The build uses the lake as it is at the start of this function: captures parsed later wait for
    the next build. Raises CaptureError if files of the lake are damaged; their captures are then
    removed from the lake, so that the next run parses them again.
    """
    lake = items.stamps(settings.items_dir)
    with connect(settings.candidate_path, settings) as connection:
        known = loaded_stamps(connection)
        changed = sorted(c for c in known.keys() | lake.keys() if known.get(c) != lake.get(c))
        connection.execute("begin")
        connection.execute(f"drop table if exists {MODELS_STARTED}")
        for table in LOADED:
            connection.execute(
                f"delete from raw.{table} where capture_id in (select unnest($ids::varchar[]))",
                {"ids": changed},
            )
        try:
            for table in LOADED:
                _insert(connection, settings, table, [c for c in changed if c in lake])
        except duckdb.Error as error:
            raise _read_error(settings, error) from None
        connection.execute("commit")
        return Loaded(
            len(changed),
            {
                table: int(connection.sql(f"select count(*) from raw.{table}").fetchall()[0][0])
                for table in (*LOADED, "topics", "topic_rules")
            },
        )


def start_models(settings: Settings) -> None:
    """Record that dbt starts on the candidate that `load_lake` filled.

    The models find changes by comparison with tables that they replace, so they can run once only.
    Raises PapertideError if they have run before, completely or in part.
    """
    with connect(settings.candidate_path, settings) as connection:
        try:
            connection.execute(f"create table {MODELS_STARTED} as select now() as started_at")
        except duckdb.CatalogException:
            raise PapertideError(
                "The tables of this build were built before, perhaps in part, and can't be built "
                "again from here. Nothing was published. Run `papertide build`."
            ) from None


def _insert(
    connection: duckdb.DuckDBPyConnection, settings: Settings, table: str, captures: Sequence[str]
) -> None:
    """Insert the rows of the captures' files, matching columns by name."""
    columns: tuple[Column, ...] = LAKE_TABLES[table][1]
    pattern = {"captures": "capture.json", "items": "items-*.parquet"}.get(
        table, f"{table}.parquet"
    )
    folders = [settings.items_dir / capture for capture in captures]
    files = [str(path) for folder in folders for path in sorted(folder.glob(pattern))]
    if not files:
        return
    names = ", ".join(c.name for c in columns)
    if table == "captures":
        shape = ", ".join(f"{c.name}: '{SQL_TYPES[c.dtype]}'" for c in columns)
        source = f"read_json($files, columns = {{{shape}}}, format = 'unstructured')"
    else:
        source = "read_parquet($files)"
    connection.execute(
        f"insert into raw.{table} ({names}) select {names} from {source}", {"files": files}
    )


def _read_error(settings: Settings, error: duckdb.Error) -> Exception:
    """The error to raise when the lake can't be read: damaged files, a concurrent ingest, or a bug.

    Damaged captures are removed from the lake.
    """
    if broken := items.unreadable(settings.items_dir):
        items.forget(broken, settings.items_dir)
        return CaptureError(
            f"The parsed rows of {len(broken)} capture(s) were damaged on the disk (first: "
            f"{broken[0]}). Nothing was published. Run `papertide build` again: it parses these "
            "captures again from the archive."
        )
    if isinstance(error, duckdb.IOException):  # a capture was parsed again while it was read
        return CaptureError(
            "The lake changed during the load. Nothing was published. Run `papertide build` again."
        )
    return error
