"""The warehouse file: the private DuckDB that one build writes and nobody reads.

Belongs here: opening it, loading the lake into its `raw` schema, and saying what changed since the
last build. Does not: topic matching (`text_features.py`), models (dbt), what readers open
(`publishing/`).

A build works on a candidate: a copy of the warehouse as the last published build left it, in which
only what changed is computed anew; or a new file where there is none, or the models have changed.
Once published the candidate takes the warehouse's place. So a build that fails or is killed leaves
nothing half done. A candidate that is found there tells that the last build did not end well: then
the warehouse is read through before it is built upon, for it may be what is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import duckdb

from pipelines.errors import CaptureError
from pipelines.lake import items
from pipelines.lake.schemas import BUILD_TABLES, LAKE_TABLES, SQL_TYPES, Column
from pipelines.runtime.locks import held
from pipelines.settings import Settings
from pipelines.topics import in_force
from pipelines.warehouse import dbt_project
from pipelines.warehouse.connections import connect

FORMAT = "1"  # of the tables that this module makes; raise it when they change
LOADED = ("captures", "items", "quarantine")
_TOUCHED = "capture_id in (select capture_id from raw.touched_captures)"


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """One build at a time in a home. Raises BusyError when another process is building."""
    taken = (
        f"Another process is building in {settings.home}. Wait until it is done, then run this "
        "again; what was ingested meanwhile is kept."
    )
    with held(settings.home / ".writer.lock", taken):
        yield


def begin(settings: Settings) -> bool:
    """Make the candidate; True when it starts empty and everything must be computed."""
    candidate, warehouse = settings.candidate_path, settings.warehouse_path
    is_suspect = candidate.exists()
    for path in (candidate, candidate.with_name(f"{candidate.name}.wal")):
        path.unlink(missing_ok=True)
    signature = _signature(settings)
    if warehouse.is_file():
        shutil.copyfile(warehouse, candidate)
        with suppress(duckdb.Error), connect(candidate, settings) as connection:
            is_ours = _signed(connection) == signature
            if is_ours and is_suspect:
                _read_through(connection)
            if is_ours:
                return False
        candidate.unlink()
    with connect(candidate, settings) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.build_info as select $s as signature", {"s": signature}
        )
        for table, (_, columns) in (LAKE_TABLES | BUILD_TABLES).items():
            body = ", ".join(f"{c.name} {SQL_TYPES[c.dtype]}" for c in columns)
            connection.execute(f"create table raw.{table} ({body})")
        connection.execute("create table raw.topic_texts (text_hash varchar, part varchar)")
        taxonomy = in_force.in_force(settings)
        _fill(connection, "topics", in_force.topic_rows(taxonomy))
        _fill(connection, "topic_rules", in_force.rule_rows(taxonomy))
    return True


def is_up_to_date(settings: Settings) -> bool:
    """Whether the last published build was made of what the lake holds now, under today's rules."""
    if not settings.warehouse_path.is_file():
        return False
    with (
        suppress(duckdb.Error),
        connect(settings.warehouse_path, settings, read_only=True) as connection,
    ):
        known = dict(connection.sql("select capture_id, stamp from raw.captures").fetchall())
        return _signed(connection) == _signature(settings) and known == items.stamps(
            settings.items_dir
        )
    return False


def _signed(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = connection.sql("select signature from raw.build_info").fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def _read_through(connection: duckdb.DuckDBPyConnection) -> None:
    """Read every block of every table; each has a checksum. Raises duckdb.Error for a damaged one.

    Bytes that read well and mean something else are not found so; the checks of a build are for
    those.
    """
    tables = connection.sql("select schema_name, table_name from duckdb_tables()").fetchall()
    for schema, table in tables:
        connection.sql(f'select sum(hash(t)::hugeint) from "{schema}"."{table}" as t').fetchall()


def adopt(settings: Settings) -> None:
    """Let the published candidate take the warehouse's place."""
    os.replace(settings.candidate_path, settings.warehouse_path)


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[in_force.Text, ...]]
) -> None:
    """Put rows into an empty table, column by column: row by row takes seconds."""
    columns = LAKE_TABLES[table][1]
    values = {
        c.name: list(column) for c, column in zip(columns, zip(*rows, strict=True), strict=True)
    }
    names = ", ".join(f"unnest(${c.name}::{SQL_TYPES[c.dtype]}[])" for c in columns)
    connection.execute(f"insert into raw.{table} select {names}", values)


def _signature(settings: Settings) -> str:
    """Changes with anything that decides what the tables are: then all is computed anew."""
    columns = {name: [str(c) for c in cols] for name, (_, cols) in LAKE_TABLES.items()}
    taxonomy = in_force.in_force(settings).contents_hash
    parts = [
        FORMAT, duckdb.__version__, dbt_project.sources_hash(), columns, taxonomy,
        settings.topic_embedder,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def load_lake(settings: Settings) -> dict[str, int]:
    """Bring the candidate's `raw` tables to the lake's state; rows per table.

    What this finds in the lake is what the build is made of: captures that are parsed meanwhile
    wait for the next one. Raises CaptureError when files of the lake are damaged; their captures
    are then taken out of it, so that the next run parses them anew.
    """
    lake = items.stamps(settings.items_dir)
    with connect(settings.candidate_path, settings) as connection:
        known = dict(connection.sql("select capture_id, stamp from raw.captures").fetchall())
        changed = sorted(c for c in known.keys() | lake.keys() if known.get(c) != lake.get(c))
        is_first = not _is_built(connection)
        connection.execute("begin")
        for table in BUILD_TABLES:
            connection.execute(f"delete from raw.{table}")
        connection.execute(
            "insert into raw.touched_captures select unnest($ids::varchar[])", {"ids": changed}
        )
        if not is_first:
            _note_touched_items(connection)
        for table in LOADED:
            connection.execute(f"delete from raw.{table} where {_TOUCHED}")
        try:
            for table in LOADED:
                _insert(connection, settings, table, [c for c in changed if c in lake])
        except duckdb.Error as error:
            raise _unreadable(settings, error) from None
        if not is_first:
            _note_touched_items(connection)
            _note_touched_papers(connection)
        connection.execute("commit")
        return {
            table: int(connection.sql(f"select count(*) from raw.{table}").fetchall()[0][0])
            for table in (*LOADED, "topics", "topic_rules", *BUILD_TABLES)
        }


def _is_built(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether models stand in the file, so that they will compute only what is touched."""
    return bool(
        connection.sql(
            "select 1 from duckdb_tables() "
            "where schema_name = 'intermediate' and table_name = 'int_items__identified'"
        ).fetchall()
    )


def _unreadable(settings: Settings, error: duckdb.Error) -> Exception:
    """Why the lake could not be read: damage on the disk, an ingest meanwhile, or a defect."""
    if broken := items.unreadable(settings.items_dir):
        items.forget(broken, settings.items_dir)
        return CaptureError(
            f"The parsed rows of {len(broken)} capture(s) were damaged on the disk ({broken[0]}, "
            "…); nothing was published. They are parsed again from the archive by the next run: "
            "run `papertide build` again."
        )
    if isinstance(error, duckdb.IOException):  # a capture was parsed anew under the reader
        return CaptureError(
            "The lake changed while it was read; nothing was published. Run `papertide build` "
            "again."
        )
    return error


def _insert(
    connection: duckdb.DuckDBPyConnection, settings: Settings, table: str, captures: Sequence[str]
) -> None:
    """Rows of the captures' files, all columns by name."""
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


def _note_touched_items(connection: duckdb.DuckDBPyConnection) -> None:
    """What the changed captures show, as the tables have it at this moment."""
    connection.execute(
        f"""
        insert into raw.touched_items
        select distinct arxiv_id, title_key
        from raw.items
        where {_TOUCHED}
        """
    )
    connection.execute(
        f"""
        insert into raw.touched_days
        select distinct 'hf_daily', listing_day
        from raw.captures
        where listing_day is not null and {_TOUCHED}
        union
        select distinct 'arxiv', announced_on
        from raw.items
        where announced_on is not null and {_TOUCHED}
        """
    )


def _note_touched_papers(connection: duckdb.DuckDBPyConnection) -> None:
    """Papers that hold a touched id or, without an id, a touched title; and where they counted."""
    connection.execute(
        """
        insert into raw.touched_papers
        select distinct paper_id
        from intermediate.int_items__identified
        where
            arxiv_id in (select arxiv_id from raw.touched_items)
            or (arxiv_id is null and title_key in (select title_key from raw.touched_items))
        """
    )
    connection.execute(
        """
        insert into raw.touched_days
        select distinct population, counted_on
        from intermediate.int_population__papers
        where paper_id in (select paper_id from raw.touched_papers)
        """
    )


def table_facts(settings: Settings, preview_rows: int) -> dict[str, tuple[int, str]]:
    """`schema.table` → number of rows and a small preview in Markdown, of every built table."""
    facts = {}
    with connect(settings.candidate_path, settings) as connection:
        tables = connection.sql(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        for schema, table in tables:
            name = f'"{schema}"."{table}"'
            rows = connection.sql(f"select count(*) from {name}").fetchall()[0][0]
            head = connection.sql(f"select * from {name} limit {int(preview_rows)}")
            facts[f"{schema}.{table}"] = (int(rows), _markdown(head.columns, head.fetchall()))
    return facts


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *([_short(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _short(cell: object) -> str:
    text = "" if cell is None else str(cell).replace("|", "¦").replace("\n", " ")
    text = text.replace("<", "‹").replace(">", "›")
    return text if len(text) <= 60 else text[:59] + "…"
