"""Zip files are ingested file by file, with bounded memory and bounded expansion."""

from __future__ import annotations

import bz2
import io
import lzma
import random
import re
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pipelines.archive.archive import Archive
from pipelines.archive.decompression import DamagedCompression, decompressed
from pipelines.intake.ingest import Outcome, ingest_paths
from pipelines.settings import Settings
from tests.fixtures.listings import api, item, jsonl, record

pytestmark = pytest.mark.unit

LINES = jsonl(*(record(f"2501.{n:05}") for n in range(1, 40)))


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def ingest(tmp_path: Path, path: Path | str, **settings: int) -> tuple[Archive, list[Outcome]]:
    archive = Archive(Settings(home=tmp_path / "home", **settings))  # type: ignore[arg-type]
    return archive, list(ingest_paths(archive, [str(path)], {}))


def body_of(archive: Archive, outcome: Outcome) -> bytes:
    assert outcome.capture_id is not None
    with archive.open(archive.receipt(outcome.capture_id)) as stream:
        return stream.read()


def test_a_zip_of_one_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "archive.zip", {"arxiv-metadata-oai-snapshot.json": LINES})
    archive, (outcome,) = ingest(tmp_path, path)
    assert (outcome.origin, outcome.status) == (str(path), "new")
    assert body_of(archive, outcome) == LINES
    receipt = archive.receipts()[0]
    assert receipt.format == "arxiv_snapshot"
    assert receipt.origin.endswith("archive.zip/arxiv-metadata-oai-snapshot.json")
    plain = tmp_path / "plain.json"
    plain.write_bytes(LINES)
    assert [o.status for o in ingest_paths(archive, [str(plain)], {})] == ["known"]


def test_a_zip_of_several_files(tmp_path: Path) -> None:
    files = {
        "lists/2025-01-02.json": api(item("2501.00001")),
        "lists/2025-01-03.json": api(item("2501.00002")),
        "lists/empty.json": b"",
        "__MACOSX/._2025-01-02.json": b"x",
        ".hidden": b"x",
        "README.md": b"x",
    }
    archive, outcomes = ingest(tmp_path, write_zip(tmp_path / "lists.zip", files))
    assert [o.status for o in outcomes] == ["new", "new", "refused"]
    assert outcomes[0].origin == str(tmp_path / "lists.zip")
    assert outcomes[2].message.startswith(str(tmp_path / "lists.zip/lists/empty.json"))
    assert sorted(str(r.day_in_name) for r in archive.receipts()) == ["2025-01-02", "2025-01-03"]


def test_a_compressed_file_in_a_zip(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"lines.json.xz": lzma.compress(LINES)})
    archive, (outcome,) = ingest(tmp_path, path)
    assert body_of(archive, outcome) == LINES


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "without captures"),
        ({"README.md": b"x"}, "without captures"),
        ({"xl/workbook.xml": b"<x/>", "a.xml": b"x"}, "an Excel workbook.*save the sheet as CSV"),
        ({"word/document.xml": b"<x/>"}, "a Word document"),
    ],
)
def test_a_zip_that_is_not_one_of_captures(
    tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    _, (outcome,) = ingest(tmp_path, write_zip(tmp_path / "a.zip", files))
    assert outcome.status == "refused"
    assert re.search(message, outcome.message)


def test_a_zip_in_a_zip_is_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.json", LINES)
    path = write_zip(tmp_path / "a.zip", {"b.zip": inner.getvalue(), "c.json": LINES})
    _, outcomes = ingest(tmp_path, path)
    assert [o.status for o in outcomes] == ["refused", "new"]
    assert "a zip file in a zip file" in outcomes[0].message


def test_a_damaged_zip_keeps_what_can_be_read(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(400_000).hex().encode()  # noqa: S311  a fixed seed
    path = write_zip(tmp_path / "a.zip", {"a.json": LINES + noise})
    body = bytearray(path.read_bytes())
    middle = len(body) // 2
    body[middle : middle + 40] = bytes(40)
    path.write_bytes(body)
    archive, (outcome,) = ingest(tmp_path, path)
    assert outcome.status == "new"
    assert archive.receipts()[0].damage == "the zip data is damaged"
    path.write_bytes(body[:middle])
    _, (cut,) = ingest(tmp_path, path)
    assert (cut.status, "can't be read as a zip file" in cut.message) == ("refused", True)


def test_a_zip_bomb_meets_a_limit(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"{n}.json": bytes(9 * 1024**2) for n in range(6)})
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    limits = {"max_listing_bytes": 8 * 1024**2, "max_dump_bytes": 20 * 1024**2}
    archive, outcomes = ingest(tmp_path, path, **limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 1024**2
    assert {o.status for o in outcomes} == {"refused"}
    assert "expands to more than 20 MiB" in outcomes[-1].message
    assert archive.is_empty()


def test_a_zip_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = write_zip(tmp_path / "a.zip", {"a.json": LINES}).read_bytes()

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Pipe(body))))  # type: ignore[arg-type]
    archive, (outcome,) = ingest(tmp_path, "-")
    assert body_of(archive, outcome) == LINES


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bz2", "xz"])
def test_bzip2_and_xz(pack: object) -> None:
    packed: bytes = pack(LINES)  # type: ignore[operator]
    assert b"".join(decompressed(io.BytesIO(packed))) == LINES
    assert b"".join(decompressed(io.BytesIO(packed + packed))) == LINES * 2
    for cut in (packed[:-4], packed[: len(packed) // 2]):
        with pytest.raises(DamagedCompression, match="truncated"):
            list(decompressed(io.BytesIO(cut)))
    damaged = packed[:60] + bytes(20) + packed[80:]
    with pytest.raises(DamagedCompression, match="damaged"):
        list(decompressed(io.BytesIO(damaged)))
    with pytest.raises(DamagedCompression, match="ignored"):
        list(decompressed(io.BytesIO(packed + b"and more text")))
    assert b"".join(decompressed(io.BytesIO(pack(b"")))) == b""  # type: ignore[operator]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bz2", "xz"])
def test_a_bomb_expands_block_by_block(pack: object) -> None:
    packed: bytes = pack(bytes(200 * 1024**2))  # type: ignore[operator]
    assert len(packed) < 100_000
    assert max(map(len, decompressed(io.BytesIO(packed)))) <= 1024**2
