"""What an operator leaves running: the schedule fires, a new day is seen, Ctrl-C ends all of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_papertide
from tests.replay import ReplayServer
from tests.replay.synthetic import SyntheticListings

pytestmark = [pytest.mark.warehouse, pytest.mark.slow]

PARTITION = """
query ($key: AssetKeyInput!, $days: [String!]) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode {
      assetMaterializations(partitions: $days, limit: 1) {
        runId
        metadataEntries {
          label
          ... on IntMetadataEntry { intValue }
          ... on TextMetadataEntry { text }
        }
      }
    }
  }
}"""
RUNS = "{ runsOrError { ... on Runs { results { id jobName status tags { key value } } } } }"


def until(
    look: Callable[[], Any], within_s: float, process: subprocess.Popen[bytes] | None = None
) -> Any:
    """What `look` finds as soon as it finds something; fails when it does not in time."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing was found within {within_s} s"
        assert process is None or process.poll() is None, "the process ended by itself"
        time.sleep(0.5)
    return found


def free_ports(n: int) -> list[int]:
    """Free ports."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports


def get(url: str, body: object = None) -> Any:
    """The JSON of an answer; None while nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None


def shown(dashboard: str) -> str | None:
    """The snapshot that the dashboard shows; None while it does not answer."""
    health = get(f"{dashboard}/healthz")
    return health["snapshot_id"] if health else None


def members(session: int) -> list[int]:
    """Processes of a session that are not merely waiting to be collected (needs `/proc`)."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, its_session = (
                    (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                )
            except OSError:
                continue
            if int(its_session) == session and state != "Z":
                found.append(int(folder.name))
    return found


def children(process: int) -> list[int]:
    return [
        int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


@contextmanager
def up(home: Path, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running `papertide up`; its process group is killed if the test fails."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("papertide"), "up"],
            env={**os.environ, "PAPERTIDE_HOME": str(home), **environment},
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.fixture
def listings() -> SyntheticListings:
    """About as many papers a day as a real list has, up to today."""
    return SyntheticListings(18_000, datetime.now(UTC).date())


@pytest.fixture
def server(listings: SyntheticListings) -> Iterator[ReplayServer]:
    with ReplayServer(listings) as running:
        yield running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_it_refreshes_by_itself_shows_the_day_and_stops(
    server: ReplayServer, listings: SyntheticListings, tmp_path: Path
) -> None:
    home, log, day = tmp_path / "home", tmp_path / "up.log", listings.days[-1]
    n_papers = len(listings.items(day, datetime.now(UTC)) or [])
    before = day - timedelta(days=1)
    done = run_papertide(
        home, "refresh", "--since", f"{day - timedelta(days=30)}", "--until", f"{before}",
        HF_ENDPOINT=server.url,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = (home / "snapshots" / "CURRENT").read_text().strip()

    ports = free_ports(2)
    dashboard, dagster = (f"http://127.0.0.1:{port}" for port in ports)
    with up(
        home, log, HF_ENDPOINT=server.url, PAPERTIDE_REFRESH_CRON="* * * * *",
        PAPERTIDE_OBSERVE_AFTER_DAYS="1,3", PAPERTIDE_PORT=str(ports[0]),
        PAPERTIDE_DAGSTER_PORT=str(ports[1]),
    ) as process:  # fmt: skip
        assert until(lambda: shown(dashboard), 60, process) == first
        groups = until(lambda: len(found := children(process.pid)) == 3 and found, 10, process)

        # It is due within a minute.
        until(lambda: shown(dashboard) not in (None, first), 300, process)
        answer = get(
            f"{dagster}/graphql",
            {"query": PARTITION,
             "variables": {"key": {"path": ["hf_daily_listings"]}, "days": [f"{day}"]}},
        )  # fmt: skip
        [seen] = answer["data"]["assetNodeOrError"]["assetMaterializations"]
        counts = {e["label"]: e.get("intValue", e.get("text")) for e in seen["metadataEntries"]}
        assert (counts["status"], counts["n_items"]) == ("new", n_papers)
        runs = get(f"{dagster}/graphql", {"query": RUNS})["data"]["runsOrError"]["results"]
        [run] = [run for run in runs if run["id"] == seen["runId"]]
        assert {"key": "dagster/schedule_name", "value": "refresh_schedule"} in run["tags"]
        listed = run_papertide(
            home, "sql", f"select count(*) as n from fct_listings where listed_on = date '{day}'",
            "--format", "json",
        )  # fmt: skip
        assert json.loads(listed.stdout) == [{"n": n_papers}]

        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text()[-2000:]
        assert [pid for group in groups for pid in members(group)] == []
