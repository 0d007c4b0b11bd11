"""Files in the inbox: which are complete, where they are moved, and their verdict."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.intake import inbox
from pipelines.intake.ingest import Outcome
from pipelines.intake.verdict import BuildResult, capture_facts
from pipelines.parsing import PARSER_VERSION
from pipelines.settings import Settings

pytestmark = pytest.mark.unit

LATER = time.time() + 3600
DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    settings.inbox_dir.mkdir()
    return settings


def drop(settings: Settings, name: str, text: str = "x") -> Path:
    path = settings.inbox_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(settings: Settings) -> list[str]:
    return [
        str(path.relative_to(settings.inbox_dir))
        for path in inbox.settled_files(settings, now=LATER)
    ]


def aside(settings: Settings) -> list[str]:
    return sorted(
        str(path.relative_to(settings.inbox_dir))
        for path in settings.inbox_dir.rglob("*")
        if path.is_file()
    )


def parsed(settings: Settings, **facts: Any) -> Outcome:
    """A capture in the lake, with the facts that a verdict uses."""
    folder = settings.items_dir / "c1"
    folder.mkdir(parents=True)
    stored = {
        "capture_id": "c1", "format": "hf_api", "source": "hf_api", "listing_kind": "daily",
        "listing_kind_rule": "named by its address", "listed_on": "2026-03-01",
        "listed_on_basis": "file_name", "rules": ["year: from the capture"], "n_seen": 3,
        "n_accepted": 2, "n_quarantined": 1, "parser_version": PARSER_VERSION, **facts,
    }  # fmt: skip
    (folder / "capture.json").write_text(json.dumps(stored))
    rows = {"reason": ["no_title"], "place": ["item 3"], "detail": ["The title\nis missing."]}
    pl.DataFrame(rows).write_parquet(folder / "quarantine.parquet")
    return Outcome("x", "new", "c1")


def test_a_missing_inbox_is_empty(tmp_path: Path) -> None:
    assert not inbox.settled_files(Settings(home=tmp_path))


def test_unfinished_files_and_sidecars_are_skipped(settings: Settings) -> None:
    for name in (
        ".hidden", "a.part", "a.crdownload", "a.tmp", "a.verdict.txt", "captures.csv", "README.md",
        "done/2026-01-01/old.txt", "refused/2026-01-01/bad.txt", ".work/x.txt", "b.txt",
        "folder/a.txt", "folder/done/c.txt",
    ):  # fmt: skip
        drop(settings, name)
    assert names(settings) == ["b.txt", "folder/a.txt", "folder/done/c.txt"]


def test_links_and_pipes_are_skipped(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file.txt").write_text("x")
    (settings.inbox_dir / "link.txt").symlink_to(tmp_path / "secret" / "file.txt")
    (settings.inbox_dir / "linked").symlink_to(tmp_path / "secret")
    (settings.inbox_dir / "dangling").symlink_to("nowhere")
    os.mkfifo(settings.inbox_dir / "pipe")
    assert not names(settings)


def test_a_file_must_have_settled_whatever_its_mtime(settings: Settings) -> None:
    path = drop(settings, "a.txt")
    os.utime(path, (0, 0))
    assert not inbox.settled_files(settings, now=path.stat().st_ctime + inbox.SETTLE_S - 0.1)
    assert inbox.settled_files(settings, now=path.stat().st_ctime + inbox.SETTLE_S)


def test_the_number_of_files_is_limited(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MAX_FILES", 2)
    for name in "cab":
        drop(settings, name)
    assert names(settings) == ["a", "b"]


def test_the_fingerprint_follows_names_sizes_times_and_the_sidecar(settings: Settings) -> None:
    a, b = drop(settings, "a"), drop(settings, "b")
    keys = [inbox.fingerprint([a, b])]
    assert inbox.fingerprint([b, a]) == keys[0]
    keys.append(inbox.fingerprint([a]))
    os.utime(a, (1, 1))
    keys.append(inbox.fingerprint([a, b]))
    drop(settings, "captures.csv")
    keys.append(inbox.fingerprint([a, b]))
    a.unlink()
    keys.append(inbox.fingerprint([a, b]))
    assert len(set(keys)) == len(keys)


def test_a_used_file_goes_to_done_with_its_verdict(settings: Settings) -> None:
    path = drop(settings, "2026/page.txt", "bytes")
    place = inbox.move_aside(settings, path, parsed(settings), BuildResult("S1"), now=DAY)
    assert place == settings.inbox_dir / "done/2026-03-02/2026/page.txt"
    assert place.read_text() == "bytes"
    assert aside(settings) == [
        "done/2026-03-02/2026/page.txt", "done/2026-03-02/2026/page.txt.verdict.txt",
    ]  # fmt: skip
    assert not (settings.inbox_dir / "2026").exists()
    text = place.with_name("page.txt.verdict.txt").read_text()
    for line in (
        "kind      daily: named by its address", "day       2026-03-01: file_name",
        "rule      year: from the capture", "3 seen = 2 accepted + 1 quarantined",
        "1 × no_title, first at item 3: The title�is missing.", "snapshot S1 includes it",
    ):  # fmt: skip
        assert line in text


def test_nothing_is_overwritten(settings: Settings) -> None:
    outcome = parsed(settings)
    for text in ("one", "two", "three"):
        inbox.move_aside(
            settings, drop(settings, "a.b.txt", text), outcome, BuildResult("S"), now=DAY
        )
    folder = settings.inbox_dir / "done" / "2026-03-02"
    found = {path.name: path.read_text() for path in folder.glob("a*.txt")}
    assert {n: t for n, t in found.items() if "verdict" not in n} == {
        "a.b.txt": "one", "a-2.b.txt": "two", "a-3.b.txt": "three",
    }  # fmt: skip
    assert "a-3.b.txt.verdict.txt" in found


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (
            Outcome("x", "refused", message="x is empty, so there is nothing to ingest."),
            "x is empty",
        ),
        (Outcome("x", "skipped", message="sidecar file"), "drop the file into the inbox again"),
    ],
    ids=["refused", "skipped"],
)
def test_a_refused_file_goes_to_refused(settings: Settings, outcome: Outcome, text: str) -> None:
    place = inbox.move_aside(settings, drop(settings, "x"), outcome, BuildResult(), now=DAY)
    assert place.parent == settings.inbox_dir / "refused" / "2026-03-02"
    assert text in place.with_name("x.verdict.txt").read_text()


def test_a_file_without_a_usable_item_goes_to_refused(settings: Settings) -> None:
    outcome = parsed(settings, n_seen=1, n_accepted=0)
    place = inbox.move_aside(settings, drop(settings, "x"), outcome, BuildResult("S"), now=DAY)
    assert "refused" in place.parts
    assert "nothing in the file could be used" in place.with_name("x.verdict.txt").read_text()


def test_an_empty_list_goes_to_done(settings: Settings) -> None:
    outcome = parsed(settings, n_seen=0, n_accepted=0, n_quarantined=0)
    place = inbox.move_aside(settings, drop(settings, "x"), outcome, BuildResult("S"), now=DAY)
    assert "done" in place.parts


def test_a_verdict_without_a_snapshot_gives_the_next_step(settings: Settings) -> None:
    built = BuildResult(error="2 checks failed\x1b[1m")
    outcome = parsed(settings)
    place = inbox.move_aside(settings, drop(settings, "x"), outcome, built, now=DAY)
    text = place.with_name("x.verdict.txt").read_text()
    assert "2 checks failed�[1m): run `papertide build`" in text
    late = BuildResult("S1", "the site")
    place = inbox.move_aside(settings, drop(settings, "z"), outcome, late, now=DAY)
    text = place.with_name("z.verdict.txt").read_text()
    assert "snapshot S1 includes it. A later step of the run failed (the site)" in text
    waits = inbox.move_aside(
        settings, drop(settings, "y"), Outcome("y", "new", "zz"), built, now=DAY
    )
    assert "not parsed yet" in waits.with_name("y.verdict.txt").read_text()


def test_long_and_invalid_names_are_moved(settings: Settings) -> None:
    outcome = parsed(settings)
    long = drop(settings, "ä" * 120 + ".json")
    odd = settings.inbox_dir / os.fsdecode(b"b\xff\n.txt")
    odd.write_text("x")
    for path in (long, odd):
        place = inbox.move_aside(settings, path, outcome, BuildResult("S"), now=DAY)
        assert place.suffix == path.suffix
        assert place.with_name(place.name + ".verdict.txt").exists()


def test_facts_of_an_earlier_parser_wait_to_be_parsed_again(settings: Settings) -> None:
    outcome = parsed(settings, parser_version="4")
    assert capture_facts(settings, outcome) is None
