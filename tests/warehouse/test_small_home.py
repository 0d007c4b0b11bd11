"""The promises of a build, on a home that builds in seconds.

Incremental builds and rebuilds give equal tables; what breaks a rule is not published. The slow
tests (`test_incremental`, `test_rebuild`, `test_write_audit_publish`) run more cases of the same,
as whole commands.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.errors import CheckFailed
from pipelines.publishing.acceptances import accept
from tests.fixtures.listings import api, card, item, jsonl, page, record
from tests.fixtures.small_home import SmallHome

pytestmark = pytest.mark.warehouse

TITLE = "A Title That Stands Alone At First"
WEEKDAYS = [
    day for n in range(40) if (day := date(2024, 11, 25) + timedelta(days=n)).isoweekday() <= 5
]
LISTED = WEEKDAYS[:25]
GROWN, NEW, SHORT, SEARCHED = WEEKDAYS[24:28]
N_PAPERS = 4


def arxiv_id(day: date, n: int) -> str:
    return f"{day:%y%m}.{day:%d}{n:03}"


def listed(day: date, n: int, *, age_days: int = 1, **paper: Any) -> dict[str, Any]:
    published = day - timedelta(days=age_days)
    facts = {
        "title": f"Diffusion Study {n} of {day}",
        "submittedOnDailyAt": f"{day}T10:00:00.000Z",
        "publishedAt": f"{published}T01:00:00.000Z",
    }
    return item(arxiv_id(published, 100 + n), **{**facts, **paper})


def daily(day: date, papers: Iterable[dict[str, Any]]) -> dict[str, bytes]:
    return {f"{day}.json": api(*papers)}


class Steps(NamedTuple):
    """A home built in two steps: its path, a copy after the last step, hashes after each step."""

    home: SmallHome
    saved: Path
    hashes: list[dict[str, str]]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    folder = tmp_path_factory.mktemp("small")
    home = SmallHome(folder / "home")
    for day in LISTED:
        home.receive(daily(day, (listed(day, n) for n in range(N_PAPERS))))
    titles = page(card(TITLE, 3, "Dec 30, 2024"), card("Another One", 2, "Jun 1, 2023"))
    home.receive({"page.txt": titles})
    assert home.build()
    hashes = [home.publish()]
    # A day grows, with other counters; a paper's title gets an id; a new day starts another month
    # and year; an arXiv file changes texts and dates; a list turns out to be a search page.
    team = [{"name": "A B"}, {"name": "C D"}, {"name": "E F"}]
    grown = [listed(GROWN, n, upvotes=9) for n in range(N_PAPERS + 1)]
    home.receive(daily(GROWN, [*grown, listed(GROWN, 9, title=TITLE, authors=team)]))
    home.receive(daily(NEW, (listed(NEW, n) for n in range(N_PAPERS))))
    known = arxiv_id(GROWN - timedelta(days=1), 100)
    home.receive({"dump.jsonl": jsonl(record(known), record("2412.09999"))})
    home.receive(daily(LISTED[3], (listed(LISTED[3], n) for n in range(N_PAPERS))), kind="search")
    assert not home.build()
    hashes.append(home.publish())
    return Steps(home, shutil.copytree(home.settings.home, folder / "saved"), hashes)


def test_steps_and_a_rebuild_from_captures_give_the_same_files(steps: Steps) -> None:
    steps.home.reset(steps.saved, "captures")
    first, second = steps.hashes
    assert steps.home.build()
    assert steps.home.publish() == second
    # The second step changed these, so equality says something.
    changed = {name for name, found in second.items() if found != first[name]}
    assert changed >= {
        "dim_papers", "fct_listings", "fct_engagement", "bridge_paper_topics", "rpt_coverage",
        "rpt_topic_trends", "rpt_title_matches", "rpt_author_counts",
    }  # fmt: skip


def test_a_search_page_as_a_day_is_refused_until_accepted_and_half_an_old_day_is_not(
    steps: Steps,
) -> None:
    home = steps.home
    home.reset(steps.saved)
    before = home.snapshot_id()
    home.receive(daily(SHORT, [listed(SHORT, 0)]))
    old = [listed(SEARCHED, n, age_days=400 + n) for n in range(N_PAPERS + 2)]
    home.receive(daily(SEARCHED, old), kind="daily", listing_day=f"{SEARCHED}")
    assert not home.build()
    assert [(finding.check, finding.subject) for finding in home.audit()] == [
        ("listed_papers_are_recent", f"{SEARCHED}"),
    ]
    assert home.snapshot_id() == before
    accept(home.settings, f"{SEARCHED}", "tested")
    home.publish()
    assert home.snapshot_id() != before


def test_duplicate_keys_are_refused(steps: Steps) -> None:
    home = steps.home
    home.reset(steps.saved)
    known = set(home.settings.items_dir.iterdir())
    home.receive(daily(SHORT, (listed(SHORT, n) for n in range(N_PAPERS))))
    home.parse()
    (folder,) = set(home.settings.items_dir.iterdir()) - known
    (part,) = folder.glob("items-*.parquet")
    shutil.copyfile(part, folder / "items-9999.parquet")
    with pytest.raises(CheckFailed, match=r"Nothing was published.*items.*2"):
        home.build()
