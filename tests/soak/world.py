"""The source, the home and the commands of the soak: real processes and HTTP on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from pipelines.publishing.snapshot import current
from pipelines.settings import Settings
from tests.replay import ReplayServer, SyntheticListings

PAPERTIDE = Path(sys.executable).with_name("papertide")
FIRST_DAY = date(2025, 3, 3)


def day(n: int) -> str:
    """The n-th listing day of the soak."""
    return (FIRST_DAY + timedelta(days=n)).isoformat()


@contextmanager
def source(n_papers: int = 1_200) -> Iterator[str]:
    """The address of a server that lists synthetic papers on the weekdays of eight weeks."""
    last = FIRST_DAY + timedelta(weeks=8)
    with ReplayServer(SyntheticListings(n_papers, last, FIRST_DAY)) as server:
        yield server.url


def environment(home: Path, url: str) -> dict[str, str]:
    """Environment variables for commands that use the home and the source."""
    return {
        **os.environ,
        "PAPERTIDE_HOME": str(home),
        "HF_ENDPOINT": url,
        "PAPERTIDE_OBSERVE_AFTER_DAYS": "",
        "PAPERTIDE_KEEP_SNAPSHOTS": "3",
    }


def start(home: Path, url: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command in a separate process group, so that its children can be killed too."""
    return subprocess.Popen(
        [PAPERTIDE, *arguments],
        env=environment(home, url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(home: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to completion."""
    return subprocess.run(
        [PAPERTIDE, *arguments],
        env=environment(home, url),
        capture_output=True,
        text=True,
        check=False,
    )


def must(done: subprocess.CompletedProcess[str]) -> None:
    """Exit with the command's output if it failed."""
    if done.returncode:
        raise SystemExit(
            f"{' '.join(map(str, done.args))} ended with {done.returncode}:\n{done.stderr}"
        )


def refresh(home: Path, url: str, first: int, last: int) -> None:
    """Fetch the days and publish."""
    must(run(home, url, "refresh", "--since", day(first), "--until", day(last)))


def content(home: Path) -> dict[str, str]:
    """Mart → hash of its published file, except marts that contain fetch times."""
    snapshot = current(Settings(home=home))
    package = snapshot.package()
    timed = {"fct_engagement", "rpt_capture_reconciliation", "rpt_coverage"}
    return {r["name"]: r["hash"] for r in package["resources"] if r["name"] not in timed}


def reads(home: Path, url: str) -> int:
    """The number of published papers, queried through `papertide sql`."""
    done = run(home, url, "sql", "select count(*) as n from dim_papers", "--format", "json")
    must(done)
    return int(json.loads(done.stdout)[0]["n"])
