"""A refused build, its message, and the next steps: accept, diff, rollback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.publishing.snapshot import current
from pipelines.settings import PROJECT_ROOT, Settings
from tests.conftest import run_in_process, run_papertide

pytestmark = pytest.mark.warehouse

PAGE = PROJECT_ROOT / "sample" / "hf_page"
DAY = "2025-11-06"


@pytest.mark.slow
def test_a_search_page_is_refused_accepted_and_rolled_back(demo_home: Path) -> None:
    settings = Settings(home=demo_home)
    before = current(settings)
    (page,) = (path for path in PAGE.iterdir() if path.suffix in (".txt", ".html", ".gz"))
    run_papertide(demo_home, "ingest", page, "--kind", "daily", "--listing-day", DAY)

    refused = run_papertide(demo_home, "build")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "Nothing was published; readers still see the last snapshot." in refused.stderr
    assert f"to the daily list of {DAY}" in refused.stderr
    assert f"`papertide ingest PATH --kind search` with the path of {page.name}" in refused.stderr
    assert current(settings) == before

    status = run_papertide(demo_home, "status", "--json")
    assert status.returncode == 1
    figures = json.loads(status.stdout)
    assert figures["state"] == "refused"
    assert figures["refused"]["kept"] == before.snapshot_id
    assert DAY in figures["refused"]["messages"][0]

    accepted = run_papertide(demo_home, "accept", DAY, "--why", "tested")
    assert accepted.returncode == 0
    built = run_papertide(demo_home, "build")
    assert built.returncode == 0, built.stderr
    after = current(settings)
    assert after != before
    figures = json.loads(run_papertide(demo_home, "status", "--json").stdout)
    assert (figures["state"], figures["refused"]) == ("fresh", None)
    assert [a["subject"] for a in figures["accepted"]] == [DAY]

    changes = json.loads(run_papertide(demo_home, "diff", "--json").stdout)
    assert (changes["from"], changes["to"]) == (before.snapshot_id, after.snapshot_id)
    (day,) = changes["listings"]
    assert (day["listed_on"], day["n_gone"]) == (DAY, 0)
    assert day["n_added"] > 50

    back = run_papertide(demo_home, "rollback")
    assert back.returncode == 0
    assert current(settings) == before
    listed = json.loads(run_papertide(demo_home, "snapshots", "--json").stdout)
    marks = {one["snapshot_id"]: one["current"] for one in listed}
    assert marks == {before.snapshot_id: "*", after.snapshot_id: ""}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ("accept", "yesterday", "--why", "x"),
            2,
            "is neither a day (YYYY-MM-DD) nor a published table",
        ),
        (("accept", "2025-01-01", "--why", " "), 2, "--why is missing"),
        (("rollback", "nothing"), 1, "There is no snapshot 'nothing'"),
        (("diff", "nothing"), 1, "There is no snapshot 'nothing'"),
    ],
)
def test_wrong_usage_has_a_message(
    published_home: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = run_in_process(published_home, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
