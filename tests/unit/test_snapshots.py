"""Snapshots: identical files, retention, rollback, build status, differences."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.defs import lake
from pipelines.errors import (
    NOTHING_PUBLISHED,
    BusyError,
    CheckFailed,
    NoSnapshotError,
    PapertideError,
)
from pipelines.publishing import (
    build_status,
    difference,
    history,
    publication,
    retention,
    snapshot,
    tables,
)
from pipelines.publishing.acceptances import accept, acceptances, withdraw
from pipelines.publishing.freshness import freshness
from pipelines.publishing.reader import Reader
from pipelines.publishing.snapshot import current
from tests.unit.published import WEEKDAYS, Home

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def a_week(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("a-week") / "home", keep_snapshots=3)
    home.days(WEEKDAYS[:5], 4)
    return home


@pytest.fixture(scope="module")
def published_twice(a_week: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = a_week.copy(tmp_path_factory.mktemp("twice") / "home")
    home.publish()
    home.publish()
    return home


@pytest.fixture
def home(a_week: Home, tmp_path: Path) -> Home:
    """A week of four papers per day; nothing is published."""
    return a_week.copy(tmp_path / "home")


@pytest.fixture
def twice(published_twice: Home, tmp_path: Path) -> Home:
    """The same home, published twice."""
    return published_twice.copy(tmp_path / "home")


def both(home: Home) -> list[snapshot.Snapshot]:
    """The snapshots of the home, oldest first."""
    return [entry.snapshot for entry in reversed(history.entries(home.settings))]


def hashes(one: snapshot.Snapshot) -> dict[str, str]:
    return {r["name"]: r["hash"] for r in one.package()["resources"]}


def rows(one: snapshot.Snapshot, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(one.database), read_only=True) as connection:
        return connection.sql(query).fetchall()


# Equal tables give identical files


def test_row_order_does_not_change_files(home: Home, tmp_path: Path) -> None:
    first = home.publish()
    other = Home(tmp_path / "other")
    other.days(WEEKDAYS[4::-1], 4)
    second = other.publish()
    assert hashes(first) == hashes(second)
    assert first.package()["content_hash"] == second.package()["content_hash"]


def test_deleted_nulls_do_not_change_files(home: Home, tmp_path: Path) -> None:
    """Incremental builds keep tables for years; a rebuild creates them again."""
    other = home.copy(tmp_path / "other")
    other.sql("insert into marts.dim_papers values ('gone', null, null, null, null)")
    other.sql("delete from marts.dim_papers where paper_id = 'gone'")
    assert hashes(other.publish()) == hashes(home.publish())


def test_unchanged_marts_share_their_file(home: Home) -> None:
    first = home.publish()
    home.sql("update marts.dim_papers set upvotes = 99 where paper_id = '2025-03-03-0'")
    second = home.publish()

    def inode(one: snapshot.Snapshot, mart: str) -> int:
        return (one.folder / "parquet" / f"{mart}.parquet").stat().st_ino

    assert inode(first, "fct_listings") == inode(second, "fct_listings")
    assert inode(first, "dim_papers") != inode(second, "dim_papers")
    upvotes = "select upvotes from marts.dim_papers where paper_id = '2025-03-03-0'"
    assert rows(second, upvotes) == [(99,)]
    assert rows(first, upvotes) == [(0,)]
    fresh = Home(home.settings.home.parent / "fresh")
    fresh.days(WEEKDAYS[:5], 4)
    fresh.sql("update marts.dim_papers set upvotes = 99 where paper_id = '2025-03-03-0'")
    assert hashes(fresh.publish()) == hashes(second)


def test_a_damaged_file_is_not_reused(home: Home) -> None:
    first = home.publish()
    path = first.folder / "parquet" / "fct_listings.parquet"
    expected = hashes(first)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert hashes(home.publish()) == expected


def test_a_database_with_different_rows_is_not_reused(home: Home) -> None:
    first = home.publish()
    with duckdb.connect(str(first.database)) as connection:
        connection.execute("delete from marts.fct_listings where listed_on = '2025-03-03'")
    assert rows(home.publish(), "select count(*) from marts.fct_listings") == [(20,)]


def test_a_changed_description_is_published(home: Home) -> None:
    home.publish()
    home.sql("comment on column marts.dim_papers.title is 'As printed'")
    second = home.publish()
    comment = "select comment from duckdb_columns() where column_name = 'title' and table_name = "
    assert rows(second, f"{comment}'dim_papers'") == [("As printed",)]


def test_a_removed_mart_is_not_published(home: Home) -> None:
    home.publish()
    home.sql("drop table marts.rpt_title_matches")
    second = home.publish()
    assert "rpt_title_matches" not in hashes(second)
    found = rows(second, "select count(*) from duckdb_tables() where table_name like '%matches'")
    assert found == [(0,)]


def test_duplicate_rows_change_the_fingerprint(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        prints = []
        for values in ("(1), (1)", "(2), (2)", "(1), (2)", "(2), (1)"):
            connection.execute(f"create or replace table t as select * from (values {values}) v(a)")
            prints.append(tables.fingerprint(connection, "t")[1])
    assert prints[2] == prints[3]
    assert len(set(prints)) == 3


def test_list_lengths_change_the_fingerprint() -> None:
    with duckdb.connect() as connection:
        prints = []
        for values in ("null, ['c']", "[], ['c']", "[null], ['c']", "['a', 'b'], ['c']",
                       "['a'], ['b', 'c']"):  # fmt: skip
            connection.execute(
                "create or replace table t as select a::varchar[] as a, b::varchar[] as b "
                f"from (values ({values})) v(a, b)"
            )
            prints.append(tables.fingerprint(connection, "t")[1])
    assert len(set(prints)) == 5


def test_an_empty_candidate_is_not_published(home: Home) -> None:
    home.sql("drop schema marts cascade")
    with pytest.raises(CheckFailed, match="no marts"):
        home.publish()
    assert list(home.settings.snapshots_dir.iterdir()) == []


def test_files_are_synced_before_the_pointer_moves(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = home.publish()
    events: list[tuple[str, str]] = []
    sync, replace, rename = os.fsync, os.replace, Path.rename

    def seen(handle: int) -> None:
        events.append(("sync", Path(f"/proc/self/fd/{handle}").readlink().name))
        sync(handle)

    def moved(source: str, target: Path) -> None:
        events.append(("replace", Path(target).name))
        replace(source, target)

    def renamed(source: Path, target: Path) -> Path:
        events.append(("rename", target.name))
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", seen)
    monkeypatch.setattr(os, "replace", moved)
    monkeypatch.setattr(Path, "rename", renamed)
    second = home.publish()
    at = {event: n for n, event in enumerate(events)}
    named, pointed = at["rename", second.folder.name], at["replace", "CURRENT"]
    whole = ("papertide.duckdb", "datapackage.json", "dim_papers.parquet", "parquet")
    assert all(at["sync", name] < named for name in whole)
    assert ("sync", "snapshots") in events[named:pointed]
    assert events[-1] == ("sync", "snapshots")
    assert first.folder.is_dir()


def test_a_crash_before_the_pointer_moves_keeps_the_old_snapshot(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = home.publish()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publication, "point_to", crash)
    with pytest.raises(KeyboardInterrupt):
        home.publish()
    assert current(home.settings) == first


# Retention


def test_expiry_keeps_the_current_snapshot_and_the_rollback_target(home: Home) -> None:
    made = [home.publish() for _ in range(4)]
    history.rollback(home.settings, made[0].snapshot_id)
    assert retention.expire(home.settings) == []
    made += [home.publish() for _ in range(3)]
    gone = retention.expire(home.settings)
    assert gone == [one.snapshot_id for one in made[1:4]]
    left = [path.name for path in history.folders(home.settings.snapshots_dir)]
    assert left == [one.snapshot_id for one in [made[0], *made[4:]]]
    assert current(home.settings) == made[-1]


def test_temporary_files_expire_after_a_day_and_other_files_stay(home: Home) -> None:
    home.publish()
    folder = home.settings.snapshots_dir
    (folder / ".writing-old" / "parquet").mkdir(parents=True)
    (folder / ".pointer-old").write_text("x")
    (folder / ".tmp-old").write_text("x")
    (folder / ".writing-new").mkdir()
    (folder / "notes").mkdir()
    (folder / "README").write_text("mine")
    past = time.time() - 25 * 3600
    for name in (".writing-old", ".pointer-old", ".tmp-old", "notes", "README"):
        os.utime(folder / name, (past, past))
    retention.expire(home.settings)
    names = {path.name for path in folder.iterdir()}
    assert {".writing-new", "notes", "README", "CURRENT"} < names
    assert not names & {".writing-old", ".pointer-old", ".tmp-old"}


def test_nothing_expires_with_an_invalid_pointer(home: Home) -> None:
    for _ in range(5):
        home.publish()
    (home.settings.snapshots_dir / "CURRENT").write_text("gone\n")
    assert retention.expire(home.settings) == []


def test_deleting_a_snapshot_breaks_no_open_query(home: Home) -> None:
    home.sql(
        "insert into marts.fct_listings select 'x' || i, 'arxiv', date '2025-01-01' "
        "from range(500000) as t(i)"
    )
    first = home.publish()
    reader = Reader(home.settings)
    cursor = reader._connection()[1].cursor()
    running = cursor.execute("select paper_id from marts.fct_listings")
    assert len(running.fetchmany(10)) == 10
    home.sql("delete from marts.fct_listings where population = 'arxiv'")
    second = home.publish()
    shutil.rmtree(first.folder)
    assert len(running.fetchall()) == 500_010
    assert cursor.execute("select count(*) from marts.dim_papers").fetchall() == [(20,)]
    assert reader.snapshot() == second
    assert reader.query("select count(*) as n from fct_listings")["n"][0] == 20


# Rollback


def test_rollback_and_publishing_afterwards(twice: Home) -> None:
    first, second = both(twice)
    move = history.rollback(twice.settings)
    assert (move.left, move.to.snapshot) == (second.snapshot_id, first)
    assert current(twice.settings) == first
    mark = build_status.rollback_mark(twice.settings.snapshots_dir)
    assert mark is not None
    assert (mark["from"], mark["to"]) == (second.snapshot_id, first.snapshot_id)
    with pytest.raises(PapertideError, match="no intact snapshot to roll back to"):
        history.rollback(twice.settings)
    with pytest.raises(PapertideError, match="is already the current snapshot"):
        history.rollback(twice.settings, first.snapshot_id)
    assert history.rollback(twice.settings, second.snapshot_id).to.snapshot == second
    third = twice.publish()
    assert current(twice.settings) == third


def damage(folder: Path, how: str) -> None:
    if how == "no package":
        (folder / "datapackage.json").unlink()
    elif how == "half a package":
        text = (folder / "datapackage.json").read_text()
        (folder / "datapackage.json").write_text(text[: len(text) // 2])
    elif how == "no database":
        (folder / "papertide.duckdb").unlink()
    elif how == "cut database":
        (folder / "papertide.duckdb").write_bytes(b"not a database")
    elif how == "short database":
        os.truncate(folder / "papertide.duckdb", 20_000)
    elif how == "missing table":
        (folder / "parquet" / "dim_papers.parquet").unlink()
    elif how == "torn block":
        path = folder / "papertide.duckdb"
        content = bytearray(path.read_bytes())
        content[len(content) // 3 : len(content) // 3 + 4096] = b"\xff" * 4096
        path.write_bytes(content)
    else:
        path = folder / "parquet" / "dim_papers.parquet"
        path.write_bytes(path.read_bytes()[:-1] + b"?")


VISIBLE_DAMAGE = (
    "no package", "half a package", "no database", "cut database", "short database",
    "missing table",
)  # fmt: skip


@pytest.mark.parametrize("how", [*VISIBLE_DAMAGE, "torn block", "one byte"])
def test_a_damaged_snapshot_is_listed_and_no_rollback_target(twice: Home, how: str) -> None:
    first, second = both(twice)
    damage(second.folder, how)
    snapshot.point_to(twice.settings, first.snapshot_id)
    newest = history.entries(twice.settings)[0]
    assert newest.snapshot == second
    assert bool(newest.damage) == (how in VISIBLE_DAMAGE)
    with pytest.raises(PapertideError, match="Can't roll back to"):
        history.rollback(twice.settings, second.snapshot_id)
    assert current(twice.settings) == first


@pytest.mark.parametrize("how", ["no database", "cut database"])
def test_a_damaged_current_snapshot_is_reported_not_replaced(twice: Home, how: str) -> None:
    first, second = both(twice)
    damage(second.folder, how)
    with pytest.raises(NoSnapshotError, match="papertide rollback"):
        current(twice.settings)
    assert history.rollback(twice.settings).to.snapshot == first
    assert current(twice.settings) == first


def test_other_files_among_snapshots_are_ignored(home: Home) -> None:
    only = home.publish()
    folder = home.settings.snapshots_dir
    (folder / "backup").mkdir()
    (folder / "20250101T000000Z-0123456").mkdir()  # a digit short
    (folder / "20250101T000000Z-01234567").write_text("a file")
    assert [entry.snapshot for entry in history.entries(home.settings)] == [only]
    with pytest.raises(PapertideError, match="There is no snapshot 'backup'"):
        history.named(home.settings, "backup")


@pytest.mark.parametrize("name", ["", "../elsewhere", "/etc"])
def test_the_pointer_can_only_name_a_snapshot(twice: Home, name: str) -> None:
    (twice.settings.snapshots_dir / "CURRENT").write_text(name)
    with pytest.raises(NoSnapshotError, match="papertide rollback"):
        current(twice.settings)


# Build status


def test_a_refusal_is_kept_until_a_build_publishes(home: Home) -> None:
    first = home.publish()
    build_status.note_failed_build(
        home.settings, CheckFailed(f"{NOTHING_PUBLISHED}a check failed.")
    )
    refused = build_status.refusal(home.settings.snapshots_dir)
    assert refused is not None
    assert (refused.kept, refused.messages) == (first.snapshot_id, ("a check failed.",))
    home.publish()
    assert build_status.refusal(home.settings.snapshots_dir) is None


def test_a_busy_home_is_not_a_refusal(home: Home) -> None:
    build_status.note_failed_build(home.settings, BusyError("busy"))
    assert build_status.refusal(home.settings.snapshots_dir) is None


def test_an_unreadable_refusal_is_still_a_refusal(home: Home) -> None:
    home.publish()
    (home.settings.snapshots_dir / build_status.REFUSED).write_text("{")
    refused = build_status.refusal(home.settings.snapshots_dir)
    assert refused is not None
    assert "can't be read" in refused.messages[0]


def test_freshness_sentences(home: Home) -> None:
    home.publish()
    folder = home.settings.snapshots_dir
    at = datetime(2025, 6, 2, 8, 30, tzinfo=UTC)
    later = at + timedelta(hours=40)
    assert freshness(folder, at, 36, now=at + timedelta(hours=36)).state == "fresh"
    assert freshness(folder, at, 0, now=later).state == "fresh"
    stale = freshness(folder, at, 36, now=later)
    assert stale.state == "stale"
    assert stale.sentence == (
        "These figures were published on 2025-06-02 08:30 UTC. "
        "They were last known to be up to date 40 hours ago."
    )
    build_status.note_refusal(home.settings, ["one.", "two."], None, now=later)
    refused = freshness(folder, at, 36, now=later)
    assert refused.state == "refused"
    assert refused.sentence == (
        "These figures were published on 2025-06-02 08:30 UTC; the last build was refused at "
        "2025-06-04 00:30 UTC: one (and 1 more)."
    )


def test_a_second_acceptance_replaces_the_first(home: Home) -> None:
    accept(home.settings, "2025-06-20", "first")
    accept(home.settings, "2025-06-21", "other")
    accept(home.settings, "2025-06-20", "second")
    found = [(a.subject, a.why) for a in acceptances(home.settings)]
    assert found == [("2025-06-21", "other"), ("2025-06-20", "second")]
    (home.settings.home / "accepted.json").write_text('[{"subject": 1}]')
    with pytest.raises(PapertideError, match=r"accepted\.json can't be read"):
        acceptances(home.settings)


# Differences


def test_equal_snapshots_have_no_differences(twice: Home) -> None:
    frames = difference.compare(twice.settings, *both(twice))
    assert [name for name, frame in frames.items() if not frame.is_empty()] == []


def test_every_kind_of_difference_is_reported(home: Home) -> None:
    trend = "insert into marts.rpt_topic_trends values ('hf_daily', 'week', '2025-03-03', {})"
    home.sql(trend.format("'agents', 100, 0.1, 0.05, 0.15"))
    home.sql(trend.format("'images', 100, 0.1, 0.05, 0.15"))
    first = home.publish()
    home.day(WEEKDAYS[5], 3)
    home.sql(
        """
        delete from marts.dim_papers where paper_id = '2025-03-03-0';
        delete from marts.fct_listings where paper_id = '2025-03-03-0';
        update marts.dim_papers set upvotes = 50, title = 'New' where paper_id = '2025-03-03-1';
        update marts.dim_papers set upvotes = null where paper_id = '2025-03-03-2';
        update marts.rpt_topic_trends set share = 0.4, share_low = 0.3, share_high = 0.5
        where topic_id = 'agents';
        update marts.rpt_topic_trends set share = 0.14 where topic_id = 'images';
        insert into marts.rpt_quarantine values ('c', 'o', 'item 3', 'no_title', 'd', 'e');
        """
    )
    frames = difference.compare(home.settings, first, home.publish())
    changes = dict(frames["papers"]["change"].value_counts().iter_rows())
    assert changes == {"added": 3, "gone": 1}
    assert frames["paper columns"].rows() == [("upvotes", 2), ("title", 1)]
    days = frames["listings"].select("listed_on", "n_before", "n_now", "n_added", "n_gone").rows()
    assert days == [(WEEKDAYS[0], 4, 3, 0, 1), (WEEKDAYS[5], 0, 3, 3, 0)]
    assert frames["captures"]["origin"].to_list() == [f"{WEEKDAYS[5]}.json"]
    assert frames["quarantine"].rows() == [("no_title", 0, 1)]
    assert frames["coverage"]["listed_on"].to_list() == [WEEKDAYS[5]]
    assert frames["topic shares"]["topic_id"].to_list() == ["agents"]
    assert "verdict_now" not in frames["topic shares"].columns


def test_verdicts_are_compared_if_both_have_horizons(home: Home) -> None:
    home.sql("alter table marts.rpt_topic_trends add column verdict varchar")
    home.sql(
        "insert into marts.rpt_topic_trends "
        "values ('hf_daily', 'week', '2025-03-03', 'agents', 9, 0.1, 0.05, 0.15, 'flat')"
    )
    without = home.publish()
    home.sql("alter table marts.rpt_topic_trends add column horizon varchar default 'quarter'")
    first = home.publish()
    home.sql("update marts.rpt_topic_trends set verdict = 'rising'")
    last = home.publish()
    shares = difference.compare(home.settings, first, last)["topic shares"]
    assert shares.select("verdict_before", "verdict_now").rows() == [("flat", "rising")]
    assert difference.compare(home.settings, without, last)["topic shares"].is_empty()


def test_added_removed_and_changed_topics(home: Home) -> None:
    papers = ["2025-03-03-0", "2025-03-03-1", "2025-03-03-2"]
    pairs = [("agents", papers[0]), ("agents", papers[1]), ("quantum", papers[0])]
    give = "insert into marts.bridge_paper_topics by name select '{}' as topic_id, '{}' as paper_id"
    for topic, paper in pairs:
        home.sql(give.format(topic, paper))
    first = home.publish()
    home.sql("delete from marts.bridge_paper_topics where topic_id = 'quantum'")
    home.sql(f"update marts.bridge_paper_topics set paper_id = '{papers[2]}' "
             f"where paper_id = '{papers[1]}'")  # fmt: skip
    home.sql(give.format("ours", papers[0]))
    home.day(WEEKDAYS[5], 1)
    topics = difference.compare(home.settings, first, home.publish())["topics"]
    assert topics.rows() == [
        ("added", "ours", 0, 1, 1, 0),
        ("found differently", "agents", 2, 2, 1, 1),
        ("gone", "quantum", 1, 0, 0, 1),
    ]


def test_a_damaged_snapshot_cannot_be_compared(twice: Home) -> None:
    first, second = both(twice)
    damage(first.folder, "cut database")
    with pytest.raises(PapertideError, match="can't be opened"):
        difference.compare(twice.settings, first, second)


def test_parquet_and_database_have_the_same_rows(home: Home) -> None:
    one = home.publish()
    for resource in json.loads((one.folder / "datapackage.json").read_text())["resources"]:
        in_file = pl.read_parquet(one.folder / resource["path"])
        in_table = rows(one, f"from marts.{resource['name']}")
        assert sorted(map(str, in_file.rows())) == sorted(map(str, in_table))


def test_a_refresh_without_news_keeps_a_rollback(
    twice: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.warehouse.candidate.is_up_to_date", lambda _: True)
    assert not lake.is_published(twice.settings)  # no build has finished here
    history.rollback(twice.settings, None)
    assert lake.is_published(twice.settings)
    twice.publish()
    assert not lake.is_published(twice.settings)


def test_an_acceptance_can_be_withdrawn(home: Home) -> None:
    accept(home.settings, "2025-03-03", "a holiday")
    accept(home.settings, "dim_papers", "smaller")
    assert withdraw(home.settings, "2025-03-03")
    assert [a.subject for a in acceptances(home.settings)] == ["dim_papers"]
    assert not withdraw(home.settings, "2025-03-03")
