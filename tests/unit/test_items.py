"""Captures in the lake: facts inferred about a capture, and parsing it again."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import Given, Receipt
from pipelines.errors import CaptureError
from pipelines.lake import items
from pipelines.lake.schemas import LAKE_ITEM_SCHEMA, QUARANTINE_SCHEMA
from pipelines.settings import Settings
from tests.fixtures.listings import (
    api,
    article,
    atom,
    card,
    entry,
    html_page,
    item,
    jsonl,
    page,
    record,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
SUBMITTED = {"submittedOnDailyAt": "2025-03-18T10:00:00.000Z"}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(Settings(home=tmp_path / "home"))


def receive(archive: Archive, body: bytes, name: str, given: dict[str, Given]) -> Receipt:
    return archive.receive(io.BytesIO(body), name, given, now=NOW).receipt


def load(
    archive: Archive, body: bytes, name: str = "capture", **given: tuple[str, str]
) -> dict[str, Any]:
    """Facts of a capture; `given` has the value and the origin of each given fact."""
    facts = {fact: Given(value, by) for fact, (value, by) in given.items()}
    return items.load(archive, receive(archive, body, name, facts), archive.home / "items")


LISTED = [item(f"2503.0000{n}", **SUBMITTED) for n in range(1, 4)]
PROPS = {"dailyPapers": LISTED, "date": "2025-03-19", "periodType": "day"}
SIDECAR = ("2025-03-20", "captures.csv")
OVERRIDE = ("2025-03-21", "override")


@pytest.mark.parametrize(
    ("body", "name", "given", "day", "basis"),
    [
        pytest.param(
            html_page(PROPS),
            "2025-03-17.html",
            {"listed_on": OVERRIDE},
            "2025-03-21",
            "override",
            id="override",
        ),
        pytest.param(
            html_page(PROPS),
            "2025-03-17.html",
            {"listed_on": SIDECAR},
            "2025-03-20",
            "captures.csv",
            id="captures.csv",
        ),
        pytest.param(
            html_page(PROPS),
            "2025-03-17.html",
            {},
            "2025-03-19",
            "page_date",
            id="the page's own date",
        ),
        pytest.param(
            html_page(PROPS | {"date": "2999-01-01"}),
            "2025-03-17.html",
            {},
            "2025-03-18",
            "majority_of_submissions",
            id="a page date in the future",
        ),
        pytest.param(
            api(*LISTED, item()),
            "2025-03-17.json",
            {},
            "2025-03-18",
            "majority_of_submissions",
            id="majority of submissions",
        ),
        pytest.param(
            api(LISTED[0], item("2503.00009", submittedOnDailyAt="2025-03-19T01:00:00Z")),
            "x.json",
            {},
            None,
            "none: the capture shows no day",
            id="half of the submissions",
        ),
        pytest.param(
            api(item()), "2025-01-06.json", {}, "2025-01-06", "file_name", id="the file name"
        ),
        pytest.param(
            api(item()),
            "2025-02-30__2025-01-06.json",
            {},
            "2025-01-06",
            "file_name",
            id="a name with an impossible date",
        ),
        pytest.param(
            api(item()),
            "2999-01-01.json",
            {},
            None,
            "none: a list of this kind has no day",
            id="a name with a date in the future",
        ),
        pytest.param(
            api(item()), "x.json", {}, None, "none: a list of this kind has no day", id="nothing"
        ),
    ],
)
def test_listed_on(
    archive: Archive,
    body: bytes,
    name: str,
    given: dict[str, tuple[str, str]],
    day: str | None,
    basis: str,
) -> None:
    facts = load(archive, body, name, **given)
    assert (str(facts["listed_on"]) if facts["listed_on"] else None) == day
    assert facts["listed_on_basis"] == basis


@pytest.mark.parametrize(
    ("body", "name", "given", "moment", "basis"),
    [
        pytest.param(
            page(card("One", 2, "Mar 3, 2024")),
            "x",
            {"captured_at": ("2025-11-06T10:00:00+00:00", "override")},
            "2025-11-06T10:00:00",
            "override",
            id="given",
        ),
        pytest.param(
            page(card("One", 2, "Mar 3, 2024")),
            "x",
            {},
            "2025-11-06T00:00:00",
            "page_date",
            id="page date",
        ),
        pytest.param(
            jsonl(record(), record(update_date="2025-01-09")),
            "x",
            {},
            "2025-01-09T00:00:00",
            "latest_announcement",
            id="latest announcement",
        ),
        pytest.param(
            api(item(statusLastChangedAt="2025-01-05T01:00:00-05:00", z="2999-01-01T00:00:00Z")),
            "x",
            {},
            "2025-01-05T06:00:00",
            "latest_timestamp_inside",
            id="latest timestamp inside",
        ),
        pytest.param(
            api(item(z="9999-12-31T23:59:59-14:00", y="2025-13-01T00:00:00Z")),
            "x",
            {},
            "2025-01-02T03:04:05",
            "latest_timestamp_inside",
            id="timestamps outside the calendar",
        ),
        pytest.param(b"[]", "x", {}, "2026-02-03T12:00:00", "receipt", id="receipt"),
    ],
)
def test_captured_at(
    archive: Archive,
    body: bytes,
    name: str,
    given: dict[str, tuple[str, str]],
    moment: str,
    basis: str,
) -> None:
    facts = load(archive, body, name, **given)
    assert (facts["captured_at"], facts["captured_at_basis"]) == (moment, basis)


@pytest.mark.parametrize(
    ("body", "fmt", "kind", "seen", "accepted"),
    [
        pytest.param(
            page(card("One", 2, "Mar 3, 2024")), "listing_text", "search", 1, 1, id="page text"
        ),
        pytest.param(html_page(PROPS), "listing_html", "daily", 3, 3, id="html"),
        pytest.param(
            html_page("", article("2501.00001", "One")), "listing_html", "unknown", 1, 1, id="cards"
        ),
        pytest.param(api(*LISTED), "daily_papers_json", "daily", 3, 3, id="api"),
        pytest.param(api(1, 2), "daily_papers_json", "unknown", 2, 0, id="api without papers"),
        pytest.param(b'{"a": 1}', "daily_papers_json", "unknown", 1, 0, id="object"),
        pytest.param(
            jsonl(record(), b"{x", record()), "arxiv_snapshot", "announcement", 3, 2, id="arxiv"
        ),
        pytest.param(atom(entry()), "arxiv_atom", "search", 1, 1, id="atom"),
        pytest.param(b"<html>hello", "listing_html", "unknown", 1, 0, id="other page"),
        pytest.param(b"\x89PNG\0\0", "unknown", "unknown", 1, 0, id="binary"),
        pytest.param(b"Dear all", "unknown", "unknown", 1, 0, id="a letter"),
        pytest.param(b" \n ", "unknown", "unknown", 1, 0, id="blank"),
    ],
)
def test_seen_is_accepted_plus_quarantined(
    archive: Archive, body: bytes, fmt: str, kind: str, seen: int, accepted: int
) -> None:
    facts = load(archive, body)
    assert (facts["format"], facts["listing_kind"]) == (fmt, kind)
    assert (facts["n_seen"], facts["n_accepted"]) == (seen, accepted)
    assert facts["n_quarantined"] == seen - accepted
    folder = archive.home / "items" / facts["capture_id"]
    quarantine = pl.read_parquet(folder / "quarantine.parquet")
    assert quarantine.schema == QUARANTINE_SCHEMA
    assert quarantine.height == seen - accepted
    parts = sorted(folder.glob("items-*.parquet"))
    assert sum(pl.read_parquet(part).height for part in parts) == accepted
    assert all(pl.read_parquet_schema(part) == LAKE_ITEM_SCHEMA for part in parts)
    stored = json.loads((folder / "capture.json").read_text())
    assert {key: stored[key] for key in facts} == json.loads(json.dumps(facts, default=str))


def test_a_cut_gzip_file_is_read_up_to_the_cut(archive: Archive) -> None:
    body = jsonl(*(record(f"2501.{n:05}", abstract=str(n) * 40) for n in range(300)))
    facts = load(archive, gzip.compress(body)[:-200])
    assert 0 < facts["n_accepted"] < 300
    quarantine = pl.read_parquet(
        archive.home / "items" / facts["capture_id"] / "quarantine.parquet"
    )
    assert "damaged_compression" in quarantine["reason"].to_list()


def test_empty_lists_of_two_days_are_two_captures(archive: Archive) -> None:
    days = ["2025-07-05", "2025-07-06"]
    found = [load(archive, b"[]", f"{day}.json") for day in days]
    assert [str(facts["listed_on"]) for facts in found] == days
    assert [facts["listing_kind"] for facts in found] == ["daily", "daily"]
    assert [facts["n_seen"] for facts in found] == [0, 0]
    assert len({facts["capture_id"] for facts in found}) == 2


def test_an_override_makes_a_capture_pending(archive: Archive) -> None:
    lake = archive.home / "items"
    body = page(card("One", 2, "Sep 3"), card("Two", 2, "Mar 3, 2022"))
    before = load(archive, body)
    assert items.pending(archive, lake) == []
    receive(archive, body, "x", {"captured_at": Given("2025-11-06T00:00:00+00:00", "override")})
    (waiting,) = items.pending(archive, lake)
    after = items.load(archive, waiting, lake)
    assert after["capture_id"] == before["capture_id"]
    assert json.loads(after["overrides"]) == {"captured_at": "2025-11-06T00:00:00+00:00"}
    rows = pl.read_parquet(lake / after["capture_id"] / "items-*.parquet")
    assert rows["published_on"].dt.year().to_list() == [2025, 2022]
    assert items.pending(archive, lake) == []
    assert [path.name for path in lake.iterdir()] == [after["capture_id"]]


def test_a_kind_set_by_the_user_overrides_the_inferred_one(archive: Archive) -> None:
    facts = load(archive, html_page(PROPS), listing_kind=("search", "override"))
    assert facts["listing_kind"] == "search"
    assert facts["listing_kind_rule"].startswith("override")
    assert facts["listed_on"] is None


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "{}", "\xff"], ids=repr)
def test_a_damaged_capture_json_makes_a_capture_pending(archive: Archive, text: str) -> None:
    lake = archive.home / "items"
    facts = load(archive, api(item()))
    (lake / facts["capture_id"] / "capture.json").write_text(text, encoding="latin-1")
    (waiting,) = items.pending(archive, lake)
    assert items.load(archive, waiting, lake) == facts
    assert items.pending(archive, lake) == []


def test_parsing_twice_gives_the_same_bytes(archive: Archive) -> None:
    facts = load(archive, html_page(PROPS))
    folder = archive.home / "items" / facts["capture_id"]
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    items.load(archive, archive.receipts()[0], archive.home / "items")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


@pytest.mark.parametrize("body", [api(item()), jsonl(record())], ids=["read whole", "streamed"])
def test_a_missing_body_is_reported_and_leaves_no_files(archive: Archive, body: bytes) -> None:
    receipt = receive(archive, body, "x", {})
    (archive.root / receipt.sha256[:2] / f"{receipt.sha256}.zst").unlink()
    with pytest.raises(CaptureError, match="is missing"):
        items.load(archive, receipt, archive.home / "items")
    assert list((archive.home / "items").iterdir()) == []
