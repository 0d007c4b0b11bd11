"""The replay server behaves like the sources, even when it runs as a program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pipelines.settings import PROJECT_ROOT
from tests.replay import InlineListings, JumpingClock, Limit, ReplayServer, Rule, synthetic
from tests.replay.faults import read_rules

pytestmark = pytest.mark.unit
pytest_plugins = ["tests.replay.fixtures"]

PAPERS = "/api/daily_papers"


@pytest.fixture
def server(clock: JumpingClock) -> Iterator[ReplayServer]:
    items = synthetic.items(clock.now().date(), 120)
    with ReplayServer(
        InlineListings({"2025-06-02": items}), clock=clock, limit=Limit(requests=3, window_s=60)
    ) as running:
        yield running


def get(server: ReplayServer, path: str = PAPERS, **query: Any) -> httpx2.Response:
    return httpx2.get(f"{server.url}{path}", params=query)


@pytest.mark.parametrize(
    ("query", "n_items"),
    [
        ({}, 50),
        ({"date": "2025-06-02", "limit": 100}, 100),
        ({"date": "2025-06-02", "limit": 100, "p": 1}, 20),
        ({"date": "2025-06-02", "limit": 100, "p": 2}, 0),
        ({"date": "2025-05-31"}, 0),
    ],
)
def test_pages(server: ReplayServer, query: dict[str, Any], n_items: int) -> None:
    answer = get(server, **query)
    assert answer.status_code == 200
    assert len(answer.json()) == n_items


@pytest.mark.parametrize(
    "query",
    [
        {"date": "2025-06-03"}, {"date": "2025-02-30"}, {"date": "today"},
        {"limit": 0}, {"limit": 101}, {"limit": "x"}, {"p": -1},
    ],
    ids=str,
)  # fmt: skip
def test_refusals(server: ReplayServer, query: dict[str, Any]) -> None:
    answer = get(server, **query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_rate_limit(server: ReplayServer, clock: JumpingClock) -> None:
    answers = [get(server) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[2].headers["ratelimit"] == '"api";r=0;t=60'
    assert answers[2].headers["ratelimit-policy"] == '"fixed window";"api";q=3;w=60'
    clock.sleep(60)
    assert get(server).status_code == 200
    assert [seen.status for seen in server.seen] == [200, 200, 200, 429, 200]


def test_faults_apply_to_the_requests_that_they_name(server: ReplayServer) -> None:
    server.add(Rule("status", query={"date": "2025-06-02"}, skip=1, times=1))
    assert [get(server, date="2025-06-02").status_code for _ in range(3)] == [200, 500, 200]
    with pytest.raises(ValueError, match="explode is not an action"):
        Rule("explode")


def test_oai_pmh_identifies_itself(server: ReplayServer) -> None:
    assert "<granularity>YYYY-MM-DD</granularity>" in get(server, "/oai", verb="Identify").text
    assert "<ListSets>" in get(server, "/oai", verb="ListSets").text
    assert "badVerb" in get(server, "/oai").text


# As a program


@contextmanager
def program(*arguments: str) -> Iterator[str]:
    """The address of the running program."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.replay", "--port", "0", *arguments],
        cwd=PROJECT_ROOT,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr
        try:
            for line in running.stderr:
                if found := re.match(r"export HF_ENDPOINT=(\S+)", line):
                    yield found.group(1)
                    break
        finally:
            running.terminate()


def test_synthetic_papers_and_faults(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text(
        json.dumps([{"path": PAPERS, "action": "status", "options": {"status": 503}}])
    )
    assert read_rules(faults) == [Rule("status", path=PAPERS, options={"status": 503})]
    arguments = ["--synthetic", "7000", "--now", "2025-06-03T09:00", "--faults", str(faults)]
    with program(*arguments) as url:
        assert httpx2.get(f"{url}{PAPERS}").status_code == 503
        answer = httpx2.get(f"{url}{PAPERS}", params={"date": "2025-06-02"})
        assert 1 < len(answer.json()) < 50
        assert httpx2.get(f"{url}{PAPERS}", params={"date": "2025-06-04"}).status_code == 400


def test_the_corpus(corpus: Path) -> None:
    with program("--corpus", str(corpus), "--latest") as url:
        answer = httpx2.get(f"{url}{PAPERS}", params={"date": "2025-06-03", "limit": "100"})
        assert len(answer.json()) > 10
