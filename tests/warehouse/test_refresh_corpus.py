"""`papertide refresh` through a source that misbehaves ends with what the corpus holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.conftest import run_papertide
from tests.replay import ReplayServer, Rule
from tests.replay.listings import CorpusListings

pytestmark = [pytest.mark.warehouse, pytest.mark.slow]

SINCE, UNTIL = date(2025, 1, 20), date(2025, 6, 30)
# Spread over the range; all pass, but each more than once.
FAULTS = [
    Rule("status", skip=3, times=2, options={"status": 429, "retry_after": "1"}),
    Rule("status", skip=15, times=3, options={"status": 500}),
    Rule("status", skip=30, times=1, options={"status": 503, "retry_after": "date:2"}),
    Rule("cut", skip=45, times=2),
    Rule("slow", skip=55, times=1, options={"seconds": 2}),
    Rule("html", skip=60, times=1),
    Rule("truncate", skip=70, times=1),
    Rule("gzip", skip=80, times=1, options={"damage": True}),
    Rule("empty", skip=90, times=1),
    Rule("status", skip=100, times=2, options={"status": 502}),
    Rule("schema", skip=110, times=20, options={"add": {"newKey": {"deep": [1]}}}),
]


@pytest.fixture
def server(corpus: Path) -> Iterator[ReplayServer]:
    with ReplayServer(CorpusListings(corpus, latest=True), rules=FAULTS) as running:
        yield running


def expected(corpus: Path) -> set[tuple[str, str]]:
    """(listing day, paper id) of every list, read without any of our parsers."""
    listings = CorpusListings(corpus, latest=True)
    return {
        (day.isoformat(), f"arxiv:{item['paper']['id']}")
        for day in listings.days
        if SINCE <= day <= UNTIL
        for item in listings.items(day, datetime.now(UTC)) or []
    }


def listed(home: Path) -> set[tuple[str, str]]:
    done = run_papertide(
        home, "sql", "select listed_on, paper_id from fct_listings where population = 'hf_daily'",
        "--format", "json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {(row["listed_on"], row["paper_id"]) for row in json.loads(done.stdout)}


def test_the_exact_set_comes_in_and_once(
    corpus: Path, server: ReplayServer, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    asked = ("refresh", "--since", f"{SINCE}", "--until", f"{UNTIL}")
    for _ in range(
        3
    ):  # a day whose answers stayed invalid is reported, and fetched by the next run
        done = run_papertide(home, *asked, HF_ENDPOINT=server.url)
        assert "Traceback" not in done.stderr
        if done.returncode == 0:
            break
        assert "Run `papertide refresh` again to retry the days that failed." in done.stderr
    assert done.returncode == 0, done.stderr
    wanted = expected(corpus)
    assert len(wanted) > 2_900
    assert listed(home) == wanted

    n_asked, n_captures = len(server.seen), len(list((home / "captures").rglob("*.json")))
    again = run_papertide(home, *asked, HF_ENDPOINT=server.url)
    assert again.returncode == 0, again.stderr
    assert f"skipped {(UNTIL - SINCE).days + 1}: complete" in again.stderr
    assert len(server.seen) == n_asked
    assert len(list((home / "captures").rglob("*.json"))) == n_captures
    assert listed(home) == wanted
