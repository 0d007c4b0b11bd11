"""Hugging Face's JSON as people keep it: wrappers, lines, single and flat papers, newer pages."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.parsing import formats, listing_api, listing_html, listing_lines
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Parsed
from tests.fixtures.listings import HINTS, api, article, assert_sound, html_page, item, reasons

pytestmark = pytest.mark.unit

DAY = "2025-01-03"
ITEMS = [
    item(f"2501.0000{n}", f"Paper {n}", submittedOnDailyAt=f"{DAY}T00:00:00.000Z")
    for n in (1, 2, 3)
]
FLAT = [entry["paper"] for entry in ITEMS]
IDS = ["2501.00001", "2501.00002", "2501.00003"]


def kind(parsed: Parsed) -> str:
    return infer_kind(parsed.items, parsed.stated_kind, parsed.listed_on)[0]


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("key", ["papers", "data", "dailyPapers", "results", "items"])
def test_a_wrapper_gives_the_items_of_its_list(key: str) -> None:
    parsed = listing_api.parse(dumped({"status": "ok", "n": 3, key: ITEMS}), HINTS)
    assert parsed.items.equals(listing_api.parse(api(*ITEMS), HINTS).items)
    assert kind(parsed) == "daily"


def test_a_wrapper_in_a_wrapper() -> None:
    body = dumped({"data": {"papers": FLAT, "date": DAY}})
    parsed = listing_api.parse(body, HINTS)
    assert parsed.items["arxiv_id"].to_list() == IDS
    assert (parsed.listed_on, kind(parsed)) == (date(2025, 1, 3), "daily")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"error": "Not found", "papers": []}, id="an error"),
        pytest.param({"papers": ITEMS, "data": ITEMS}, id="two lists"),
        pytest.param({"status": 1}, id="no list"),
        pytest.param({"papers": {"a": 1}}, id="no list in it"),
    ],
)
def test_an_object_without_one_list_is_rejected_whole(value: dict[str, Any]) -> None:
    assert reasons(listing_api.parse(dumped(value), HINTS)) == ["not_a_listing"]


@pytest.mark.parametrize("wrap", ['{{"date": "2025-01-03", "data": {}}}', "{}"])
def test_a_cut_list_keeps_its_complete_items(wrap: str) -> None:
    text = wrap.format(json.dumps(ITEMS))
    for at in range(text.index("[") + 1, len(text)):
        parsed = listing_api.parse(text[:at].encode(), HINTS)
        assert_sound(parsed)
        assert parsed.items["arxiv_id"].to_list() == IDS[: parsed.items.height]
    assert parsed.items.height == 3


def test_one_paper_is_no_list_of_a_day() -> None:
    for value in (FLAT[0], ITEMS[0]):
        parsed = listing_api.parse(dumped(value), HINTS)
        assert parsed.items["arxiv_id"].to_list() == IDS[:1]
        assert parsed.items["upvotes"].to_list() == [3]
        assert kind(parsed) == "unknown"


def test_flat_papers_have_no_day() -> None:
    parsed = listing_api.parse(dumped(FLAT), HINTS)
    assert parsed.items.select("arxiv_id", "n_authors", "upvotes").rows() == [
        (arxiv_id, 2, 3) for arxiv_id in IDS
    ]
    assert kind(parsed) == "unknown"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"arxiv_id": "2501.00001"}, "2501.00001", id="arxiv_id"),
        pytest.param({"id": "arXiv:2501.00001v3"}, "2501.00001", id="prefix and version"),
        pytest.param({"id": 7, "url": "https://arxiv.org/abs/2501.00001"}, None, id="number"),
        pytest.param({"url": "https://huggingface.co/papers/2501.00001"}, "2501.00001", id="page"),
        pytest.param({"link": "https://arxiv.org/pdf/2501.00001v2.pdf"}, "2501.00001", id="pdf"),
        pytest.param({"arxiv_id": "2501.00001", "id": "row-1"}, "2501.00001", id="other id"),
        pytest.param(
            {"id": "2501.00001", "url": "https://arxiv.org/abs/2501.00002"}, None, id="two"
        ),
        pytest.param({"id": 2501.00001}, None, id="an id that became a number"),
        pytest.param({"id": "x"}, None, id="no id"),
    ],
)
def test_ids_of_flat_papers(keys: dict[str, Any], expected: str | None) -> None:
    parsed = listing_api.parse(
        dumped([{"title": "A Title", "abstract": "Text.", "upvotes": 3, **keys}]), HINTS
    )
    assert parsed.items["arxiv_id"].to_list() == ([expected] if expected else [])
    assert reasons(parsed) == ([] if expected else ["bad_arxiv_id"])
    assert parsed.items["abstract"].to_list() == (["Text."] if expected else [])


@pytest.mark.parametrize(
    "value",
    [
        {"id": "2401.10012", "title": "Winter coats", "price": 10},
        {"id": "2401.10012", "title": "Winter coats", "categories": ["coats"], "summary": "Warm."},
        {"id": "2401.10012", "title": "A post", "authors": ["Ada"], "tags": ["x"]},
    ],
)
def test_objects_with_an_id_and_a_title_are_not_papers(value: dict[str, Any]) -> None:
    lines = b"\n".join([dumped(value)] * 3)
    assert formats.detect(lines).name != "daily_papers_lines"
    for parsed in (listing_api.parse(dumped([value]), HINTS), listing_lines.parse(lines, HINTS)):
        assert parsed.items.height == 0
        assert set(reasons(parsed)) == {"paper_missing"}


def test_printed_authors_are_divided() -> None:
    value = {"arxiv_id": "2501.00001", "title": "A Title", "authors": "Ada Example, Bo Example Jr."}
    (row,) = listing_api.parse(dumped([value]), HINTS).items.to_dicts()
    assert row["authors"] == ["Ada Example", "Bo Example Jr."]


@pytest.mark.parametrize("end", ["\n", "\r\n", ",\n", "\n\n"], ids=["lf", "crlf", "comma", "blank"])
@pytest.mark.parametrize("values", [ITEMS, FLAT], ids=["items", "papers"])
def test_one_item_per_line(end: str, values: list[Any]) -> None:
    body = (end.join(map(json.dumps, values)) + end).encode()
    assert formats.detect(body).name == "daily_papers_lines"
    parsed = listing_lines.parse(body, HINTS)
    assert parsed.items["arxiv_id"].to_list() == IDS
    assert parsed.items["place"][0] == "line 1"
    assert kind(parsed) == ("daily" if values is ITEMS else "unknown")


def test_a_damaged_line_costs_only_itself() -> None:
    lines = [json.dumps(entry) for entry in ITEMS]
    lines[1] = lines[1][:50]
    body = "\n".join([*lines, "[1]", '{"paper": 5}']).encode()
    assert formats.detect(body).name == "daily_papers_lines"
    parsed = listing_lines.parse(body, HINTS)
    assert parsed.items["arxiv_id"].to_list() == [IDS[0], IDS[2]]
    assert sorted(reasons(parsed)) == ["broken_json", "broken_json", "paper_missing"]
    assert {r.place for r in parsed.rejects} == {"line 2", "line 4", "line 5"}
    assert parsed.n_seen == 5


def test_search_results_are_read_and_not_the_other_list() -> None:
    props = {
        "query": {"q": "words"},
        "periodType": "day",
        "dateString": DAY,
        "dailyPapers": ITEMS[:1],
        "searchResults": [item("1812.07003", "An Older Paper"), item("2404.01234", "Another")],
    }
    parsed = listing_html.parse(html_page(props), HINTS)
    assert parsed.items["arxiv_id"].to_list() == ["1812.07003", "2404.01234"]
    assert (parsed.stated_kind, parsed.listed_on) == ("search", None)
    assert any(rule.startswith("search_results: 1 item") for rule in parsed.rules)


def test_titles_of_cards_keep_blanks_around_highlighted_words() -> None:
    card = article("2501.00001", "X").replace(
        ">X<", '>3D <span class="highlight">Word</span> and <b>Count</b>s\n of  It<'
    )
    parsed = listing_html.parse(html_page("", card), HINTS)
    assert parsed.items["title"].to_list() == ["3D Word and Counts of It"]


@pytest.mark.parametrize(
    ("props", "stated"),
    [
        ({"dateString": "2025-02-10", "periodType": "day"}, ("daily", date(2025, 2, 10))),
        ({"dateString": "2025-02-10", "query": {}}, ("daily", date(2025, 2, 10))),
        (
            {"dateString": "2025-02-10", "query": {"date": "2025-02-10"}},
            ("daily", date(2025, 2, 10)),
        ),
        ({"dateString": "2026-W11", "periodType": "week"}, ("weekly", None)),
        ({"dateString": "2026-W11"}, ("weekly", None)),
        ({"dateString": "2026-03"}, ("monthly", None)),
        ({"query": {"q": " "}}, (None, None)),
    ],
)
def test_data_of_newer_pages(props: dict[str, Any], stated: tuple[str | None, date | None]) -> None:
    parsed = listing_html.parse(html_page({"dailyPapers": ITEMS, **props}), HINTS)
    assert (parsed.stated_kind, parsed.listed_on) == stated
    assert parsed.items.height == 3


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<title>Trending Papers - Hugging Face</title>", "trending"),
        ('<meta property="og:url" content="https://huggingface.co/papers/trending">', "trending"),
        ("<link href='https://huggingface.co/papers/trending' rel='canonical'>", "trending"),
        ("<!-- saved from url=(0038)https://huggingface.co/papers/trending -->", "trending"),
        ('<link rel="canonical" href="https://huggingface.co/papers?q=words">', "search"),
        ('<link rel="canonical" href="https://huggingface.co/papers/week/2025-W01">', "daily"),
        ("<title>Daily Papers - Hugging Face</title>", "daily"),
    ],
)
@pytest.mark.parametrize("props", [{"dailyPapers": ITEMS}, ""], ids=["data", "cards"])
def test_title_and_address_state_the_kind(head: str, expected: str, props: Any) -> None:
    cards = [article(arxiv_id, "A Title") for arxiv_id in IDS]
    page = html_page(props, *cards).replace(b"<html>", b"<html><head>" + head.encode() + b"</head>")
    parsed = listing_html.parse(page, HINTS)
    assert parsed.items.height == 3
    if expected != "daily":
        assert kind(parsed) == expected
    elif props:
        assert kind(parsed) == "daily"  # all submitted on one day, whatever the address


def test_a_card_shows_an_organisation_in_place_of_the_authors() -> None:
    card = article("2501.00001", "A Title").replace(
        "<span>2 authors</span>", '<a href="/example-labs"><img alt="">Example Labs</a>'
    )
    (row,) = listing_html.parse(html_page("", card), HINTS).items.to_dicts()
    assert (row["title"], row["n_authors"], row["organization"]) == (
        "A Title",
        None,
        "Example Labs",
    )
