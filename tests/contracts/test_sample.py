"""Contracts of the bundled sample: complete, small, and facts only and our own sentences."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample"
API = SAMPLE / "hf_api"
PAGE = SAMPLE / "hf_page" / "search-2025-11-06.txt"
CORPUS = Path(os.environ.get("PAPERTIDE_CORPUS") or ROOT.parent / "shared" / "corpus")
CORPUS_PAGE = CORPUS / "hf_page" / "000_ab8512f849349c72.txt"

MAX_BYTES = 3_000_000
PAPERS = 7_486
LISTINGS = 7_488
DAYS = 415
RECORDS = 71
HEADER_BLOCKS = 6
MAX_SHARED_WORDS = 5

# Every key that may stand at a place; a list adds "[]" to the place of its elements.
ALLOWED_KEYS: dict[str, set[str]] = {
    "[]": {"paper", "publishedAt", "title", "numComments"},
    "[].paper": {
        "id",
        "title",
        "publishedAt",
        "authors",
        "upvotes",
        "submittedOnDailyAt",
        "githubRepo",
        "githubStars",
        "projectPage",
        "ai_keywords",
        "organization",
    },
    "[].paper.authors[]": {"name", "hidden"},
    "[].paper.organization": {"name", "fullname"},
}
RECORD = re.compile(
    r"\n\n(?P<title>[^\n]+)\n\n(?P<abstract>[^\n]+)\n\n  \u2022 (?P<authors>\d+) authors\n\u00b7\n"
    r"(?P<date>[A-Z][a-z]{2} \d{1,2}(?:, \d{4})?)(?: (?P<comments>\d+))?(?=\n\n|\Z)"
)

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "hf_api" / "captures.csv").is_file() or not CORPUS_PAGE.is_file(),
    reason=f"the corpus of captures is not at {CORPUS} (set PAPERTIDE_CORPUS)",
)


def listing_files() -> list[Path]:
    """Return the listing files in order of day."""
    return sorted(API.glob("*.json.gz"))


def read_listing(path: Path) -> list[dict[str, Any]]:
    """Return the items of one listing file."""
    items: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
    return items


def unexpected(value: object, place: str = "") -> Iterator[str]:
    """Yield every key that is not on the list for its place, and every null."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ALLOWED_KEYS.get(place, set()):
                yield f"{place}.{key}"
            yield from unexpected(inner, f"{place}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from unexpected(inner, f"{place}[]")
    elif value is None:
        yield f"{place} is null"


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case and without punctuation."""
    return re.findall(r"[a-z0-9]+", text.lower())


def test_sample_is_small() -> None:
    """The whole folder stays below three megabytes."""
    paths = [path for path in SAMPLE.rglob("*") if "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in paths if path.is_file()) <= MAX_BYTES


def test_sample_holds_every_paper() -> None:
    """All papers and all day-and-paper pairs of the API captures are there, once each."""
    listings = [
        (path.name.removesuffix(".json.gz"), item["paper"]["id"])
        for path in listing_files()
        for item in read_listing(path)
    ]
    assert len(listings) == LISTINGS
    assert len(set(listings)) == LISTINGS
    assert len({paper for _, paper in listings}) == PAPERS


def test_sample_holds_only_facts() -> None:
    """No key outside the list of facts, no null, no trace of a user account."""
    found: set[str] = set()
    for path in listing_files():
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
        found.update(unexpected(json.loads(text)))
        if re.search(r"user-[0-9a-f]{8}|cdn-avatars|/avatars/", text):
            found.add(f"user account in {path.name}")
    assert found == set()


def test_hidden_is_only_ever_true() -> None:
    """An author carries ``hidden`` only where the answer said true."""
    values = {
        author["hidden"]
        for path in listing_files()
        for item in read_listing(path)
        for author in item["paper"]["authors"]
        if "hidden" in author
    }
    assert values == {True}


def test_captures_table_lists_every_file_once() -> None:
    """The table names each listing file exactly once, with its day and a time with a zone."""
    text = (API / "captures.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == ["file", "listing_date", "captured_at", "is_last"]
    assert [row["file"] for row in rows] == [path.name for path in listing_files()]
    assert len(rows) == DAYS
    for row in rows:
        assert row["file"] == f"{row['listing_date']}.json.gz"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row["captured_at"])
        assert row["is_last"] == "1"


def test_page_text_layout() -> None:
    """The page text has its records and nothing else after the header."""
    data = PAGE.read_bytes()
    assert b"\r" not in data
    assert not data.endswith(b"\n")
    text = data.decode("utf-8")
    records = list(RECORD.finditer(text))
    assert len(records) == RECORDS
    assert "".join(m.group(0) for m in records) == text[records[0].start() :]
    assert len(text[: records[0].start()].split("\n\n")) == HEADER_BLOCKS
    assert sum(m["comments"] is not None for m in records) == 7
    assert sum("," not in m["date"] for m in records) == 21
    assert all(20 <= len(m["abstract"].split()) <= 45 for m in records)


@needs_corpus
def test_page_text_keeps_facts_and_no_abstract() -> None:
    """Titles, counts and dates are those of the capture; no abstract shares six words in a row."""
    original = CORPUS_PAGE.read_text(encoding="utf-8").split("\n\n")
    ours = PAGE.read_text(encoding="utf-8").split("\n\n")
    assert len(ours) == len(original)
    for number, (theirs, own) in enumerate(zip(original, ours, strict=True)):
        if number < HEADER_BLOCKS or (number - HEADER_BLOCKS) % 3 != 1:
            assert own == theirs
            continue
        there, here = words(theirs), words(own)
        length = MAX_SHARED_WORDS + 1
        runs = {tuple(there[i : i + length]) for i in range(len(there) - length + 1)}
        shared = [i for i in range(len(here) - length + 1) if tuple(here[i : i + length]) in runs]
        assert not shared, f"block {number} repeats the original: {own}"


@needs_corpus
def test_sample_is_reproducible(tmp_path: Path) -> None:
    """Making the sample again gives the same files, byte by byte."""
    script = SAMPLE / "make_sample.py"
    command = [sys.executable, str(script), "--corpus", str(CORPUS), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    ours = {path.name: path.read_bytes() for path in API.iterdir()}
    again = {path.name: path.read_bytes() for path in (tmp_path / "hf_api").iterdir()}
    assert sorted(again) == sorted(ours)
    # Another implementation of deflate may pack the same text into other bytes.
    same_zlib = "ng" not in zlib.ZLIB_RUNTIME_VERSION
    for name, content in ours.items():
        if same_zlib or not name.endswith(".gz"):
            assert again[name] == content, name
        else:
            assert gzip.decompress(again[name]) == gzip.decompress(content), name
