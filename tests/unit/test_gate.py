"""The plausibility gate: what it stops, what it passes, and when it rejects a whole body."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing import formats
from pipelines.parsing.gate import Tally, passed
from pipelines.parsing.reading import Reading
from pipelines.parsing.records import Parsed, Reject, frame
from tests.fixtures.listings import ABSTRACT, HINTS, api, item, jsonl, record

pytestmark = pytest.mark.unit

LONG = " ".join(f"Sentence {n} of a summary of a made-up paper." for n in range(9))


def row(**fields: Any) -> dict[str, Any]:
    return {
        "position": 1,
        "place": "item 1",
        "arxiv_id": "2501.00001",
        "title": "A Study of Made-Up Papers",
        "abstract": ABSTRACT,
        "authors": ["Ada Example", "Bo O'Example"],
        "n_authors": 2,
        "published_on": date(2025, 1, 2),
        **fields,
    }


def gate(*rows: dict[str, Any]) -> Parsed:
    return passed(Parsed(frame(rows), ()), HINTS)


def read(body: bytes) -> tuple[Reading, list[Parsed]]:
    reading = Reading(formats.detect(body), io.BytesIO(body), HINTS)
    return reading, list(reading.parts())


@pytest.mark.parametrize(
    "title",
    [
        "https://example.org/papers/2501.00001", "www.example.org", "2501.00001v2",
        "arXiv:2501.00001", "doi:10.1000/1", "someone@example.org",
        "Sep 11", "Sep 14, 2024 1", "September 11, 2024", "11 Sep 2024", "2025-01-02",
        "2025-01-02T03:04:05Z", "Thu, 2 Jan 2025 03:04:05 GMT", "Published on Jan 2", "03/04/2025",
        "<div class=\"x\">Title</div>", "<!doctype html>", "## Title", "**Title**",
        "[Title](https://example.org)", "![image](x.png)", "• Title", "| a | b |", "```",
        "['A title']", "{'title': 'A title'}", "[{\"name\": \"A\"}]", "[]", "None", "nan",
        "[object Object]", "MIME-Version: 1.0", "Content-Type: text/html", "From: <a@example.org>",
        "@article{key,", "TY  - JOUR", "title = {A Title}", "id,title,authors", "%PDF-1.7",
        "Daily Papers", "Subscribe", "5 authors", "• 12 authors", "GitHub 11.3k", "Microsoft",
        "google", "2048", "12.5 %", "AttentÃ¯on", "ItÃ¢â‚¬â„¢s", "Cut \ufffd here",
        '&quot;title&quot;: &quot;A Study&quot;,', "Gr\\u00fc\\u00dfe: A Study",
        '"title": "A Study",',
        "A sentence of a summary. " * 20,
    ],
)  # fmt: skip
def test_titles_that_are_something_else_are_rejected(title: str) -> None:
    result = gate(row(title=title), row(position=2))
    (reject,) = result.rejects
    assert reject.reason in ("implausible_title", "garbled_text")
    assert reject.place == "item 1"
    assert result.items.height == 1


@pytest.mark.parametrize(
    "title",
    [
        "Olmo 3", "DINOv3", "[Re] A Study", "(Im)possibility of Tests", '"Words": A Study',
        "<think> Lessons </think> of Models", "Before you <think>, check", "X-Parser: A Study",
        "Listen to the Tests", "GPT-4 and 2 Friends", "Date: A Model of Time", "1.5 Bits Suffice",
        "C++", "Microsoft and the Rest", "May 2025 Was Warm", "October: A Model", "SÃO Paulo",
        "What Is a Google?", "$a &lt; b$ in Tests", "On `title`: A Study",
        "[De|Re]constructing Tests", "None of the Above: A Study",
    ],
)  # fmt: skip
def test_unusual_titles_of_papers_pass(title: str) -> None:
    result = gate(row(title=title))
    assert result.items["title"].to_list() == [title]
    assert result.rejects == ()


@pytest.mark.parametrize(
    "name",
    ["['Ada", "Bo']", "{'name': 'Ada'}", "[]", "12", "2025-01-02", "3 authors", "et al.", "None",
     "https://example.org", "<Ada>", "name': 'Ada", "Content-Type: text/html", "Subscribe"],
)  # fmt: skip
def test_names_that_are_something_else_are_rejected(name: str) -> None:
    result = gate(row(authors=["Ada Example", name]))
    assert [reject.reason for reject in result.rejects] == ["implausible_author"]
    assert name[:3] in result.rejects[0].detail


@pytest.mark.parametrize(
    "name",
    ['Hai "Helen" Example', "Andrea Example'", "o3 contributors", "Team Example3D", "GPT-5",
     "D'Example", "A. B. C.", "Tolúl\\d{o}pé Example", "李明"],
)  # fmt: skip
def test_unusual_names_pass(name: str) -> None:
    assert gate(row(authors=[name])).items["authors"].to_list() == [[name]]


def test_quotes_around_names_are_removed() -> None:
    result = gate(row(authors=["'Ada Example'", " 'Bo Example' ", 'Cy "C" Example']))
    assert result.items["authors"].to_list() == [["Ada Example", "Bo Example", 'Cy "C" Example']]
    assert result.rules == ("quotes_around_names_removed: 1 item(s)",)


@pytest.mark.parametrize(
    ("arxiv_id", "published_on"),
    [
        ("2501.0001", None), ("1412.00001", None), ("0703.0001", None), ("2603.00001", None),
        ("hep-th/9013001", None), ("hep-th/9001001", None),
        ("hep-th/0801001", None),
    ],
)  # fmt: skip
def test_ids_that_cannot_exist_are_rejected(arxiv_id: str, published_on: date | None) -> None:
    result = gate(row(arxiv_id=arxiv_id, published_on=published_on))
    assert [reject.reason for reject in result.rejects] == ["bad_arxiv_id"]


@pytest.mark.parametrize(
    "arxiv_id", ["0704.0001", "1412.9999", "1501.00001", "2602.12345", "cs/0703001", None]
)
def test_ids_of_every_scheme_pass(arxiv_id: str | None) -> None:
    assert gate(row(arxiv_id=arxiv_id, published_on=None)).items.height == 1


@pytest.mark.parametrize(
    ("day", "agrees"),
    [(date(2024, 12, 1), True), (date(2025, 1, 31), True), (date(2024, 11, 30), False),
     (date(2025, 2, 1), False)],
)  # fmt: skip
def test_a_date_that_contradicts_the_id_is_not_used(day: date, agrees: bool) -> None:
    result = gate(row(published_on=day, published_on_basis="hf_published_at"))
    kept = result.items.row(0, named=True)
    if agrees:
        assert (kept["published_on"], kept["published_on_basis"]) == (day, "hf_published_at")
        assert result.rules == ()
    else:
        assert kept["published_on"] == date(2025, 1, 1)
        assert kept["published_on_basis"] == "arxiv_id_month_v1_contradicts_id"
        assert result.rules == ("date_contradicts_id: the month of the id was used: 1 item(s)",)


@pytest.mark.parametrize(
    "fields",
    [
        {"abstract": "[{'text': 'An abstract'}]"},
        {"abstract": "<p>An abstract</p>"},
        {"abstract": "Sep 11"},
        {"abstract": "https://example.org/a"},
        {"abstract": "5 authors"},
        {"keywords": ["words", "['more']"]}, {"categories": ["['cs.LG'"]},
        {"organization": "{'name': 'Example'}"}, {"organization": "Content-Type: text/html"},
        {"abstract": 'An abstract. "id": "2510.00018", "title": "Another", "summary": "More."'},
    ],
)  # fmt: skip
def test_printed_lists_and_markup_in_other_fields_are_rejected(fields: dict[str, Any]) -> None:
    assert [reject.reason for reject in gate(row(**fields)).rejects] == ["implausible_text"]


def test_a_title_that_is_an_organisation_of_the_body_is_rejected() -> None:
    result = gate(row(organization="Example Lab"), row(position=2, title="EXAMPLE LAB"))
    assert [reject.reason for reject in result.rejects] == ["implausible_title"]


def test_garbled_abstracts_and_names_become_null() -> None:
    result = gate(row(abstract=f"It isâ€™s {ABSTRACT}", authors=["JosÃ© Example"]))
    assert result.items["abstract"].to_list() == [None]
    assert result.items["authors"].to_list() == [None]
    assert result.items["n_authors"].to_list() == [None]
    assert len(result.rules) == 2


def test_of_an_abstract_that_is_there_twice_one_copy_is_kept() -> None:
    result = gate(row(abstract=f"{LONG} {LONG}"))
    assert result.items["abstract"].to_list() == [LONG]
    assert result.rules == ("abstract_shown_twice: one copy was kept: 1 item(s)",)


def test_a_body_of_mostly_implausible_items_is_rejected_as_a_whole() -> None:
    good = item("2501.00001", "A Study")
    bad = [item(f"2501.0000{n}", f"Sep {n}") for n in range(2, 5)]
    reading, parts = read(api(good, *bad))
    assert sum(part.items.height for part in parts) == 1
    assert reading.verdict is not None
    assert reading.verdict.reason == "too_few_plausible"
    assert "1 of 4" in reading.verdict.detail
    assert "item 2" in reading.verdict.detail


def test_a_few_implausible_items_cost_only_themselves() -> None:
    good = [item(f"2501.0000{n}", f"A Study {n}") for n in range(1, 4)]
    reading, parts = read(api(*good, item("2501.00009", "Sep 11")))
    assert reading.verdict is None
    assert [reject.reason for reject in parts[0].rejects] == ["implausible_title"]


def test_items_that_all_fail_keep_their_own_rejects() -> None:
    tally = Tally()
    tally.add(
        0, [Reject("item 1", "implausible_title", "x"), Reject("item 2", "garbled_text", "y")]
    )
    assert tally.verdict() is None


def test_printed_lists_of_authors_give_names_or_nothing() -> None:
    printed = ["['Ada Example', 'Bo Example']", "[{'name': 'Ada Example'}, 3]", "[3, 4]"]
    lines = [
        record(f"2501.0000{n}", authors=text, authors_parsed=[])
        for n, text in enumerate(printed, start=1)
    ]
    _, parts = read(jsonl(*lines))
    names = [name for part in parts for row in part.items["authors"].to_list() for name in row]
    assert set(names) <= {"Ada Example", "Bo Example"}
    n_accepted = sum(part.items.height for part in parts)
    assert n_accepted + sum(len(part.rejects) for part in parts) == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_every_encoding_of_unicode_gives_the_same_items(encoding: str) -> None:
    body = api(item("2501.00001", "Grüße aus Köln"), item("2501.00002", "深度学习"))
    _, (expected,) = read(body)
    recoded = body.decode().encode(encoding)
    reading, (found,) = read(recoded)
    assert found.items.equals(expected.items)
    assert found.items.height == 2
    assert reading.verdict is None
    assert any("recoded" in rule for rule in found.rules) == (encoding != "utf-8-sig")


def test_an_empty_part_passes() -> None:
    empty = Parsed(pl.DataFrame(schema=ITEM_SCHEMA), ())
    assert passed(empty, HINTS) is empty
