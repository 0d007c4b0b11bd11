"""`papertide ingest --dry-run` shows what a file gives, and stores nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli import report
from pipelines.cli.main import run
from tests.fixtures.listings import api, atom, card, entry, item, jsonl, page, record

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAPERTIDE_HOME", str(tmp_path / "home"))
    return tmp_path


def write(folder: Path, name: str, body: bytes) -> str:
    (folder / name).write_bytes(body)
    return str(folder / name)


def test_each_file_with_form_kind_day_first_items_and_rejects(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = [item(f"2501.000{n}0", f"A Long Study of Subject Number {n}") for n in range(1, 9)]
    paths = [
        write(folder, "2025-01-03.json", api(*papers, item("2501.0001", "No Such Id"))),
        write(folder, "page.txt", page(card("A Title", 3, "Sep 11, 2024"))),
        write(folder, "feed.xml", atom(entry())),
        write(folder, "lines.jsonl", jsonl(record())),
        write(folder, "photo.jpg", b"\xff\xd8\0\0"),
    ]
    code = run(["ingest", "--dry-run", *paths])
    out, err = capsys.readouterr()
    assert code == 0
    assert "form     daily_papers_json (source hf_api)" in out
    assert "day      2025-01-03 (file_name)" in out
    assert "9 seen = 8 accepted + 1 quarantined" in out
    assert "1 × bad_arxiv_id, first at item 9" in out
    assert "A Long Study of Subject Number 1" in out
    assert "… and 3 more" in out
    assert all(f"form     {name}" in out for name in ("listing_text", "arxiv_atom", "arxiv_snap"))
    assert "1 × binary" in out
    assert "5 file(s): 13 items seen = 11 accepted + 2 quarantined. Nothing was stored." in err
    assert max(map(len, out.splitlines())) <= max(80, *map(len, paths))
    assert not (folder / "home").exists()


def test_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder, "feed.xml", atom(entry(title="A Title"), entry("x", "Another")))
    assert run(["ingest", "--dry-run", "--json", path, str(folder / "missing")]) == 1
    found, missing = json.loads(capsys.readouterr().out)
    assert (found["format"], found["listing_kind"], found["status"]) == (
        "arxiv_atom", "search", "usable",
    )  # fmt: skip
    assert found["n_seen"] == found["n_accepted"] + found["n_quarantined"] == 2
    assert found["items"][0]["title"] == "A Title"
    assert found["quarantine"][0]["reason"] == "bad_arxiv_id"
    assert missing["status"] == "refused"
    assert "no such file" in missing["message"]


def test_options_count_in_a_preview(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder, "x.json", api(item()))
    assert run(["ingest", path, "--dry-run", "--kind", "daily", "--listing-day", "2025-01-03"]) == 0
    out = capsys.readouterr().out
    assert "daily (override: set by the user)" in out
    assert "2025-01-03 (override)" in out


def test_nothing_usable_is_a_failure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", "--dry-run", write(folder, "x.bin", b"\0\1\2")]) == 1
    assert "Nothing was stored" in capsys.readouterr().err


def test_json_is_for_a_preview_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", "--json", write(folder, "x.json", api(item()))]) == 2
    assert "--dry-run" in capsys.readouterr().err


def capture(
    name: str, n_accepted: int, n_quarantined: int, kind: str = "daily"
) -> dict[str, object]:
    return {
        "capture_id": name, "origin": name, "outcome": "new", "source": "hf_api",
        "listing_kind": kind, "listing_kind_rule": "x", "rules": [], "listed_on": None,
        "n_seen": n_accepted + n_quarantined, "n_accepted": n_accepted,
        "n_quarantined": n_quarantined,
    }  # fmt: skip


def test_of_many_files_the_worst_are_shown_and_the_others_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "_print_quarantine", lambda *_: None)
    good = [capture(f"good-{n}.json", 9, 0) for n in range(30)]
    some = [capture(f"some-{n}.json", 9, 1) for n in range(15)]
    bad = [capture("little.json", 2, 8), capture("nothing.json", 0, 3)]
    report._print_captures([*good, *some, *bad, capture("odd.json", 5, 0, "unknown")])
    out, err = capsys.readouterr()
    first = out.splitlines()[1].split()[0]
    assert first == "nothing.json"
    assert "good-1.json" not in out
    assert "6 more file(s) need attention, with 5 item(s) in quarantine" in err
    assert "Nothing was read from 1 file(s): nothing.json" in err
    assert "Less than half of the items were read from 1 file(s): little.json" in err
    assert "unknown" in err
    assert "odd.json" in err
