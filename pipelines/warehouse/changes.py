"""Change detection: the ids, titles, papers and days that changed captures touch.

Belongs here: filling the tables `raw.touched_*`, which tell the models what to recompute. Does not:
loading rows (`loading`), or deciding what each model recomputes (dbt).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipelines.lake.schemas import BUILD_TABLES

IN_CHANGED_CAPTURES = "capture_id in (select capture_id from raw.touched_captures)"

_ITEMS = f"""
    insert into raw.touched_items
    select distinct arxiv_id, title_key
    from raw.items
    where {IN_CHANGED_CAPTURES}
"""
_DAYS_OF_ITEMS = f"""
    insert into raw.touched_days
    select distinct 'hf_daily', listed_on
    from raw.captures
    where listed_on is not null and {IN_CHANGED_CAPTURES}
    union
    select distinct 'arxiv', announced_on
    from raw.items
    where announced_on is not null and {IN_CHANGED_CAPTURES}
"""
# Papers identified by a touched id or, without an id, by a touched title.
_PAPERS = """
    insert into raw.touched_papers
    select distinct paper_id
    from intermediate.int_items__identified
    where
        arxiv_id in (select arxiv_id from raw.touched_items)
        or (arxiv_id is null and title_key in (select title_key from raw.touched_items))
"""
_DAYS_OF_PAPERS = """
    insert into raw.touched_days
    select distinct population, counted_on
    from intermediate.int_population__papers
    where paper_id in (select paper_id from raw.touched_papers)
"""


def begin(connection: duckdb.DuckDBPyConnection, captures: Sequence[str]) -> None:
    """Note the changed captures and clear the changes of the last build."""
    for table in BUILD_TABLES:
        connection.execute(f"delete from raw.{table}")
    connection.execute(
        "insert into raw.touched_captures select unnest($ids::varchar[])", {"ids": captures}
    )


def note_items(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the ids, titles and days of changed captures; call it before and after loading."""
    connection.execute(_ITEMS)
    connection.execute(_DAYS_OF_ITEMS)


def note_papers(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the papers that touched items belonged to in the last build, and their days."""
    connection.execute(_PAPERS)
    connection.execute(_DAYS_OF_PAPERS)
