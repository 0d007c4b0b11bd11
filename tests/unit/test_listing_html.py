"""Saved listing pages: the JSON in `data-props`, else the cards."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.parsing import listing_html
from tests.fixtures.listings import (
    HINTS,
    article,
    assert_sound,
    html_page,
    item,
    reasons,
)

pytestmark = pytest.mark.unit

ITEMS = [item(f"2501.0000{n}", f"Paper {n} & <b>") for n in range(1, 4)]
CARDS = [article(f"2501.0000{n}", f"Paper {n} & <b>", upvotes=3, comments=2) for n in range(1, 4)]
PROPS = {"dailyPapers": ITEMS, "date": "2025-01-03", "periodType": "day"}


def test_props_give_items_day_and_kind() -> None:
    parsed = listing_html.parse(html_page(PROPS, *CARDS), HINTS)
    assert parsed.items["title"].to_list() == ["Paper 1 & <b>", "Paper 2 & <b>", "Paper 3 & <b>"]
    assert parsed.listed_on == date(2025, 1, 3)
    assert parsed.stated_kind == "daily"
    assert parsed.items["authors"][0].to_list() == ["Ada Example", "Bo Example"]


@pytest.mark.parametrize(
    "props",
    ["", "{", "5", "null", "[]", '{"dailyPapers": {}}', '{"dailyPapers": null}', "[" * 100_000],
    ids=["empty", "cut", "number", "null", "list", "object", "no list", "deep"],
)
def test_cards_give_the_same_items_if_props_are_broken(props: str) -> None:
    shown = ["arxiv_id", "title", "n_authors", "upvotes", "comments"]
    whole = listing_html.parse(html_page(PROPS, *CARDS), HINTS)
    parsed = listing_html.parse(html_page(props, *CARDS), HINTS)
    assert parsed.items.select(shown).equals(whole.items.select(shown))
    assert parsed.rules[0].startswith("article_cards: ")
    assert parsed.listed_on is None


@pytest.mark.parametrize(
    ("more", "day", "kind"),
    [
        ({"date": "2025-02-30"}, None, "daily"),
        ({"date": "2025-01-06", "periodType": "week"}, date(2025, 1, 6), "weekly"),
        ({"date": 5, "periodType": ["x"]}, None, "daily"),
        ({"date": "2025-01-06", "query": "noise"}, date(2025, 1, 6), "search"),
    ],
    ids=["not a calendar date", "week", "other types", "search"],
)
def test_day_and_kind_stated_by_the_page(more: dict[str, Any], day: date | None, kind: str) -> None:
    parsed = listing_html.parse(html_page(PROPS | more), HINTS)
    assert parsed.items.height == 3
    assert parsed.listed_on == day
    assert parsed.stated_kind in (kind, None)


def test_invalid_items_of_the_props_are_rejected() -> None:
    props = {"dailyPapers": [None, 1, "x", [], {}, *ITEMS]}
    parsed = listing_html.parse(html_page(props), HINTS)
    assert parsed.items.height == 3
    assert reasons(parsed) == ["item_not_object"] * 4 + ["paper_missing"]


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        pytest.param(b"", "html_not_a_listing", id="empty"),
        pytest.param(bytes(range(256)) * 50, "html_not_a_listing", id="binary"),
        pytest.param(b"<html><p>Sign in</p></html>", "html_not_a_listing", id="other page"),
        pytest.param(
            b"<html><article><a href>x</a></article></html>", "html_not_a_listing", id="blog"
        ),
        pytest.param(b"<html>" + b"<div>" * 50_000, "html_not_a_listing", id="deep"),
        pytest.param(
            b'<html><div data-target="DailyPapers"></div>', "html_not_a_listing", id="no props"
        ),
    ],
)
def test_a_page_that_is_not_a_listing_is_rejected_whole(html: bytes, reason: str) -> None:
    parsed = listing_html.parse(html, HINTS)
    assert_sound(parsed)
    assert reasons(parsed) == [reason]
    assert parsed.items.height == 0


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param("2 authors", "0 authors", "impossible_author_count", id="no authors"),
        pytest.param("2 authors", "1000000000 authors", "impossible_author_count", id="10^9"),
        pytest.param("2 authors", "9" * 5000 + " authors", "impossible_author_count", id="digits"),
        pytest.param("/papers/2501.00002", "/models/x", "card_without_paper", id="not a paper"),
        pytest.param("/papers/2501.00002", "/papers/x", "card_without_paper", id="not an arXiv id"),
        pytest.param(">Paper 2", ">" + "x" * 100_000, "title_too_long", id="long title"),
        pytest.param(">Paper 2 &amp; &lt;b&gt;<", "><", "missing_title", id="blank title"),
        pytest.param(">Paper 2", ">Paper \ufffd", "invalid_utf8", id="invalid UTF-8"),
    ],
)
def test_an_invalid_card_does_not_affect_the_others(old: str, new: str, reason: str) -> None:
    cards = [CARDS[0], CARDS[1].replace(old, new), CARDS[2]]
    parsed = listing_html.parse(html_page("", *cards), HINTS)
    assert_sound(parsed)
    assert parsed.items["arxiv_id"].to_list() == ["2501.00001", "2501.00003"]
    assert reasons(parsed) == [reason]


DEEP = "<article>" + "<b>" * 100_000
WEIGHT = "".join(f"<b x={n}>" for n in range(400))


@pytest.mark.parametrize(
    ("html", "found"),
    [
        pytest.param("<article>" * 600_000, ["too_large"], id="tags"),
        pytest.param("<article>x</article>" * 20_001, ["too_large"], id="cards"),
        pytest.param(DEEP, ["html_not_a_listing"], id="deep"),
        pytest.param(DEEP + CARDS[0], ["too_large"], id="a deep card before a valid one"),
        pytest.param(CARDS[0] + "<article>" + "9" * 900_000, ["truncated_record"], id="digits"),
        pytest.param(
            f"<p>{WEIGHT}" + "<p>x" * 100_000 + CARDS[0], [], id="formatting that is reopened"
        ),
    ],
)
def test_hostile_markup_is_handled(html: str, found: list[str]) -> None:
    parsed = listing_html.parse(html.encode(), HINTS)
    assert_sound(parsed)
    assert reasons(parsed) == found


def test_the_limit_of_cards_can_be_reached() -> None:
    card = '<article><a href="/papers/2501.00001">x</a>'
    parsed = listing_html.parse((card * 20_000).encode(), HINTS)
    assert (parsed.n_seen, reasons(parsed)) == (20_000, ["truncated_record"])


@pytest.mark.parametrize("cut", ["", '"}]}">'], ids=["cut", "whole"])
def test_props_over_the_limits_are_rejected_whole(cut: str) -> None:
    body = '<div data-target="DailyPapers" data-props="{&quot;dailyPapers&quot;:[' + "[" * 1_100_000
    assert reasons(listing_html.parse((body + cut).encode(), HINTS)) == ["too_large"]


def test_markup_in_titles_stays_text() -> None:
    title = "<script>alert('x')</script>"
    cards = listing_html.parse(html_page("", article("2501.00001", title)), HINTS)
    props = listing_html.parse(html_page({"dailyPapers": [item(title=title)]}), HINTS)
    assert cards.items["title"].to_list() == props.items["title"].to_list() == [title]


def test_counters_that_are_not_numbers_are_null() -> None:
    card = CARDS[0].replace(">3<", ">1.2k<").replace(">2<", ">٢<")
    parsed = listing_html.parse(html_page("", card), HINTS)
    assert parsed.items.select("upvotes", "comments").rows() == [(None, None)]


@pytest.mark.parametrize("props", [PROPS, ""], ids=["props", "cards"])
def test_every_cut_keeps_the_complete_items_before_it(props: Any) -> None:
    cards = [] if props else CARDS
    body = html_page(props, *cards)
    whole = listing_html.parse(body, HINTS).items
    marks = [f"2501.0000{n + 1}".encode() for n in range(3)]
    for at in range(0, len(body), 13):
        parsed = listing_html.parse(body[:at], HINTS)
        assert_sound(parsed)
        # An item is complete if the next one has begun.
        n_before = max(sum(mark in body[:at] for mark in marks) - 1, 0)
        assert parsed.items.head(n_before).equals(whole.head(n_before)), at
        # No partial item is accepted.
        assert parsed.items.equals(whole.head(parsed.items.height)), at
