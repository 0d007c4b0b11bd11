"""Checks that dbt can't make: on the lake before it is loaded, on the snapshot after it is written.

Row rules of tables live in dbt, as tests beside the models.
"""

import dagster as dg

from pipelines import items
from pipelines.captures import Archive
from pipelines.defs.intake import parsed_items
from pipelines.defs.publish import snapshot
from pipelines.defs.resources import Home
from pipelines.publishing.reader import Reader


@dg.asset_check(asset=parsed_items, blocking=True)
def every_capture_is_parsed(home: Home) -> dg.AssetCheckResult:
    """No capture of the archive is missing from the lake or stands there under older rules."""
    waiting = items.pending(Archive(home.settings), home.settings.items_dir)
    return dg.AssetCheckResult(
        passed=not waiting,
        description=f"{len(waiting)} capture(s) wait to be parsed",
        metadata={"n_waiting": len(waiting)},
    )


@dg.asset_check(asset=snapshot)
def snapshot_holds_what_it_says(home: Home) -> dg.AssetCheckResult:
    """The published database opens as readers open it and has the rows that it declares."""
    reader = Reader(home.settings)
    declared = {r["name"]: r["rows"] for r in reader.snapshot().package()["resources"]}
    wrong = {
        name: found
        for name, rows in declared.items()
        if (found := reader.query(f'select count(*) as n from marts."{name}"')["n"][0]) != rows
    }
    return dg.AssetCheckResult(
        passed=not wrong, metadata={"n_tables": len(declared), "wrong": str(wrong)}
    )
