"""Machine faults: damaged files, full and read-only disks, wrong clocks, interruption.

Each gives a clear message, loses no data, keeps the last snapshot readable, and can be resolved as
docs/operations.md describes.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import FETCH, Given
from pipelines.audit import runner
from pipelines.cli.main import run
from pipelines.errors import NOTHING_PUBLISHED, CheckFailed, NoSnapshotError, PapertideError
from pipelines.lake import items
from pipelines.publishing import build_status
from pipelines.publishing.freshness import freshness
from pipelines.publishing.snapshot import current
from pipelines.publishing.user_sql import run_user_sql
from pipelines.runtime import faults
from pipelines.settings import Settings
from pipelines.sources.errors import TransientSourceError
from pipelines.sources.huggingface.plan import plan_days
from pipelines.topics import in_force
from pipelines.topics.taxonomy import Taxonomy
from pipelines.warehouse import candidate, loading, topic_matches
from tests.fixtures.listings import api, item
from tests.soak import world
from tests.unit.published import WEEKDAYS, Home

pytestmark = pytest.mark.warehouse

Damage = Callable[[Path], object]
DAY = date(2025, 6, 3)
ITEMS = "items-00000.parquet"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with two snapshots of synthetic marts."""
    made = Home(tmp_path / "home")
    for day in WEEKDAYS[:2]:
        made.day(day, 20)
        made.publish()
    return made


@pytest.fixture
def selected(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The same home, used by commands in this process."""
    monkeypatch.setenv("PAPERTIDE_HOME", str(home.settings.home))
    return home


def flip(path: Path) -> None:
    """Damage every block except the headers, without changing the size."""
    body = bytearray(path.read_bytes())
    for place in range(4096 * 3 + 1000, len(body), 4096):
        body[place] ^= 0xFF
    path.write_bytes(body)


def newest(snapshots: Path) -> Path:
    return max(path for path in snapshots.iterdir() if path.is_dir())


DAMAGES: dict[str, Damage] = {
    "pointer_is_binary": lambda s: (s / "CURRENT").write_bytes(bytes(range(256))),
    "pointer_is_empty": lambda s: (s / "CURRENT").write_bytes(b""),
    "pointer_is_endless": lambda s: (s / "CURRENT").write_text("x" * 5_000),
    "pointer_holds_nul": lambda s: (s / "CURRENT").write_bytes(b"\0\0"),
    "snapshot_is_gone": lambda s: shutil.rmtree(newest(s)),
    "database_is_cut": lambda s: os.truncate(newest(s) / "papertide.duckdb", 20_000),
    "database_is_empty": lambda s: os.truncate(newest(s) / "papertide.duckdb", 0),
    "database_is_garbage": lambda s: (newest(s) / "papertide.duckdb").write_bytes(b"abc" * 9_000),
    "database_has_bad_blocks": lambda s: flip(newest(s) / "papertide.duckdb"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_snapshot_is_reported_and_not_compared(home: Home, damage: Damage) -> None:
    damage(home.settings.snapshots_dir)
    with pytest.raises(NoSnapshotError, match="Run `papertide rollback`"):
        run_user_sql(home.settings, "select max(title) from dim_papers", lambda a: a.columns)
    # A build compares with nothing, and publishes.
    with runner.open_comparison(home.settings) as comparison:
        assert comparison.snapshot is None
    assert current(home.settings) if home.publish() else None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_commands_report_damage_and_roll_back(
    selected: Home, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    home = selected
    before = sorted(p.name for p in home.settings.snapshots_dir.iterdir() if p.is_dir())[0]
    damage(home.settings.snapshots_dir)
    Archive(home.settings).receive(
        BytesIO(b"[]"), "2025-06-03.json", {}
    )  # a capture that is not published
    assert run(["status"]) == 1
    assert "papertide rollback" in capsys.readouterr().err
    assert run(["rollback", before]) == 0
    assert current(home.settings).snapshot_id == before


@pytest.mark.parametrize(
    "content",
    ['{"created": "2025-06-01", "resources": []}', '{"created": 1}', "[]", "{"],
)
def test_an_incomplete_datapackage_is_damage(home: Home, content: str) -> None:
    (current(home.settings).folder / "datapackage.json").write_text(content)
    with pytest.raises(NoSnapshotError, match="missing or damaged"):
        current(home.settings).package()


def test_an_incomplete_rollback_record_is_ignored(home: Home) -> None:
    (home.settings.snapshots_dir / "ROLLED_BACK.json").write_text('{"to": "x"}')
    assert build_status.rollback_mark(home.settings.snapshots_dir) is None


# The warehouse


@pytest.mark.parametrize("damage", [flip, lambda p: p.write_bytes(b"garbage" * 5_000)])
def test_a_damaged_warehouse_is_rebuilt_after_a_failed_build(
    tmp_path: Path, damage: Damage
) -> None:
    settings = Settings(home=tmp_path)
    assert candidate.begin(settings)
    with duckdb.connect(str(settings.candidate_path)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.t as select range::varchar as x from range(400000)")
    candidate.adopt(settings)
    assert not candidate.begin(settings)  # an intact warehouse is reused
    assert not candidate.begin(settings)  # even if a candidate is left over
    damage(settings.warehouse_path)
    assert candidate.begin(settings)


def test_damaged_topic_matches_are_searched_again(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    archive, rules = Archive(settings), in_force.in_force(settings)
    receipt = archive.receive(BytesIO(api(item())), "2025-01-03.json", {}).receipt
    items.load(archive, receipt, settings.items_dir)
    candidate.begin(settings)
    loading.load_lake(settings)
    whole = topic_matches.load_matches(settings, rules)
    assert whole[0] > 0
    for path in settings.text_dir.rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[:40])
    candidate.begin(settings)
    loading.load_lake(settings)
    assert topic_matches.load_matches(settings, rules) == whole
    # Rules that change during a build must not be used by it.
    other = Taxonomy(rules.topics, rules.rules[1:])
    with pytest.raises(PapertideError, match="changed during this build"):
        topic_matches.load_matches(settings, other)


# Faults of the machine


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (raised(RuntimeError("step failed"), OSError(errno.ENOSPC, "No space left")), "is full"),
        (OSError(errno.EFBIG, "File too large"), "is full"),
        (duckdb.IOException("Could not write file: No space left on device"), "is full"),
        (
            duckdb.OutOfMemoryException(
                "Out of Memory Error: failed to offload data block of size 1"
            ),
            "is full",
        ),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), "MEMORY_LIMIT"),
        (sqlite3.OperationalError("database or disk is full"), "is full"),
        (sqlite3.OperationalError("disk I/O error"), "failed"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "/x: Read-only file system"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: Permission denied"),
        (duckdb.IOException("Corrupt database file: computed checksum 1"), "papertide build"),
        (sqlite3.DatabaseError("database disk image is malformed"), "Rename or move that folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_machine_fault_is_reported(tmp_path: Path, error: Exception, words: str) -> None:
    with pytest.raises(faults.MachineError, match=words), faults.reporting_faults(tmp_path):
        raise error


def test_a_bug_is_not_reported_as_a_machine_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyError), faults.reporting_faults(tmp_path):
        raise KeyError("x")


def test_nothing_starts_on_a_full_disk(
    selected: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    assert run(["refresh"]) == 1
    assert "is full (0 MiB left)" in capsys.readouterr().err


def test_a_record_that_cannot_be_written_keeps_the_old_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home.settings.snapshots_dir
    build_status.note_failed_build(home.settings, CheckFailed("first."))
    before = sorted(folder.iterdir())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        build_status.note_failed_build(home.settings, CheckFailed("second."))
    found = build_status.refusal(folder)
    assert found is not None
    assert found.messages == ("first.",)
    assert sorted(folder.iterdir()) == before


# Records of builds that published nothing


def test_an_interrupted_build_is_not_a_refusal(home: Home) -> None:
    build_status.note_failed_build(home.settings, KeyboardInterrupt())
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = KeyboardInterrupt()
    build_status.note_failed_build(home.settings, wrapped)
    assert build_status.refusal(home.settings.snapshots_dir) is None


@pytest.mark.parametrize(
    ("error", "name", "words"),
    [
        (CheckFailed("x."), "refused", "the last build was refused at"),
        (faults.MachineError("x."), "failed", "the last build failed at"),
        (TransientSourceError("x."), "failed", "the last refresh could not fetch everything at"),
    ],
)
def test_the_banner_names_the_kind_of_failure(
    home: Home, error: Exception, name: str, words: str
) -> None:
    build_status.note_failed_build(home.settings, error)
    found = freshness(home.settings.snapshots_dir, datetime.now(UTC), 36)
    assert found.state == name
    assert words in found.sentence


def test_figures_found_up_to_date_are_not_stale(home: Home) -> None:
    folder = home.settings.snapshots_dir
    at = datetime(2025, 6, 2, tzinfo=UTC)
    later = at + timedelta(hours=60)
    assert freshness(folder, at, 36, now=later).state == "stale"
    build_status.note_checked(home.settings, "another", now=later)
    assert freshness(folder, at, 36, now=later).state == "stale"
    build_status.note_checked(home.settings, current(home.settings).snapshot_id, now=later)
    assert freshness(folder, at, 36, now=later).state == "fresh"
    assert freshness(folder, at, 36, now=later + timedelta(hours=37)).state == "stale"


# Clocks


def test_figures_dated_in_the_future_are_not_fresh(home: Home) -> None:
    at = datetime(2025, 6, 2, tzinfo=UTC)
    found = freshness(home.settings.snapshots_dir, at, 36, now=at - timedelta(days=400))
    assert found.state == "stale"
    assert "One of the clocks is or was wrong" in found.sentence


def test_days_fetched_with_a_fast_clock_are_fetched_again(tmp_path: Path) -> None:
    archive = Archive(Settings(home=tmp_path))

    def archive_fetched(moment: str) -> None:
        facts = {"captured_at": moment, "is_last_page": "true", "n_items": "1", "page": "0"}
        given = {k: Given(v, FETCH) for k, v in {**facts, "listed_on": str(DAY)}.items()}
        archive.receive(BytesIO(b'[{"paper": {}}]'), f"{DAY}.json", given)

    now = datetime(2025, 6, 10, tzinfo=UTC)
    archive_fetched("2031-01-01T00:00:00+00:00")
    assert plan_days(archive.receipts(), DAY, DAY, now, ())[0].is_due
    archive_fetched("2025-06-09T00:00:00+00:00")
    assert not plan_days(archive.receipts(), DAY, DAY, now, ())[0].is_due


# Whole builds


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a source of synthetic lists."""
    with world.source(200) as address:
        yield address


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory, url: str) -> Path:
    """A home with five days of these lists. Tests must not change it."""
    made = tmp_path_factory.mktemp("refreshed") / "home"
    world.refresh(made, url, 0, 4)
    return made


@pytest.fixture
def copied(refreshed: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(refreshed, tmp_path / "home"))


def ask(home: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = world.run(home, url, *arguments)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.slow
def test_a_refresh_without_news_publishes_nothing(
    copied: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERTIDE_MAX_ATTEMPTS", "1")
    settings = Settings(home=copied)
    before = current(settings).snapshot_id
    days = ("--since", world.day(0), "--until", world.day(4))
    quiet = ask(copied, url, "refresh", *days)
    assert quiet.returncode == 0, quiet.stderr
    assert "Nothing new: the published snapshot is up to date." in quiet.stderr
    assert current(settings).snapshot_id == before
    checked = build_status.checked(settings.snapshots_dir)
    assert checked is not None
    assert checked[0] == before

    down = ask(copied, "http://127.0.0.1:9", "refresh", *days, "--again")
    assert down.returncode == 1
    assert "No day could be fetched" in down.stderr
    found = build_status.refusal(settings.snapshots_dir)
    assert found is not None
    assert found.kind == "not_fetched"
    assert ask(copied, url, "status").returncode == 1
    assert ask(copied, url, "refresh", *days).returncode == 0  # nothing is missing any more
    assert build_status.refusal(settings.snapshots_dir) is None
    assert current(settings).snapshot_id == before


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_is_not_recorded_as_refused(
    copied: Path, url: str, sign: signal.Signals
) -> None:
    settings = Settings(home=copied)
    before = current(settings)
    process = world.start(copied, url, "build")
    assert process.stderr is not None
    lines = iter(process.stderr.readline, b"")
    assert any(b"building and checking" in line for line in lines)
    process.send_signal(sign)
    rest = process.stderr.read().decode()
    assert process.wait() == 1
    assert "Stopped. Completed work is kept" in rest
    assert "Traceback" not in rest
    assert build_status.refusal(settings.snapshots_dir) is None
    assert current(settings) == before
    assert world.reads(copied, url) > 0


@pytest.mark.slow
def test_the_time_zone_changes_no_table(
    refreshed: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = refreshed / "captures"
    made = {}
    for zone in ("UTC", "America/Los_Angeles", "Asia/Tokyo"):
        home = tmp_path / zone.replace("/", "-")
        shutil.copytree(captures, home / "captures")
        monkeypatch.setenv("TZ", zone)
        # Ingesting any file parses the captures that wait in the archive.
        body = home / "empty.json"
        body.write_bytes(b"[]")
        when = ("--listing-day", "2025-03-01", "--captured-on", "2025-03-02")
        ask(home, url, "ingest", str(body), *when)
        assert ask(home, url, "build").returncode == 0
        package = current(Settings(home=home)).package()
        made[zone] = {r["name"]: r["hash"] for r in package["resources"]}
    moments = {"rpt_capture_reconciliation", "fct_engagement"}  # contain the time of receipt
    compared = {zone: {k: v for k, v in h.items() if k not in moments} for zone, h in made.items()}
    assert compared["America/Los_Angeles"] == compared["UTC"]
    assert compared["Asia/Tokyo"] == compared["UTC"]


@pytest.mark.slow
def test_missing_and_duplicate_rows_are_refused_and_reported(copied: Path, url: str) -> None:
    settings = Settings(home=copied)
    before = current(settings)
    folder = max(settings.items_dir.iterdir(), key=lambda f: len(pl.read_parquet(f / ITEMS)))
    rows = pl.read_parquet(folder / ITEMS)
    for changed, words in (
        (rows.head(rows.height // 2), "accepted"),  # half of a day is missing
        (pl.concat([rows, rows]), "unique"),  # every key twice
    ):
        changed.write_parquet(folder / ITEMS)
        facts = json.loads((folder / "capture.json").read_text())
        facts["files"][ITEMS] = (folder / ITEMS).stat().st_size
        (folder / "capture.json").write_text(json.dumps(facts))
        settings.warehouse_path.unlink(missing_ok=True)  # build from the lake alone
        refused = ask(copied, url, "build")
        assert refused.returncode == 1
        assert NOTHING_PUBLISHED.strip() in refused.stderr
        assert words in refused.stderr
        assert current(settings) == before
        found = freshness(settings.snapshots_dir, datetime.now(UTC), 36)
        assert found.state == "refused"
        assert "These figures were published on" in found.sentence
        assert "the last build was refused at" in found.sentence
