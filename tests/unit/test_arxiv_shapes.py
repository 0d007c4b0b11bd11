"""arXiv records as JSON in layouts other than the snapshot's: read rightly, or rejected."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.parsing import arxiv_array, arxiv_snapshot, formats
from pipelines.parsing.reading import Reading
from tests.fixtures.listings import HINTS, assert_sound, joined, jsonl, reasons, record

pytestmark = pytest.mark.unit


def lines(*records: Any) -> tuple[pl.DataFrame, list[Any]]:
    return joined(arxiv_snapshot.parse(io.BytesIO(jsonl(*records)), HINTS))


def daily(arxiv_id: str = "2501.00001", **fields: Any) -> dict[str, Any]:
    """A line in the layout of daily-arXiv."""
    return {
        "id": arxiv_id,
        "categories": ["cs.CV", "cs.LG"],
        "pdf": f"https://arxiv.org/pdf/{arxiv_id}",
        "abs": f"https://arxiv.org/abs/{arxiv_id}",
        "authors": ["Ada One", "Bo Two, Jr.", "Cy Three"],
        "title": "A Title",
        "comment": None,
        "summary": "An abstract.",
        **fields,
    }


def test_lines_of_daily_arxiv() -> None:
    body = jsonl(daily(), daily("2501.00002", authors=["Ada One"], categories=["cs.CV"]))
    assert formats.detect(body).name == "arxiv_lines"
    items, rejects = joined(arxiv_snapshot.parse(io.BytesIO(body), HINTS))
    assert rejects == []
    first, second = items.to_dicts()
    assert first["authors"] == ["Ada One", "Bo Two Jr.", "Cy Three"]
    assert (first["n_authors"], second["n_authors"]) == (3, 1)
    assert first["categories"] == ["cs.CV", "cs.LG"]
    assert (first["abstract"], first["announced_on"]) == ("An abstract.", None)


@pytest.mark.parametrize(
    ("fields", "authors"),
    [
        ({"authors": ["Ada One", "Bo Two"]}, ["Ada One", "Bo Two"]),
        ({"authors": [{"name": "Ada One"}, {"name": "Bo Two"}]}, ["Ada One", "Bo Two"]),
        ({"authors": [{"given": "Ada", "family": "One"}]}, ["Ada One"]),
        ({"authors": [{"keyname": "One", "forenames": "Ada", "suffix": "Jr"}]}, ["Ada One Jr"]),
        ({"authors": [["One", "Ada", ""], ["Two", "Bo", "Jr"]]}, ["Ada One", "Bo Two Jr"]),
        ({"authors": "['Ada One', \"Bo O'Two\"]"}, ["Ada One", "Bo O'Two"]),
        ({"authors": '["Ada One", "Bo Two"]'}, ["Ada One", "Bo Two"]),
        ({"authors": ["Ada One, Bo Two, Cy Three"]}, ["Ada One", "Bo Two", "Cy Three"]),
        ({"authors": ["One, Ada", "Two, Bo"]}, ["Ada One", "Bo Two"]),
        ({"authors": ["Ada One (A, B)", None, " "]}, ["Ada One"]),
        ({"authors": "Ada One; Bo Two"}, ["Ada One", "Bo Two"]),
        ({"authors": "", "authors_parsed": "[['One', 'Ada', '']]"}, ["Ada One"]),
        ({"authors": "Li, Xu, Ma, Bo"}, None),
    ],
)
def test_authors_in_other_forms(fields: dict[str, Any], authors: list[str] | None) -> None:
    items, rejects = lines(record(authors_parsed=[]) | fields)
    assert rejects == []
    (found,) = items["authors"].to_list()
    assert (found or None) == authors
    assert items["n_authors"].to_list() == [authors and len(authors)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["cs.LG", "stat.ML"], ["cs.LG", "stat.ML"]),
        (["math.CO cs.CG"], ["math.CO", "cs.CG"]),
        ("cs.LG,stat.ML", ["cs.LG", "stat.ML"]),
        ("cs.LG; stat.ML", ["cs.LG", "stat.ML"]),
        ("['cs.LG', 'stat.ML']", ["cs.LG", "stat.ML"]),
        ([{"term": "cs.LG"}, {"term": "68T50"}], ["cs.LG"]),
        ("Machine Learning (cs.LG); Networks (cs.NI)", ["cs.LG", "cs.NI"]),
        ("cs.LG cs.LG stat.ML", ["cs.LG", "stat.ML"]),
        ("cs.LG I.2.7, H.3; storage and retrieval", ["cs.LG"]),
    ],
)
def test_categories_in_other_forms(value: Any, found: list[str]) -> None:
    items, rejects = lines(record(categories=value))
    assert rejects == []
    assert items["categories"].to_list() == [found]
    assert items["primary_category"].to_list() == [found[0]]


@pytest.mark.parametrize(
    ("fields", "published", "version", "announced"),
    [
        ({"versions": ["v1", "v2"]}, date(2025, 1, 1), 2, date(2025, 1, 3)),
        ({"versions": "v3"}, date(2025, 1, 1), 3, date(2025, 1, 3)),
        (
            {"versions": [{"version": "v1", "created": "2025-01-02T10:00:00Z"}]},
            date(2025, 1, 2), 1, date(2025, 1, 3),
        ),
        ({"update_date": "2025-01-05T00:00:00Z"}, date(2025, 1, 2), 1, date(2025, 1, 5)),
        ({"update_date": "Sun, 5 Jan 2025 00:00:00 GMT"}, date(2025, 1, 2), 1, date(2025, 1, 5)),
        ({"versions": [], "published": "2025-01-02"}, date(2025, 1, 2), 1, date(2025, 1, 3)),
    ],
    ids=["list of texts", "text", "iso time", "iso update", "mail date", "published"],
)  # fmt: skip
def test_versions_and_dates_in_other_forms(
    fields: dict[str, Any], published: date, version: int, announced: date
) -> None:
    items, rejects = lines(record(**fields))
    assert rejects == []
    shown = items.select("published_on", "arxiv_version", "announced_on").row(0)
    assert shown == (published, version, announced)


def test_an_ambiguous_date_is_reported_once_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arxiv_snapshot, "CHUNK_BYTES", 64)
    body = jsonl(*(record(f"2501.0000{n}", update_date="04/01/2024") for n in range(1, 4)))
    parts = list(arxiv_snapshot.parse(io.BytesIO(body), HINTS))
    rules = [rule for part in parts for rule in part.rules]
    assert rules == ["unreadable_date_ignored: such as '04/01/2024'"]
    assert pl.concat([part.items for part in parts])["announced_on"].to_list() == [None] * 3


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"authors_parsed": [], "authors": 5}, "unreadable_field"),
        ({"authors_parsed": [], "authors": [1, 2]}, "unreadable_field"),
        ({"authors_parsed": [], "authors": [{"id": 7}]}, "unreadable_field"),
        ({"title": {"en": "A"}}, "unreadable_field"),
        ({"title": ["A", "B"]}, "unreadable_field"),
        ({"abstract": {"text": "A"}}, "unreadable_field"),
        ({"categories": 5}, "unreadable_field"),
        ({"versions": ["first"]}, "unreadable_field"),
        ({"categories": ["shoes", "sale"]}, "not_a_record"),
        ({"categories": "shoes"}, "not_a_record"),
    ],
)
@pytest.mark.parametrize("companion", [record("2501.00002"), b"{damaged"], ids=["good", "damaged"])
def test_a_field_in_an_unknown_form_is_never_read_as_empty(
    fields: dict[str, Any], reason: str, companion: Any
) -> None:
    items, rejects = lines(record(**fields), companion)
    assert [r.reason for r in rejects if r.place == "line 1"] == [reason]
    assert items.height + len(rejects) == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (2401.1234, "not_a_record"),
        (2401.00001, "not_a_record"),
        (704.0001, "not_a_record"),
        ("2401.1234", "bad_arxiv_id"),
        ("704.0001", "bad_arxiv_id"),
        ("1412.00001", "bad_arxiv_id"),
        ("2413.00001", "bad_arxiv_id"),
        ("shoes/0501003", "bad_arxiv_id"),
    ],
)
def test_ids_that_passed_through_a_number_are_rejected(value: Any, reason: str) -> None:
    items, rejects = lines(record(id=value), record("1412.0001", versions=[]))
    assert items["arxiv_id"].to_list() == ["1412.0001"]
    (reject,) = rejects
    assert (reject.place, reject.reason) == ("line 1", reason)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 2401.1234, "abs": "https://arxiv.org/abs/2401.12340v2"},
        {"id": "2401.1234", "url": "http://arxiv.org/pdf/2401.12340"},
        {"id": None, "doi": "10.48550/arXiv.2401.12340"},
        {"id": "arXiv:2401.12340v3"},
        {"id": "https://arxiv.org/abs/2401.12340"},
    ],
    ids=["number and address", "text and address", "doi", "prefix", "address"],
)
def test_an_address_gives_the_id_with_certainty(fields: dict[str, Any]) -> None:
    items, rejects = lines(record(**fields))
    assert rejects == []
    assert items["arxiv_id"].to_list() == ["2401.12340"]


def test_addresses_that_disagree_give_no_id() -> None:
    odd = record(id=1, url="arxiv.org/abs/2401.00001", pdf="arxiv.org/pdf/2401.00002")
    items, rejects = lines(odd)
    assert (items.height, [r.reason for r in rejects]) == (0, ["bad_arxiv_id"])


SHOP = {"id": "2401.10010", "title": "Ten shoes to buy", "categories": ["shoes"], "price": 10}


@pytest.mark.parametrize("body", [jsonl(SHOP, SHOP), json.dumps([SHOP]).encode()])
def test_another_catalogue_is_not_arxiv(body: bytes) -> None:
    detected = formats.detect(body)
    assert not detected.name.startswith("arxiv")
    parts = list(detected.parse(io.BytesIO(body), HINTS))
    assert sum(part.items.height for part in parts) == 0


WRAPPED: list[Any] = [
    [record("2501.00001"), record("2501.00002")],
    {"papers": [record("2501.00001"), daily("2501.00002")]},
    {"n": 2, "date": "2025-01-03", "data": [record("2501.00001"), record("2501.00002")]},
    record("2501.00001"),
]


@pytest.mark.parametrize("value", WRAPPED, ids=["array", "papers", "data", "one"])
@pytest.mark.parametrize("indent", [None, 2])
def test_one_json_value_of_records(value: Any, indent: int | None) -> None:
    body = json.dumps(value, indent=indent).encode()
    if indent is None and isinstance(value, dict) and "id" in value:
        body = b" " + body + b"\n"  # one line is a file of lines with one record
    detected = formats.detect(body)
    assert detected.name in ("arxiv_array", "arxiv_snapshot")
    items, rejects = joined(detected.parse(io.BytesIO(body), HINTS))
    assert rejects == []
    expected, _ = lines(record("2501.00001"))
    assert items.drop("place").head(1).equals(expected.drop("place"))


def test_a_cut_array_keeps_its_complete_records() -> None:
    body = json.dumps([record(f"2501.0000{n}", title=f"T{n} \ud800") for n in range(4)]).encode()
    for at in range(len(body) - 1):
        parsed = arxiv_array.parse(body[:at], HINTS)
        assert_sound(parsed)
        begun = body[:at].count(b'"submitter"')
        assert parsed.n_seen <= begun + 1
        assert parsed.items.height + reasons(parsed).count("invalid_utf8") >= begun - 1


def test_lines_of_another_catalogue_are_named_as_lines() -> None:
    body = jsonl(SHOP, SHOP)
    (part,) = formats.detect(body).parse(io.BytesIO(body), HINTS)
    assert reasons(part) == ["not_a_listing"]
    assert "one JSON value per line" in part.rejects[0].detail


def test_a_long_title_over_a_short_abstract_passes_the_gate() -> None:
    title = (
        "A Title of More Than a Hundred Characters: "
        + "With Many Words That Are Not Sentences " * 2
    )
    reading = Reading(
        formats.detect(jsonl(daily(title=title))),
        io.BytesIO(jsonl(daily(title=title), daily("2501.00002", title=f"We show. {title}"))),
        HINTS,
    )
    items, rejects = joined(reading.parts())
    assert items["arxiv_id"].to_list() == ["2501.00001"]
    assert [reject.reason for reject in rejects] == ["implausible_title"]
