"""A source, a home and the commands of the soak: real processes, real HTTP on loopback."""

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
    """The address of a server that lists made-up papers on the weekdays of some weeks."""
    last = FIRST_DAY + timedelta(weeks=8)
    with ReplayServer(SyntheticListings(n_papers, last, FIRST_DAY)) as server:
        yield server.url


def environment(home: Path, url: str) -> dict[str, str]:
    """Everything that a command needs to work in the home and ask the source."""
    return {
        **os.environ,
        "PAPERTIDE_HOME": str(home),
        "HF_ENDPOINT": url,
        "PAPERTIDE_OBSERVE_AFTER_DAYS": "",
        "PAPERTIDE_KEEP_SNAPSHOTS": "3",
    }


def start(home: Path, url: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A command in a process group of its own, so that it can be killed with its children."""
    return subprocess.Popen(
        [PAPERTIDE, *arguments],
        env=environment(home, url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(home: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [PAPERTIDE, *arguments],
        env=environment(home, url),
        capture_output=True,
        text=True,
        check=False,
    )


def must(done: subprocess.CompletedProcess[str]) -> None:
    """Stop with the command's own words when it failed."""
    if done.returncode:
        raise SystemExit(
            f"{' '.join(map(str, done.args))} ended with {done.returncode}:\n{done.stderr}"
        )


def refresh(home: Path, url: str, first: int, last: int) -> None:
    """Fetch the days and publish."""
    must(run(home, url, "refresh", "--since", day(first), "--until", day(last)))


def content(home: Path) -> dict[str, str]:
    """Mart → hash of what people read, but for the moments at which it was fetched."""
    snapshot = current(Settings(home=home))
    package = snapshot.package()
    timed = {"fct_engagement", "rpt_capture_reconciliation", "rpt_coverage"}
    return {r["name"]: r["hash"] for r in package["resources"] if r["name"] not in timed}


def reads(home: Path, url: str) -> int:
    """How many papers the published snapshot holds, asked as an analyst would."""
    done = run(home, url, "sql", "select count(*) as n from dim_papers", "--format", "json")
    must(done)
    return int(json.loads(done.stdout)[0]["n"])
