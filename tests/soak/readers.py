"""Readers that query continuously while snapshots are published."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.soak import world

# One query over two tables and the snapshot id: a result from two snapshots would not match the
# declared row counts.
QUERY = """
    select
        (select snapshot_id from main.snapshot_info) as snapshot_id,
        (select count(*) from dim_papers) as n_papers,
        (select count(*) from fct_listings) as n_listings
"""


@dataclass
class Tally:
    """Counts of the readers' queries, failures and snapshots."""

    n_queries: int = 0
    n_failed: int = 0
    n_mixed: int = 0
    n_snapshots: int = 0
    first_failure: str = ""


def _read(home: Path, stop: Synchronized[int], results: multiprocessing.Queue[Tally]) -> None:
    os.nice(15)  # otherwise the refreshes would take an hour on two cores
    reader = Reader(Settings(home=home))
    tally, declared = Tally(), {}
    while not stop.value:
        tally.n_queries += 1
        try:
            row = reader.query(QUERY).row(0, named=True)
            name = row["snapshot_id"]
            if name not in declared:
                package = reader.snapshot().package()
                if package["id"] == name:
                    declared[name] = {r["name"]: r["rows"] for r in package["resources"]}
            if name in declared:
                rows = declared[name]
                fits = (row["n_papers"], row["n_listings"]) == (
                    rows["dim_papers"],
                    rows["fct_listings"],
                )
                tally.n_mixed += not fits
        except Exception as error:  # noqa: BLE001  no query may fail
            tally.n_failed += 1
            tally.first_failure = tally.first_failure or f"{type(error).__name__}: {error}"
    tally.n_snapshots = len(declared)
    results.put(tally)


def soak(folder: Path, n_readers: int, n_refreshes: int) -> Tally:
    """The readers' tally over several refreshes, each of which publishes one more day."""
    home = folder / "read"
    spawn = multiprocessing.get_context("spawn")
    stop, results = spawn.Value("i", 0), spawn.Queue()
    with world.source() as url:
        world.refresh(home, url, 0, 4)
        readers = [
            spawn.Process(target=_read, args=(home, stop, results)) for _ in range(n_readers)
        ]
        for reader in readers:
            reader.start()
        for number in range(n_refreshes):
            world.refresh(home, url, 5 + number, 5 + number)
            print(f"refresh {number + 1} of {n_refreshes} published", flush=True)
        time.sleep(1)
        stop.value = 1
        tallies = [results.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    return Tally(
        sum(t.n_queries for t in tallies),
        sum(t.n_failed for t in tallies),
        sum(t.n_mixed for t in tallies),
        min(t.n_snapshots for t in tallies),
        next((t.first_failure for t in tallies if t.first_failure), ""),
    )
