"""Ingesting paths: one outcome per file, and a bad file doesn't stop the others."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Given
from pipelines.errors import UsageError
from pipelines.intake.facts import overrides
from pipelines.intake.ingest import ingest_paths
from pipelines.intake.paths import walk
from pipelines.settings import Settings
from tests.fixtures.listings import api, card, item, page

pytestmark = pytest.mark.unit


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(Settings(home=tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    (path / "2025-01-03.json").write_bytes(api(item()))
    (path / "page.txt").write_bytes(page(card("One", 2, "Mar 3, 2024")))
    return path


def outcomes(archive: Archive, *paths: object, **given: str) -> dict[str, str]:
    """File name → status of its outcome."""
    facts = {name: Given(value, "override") for name, value in given.items()}
    found = ingest_paths(archive, [str(path) for path in paths], facts)
    return {Path(outcome.origin).name: outcome.status for outcome in found}


def test_a_folder_is_ingested_once(archive: Archive, folder: Path) -> None:
    (folder / "notes.md").write_text("# Notes")
    names = ["2025-01-03.json", "page.txt"]
    skipped = {"notes.md": "skipped"}
    assert outcomes(archive, folder) == dict.fromkeys(names, "new") | skipped
    assert outcomes(archive, folder) == dict.fromkeys(names, "known") | skipped
    assert outcomes(archive, folder, listing_kind="search")["page.txt"] == "amended"


def test_a_bad_file_does_not_stop_the_others(archive: Archive, folder: Path) -> None:
    (folder / "0-empty.json").touch()
    (folder / "1-dangling.json").symlink_to(folder / "nowhere")
    (folder / "2-cut.gz").write_bytes(gzip.compress(b"")[:5])
    assert outcomes(archive, folder, folder / "nowhere", folder / "1-dangling.json") == {
        "0-empty.json": "refused",
        "2-cut.gz": "refused",
        "2025-01-03.json": "new",
        "page.txt": "new",
        "nowhere": "refused",
        "1-dangling.json": "refused",
    }


def test_a_damaged_captures_csv_is_reported_once(archive: Archive, folder: Path) -> None:
    (folder / "captures.csv").write_text("file,listing_date\n2025-01-03.json,2025-02-30\n")
    found = list(ingest_paths(archive, [str(folder)], {}))
    refused = [outcome for outcome in found if outcome.status == "refused"]
    assert len(refused) == 1
    assert "line 2" in refused[0].message
    assert "No file in this folder was ingested" in refused[0].message
    assert not any(outcome.status == "new" for outcome in found)


def test_facts_of_a_captures_csv_apply(archive: Archive, folder: Path) -> None:
    (folder / "captures.csv").write_text("file,listing_date\n2025-01-03.json,2025-01-06\n")
    outcomes(archive, folder / "2025-01-03.json")
    assert archive.receipts()[0].given == {"listed_on": Given("2025-01-06", "captures.csv")}


def test_an_override_beats_a_captures_csv(archive: Archive, folder: Path) -> None:
    (folder / "captures.csv").write_text("file,listing_date\n2025-01-03.json,2025-01-06\n")
    outcomes(archive, folder / "2025-01-03.json", listed_on="2025-01-07")
    assert archive.receipts()[0].given == {"listed_on": Given("2025-01-07", "override")}


@pytest.mark.parametrize(
    "name",
    ["no/such/file", "x" * 5_000, "Title\n" * 1_000, "a\0b", ""],
    ids=["missing", "long name", "pasted page", "NUL", "blank"],
)
def test_a_name_without_a_file_is_refused(archive: Archive, name: str, tmp_path: Path) -> None:
    found = list(ingest_paths(archive, [name or str(tmp_path / "empty")], {}))
    assert [outcome.status for outcome in found] == ["refused"]
    assert "no such file or folder" in found[0].message
    assert len(found[0].message) < 300


def test_an_empty_folder_is_refused(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (found,) = ingest_paths(archive, [str(tmp_path / "empty")], {})
    assert found.status == "refused"
    assert "contains no captures" in found.message


def test_the_home_inside_a_folder_is_skipped(folder: Path) -> None:
    archive = Archive(Settings(home=folder / "data"))
    assert set(outcomes(archive, folder)) == {"2025-01-03.json", "page.txt"}
    assert set(outcomes(archive, folder).values()) == {"known"}


def test_standard_input(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(api(item()))))
    assert outcomes(archive, "-") == {"standard input": "new"}


def test_overrides_are_converted_to_utc() -> None:
    given = overrides("search", "2025-11-06T23:30:00-05:00", "2025-11-06", "hf_page")
    assert given == {
        "listing_kind": Given("search", "override"),
        "captured_at": Given("2025-11-07T04:30:00+00:00", "override"),
        "listed_on": Given("2025-11-06", "override"),
        "source": Given("hf_page", "override"),
    }
    assert overrides() == {}


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"kind": "hourly"}, "--kind"),
        ({"source": "twitter"}, "--source"),
        ({"captured_on": "yesterday"}, "--captured-on"),
        ({"captured_on": "2025-02-30"}, "--captured-on"),
        ({"captured_on": "2999-01-01"}, "--captured-on"),
        ({"captured_on": "9999-12-31T23:00:00-14:00"}, "--captured-on"),
        ({"listing_day": "2025-W01-"}, "--listing-day"),
        ({"listing_day": "0201-05-06"}, "--listing-day"),
        ({"listing_day": "2999-01-01"}, "--listing-day"),
        ({"listing_day": ""}, "--listing-day"),
    ],
    ids=str,
)
def test_an_invalid_override_names_the_option(given: dict[str, str], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        overrides(**given)


def test_walk_skips_files_that_are_not_captures(tmp_path: Path) -> None:
    for name in ("b.json", "a.txt", "captures.csv", "README.md", ".hidden", "sub/c.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").touch()
    home = tmp_path / "data"
    home.mkdir()
    (home / "warehouse.duckdb").touch()
    found = [p.relative_to(tmp_path).as_posix() for p in walk([tmp_path], home=home)]
    assert found == ["a.txt", "b.json", "sub/c.json"]
    named = [tmp_path / "README.md", tmp_path / ".hidden"]
    assert list(walk(named)) == named
