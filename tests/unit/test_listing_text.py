"""Listing pages as copied text, in every layout seen so far."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.parsing import listing_text
from pipelines.parsing.records import Hints
from tests.fixtures.listings import (
    ABSTRACT,
    HEADER,
    HINTS,
    RECEIVED,
    assert_sound,
    card,
    page,
    reasons,
)

pytestmark = pytest.mark.unit

TRENDING = (
    "Trending Papers\n\nGet trending papers in your email inbox once a day!\n\nSubscribe\n\n"
    "byAK and the research community\n\n"
)


def trending_card(title: str, n_authors: int, stars: str) -> str:
    return f"{title}\n\nOne sentence that a model wrote.\n\n- {n_authors} authors\n\n{stars}\n\n"


def test_a_card_becomes_a_row() -> None:
    parsed = listing_text.parse(page(card("A Title", 5, "May 4, 2024 3")), HINTS)
    (row,) = parsed.items.to_dicts()
    assert row["title"] == "A Title"
    assert row["abstract"] == ABSTRACT.strip()
    assert row["n_authors"] == 5
    assert row["published_on"] == date(2024, 5, 4)
    assert row["published_on_basis"] == "page_date_printed"
    assert row["comments"] == 3
    assert row["upvotes"] is None
    assert parsed.listed_on == parsed.captured_on


def test_comments_that_are_not_shown_are_null() -> None:
    parsed = listing_text.parse(page(card("A Title", 5, "May 4, 2024")), HINTS)
    assert parsed.items["comments"].to_list() == [None]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
def test_line_ends_do_not_matter(end: str, mark: str) -> None:
    text = page(card("One", 1, "Sep 11 2"), card("Two", 2, "May 4, 2020")).decode()
    expected = listing_text.parse(text.encode(), HINTS)
    assert expected.items.height == 2
    changed = listing_text.parse((mark + text.replace("\n", end)).encode(), HINTS)
    assert changed.items.equals(expected.items)


@pytest.mark.parametrize(
    ("days", "hints", "expected", "basis"),
    [
        pytest.param(
            ["Sep 11", "May 4, 2022", "May 4, 2020"],
            HINTS,
            date(2023, 9, 11),
            "page_date_year_after_largest_printed",
            id="largest printed year plus one",
        ),
        pytest.param(
            ["Sep 11", "May 4, 2022"],
            Hints(RECEIVED, captured_on=date(2025, 11, 6)),
            date(2025, 9, 11),
            "page_date_capture_year",
            id="year of the capture",
        ),
        pytest.param(
            ["Jan 11"], HINTS, date(2026, 1, 11), "page_date_receipt_year", id="year of receipt"
        ),
        pytest.param(
            ["Sep 11"],
            HINTS,
            date(2025, 9, 11),
            "page_date_receipt_year",
            id="year before the receipt",
        ),
    ],
)
def test_missing_years_are_inferred(
    days: list[str], hints: Hints, expected: date, basis: str
) -> None:
    cards = [card(f"Paper {day}", 2, day) for day in days]
    header = HEADER.replace("Nov 6\n\n", "")
    parsed = listing_text.parse(page(*cards, header=header), hints)
    assert parsed.items["published_on"][0] == expected
    assert parsed.items["published_on_basis"][0] == basis
    assert any(rule.startswith("year_inferred: ") for rule in parsed.rules)


@pytest.mark.parametrize(
    ("n_authors", "day", "reason"),
    [
        pytest.param(2, "Feb 30", "impossible_date", id="February 30"),
        pytest.param(2, "Feb 29, 2023", "impossible_date", id="not a leap year"),
        pytest.param(2, "Xyz 3, 2023", "impossible_date", id="not a month"),
        pytest.param(2, "Sep 11, 0000", "impossible_date", id="year 0"),
        pytest.param(2, "Sep 11, 1066", "impossible_date", id="before arXiv"),
        pytest.param(2, "Sep 11, 9999", "impossible_date", id="far future"),
        pytest.param(2, "Feb 5, 2026", "impossible_date", id="after the receipt"),
        pytest.param(2, "Sep 11 9999999999", "impossible_date", id="comment count of 10 digits"),
        pytest.param(2, "11 Sep 2024", "impossible_date", id="day before month"),
        pytest.param(2, "Jun 8, 20", "impossible_date", id="cut date"),
        pytest.param(0, "Sep 11", "impossible_author_count", id="no authors"),
        pytest.param(10**9, "Sep 11", "impossible_author_count", id="a billion authors"),
        pytest.param("9" * 5000, "Sep 11", "impossible_author_count", id="5000 digits"),
    ],
)
def test_an_invalid_card_does_not_affect_the_others(
    n_authors: int | str, day: str, reason: str
) -> None:
    cards = [card("Before", 1, "Mar 3, 2024"), card("Bad", n_authors, day)]
    parsed = listing_text.parse(page(*cards, card("After", 3, "Mar 4, 2024")), HINTS)
    assert parsed.items["title"].to_list() == ["Before", "After"]
    assert reasons(parsed) == [reason]
    assert parsed.n_seen == 3


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        pytest.param("<script>alert('x')</script>", True, id="script"),
        pytest.param('=cmd("calc")|A0', True, id="formula"),
        pytest.param("12 Ways to Count", True, id="leading number"),
        pytest.param("x" * 2_000, True, id="2000 characters"),
        pytest.param("x" * 100_000, False, id="100,000 characters"),
    ],
)
def test_markup_and_formulas_in_titles_stay_text(title: str, kept: bool) -> None:
    parsed = listing_text.parse(page(card(title, 2, "Mar 3, 2024")), HINTS)
    assert parsed.items["title"].to_list() == ([title] if kept else [])
    assert reasons(parsed) == ([] if kept else ["title_too_long"])


def test_the_detail_names_the_full_length() -> None:
    parsed = listing_text.parse(page(card("x" * 100_000, 2, "Mar 3, 2024")), HINTS)
    assert "100000" in parsed.rejects[0].detail


def test_a_missing_author_line_costs_only_its_card() -> None:
    broken = f"Lost Its Authors\n\n{ABSTRACT}\n\n"
    parsed = listing_text.parse(
        page(card("One", 1, "Mar 3, 2024"), broken, card("Three", 3, "Mar 5, 2024")), HINTS
    )
    assert parsed.items["title"].to_list() == ["One", "Three"]
    assert reasons(parsed) == ["truncated_record"]


@pytest.mark.parametrize(
    "paragraphs",
    [
        pytest.param([ABSTRACT, "A short second paragraph.", ABSTRACT], id="short in the middle"),
        pytest.param([ABSTRACT, "- a bullet", "- another bullet", ABSTRACT], id="bullets"),
        pytest.param(["Short first.", ABSTRACT, "and more."], id="short first"),
        pytest.param([ABSTRACT, ABSTRACT], id="two long ones"),
    ],
)
def test_abstracts_of_several_lines(paragraphs: list[str]) -> None:
    cards = [card("One", 1, "Mar 3, 2024", "\n\n".join(paragraphs)), card("Two", 2, "Mar 4, 2024")]
    parsed = listing_text.parse(page(*cards), HINTS)
    assert parsed.items["title"].to_list() == ["One", "Two"]
    assert parsed.items["n_authors"].to_list() == [1, 2]
    assert reasons(parsed) == []


def test_the_site_menu_above_the_header_is_not_a_paper() -> None:
    menu = "Hugging Face\n\nModels\n\nDatasets\n\nSpaces\n\nLog In\n\n"
    parsed = listing_text.parse(page(card("One", 1, "Mar 3, 2024"), header=menu + HEADER), HINTS)
    assert parsed.items["title"].to_list() == ["One"]
    assert parsed.n_seen == 1
    assert (parsed.listed_on or date.min).strftime("%b %d") == "Nov 06"


def test_a_header_without_papers_is_not_an_empty_day() -> None:
    assert reasons(listing_text.parse(HEADER.encode(), HINTS)) == ["listing_without_cards"]


def test_layout_without_author_lines() -> None:
    body = page(f"One\n\n{ABSTRACT}\n\nTwo\n\n{ABSTRACT}\n\nThree\n\nA short one.\n")
    parsed = listing_text.parse(body, HINTS)
    assert parsed.items["title"].to_list() == ["One", "Two", "Three"]
    assert parsed.items["n_authors"].to_list() == [None] * 3
    assert parsed.items["published_on"].to_list() == [None] * 3
    assert any(rule.startswith("no_author_lines") for rule in parsed.rules)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        pytest.param("SubscribeOne Title", "One Title", id="glued"),
        pytest.param("Subscribe3D Titles", "3D Titles", id="glued to a digit"),
        pytest.param("SubscriberStar Titles", "rStar Titles", id="glued to a small letter"),
        pytest.param("Subscriber Numbers", "Subscriber Numbers", id="a word"),
        pytest.param("Subscribe\n\nOne Title", "One Title", id="on its own line"),
    ],
)
def test_subscribe_glued_to_the_first_title(line: str, title: str) -> None:
    header = (
        "Daily Papers\n\nbyAK and the research community\n\nNov 6\n\n"
        "Get trending papers in your email inbox once a day!\n\n"
    )
    body = page(card(line, 2, "Mar 3, 2024"), card("Two", 2, "Mar 4, 2024"), header=header)
    parsed = listing_text.parse(body, HINTS)
    assert parsed.items["title"].to_list() == [title, "Two"]


def test_repeated_trending_cards_count_once() -> None:
    cards = [trending_card("Short Name", 8, "GitHub 11.3k"), trending_card("Other", 1, "GitHub 97")]
    parsed = listing_text.parse(page(*cards, *cards, header=TRENDING), HINTS)
    assert parsed.stated_kind == "trending"
    assert parsed.listed_on is None
    assert parsed.items.select("title", "n_authors", "github_stars", "abstract").rows() == [
        ("Short Name", 8, 11_300, None),
        ("Other", 1, 97, None),
    ]
    assert any(rule.startswith("repeated_cards_folded") for rule in parsed.rules)


@pytest.mark.parametrize(
    ("stars", "expected"),
    [
        ("GitHub 11.3k", 11_300),
        ("GitHub 1,234", 1_234),
        ("GitHub 1.2m", 1_200_000),
        ("GitHub ..k", None),
        ("GitHub " + "9" * 400 + "m", None),
    ],
)
def test_star_counts(stars: str, expected: int | None) -> None:
    parsed = listing_text.parse(page(trending_card("One", 8, stars), header=TRENDING), HINTS)
    assert parsed.items["github_stars"].to_list() == [expected]


@pytest.mark.parametrize(
    ("second", "n"),
    [
        pytest.param((3, "Mar 3, 2024"), 1, id="same card"),
        pytest.param((4, "Mar 3, 2024"), 2, id="different authors"),
        pytest.param((3, "Mar 4, 2024"), 2, id="different date"),
    ],
)
def test_papers_with_the_same_title(second: tuple[int, str], n: int) -> None:
    cards = [card("Same", 3, "Mar 3, 2024"), card("Same", *second), card("Same", *second)]
    parsed = listing_text.parse(page(*cards), HINTS)
    assert parsed.items.height == n
    assert parsed.items.select("n_authors", "published_on").n_unique() == n


def test_20_000_cards_with_the_same_title_are_read_in_time() -> None:
    cards = "".join(f"Same\n{n % 10_000 + 1} authors\nMar 3, 2024\n" for n in range(20_000))
    parsed = listing_text.parse((HEADER + cards).encode(), HINTS)
    assert_sound(parsed)
    assert 10_000 <= parsed.n_seen <= 20_000


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_over_the_limit_are_rejected_whole(end: str) -> None:
    parsed = listing_text.parse((HEADER + end * 200_001).encode(), HINTS)
    assert reasons(parsed) == ["too_large"]


@pytest.mark.parametrize(
    ("n", "found"),
    [(100_000, []), (100_001, ["abstract_too_long"]), (3_000_000, ["abstract_too_long"])],
)
def test_abstracts_over_the_limit(n: int, found: list[str]) -> None:
    parsed = listing_text.parse(page(card("One", 1, "Mar 3, 2024", "x" * n)), HINTS)
    assert reasons(parsed) == found
    assert parsed.n_seen == 1


def test_every_cut_keeps_the_complete_cards_before_it() -> None:
    hints = Hints(RECEIVED, captured_on=date(2025, 11, 6))
    cards = [card(f"Paper {n}", n, f"Mar {n}, 2024 {n}") for n in range(1, 6)]
    text = page(*cards).decode()
    whole = listing_text.parse(text.encode(), hints).items.drop("position")
    assert whole.height == 5
    ends = [len(HEADER) + len("".join(cards[: n + 1]).rstrip()) for n in range(5)]
    for at in range(len(HEADER), len(text), 7):
        parsed = listing_text.parse(text[:at].encode(), hints)
        assert_sound(parsed)
        n_before = sum(end <= at for end in ends)
        assert parsed.items.drop("position").head(n_before).equals(whole.head(n_before)), at
        assert parsed.n_seen <= n_before + 1


def test_invalid_utf8_is_rejected_in_titles_and_replaced_in_abstracts() -> None:
    body = page(
        card("Ti?tle", 1, "Mar 3, 2024"),
        card("Good", 2, "Mar 4, 2024", "Abs?tract"),
    ).replace(b"?", b"\xff")
    parsed = listing_text.parse(body, HINTS)
    assert parsed.items["title"].to_list() == ["Good"]
    assert reasons(parsed) == ["invalid_utf8"]
    assert any(rule.startswith("invalid_utf8_replaced") for rule in parsed.rules)


def test_trending_cards_with_links_and_submitters() -> None:
    card = (
        "{title}\n\nOne sentence that the site wrote about it.\n\n- {n} authors\n\n·\n"
        "Published on Nov 6, 2025\nUpvote 34\n\nGitHub 11.3k\n\narXiv Page\n\n"
        "Submitted by\n\nsome-one\n\n"
    )
    cards = card.format(title="Fast", n=8) + card.format(title="Slow", n=2)
    header = "Trending Papers\n\nbyAK and the research community\n\n"
    parsed = listing_text.parse((header + cards + cards).encode(), HINTS)
    assert parsed.stated_kind == "trending"
    assert parsed.items["title"].to_list() == ["Fast", "Slow"]
    assert parsed.items["n_authors"].to_list() == [8, 2]
    assert parsed.items["github_stars"].to_list() == [11_300, 11_300]
    assert parsed.items["abstract"].to_list() == [None, None]
    assert parsed.n_seen == 2


def test_layout_with_authors_and_without_dates() -> None:
    body = page(f"One\n\n{ABSTRACT}\n\n5 authors\n\nTwo\n\n{ABSTRACT}\n\n·\n6 authors\n")
    parsed = listing_text.parse(body, HINTS)
    assert parsed.items.select("title", "n_authors", "published_on").rows() == [
        ("One", 5, None),
        ("Two", 6, None),
    ]


def test_the_newsletter_line_alone_marks_a_listing() -> None:
    head = (
        "new\n\nGet trending papers in your email inbox once a day!\n\nSubscribeA Title\n\nText.\n"
    )
    assert listing_text.looks_like_listing(head)
