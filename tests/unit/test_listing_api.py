"""Responses of the daily papers API: schema changes, invalid values and damage."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.parsing import listing_api
from pipelines.parsing.listing_items import github_root
from tests.fixtures.listings import HINTS, api, assert_sound, item, reasons

pytestmark = pytest.mark.unit


def row_of(**paper: Any) -> dict[str, Any]:
    parsed = listing_api.parse(api(item(**paper)), HINTS)
    assert reasons(parsed) == []
    return parsed.items.to_dicts()[0]


def test_an_item_of_2024_becomes_a_row() -> None:
    row = row_of()
    assert row["arxiv_id"] == "2501.00001"
    assert row["authors"] == ["Ada Example", "Bo Example"]
    assert row["n_authors"] == 2
    assert row["published_on"] == date(2025, 1, 2)  # of the paper, not of the item
    assert row["upvotes"] == 3
    assert row["comments"] == 2
    for later in ("keywords", "organization", "github_url", "github_stars", "submitted_on"):
        assert row[later] is None


def test_an_item_of_2026_becomes_a_row() -> None:
    row = row_of(
        ai_keywords=["alpha  beta", " ", 5, "gamma"],
        ai_summary="Ignored.",
        githubRepo="https://github.com/owner/repo/tree/main/sub",
        githubStars=7,
        projectPage=" https://example.org/x",
        submittedOnDailyAt="2025-01-03T23:30:00-05:00",
        organization={"name": "org", "fullname": "The\nOrg"},
        a_key_of_tomorrow={"deep": [1, {"er": None}]},
    )
    assert row["keywords"] == ["alpha beta", "gamma"]
    assert row["github_url"] == "https://github.com/owner/repo"
    assert row["github_stars"] == 7
    assert row["project_url"] == "https://example.org/x"
    assert row["submitted_on"] == date(2025, 1, 4)  # in UTC
    assert row["organization"] == "The Org"


@pytest.mark.parametrize("key", sorted(item()["paper"].keys() - {"id", "title"}))
@pytest.mark.parametrize("state", ["missing", "null"])
def test_only_id_and_title_are_required(key: str, state: str) -> None:
    changed = item()
    if state == "missing":
        del changed["paper"][key]
    else:
        changed["paper"][key] = None
    parsed = listing_api.parse(api(changed), HINTS)
    assert (parsed.items.height, reasons(parsed)) == (1, [])


def test_the_title_of_the_item_replaces_a_missing_one() -> None:
    changed = item()
    del changed["paper"]["title"]
    assert listing_api.parse(api(changed), HINTS).items["title"].to_list() == ["A Title"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param("{'paper': {'id': '2501.00001'}}", "item_not_object", id="Python repr"),
        pytest.param(None, "item_not_object", id="null"),
        pytest.param([], "item_not_object", id="list"),
        pytest.param({}, "paper_missing", id="empty object"),
        pytest.param({"paper": "2501.00001"}, "paper_missing", id="paper is text"),
        pytest.param(item(""), "bad_arxiv_id", id="empty id"),
        pytest.param(item("2501.1"), "bad_arxiv_id", id="short id"),
        pytest.param(item("2513.00001"), "bad_arxiv_id", id="month 13"),
        pytest.param(item("25٠١.٠٠٠٠١"), "bad_arxiv_id", id="digits of another script"),
        pytest.param(item("2501.00001v" + "9" * 30), "bad_arxiv_id", id="version of 30 digits"),
        pytest.param(item("2501.00001v" + "9" * 5000), "bad_arxiv_id", id="version of 5000 digits"),
        pytest.param(item("2501 .00001"), "bad_arxiv_id", id="space in the id"),
        pytest.param(item("x" * 10**6), "bad_arxiv_id", id="1 MB id"),
        pytest.param(item(id=["2501.00001"]), "bad_arxiv_id", id="id is a list"),
        pytest.param(item(title=" \n ") | {"title": ""}, "missing_title", id="blank title"),
        pytest.param(item(title={"a": 1}) | {"title": 5}, "missing_title", id="title is not text"),
        pytest.param(item(title="x" * 100_000), "title_too_long", id="100,000 characters"),
        pytest.param(item(publishedAt=5), "impossible_date", id="date is a number"),
        pytest.param(item(publishedAt={}), "impossible_date", id="date is an object"),
        pytest.param(item(publishedAt="yesterday"), "impossible_date", id="date is a word"),
        pytest.param(item(publishedAt="2025-02-30"), "impossible_date", id="February 30"),
        pytest.param(item(publishedAt="0000-01-01"), "impossible_date", id="year 0"),
        pytest.param(
            item(publishedAt="0001-01-01T00:00:00+14:00"), "impossible_date", id="before year 1"
        ),
        pytest.param(
            item(publishedAt="9999-12-31T23:00:00-14:00"), "impossible_date", id="after year 9999"
        ),
        pytest.param(item(publishedAt="2031-01-01"), "impossible_date", id="after the receipt"),
        pytest.param(item(publishedAt="1900-01-01"), "impossible_date", id="before arXiv"),
        pytest.param(
            item(authors=[{"name": "A"}] * 20_001), "impossible_author_count", id="too many authors"
        ),
    ],
)
def test_an_invalid_item_does_not_affect_the_others(changed: Any, reason: str) -> None:
    body = api(item("2501.00002", "Before"), changed, item("2501.00003", "After"))
    parsed = listing_api.parse(body, HINTS)
    assert_sound(parsed)
    assert parsed.items["title"].to_list() == ["Before", "After"]
    assert reasons(parsed) == [reason]
    assert parsed.rejects[0].place == "item 2"


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        pytest.param([{"name": "A", "hidden": True}, {"name": "B"}], ["A", "B"], id="hidden"),
        pytest.param([{"name": " "}, {"name": "B "}, {"name": None}], ["B"], id="blank"),
        pytest.param([{"name": "A"}, {"name": "A"}], ["A", "A"], id="repeated"),
        pytest.param([{"name": "A\n  B\0C"}], ["A B C"], id="line folds"),
        pytest.param(
            ["A", 5, None, [], {}, {"name": {"x": 1}}], ["A"], id="entries of other types"
        ),
        pytest.param([], None, id="empty list"),
        pytest.param({"name": "A"}, None, id="an object"),
        pytest.param([{"name": "Solo"}] * 3_303, ["Solo"] * 3_303, id="3,303"),
    ],
)
def test_authors(authors: Any, names: list[str] | None) -> None:
    row = row_of(authors=authors)
    assert row["authors"] == names
    assert row["n_authors"] == (len(names) if names else None)


@pytest.mark.parametrize("value", [-1, 2.5, True, "7", [7], 2**60, 10**30, float("nan")])
def test_invalid_counters_are_null_and_reported(value: Any) -> None:
    parsed = listing_api.parse(api(item(upvotes=value, title="T")), HINTS)
    assert parsed.items["upvotes"].to_list() == [None]
    assert any("unreadable_counter_ignored" in rule for rule in parsed.rules)


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://github.com/o/r", "https://github.com/o/r"),
        ("https://github.com/o/r/", "https://github.com/o/r"),
        ("https://github.com/o/r/tree/main/a/b", "https://github.com/o/r"),
        ("http://www.github.com/o/r.git", "https://github.com/o/r"),
        (" github.com/o/r?tab=readme", "https://github.com/o/r"),
        ("https://github.com/o", None),
        ("https://github.com.evil.org/o/r", None),
        ("https://example.org/github.com/o/r", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_repository_root(address: Any, root: str | None) -> None:
    assert github_root(address) == root


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (" https://example.org/a", "https://example.org/a"),
        ("javascript:alert(1)", None),
        ('https://example.org/"onclick=', None),
        ("https://exa mple.org", None),
        (["https://example.org"], None),
    ],
)
def test_project_page(address: Any, kept: str | None) -> None:
    assert row_of(projectPage=address)["project_url"] == kept


@pytest.mark.parametrize("title", ["<script>alert('x')</script>", '=cmd|" /C calc"!A0', "+1", "@x"])
def test_markup_and_formulas_in_titles_stay_text(title: str) -> None:
    assert row_of(title=title)["title"] == title


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"1", "not_a_listing", id="number"),
        pytest.param(b'"error"', "not_a_listing", id="text"),
        pytest.param(b'{"status": "ok"}', "not_a_listing", id="object"),
        pytest.param(b"null", "not_a_listing", id="null"),
        pytest.param(b"", "broken_json", id="empty"),
        pytest.param(b"\xff\xfe\x00", "broken_json", id="binary"),
        pytest.param(b"{" * 100_000, "broken_json", id="deep objects"),
    ],
)
def test_a_body_that_is_not_a_listing_is_rejected_whole(body: bytes, reason: str) -> None:
    parsed = listing_api.parse(body, HINTS)
    assert parsed.items.height == 0
    assert reasons(parsed) == [reason]


def test_an_empty_list_is_an_empty_listing() -> None:
    assert listing_api.parse(b" []\n", HINTS).n_seen == 0


def test_a_byte_order_mark_is_ignored() -> None:
    assert listing_api.parse(b"\xef\xbb\xbf" + api(item()), HINTS).items.height == 1


def test_every_cut_keeps_the_complete_items_before_it() -> None:
    items = [item(f"2501.0000{n}", f"Paper {n}") for n in range(1, 5)]
    body = api(*items)
    ends = [len(api(*items[: n + 1])) - 1 for n in range(4)]
    for at in range(1, len(body), 11):
        parsed = listing_api.parse(body[:at], HINTS)
        assert_sound(parsed)
        complete = [f"Paper {n + 1}" for n, end in enumerate(ends) if end <= at]
        assert parsed.items["title"].to_list() == complete
        assert reasons(parsed) == ["broken_json"]


@pytest.mark.parametrize(
    ("old", "new", "titles"),
    [
        pytest.param(b'"upvotes": 3', b'"upvotes": NaN', ["One", "Two"], id="NaN"),
        pytest.param(b'"upvotes": 3', b'"upvotes": ' + b"9" * 5000, ["One", "Two"], id="huge int"),
        pytest.param(b'"One"', b'"On\\ud800e"', ["Two"], id="lone surrogate"),
        pytest.param(b'"One"', b'"On\xffe"', ["Two"], id="not UTF-8"),
        pytest.param(
            b'"Ada Example"', b'"Ada \\udc00"', ["One", "Two"], id="lone surrogate in a name"
        ),
    ],
)
def test_a_value_that_strict_json_refuses_costs_at_most_its_item(
    old: bytes, new: bytes, titles: list[str]
) -> None:
    body = api(item(title="One"), item("2501.00002", "Two")).replace(old, new)
    parsed = listing_api.parse(body, HINTS)
    assert parsed.items["title"].to_list() == titles
    assert parsed.n_seen == 2
    assert any(rule.startswith("read_leniently") for rule in parsed.rules)


@pytest.mark.parametrize("depth", [50, 900, 1_000, 1_020, 5_000, 200_000])
def test_deep_nesting_does_not_exhaust_the_stack(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    body = api(item())[:-1] + b', {"paper": {"id": ' + nested + b"}}]"
    parsed = listing_api.parse(body, HINTS)
    assert parsed.items.height == 1
    assert len(parsed.rejects) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 2_000_000, id="lists"),
        pytest.param(b'{"a":' * 2_000_000, id="objects"),
        pytest.param(b"[" + b"0," * 4_100_000 + b"0]", id="numbers"),
        pytest.param(b"[" + b"{}," * 20_001 + b"{}]", id="items"),
        pytest.param(b"[" + b"0 " * 30_000, id="items without commas"),
    ],
)
def test_bodies_over_the_limits_are_rejected_whole(body: bytes) -> None:
    assert reasons(listing_api.parse(body, HINTS)) == ["too_large"]


def test_the_limit_of_items_can_be_reached() -> None:
    assert listing_api.parse(b"[" + b"0," * 19_999 + b"0]", HINTS).n_seen == 20_000


@pytest.mark.parametrize(
    ("paper", "reason"),
    [
        ({"summary": "x" * 100_001}, "abstract_too_long"),
        ({"authors": [{"name": "x" * 1_001}]}, "author_name_too_long"),
    ],
)
def test_texts_over_the_limits(paper: dict[str, Any], reason: str) -> None:
    parsed = listing_api.parse(api(item(**paper), item(summary="x" * 100_000)), HINTS)
    assert reasons(parsed) == [reason]
    assert parsed.items.height == 1


def test_the_excerpt_of_a_huge_item_is_its_start() -> None:
    huge: Any = {"x": [[0] * 100] * 1_000}
    (reject,) = listing_api.parse(api(huge), HINTS).rejects
    assert reject.excerpt.startswith("{'x': [[0, 0")


def test_labels_and_addresses_over_the_limits_are_ignored() -> None:
    row = row_of(
        ai_keywords=["x" * 501, "kept"],
        organization={"name": "x" * 501},
        projectPage="https://example.org/" + "x" * 2_000,
        githubRepo="https://github.com/o/" + "x" * 2_000,
    )
    assert row["keywords"] == ["kept"]
    assert row["organization"] is row["project_url"] is row["github_url"] is None


@pytest.mark.parametrize("code", [0x00, 0x07, 0x1B, 0x7F, 0x9B], ids=hex)
def test_control_characters_are_removed_from_titles(code: int) -> None:
    assert row_of(title=f"A{chr(code)}B")["title"] == "A B"


def test_an_excerpt_omits_the_users_of_the_site() -> None:
    text = "{'paper': {'id': '2501.00001'}, 'submittedBy': {'avatarUrl': '/a/b.svg', "
    text += "'fullname': \"Ann O'Hara\", 'user': 'ann'}}"
    (reject,) = listing_api.parse(api(text), HINTS).rejects
    assert "2501.00001" in reject.excerpt
    for private in ("b.svg", "Ann", "'ann'"):
        assert private not in reject.excerpt


def test_a_name_without_a_letter_is_dropped() -> None:
    names = [{"name": "NVIDIA"}, {"name": ":"}, {"name": "Bo Li"}]
    items = listing_api.parse(api(item(authors=names)), HINTS).items
    assert items["authors"].to_list() == [["NVIDIA", "Bo Li"]]
    assert items["n_authors"].to_list() == [2]
