"""arXiv metadata as JSON lines: streamed, and each line accepted or rejected by itself."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.parsing import arxiv_snapshot
from tests.fixtures.listings import HINTS, joined, jsonl, record

pytestmark = pytest.mark.unit


def parse(body: bytes) -> tuple[pl.DataFrame, list[Any]]:
    return joined(arxiv_snapshot.parse(io.BytesIO(body), HINTS))


def row_of(**fields: Any) -> dict[str, Any]:
    items, rejects = parse(jsonl(record(**fields)))
    assert rejects == []
    return items.to_dicts()[0]


def test_a_record_becomes_a_row() -> None:
    row = row_of(title="Folded\n  title", categories="cs.LG 68T50 math.OC I.2.7 hep-th")
    assert row["title"] == "Folded title"
    assert row["authors"] == ["Ada Example", "Bo Example Jr"]
    assert row["n_authors"] == 2
    assert row["categories"] == ["cs.LG", "math.OC", "hep-th"]
    assert row["primary_category"] == "cs.LG"
    assert row["arxiv_version"] == 1
    assert row["announced_on"] == date(2025, 1, 3)
    assert row["place"] == "line 1"


@pytest.mark.parametrize(
    ("arxiv_id", "created", "day", "basis"),
    [
        ("2501.00001", "Thu, 2 Jan 2025 03:04:05 GMT", date(2025, 1, 2), "arxiv_v1"),
        ("2501.00001", "Tue, 31 Dec 2024 23:59:59 GMT", date(2024, 12, 31), "arxiv_v1"),
        (
            "2501.00001",
            "Sat, 1 Mar 2025 00:00:00 GMT",
            date(2025, 1, 1),
            "arxiv_id_month_v1_contradicts_id",
        ),
        (
            "2501.00001",
            "Mon, 1 Jan 2024 00:00:00 GMT",
            date(2025, 1, 1),
            "arxiv_id_month_v1_contradicts_id",
        ),
        ("2501.00001", "Thu, 32 Jan 2025 03:04:05 GMT", date(2025, 1, 1), "arxiv_id_month"),
        ("2501.00001", None, date(2025, 1, 1), "arxiv_id_month"),
        ("hep-th/9901001", None, date(1999, 1, 1), "arxiv_id_month"),
        ("cs.LG/0501001", None, date(2005, 1, 1), "arxiv_id_month"),
    ],
    ids=[
        "in the month",
        "in the month before",
        "date of a revision",
        "a year before the id",
        "not a calendar date",
        "no versions",
        "id of 1999",
        "old id",
    ],
)
def test_published_on(arxiv_id: str, created: str | None, day: date, basis: str) -> None:
    versions = [{"version": "v1", "created": created}] if created else []
    row = row_of(arxiv_id=arxiv_id, versions=versions)
    assert (row["published_on"], row["published_on_basis"]) == (day, basis)


def test_later_versions_do_not_date_a_paper() -> None:
    versions = [
        {"version": "v2", "created": "Thu, 9 Jan 2025 03:04:05 GMT"},
        {"version": "v1", "created": "Thu, 2 Jan 2025 03:04:05 GMT"},
    ]
    row = row_of(versions=versions)
    assert (row["published_on"], row["arxiv_version"]) == (date(2025, 1, 2), 2)


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Ada Example, Bo Example and Cy Example", ["Ada Example", "Bo Example", "Cy Example"]),
        ("Ada Example (1), Bo Example (2, 3)", ["Ada Example", "Bo Example"]),
        ("Ada Example (1) and Bo Example ((1) A, (2) B)", ["Ada Example", "Bo Example"]),
        ("Ada\n  Example", ["Ada Example"]),
        ("  ", None),
        (None, None),
    ],
)
def test_printed_authors_replace_missing_parsed_names(
    printed: str | None, names: list[str] | None
) -> None:
    row = row_of(authors_parsed=None, authors=printed)
    assert (row["authors"] or None) == names
    assert row["n_authors"] == (len(names) if names else None)


@pytest.mark.parametrize(
    "parsed",
    [[["Last", None, "Jr"]], [["Last", "", "Jr"], None, [], ["", "", ""]]],
    ids=["null part", "blank names"],
)
@pytest.mark.parametrize("companion", [[], [b""]], ids=["chunk", "line by line"])
def test_odd_name_parts(parsed: list[Any], companion: list[bytes]) -> None:
    items, _ = parse(jsonl(record(authors_parsed=parsed), *companion))
    assert items["authors"][0].to_list() == ["Last Jr"]


BROKEN = [
    pytest.param(b'{"id": "2501.00009", "title": "T', "broken_json", id="cut"),
    pytest.param(b'{"id": "2501.00009", "title": "\xff"}', "broken_json", id="not UTF-8"),
    pytest.param(b'{"id": "2501.00009", "title": "a\\ud800"}', "broken_json", id="surrogate"),
    pytest.param(b'{"id": ' + b"[" * 100_000, "broken_json", id="deep"),
    pytest.param(b"\0\0\0", "broken_json", id="binary"),
    pytest.param(
        jsonl(record(), record(), end=b"")[:-1], "broken_json", id="two records on a line"
    ),
    pytest.param(b"5", "not_a_record", id="number"),
    pytest.param(b"null", "not_a_record", id="null"),
    pytest.param(b"[]", "not_a_record", id="list"),
    pytest.param(b'{"title": "No id"}', "not_a_record", id="no id"),
    pytest.param(jsonl(record("x"))[:-1], "bad_arxiv_id", id="bad id"),
    pytest.param(jsonl(record("2501 .00009"))[:-1], "bad_arxiv_id", id="space in the id"),
    pytest.param(jsonl(record("8012.00009", versions=[]))[:-1], "impossible_date", id="2080"),
    pytest.param(jsonl(record(update_date="2999-01-01"))[:-1], "impossible_date", id="2999"),
    pytest.param(jsonl(record(title=" "))[:-1], "missing_title", id="blank title"),
    pytest.param(jsonl(record(title="x" * 100_000))[:-1], "title_too_long", id="long title"),
    pytest.param(jsonl(record(abstract="x" * 100_001))[:-1], "abstract_too_long", id="abstract"),
    pytest.param(
        jsonl(record(authors_parsed=[["x" * 1_001]]))[:-1], "author_name_too_long", id="long name"
    ),
]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("line", "reason"), BROKEN)
def test_a_bad_line_does_not_affect_the_others(line: bytes, reason: str, end: bytes) -> None:
    body = jsonl(record("2501.00001"), line, b"", record("2501.00003"), end=end)
    for ending in (body, body.removesuffix(end)):  # with and without a final newline
        items, rejects = parse(ending)
        assert items["arxiv_id"].to_list() == ["2501.00001", "2501.00003"]
        assert items["place"].to_list() == ["line 1", "line 4"]
        found = [
            (reject.reason.replace("bad_arxiv_id", reason), reject.place) for reject in rejects
        ]
        assert found == [(reason, "line 2")]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": 5},
        {
            "authors_parsed": [
                ["NVIDIA", "", ""],
                [":", "", ""],
                ["Li", "J.-P.", ""],
                ["One†", "Ada", ""],
                ["Two~Three", "B.C.", ""],
                ["others", "", ""],
                ["and Four", "Di", "Jr."],
            ]
        },
        {"abstract": ["a"]},
        {"authors": None, "authors_parsed": "x"},
        {"versions": "v1"},
        {"versions": [{"version": 1, "created": 2}, None]},
        {"categories": None},
        {"update_date": "0000-00-00"},
        {"a_key_of_tomorrow": {"x": [1]}},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_a_line_is_parsed_the_same_next_to_a_damaged_one(fields: dict[str, Any]) -> None:
    alone, own = parse(jsonl(record(**fields)))
    with_damage, rejects = parse(jsonl(record(**fields), b"{damaged"))
    assert alone.equals(with_damage)
    assert rejects[: len(own)] == own
    assert [reject.place for reject in rejects[len(own) :]] == ["line 2"]
    assert alone.height + len(own) == 1


def test_lines_longer_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arxiv_snapshot, "CHUNK_BYTES", 1024)
    monkeypatch.setattr(arxiv_snapshot, "MAX_LINE_BYTES", 8 * 1024)
    long, too_long = record("2501.00002", abstract="x" * 3_000), record(abstract="x" * 30_000)
    items, rejects = parse(jsonl(record("2501.00001"), long, too_long, record("2501.00004")))
    assert items.select("arxiv_id", "place").rows() == [
        ("2501.00001", "line 1"),
        ("2501.00002", "line 2"),
        ("2501.00004", "line 4"),
    ]
    assert [(reject.reason, reject.place) for reject in rejects] == [("broken_json", "line 3")]


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_the_chunk_size_does_not_change_the_items(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = jsonl(*(record(f"2501.0000{n}") for n in range(1, 6)), b"{damaged", b"", record())
    expected, rejects = parse(body)
    monkeypatch.setattr(arxiv_snapshot, "CHUNK_BYTES", size)
    items, rejects_by_chunk = parse(body)
    assert items.equals(expected)
    assert rejects_by_chunk == rejects


@pytest.mark.parametrize("size", [7, 100, 10**6])
@pytest.mark.parametrize("bad", [b"x", b"5", jsonl(record("x"))[:-1], jsonl(record(title=""))[:-1]])
def test_a_bad_head_does_not_hide_a_good_tail(
    bad: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_snapshot, "CHUNK_BYTES", size)
    monkeypatch.setattr(arxiv_snapshot, "MAX_DAMAGED_LINES", 3)
    good = [record(f"2501.0000{n}") for n in range(1, 6)]
    three = [good[0], bad, bad, good[1], bad, good[2]]
    items, rejects = parse(jsonl(*three, good[3]))
    assert (items.height, len(rejects)) == (4, 3)
    items, rejects = parse(jsonl(*three, b"", bad, good[3], bad, bad, bad, good[4]))
    assert items["arxiv_id"].to_list() == [row["id"] for row in good]
    places = ["line 2", "line 3", "line 5", "end of the file"]
    assert [reject.place for reject in rejects] == places
    assert rejects[-1].reason == "too_many_damaged_lines"
    assert rejects[-1].detail.startswith("4 more line(s)")


def test_entries_of_damaged_lines_are_limited() -> None:
    items, rejects = parse(jsonl(record()) + b"x\n" * 10**6 + jsonl(record("2501.00002")))
    assert items["arxiv_id"].to_list() == ["2501.00001", "2501.00002"]
    assert len(rejects) == arxiv_snapshot.MAX_DAMAGED_LINES + 1
    assert rejects[-1].detail.startswith("990,000 more line(s)")


@pytest.mark.parametrize("field", ["versions", "authors_parsed"])
def test_a_line_with_too_many_lists_does_not_affect_the_others(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arxiv_snapshot, "MAX_NESTED_IN_CHUNK", 10_000)
    huge = record("2501.00002", **{field: [{} if field == "versions" else []] * 20_000})
    items, rejects = parse(jsonl(record("2501.00001"), huge, record("2501.00003")))
    assert items["place"].to_list() == ["line 1", "line 3"]
    assert [reject.reason for reject in rejects] == ["too_large"]
    many = record(authors_parsed=[["Li", "Xu", ""]] * 9_000)
    items, rejects = parse(jsonl(record(), many, many))
    assert (items["n_authors"].to_list(), rejects) == ([2, 9_000, 9_000], [])


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\r\n \n"], ids=["empty", "blank", "blank crlf"])
def test_an_empty_file_gives_no_items(body: bytes) -> None:
    items, rejects = parse(body)
    assert (items.height, rejects) == (0, [])


def test_a_byte_order_mark_is_ignored() -> None:
    items, rejects = parse(b"\xef\xbb\xbf" + jsonl(record()))
    assert (items.height, rejects) == (1, [])


def test_every_cut_keeps_the_complete_lines_before_it() -> None:
    lines = [jsonl(record(f"2501.0000{n}")) for n in range(1, 5)]
    body = b"".join(lines)
    for at in range(0, len(body), 17):
        items, rejects = parse(body[:at])
        n_before = body[:at].count(b"\n")
        assert items["arxiv_id"].to_list()[:n_before] == [
            f"2501.0000{n + 1}" for n in range(n_before)
        ]
        assert items.height + len(rejects) == n_before + (not body[:at].endswith(b"\n") and at > 0)
