"""The archive stores received bytes once, and returns them complete."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import multiprocessing
import tracemalloc
from datetime import UTC, date, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
import zstandard

from pipelines.archive.archive import Archive, Received
from pipelines.archive.receipt import FETCH, Given, Receipt
from pipelines.errors import CaptureError
from pipelines.lake import items
from pipelines.settings import Settings
from tests.fixtures.listings import ABSTRACT, api, card, item, jsonl, page, record

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 3, 12, tzinfo=UTC)
BODY = page(card("One", 2, "Mar 3, 2024"))
ENDLESS = 200 * 1024**2


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(Settings(home=tmp_path / "home"))


def receive(archive: Archive, body: bytes, name: str = "page.txt", **given: str) -> Received:
    facts = {fact: Given(value, "override") for fact, value in given.items()}
    return archive.receive(io.BytesIO(body), name, facts, now=NOW)


def stored(archive: Archive) -> list[str]:
    """Names of all files in the archive except its lock."""
    return sorted(p.name for p in archive.root.rglob("*") if p.is_file() and p.suffix != ".lock")


def pack(how: str, body: bytes) -> bytes:
    if how == "gz":
        return gzip.compress(body)
    if how == "zst":
        return zstandard.ZstdCompressor().compress(body)
    return body


@pytest.mark.parametrize("how", ["plain", "gz", "zst"])
def test_bytes_are_returned_as_received(archive: Archive, how: str) -> None:
    received = receive(archive, pack(how, BODY))
    assert received.outcome == "new"
    assert received.receipt.sha256 == hashlib.sha256(BODY).hexdigest()
    assert received.receipt.n_bytes == len(BODY)
    assert archive.open(received.receipt).read() == BODY
    assert archive.receipts() == [received.receipt]


@pytest.mark.parametrize("how", ["plain", "gz", "zst"])
def test_the_same_bytes_again_change_nothing(archive: Archive, how: str) -> None:
    first = receive(archive, BODY)
    files = stored(archive)
    again = receive(archive, pack(how, BODY), "other-name.txt")
    assert again == Received(first.receipt, "known")
    assert stored(archive) == files


@pytest.mark.parametrize("how", ["gz", "zst"])
def test_concatenated_members_are_one_body(archive: Archive, how: str) -> None:
    received = receive(archive, pack(how, BODY[:50]) + pack(how, BODY[50:]))
    assert received.receipt.damage is None
    assert archive.open(received.receipt).read() == BODY


@pytest.mark.parametrize("how", ["gz", "zst"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_truncated_file_keeps_what_was_received(archive: Archive, how: str, share: float) -> None:
    # Incompressible lines, so that a part of the compressed file holds a part of them.
    body = b"".join(hashlib.sha256(bytes([n])).hexdigest().encode() for n in range(200)) * 40
    packed = pack(how, body)
    received = receive(archive, packed[: int(len(packed) * share)] if how == "gz" else packed[:-3])
    assert received.receipt.damage == f"the {'gzip' if how == 'gz' else 'zstd'} data is truncated"
    assert body.startswith(archive.open(received.receipt).read())


def test_damage_in_the_middle_keeps_the_data_before_it(archive: Archive) -> None:
    body = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(4_000))
    packed = bytearray(gzip.compress(body, 0))
    at = len(packed) // 2
    packed[-8:-4] = b"\0\0\0\0"  # the checksum
    received = receive(archive, bytes(packed))
    assert received.receipt.damage == "the gzip data is damaged"
    assert received.receipt.n_bytes > at
    assert body.startswith(archive.open(received.receipt).read())


def test_garbage_after_the_data_is_ignored(archive: Archive) -> None:
    received = receive(archive, gzip.compress(BODY) + b"garbage")
    assert received.receipt.damage == "bytes after the end of the gzip data were ignored"
    assert archive.open(received.receipt).read() == BODY
    whole = receive(archive, BODY)
    assert whole.outcome == "amended"
    assert archive.receipts()[0].damage is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(gzip.compress(b""), id="empty gzip"),
        pytest.param(gzip.compress(BODY)[:6], id="gzip cut in its header"),
        pytest.param(b"\x28\xb5\x2f\xfdgarbage", id="not zstd"),
    ],
)
def test_an_empty_body_is_refused(archive: Archive, body: bytes) -> None:
    with pytest.raises(CaptureError, match=r"page\.txt is empty.*nothing to ingest"):
        receive(archive, body)
    assert stored(archive) == []


class Junk(io.RawIOBase):
    """A large file of junk that is generated while it is read."""

    def __init__(self, line: bytes, n_bytes: int = ENDLESS) -> None:
        self.line, self.n_left, self.n_read = line, n_bytes, 0

    def read(self, size: int = -1) -> bytes:
        n = min(size, self.n_left)
        self.n_left -= n
        self.n_read += n
        return (self.line * (n // len(self.line) + 1))[:n]


@pytest.mark.parametrize(
    "line",
    [b"junk and more junk\n", b"\0", b"[", b"<div>", b'{"a": 1}\n'],
    ids=["text", "zeros", "json", "html", "objects"],
)
def test_junk_beyond_the_limit_is_refused(tmp_path: Path, line: bytes) -> None:
    archive = Archive(Settings(home=tmp_path / "home", max_listing_bytes=8 * 1024**2))
    junk = Junk(line)
    with pytest.raises(CaptureError, match=r"larger than 8 MiB.*PAPERTIDE_MAX_LISTING_BYTES"):
        archive.receive(junk, "junk", {}, now=NOW)  # type: ignore[arg-type]
    assert junk.n_read < 10 * 1024**2
    assert stored(archive) == []


@pytest.mark.parametrize("how", ["gz", "zst"])
def test_a_decompression_bomb_meets_the_size_limit_first(tmp_path: Path, how: str) -> None:
    archive = Archive(Settings(home=tmp_path / "home", max_listing_bytes=8 * 1024**2))
    bomb = pack(how, bytes(ENDLESS))
    assert len(bomb) < 1024**2
    tracemalloc.start()
    with pytest.raises(CaptureError, match="larger than 8 MiB"):
        receive(archive, bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024**2
    assert stored(archive) == []


@pytest.mark.parametrize(
    ("body", "limit"),
    [(BODY * 20, "LISTING"), (jsonl(*[record()] * 20), "DUMP")],
    ids=["listing", "dump"],
)
def test_small_limits_apply_too(tmp_path: Path, body: bytes, limit: str) -> None:
    settings = Settings(home=tmp_path, max_listing_bytes=2048, max_dump_bytes=2048)
    with pytest.raises(CaptureError, match=f"PAPERTIDE_MAX_{limit}_BYTES"):
        receive(Archive(settings), body)


def test_an_empty_list_is_identified_by_its_day(archive: Archive) -> None:
    days = ["2025-07-05", "2025-07-06"]
    first, second = (receive(archive, b"[]", f"{day}.json").receipt for day in days)
    assert first.capture_id != second.capture_id
    assert first.sha256 == second.sha256
    assert receive(archive, b"[]", "2025-07-05.json").outcome == "known"
    third = receive(archive, b"[]", "x.json", listed_on="2025-07-07").receipt
    assert len({first.capture_id, second.capture_id, third.capture_id}) == 3
    assert all(archive.open(r).read() == b"[]" for r in archive.receipts())


def test_overrides_amend_a_receipt_and_persist(archive: Archive) -> None:
    receive(archive, BODY)
    amended = receive(archive, BODY, listing_kind="search", source="arxiv")
    assert amended.outcome == "amended"
    assert amended.receipt.given["listing_kind"] == Given("search", "override")
    assert amended.receipt.source == "arxiv"
    assert receive(archive, BODY, listing_kind="search").outcome == "known"
    assert receive(archive, BODY).outcome == "known"
    later = receive(archive, BODY, listing_kind="daily").receipt
    assert later.given["listing_kind"].value == "daily"
    assert later.source == "arxiv"
    assert archive.receipts() == [later]


def test_captures_csv_fills_gaps_only(archive: Archive) -> None:
    def with_sidecar(day: str) -> Received:
        facts = {"listed_on": Given(day, "captures.csv")}
        return archive.receive(io.BytesIO(BODY), "page.txt", facts, now=NOW)

    receive(archive, BODY)
    assert with_sidecar("2025-03-03").outcome == "amended"
    assert with_sidecar("2025-03-04").outcome == "known"  # two copies can't contradict each other
    assert receive(archive, BODY, listed_on="2025-03-05").outcome == "amended"
    assert with_sidecar("2025-03-03").outcome == "known"
    assert archive.receipts()[0].given["listed_on"] == Given("2025-03-05", "override")


def test_a_name_that_is_not_utf8(archive: Archive) -> None:
    receipt = receive(archive, BODY, b"caf\xe9.txt".decode("utf-8", "surrogateescape")).receipt
    assert receipt.origin == "caf?.txt"


def test_a_receipt_of_an_earlier_version_is_read(archive: Archive) -> None:
    """Version 0.1.0 called the day of a list `listing_day`."""
    old = {
        "capture_id": "4f53cda18c2baa0c", "damage": None, "format": "hf_api",
        "given": {
            "captured_at": {"by": "fetch", "value": "2025-07-06T02:00:00+00:00"},
            "listing_day": {"by": "fetch", "value": "2025-07-05"},
        },
        "n_bytes": 2, "observed_at": [], "origin": "https://hf/api?date=2025-07-05",
        "received_at": "2025-07-06T02:00:00+00:00",
        "sha256": hashlib.sha256(b"[]").hexdigest(), "source": "hf_api",
    }  # fmt: skip
    old["capture_id"] = hashlib.sha256(f"{old['sha256']} 2025-07-05".encode()).hexdigest()[:16]
    path = archive.root / str(old["capture_id"])[:2] / f"{old['capture_id']}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(old, indent=1, sort_keys=True))
    (known,) = archive.receipts()
    assert known.given["listed_on"] == Given("2025-07-05", FETCH)
    assert "listing_day" not in known.given
    again = {"listed_on": Given("2025-07-05", FETCH)}
    received = archive.receive(io.BytesIO(b"[]"), "https://hf/api", again, now=NOW)
    assert received == Received(known, "known")
    amended = receive(archive, b"[]", listed_on="2025-07-05").receipt
    assert set(json.loads(path.read_text())["given"]) == {"captured_at", "listed_on"}
    assert amended.given["listed_on"] == Given("2025-07-05", "override")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", "{}", '{"given": 5}', '{"given": {"a": {"b": 1}}}'],
    ids=["empty", "cut", "list", "number", "no keys", "given no object", "given odd"],
)
def test_an_error_names_the_damaged_receipt(archive: Archive, text: str) -> None:
    receipt = receive(archive, BODY).receipt
    path = archive.root / receipt.capture_id[:2] / f"{receipt.capture_id}.json"
    path.write_text(text)
    with pytest.raises(CaptureError, match=f"{path}.*ingest the original again"):
        archive.receipts()
    with pytest.raises(CaptureError, match=str(path)):
        receive(archive, BODY, listing_kind="search")
    path.unlink()
    assert receive(archive, BODY).outcome == "new"


def test_a_receipt_without_a_time_is_damaged(archive: Archive) -> None:
    receipt = receive(archive, BODY).receipt
    path = archive.root / receipt.capture_id[:2] / f"{receipt.capture_id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"received_at": "yesterday"}))
    with pytest.raises(CaptureError, match="can't be read"):
        archive.receipts()


@pytest.mark.parametrize("damage", ["missing", "cut", "garbage", "shorter"])
def test_a_damaged_body_is_named_and_repaired_by_the_original(
    archive: Archive, damage: str
) -> None:
    body = BODY + hashlib.sha256(BODY).hexdigest().encode() * 500
    receipt = receive(archive, body).receipt
    path = archive.root / receipt.sha256[:2] / f"{receipt.sha256}.zst"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "garbage":
        path.write_bytes(b"garbage")
    else:
        path.write_bytes(pack("zst", body[:-1]))
    with pytest.raises(CaptureError, match=f"{receipt.capture_id}.*ingest the original again"):
        archive.open(receipt).read()
    assert receive(archive, body).outcome == "known"
    assert archive.open(receipt).read() == body


def work(home: Path, start: Barrier, outcomes: Queue[tuple[int, str, int]]) -> None:
    """Ingest and parse the same files as the other processes, at the same time."""
    archive = Archive(Settings(home=home))
    for number in range(8):
        start.wait()
        body = api(*(item(f"2501.{number + 1:05}", f"{n} {ABSTRACT[:60]}") for n in range(30)))
        received = receive(archive, body, f"{number}.json", listing_kind="daily")
        facts = items.load(archive, received.receipt, archive.home / "items")
        outcomes.put((number, received.outcome, facts["n_accepted"]))


def test_processes_can_ingest_the_same_file_at_once(archive: Archive) -> None:
    context = multiprocessing.get_context("spawn")
    n = 2
    start, outcomes = context.Barrier(n), context.Queue()
    workers = [context.Process(target=work, args=(archive.home, start, outcomes)) for _ in range(n)]
    for worker in workers:
        worker.start()
    seen = sorted(outcomes.get(timeout=60) for _ in range(8 * n))
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert seen == [(number, how, 30) for number in range(8) for how in ("known", "new")]
    assert len(archive.receipts()) == 8
    assert len(stored(archive)) == 16
    assert items.pending(archive, archive.home / "items") == []
    assert sorted(p.name for p in (archive.home / "items").iterdir()) == [
        receipt.capture_id for receipt in archive.receipts()
    ]


def test_the_newest_fetch_says_whether_a_page_is_the_last(archive: Archive) -> None:
    def fetched(moment: str, is_last: str) -> Receipt:
        given = {"captured_at": moment, "is_last_page": is_last}
        facts = {name: Given(value, FETCH) for name, value in given.items()}
        return archive.receive(io.BytesIO(BODY), "page", facts, now=NOW).receipt

    fetched("2025-07-02T01:00:00+00:00", "false")
    again = fetched("2025-07-03T01:00:00+00:00", "true")
    assert again.given["is_last_page"].value == "true"
    assert again.given["captured_at"].value == "2025-07-02T01:00:00+00:00"
    assert again.observed_at == ("2025-07-03T01:00:00+00:00",)
    assert archive.receipt(again.capture_id) == again


def test_a_dated_name_fills_the_gap_once(archive: Archive) -> None:
    receive(archive, BODY, "page.json")
    dated = receive(archive, BODY, "2025-07-02.json")
    assert (dated.outcome, dated.receipt.day_in_name) == ("amended", date(2025, 7, 2))
    assert receive(archive, BODY, "2025-07-03.json").outcome == "known"
