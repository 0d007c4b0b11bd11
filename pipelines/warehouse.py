"""The warehouse file: the private DuckDB that one build writes and nobody reads.

Belongs here: opening it, loading the lake into its `raw` schema, finding texts that still need
topic matching. Does not: models (dbt), what readers open (`publishing/`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock, Timeout

from pipelines.engine import connect
from pipelines.errors import BusyError
from pipelines.schemas import LAKE_TABLES, MATCH_SCHEMA, SQL_TYPES, Column
from pipelines.settings import Settings
from pipelines.topics.matching import FIELD_SEPARATOR, match_texts
from pipelines.topics.taxonomy import Taxonomy

# Distinct texts of all items, with the content hash that dbt's own `hash` macro gives.
_TEXTS = f"""
    select distinct md5(text) as text_hash, text
    from (
        select title as text from items
        union all select abstract from items
        union all select array_to_string(keywords, '{FIELD_SEPARATOR}') from items
    )
    where text is not null
"""


@contextmanager
def writer_lock(settings: Settings) -> Iterator[None]:
    """One build at a time in a home. Raises BusyError when another process is building."""
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.home / ".writer.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BusyError(
            f"Another process is building in {settings.home}. Wait until it is done, then run this "
            "again; what was ingested meanwhile is kept."
        ) from None
    try:
        yield
    finally:
        lock.release()


def load_lake(settings: Settings, rules_version: str) -> dict[str, int]:
    """A new warehouse file with the lake's tables in schema `raw`; rows per table.

    The file is made anew each time: everything in it can be rebuilt from the lake.
    """
    settings.warehouse_path.unlink(missing_ok=True)
    settings.warehouse_path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
    items = settings.items_dir
    files = {
        "captures": sorted(items.glob("*/capture.json")),
        "items": sorted(items.glob("*/items-*.parquet")),
        "quarantine": sorted(items.glob("*/quarantine.parquet")),
        "topic_matches": sorted((settings.text_dir / rules_version).glob("part-*/matches.parquet")),
    }
    counts = {}
    with connect(settings.warehouse_path, settings) as connection:
        connection.execute("create schema raw")
        for table, (_, columns) in LAKE_TABLES.items():
            counts[table] = _load_table(connection, table, columns, files[table])
    return counts


def _load_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: tuple[Column, ...],
    files: list[Path],
) -> int:
    types = {c.name: SQL_TYPES[c.dtype] for c in columns}
    body = ", ".join(f"{name} {dtype}" for name, dtype in types.items())
    connection.execute(f"create table raw.{table} ({body})")
    if files:
        names = [str(path) for path in files]
        if files[0].suffix == ".json":
            shape = ", ".join(f"{name}: '{dtype}'" for name, dtype in types.items())
            source = f"read_json($files, columns = {{{shape}}}, format = 'unstructured')"
        else:
            source = "read_parquet($files)"
        columns_sql = ", ".join(types)
        connection.execute(
            f"insert into raw.{table} select {columns_sql} from {source}", {"files": names}
        )
    return int(connection.sql(f"select count(*) from raw.{table}").fetchall()[0][0])


def table_facts(settings: Settings, preview_rows: int) -> dict[str, tuple[int, str]]:
    """`schema.table` → number of rows and a small preview in Markdown, of every built table."""
    facts = {}
    with connect(settings.warehouse_path, settings) as connection:
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


def match_new_texts(settings: Settings, taxonomy: Taxonomy) -> tuple[int, int]:
    """Match texts that this version of the rules has not seen; (texts matched, matches found).

    Results are kept below `lake/text/<rules version>/`, a folder `part-*` per run, by content
    hash: a text is matched once per version of the rules.
    """
    folder = settings.text_dir / taxonomy.rules_version
    files = [str(path) for path in sorted(settings.items_dir.glob("*/items-*.parquet"))]
    if not files:
        return 0, 0
    done = [str(path) for path in sorted(folder.glob("part-*/texts.parquet"))]
    known = "where text_hash not in (select text_hash from read_parquet($done))" if done else ""
    with connect(None, settings) as connection:
        texts = pl.DataFrame(
            connection.sql(
                "with items as (select title, abstract, keywords from read_parquet($files)), "
                f"texts as ({_TEXTS}) select text_hash, text from texts {known} order by text_hash",
                params={"files": files, **({"done": done} if done else {})},
            )
        )
    if texts.is_empty():
        return 0, 0
    matches = match_texts(texts, taxonomy)
    _keep_part(folder, texts.select("text_hash"), matches)
    return texts.height, matches.height


def _keep_part(folder: Path, texts: pl.DataFrame, matches: pl.DataFrame) -> None:
    """Both files in a folder named by content, moved in place whole."""
    name = hashlib.sha256("".join(texts["text_hash"]).encode()).hexdigest()[:16]
    work = folder / f".writing-{name}-{os.getpid()}"
    work.mkdir(parents=True)
    texts.write_parquet(work / "texts.parquet")
    matches.cast(MATCH_SCHEMA).write_parquet(work / "matches.parquet")
    final = folder / f"part-{name}"
    if not final.exists():
        work.rename(final)
